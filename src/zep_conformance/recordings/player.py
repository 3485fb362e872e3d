"""Plays recorded exchanges against a server, and compares its answers with the recorded ones.

replay = Replay(load_recording(path), server, names=Names(), removals=removals, queue=queue)
replay.play(exchange).differences       # () when the server answered as recorded
"""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import httpx

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell
from zep_conformance.recordings.comparison import ABSENT, UUID_PLACEHOLDER, Comparison, Difference
from zep_conformance.recordings.format import RecordedExchange, by_sequence, without_system_metadata
from zep_conformance.recordings.names import FREE_BODIES, READS, Names, lists_others, objection
from zep_conformance.recordings.removal import EnrichmentQueue, Removals, stalls
from zep_conformance.recordings.server import ReplayServer

EVENTUALLY = 30.0
"""Seconds in which an answer marked `eventually` must have come (the queue works first)."""
SILENT = 3
"""Requests in a row that were not answered, after which a server is said to be gone."""
CONTENT_TYPE = "content_type"
"""Where an answer whose label is another differs."""
HIDDEN_ANSWER = "(not shown: it may hold what is not ours)"


@dataclass(frozen=True)
class SentRequest:
    """A request as it was sent, to be shown: url with the server's address, headers with whatever it wants."""

    method: str
    url: str
    headers: dict[str, str]
    content: str


@dataclass(frozen=True)
class PlayedAnswer:
    """An answer, with the recording's names in it, and without `metadata.system`."""

    status: int
    content_type: str
    body: Any


@dataclass(frozen=True)
class Played:
    """What became of one exchange.

    sent, answer: None where it was not sent, or not answered. left_out: why it was not sent. uuids: of the sequence
    so far, by the N of `{{uuid:N}}`.
    """

    exchange: RecordedExchange
    sent: SentRequest | None = None
    answer: PlayedAnswer | None = None
    differences: tuple[Difference, ...] = ()
    left_out: str | None = None
    uuids: tuple[tuple[str, str], ...] = ()

    @property
    def as_recorded(self) -> bool:
        """Whether it was sent, and answered as recorded."""
        return self.left_out is None and not self.differences

    @property
    def only_labelled_otherwise(self) -> bool:
        """Whether nothing differs but the content type."""
        return bool(self.differences) and all(one.where == CONTENT_TYPE for one in self.differences)


class Replay:
    """Plays exchanges against one server, each sequence in order.

    names: the ids of this run. removals: is told what is made. queue: is waited for before anything is cleared.
    limit: seconds in which an answer marked `eventually` must have come.
    """

    def __init__(
        self,
        exchanges: Sequence[RecordedExchange],
        server: ReplayServer,
        *,
        names: Names,
        removals: Removals,
        queue: EnrichmentQueue,
        limit: float = EVENTUALLY,
    ) -> None:
        self._sequences = by_sequence(exchanges)
        self._server, self._names, self._removals, self._queue = server, names, removals, queue
        self._limit = limit
        self._comparisons: dict[str, Comparison] = {}
        self._played: dict[str, dict[int, Played]] = {}
        self._silent = 0

    def play(self, exchange: RecordedExchange) -> Played:
        """Play `exchange`, after those before it in its sequence, each once.

        Raises CannotTell when the server has stopped answering.
        """
        played = self._played.setdefault(exchange.sequence, {})
        for earlier in self._sequences[exchange.sequence]:
            if earlier.step not in played:
                played[earlier.step] = self._exchange(earlier)
            if earlier.step == exchange.step:
                break
        return played[exchange.step]

    def play_all(self) -> Iterator[Played]:
        """Play everything; yields what became of each exchange as it is known.

        Sequences are played in turns, so that Zep's queue settles once for all that clear something next. Those
        that stall the queue (DEV-1) come last.
        """
        groups = groupby(sorted(self._sequences.values(), key=_turn), key=_turn)
        for _, group in groups:
            waiting = [deque(sequence) for sequence in group]
            while waiting:
                for sequence in waiting:
                    yield from self._until_held_back(sequence)
                waiting = [sequence for sequence in waiting if sequence]
                if waiting:
                    self._queue.settle()

    def _until_held_back(self, sequence: deque[RecordedExchange]) -> Iterator[Played]:
        """Play a sequence, taking from it, until Zep's queue must settle first."""
        while sequence:
            known = self._comparisons.get(sequence[0].sequence, Comparison())
            if self._queue.holds_back(self._filled(self._names.request(sequence[0].request), known)):
                return
            yield self.play(sequence.popleft())

    def _exchange(self, exchange: RecordedExchange) -> Played:
        known = self._comparisons.setdefault(exchange.sequence, Comparison())
        request = self._filled(self._names.request(exchange.request), known)
        unknown = UUID_PLACEHOLDER.search(json.dumps(request))
        if unknown:
            return Played(exchange, differences=(Difference("request", f"{unknown[0]} of an earlier answer", ABSENT),))
        why_not = objection(exchange, request, self._names, known.uuids.values())
        if why_not:
            return Played(exchange, left_out=why_not)
        if self._queue.holds_back(request):
            self._queue.settle()
        played = Played(exchange)

        def as_recorded() -> None:
            nonlocal played
            # A comparison that fails half-way must not leave its guesses behind.
            attempt = Comparison(dict(known.uuids))
            played = self._ask(exchange, request, attempt)
            if not lists_others(request):
                self._comparisons[exchange.sequence] = attempt
            assert not played.differences or played.only_labelled_otherwise  # a label will not change

        with contextlib.suppress(AssertionError):  # what differs is in `played`
            eventually(as_recorded, self._limit if exchange.eventually else 0.0)
        return replace(played, uuids=tuple(self._comparisons[exchange.sequence].uuids.items()))

    def _filled(self, request: dict[str, Any], comparison: Comparison) -> dict[str, Any]:
        """Return a request with what its placeholders stand for; UUIDs that never came stay."""

        def fill(text: str) -> str:
            for name, value in self._server.variables.items():
                text = text.replace(f"{{{{{name}}}}}", value)
            return UUID_PLACEHOLDER.sub(lambda found: comparison.uuids.get(found[1], found[0]), text)

        def filled(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: filled(item) for key, item in value.items()}
            if isinstance(value, list):
                return [filled(item) for item in value]
            return fill(value) if isinstance(value, str) else value

        return {key: value if key in ("raw", "method") else filled(value) for key, value in request.items()}

    def _ask(self, exchange: RecordedExchange, request: dict[str, Any], comparison: Comparison) -> Played:
        headers, content = dict(request.get("headers", {})), request.get("raw")
        if "body" in request:
            headers.setdefault("content-type", "application/json")
            content = json.dumps(request["body"], ensure_ascii=False)
        method, path = request["method"], request["path"]
        sent = SentRequest(method, f"{self._server.url}{path}", self._server.with_key(headers), content or "")
        try:
            response = self._server.send(method, path, headers, None if content is None else content.encode())
        except httpx.HTTPError as error:
            return self._unanswered(exchange, sent, error)
        self._silent = 0
        if method not in READS:
            self._queue.note(request)
            self._removals.note(self._server, method, path, request.get("body"), response)
        answer = self._understood(exchange, response, hide=lists_others(request))
        return Played(exchange, sent, answer, tuple(_compared(exchange, answer, comparison)))

    def _unanswered(self, exchange: RecordedExchange, sent: SentRequest, error: httpx.HTTPError) -> Played:
        """No answer to one request may be the server's way of answering it; to several, it is gone."""
        self._silent += 1
        if isinstance(error, httpx.ConnectError) or self._silent >= SILENT:
            raise CannotTell(
                f"{self._server.part} has stopped answering: {type(error).__name__} at {exchange.name}",
                "Is it still running? Its log may say what ended it.",
                code="server-gone",
            ) from error
        what = f"no answer ({type(error).__name__})"
        return Played(exchange, sent, None, (Difference("status", exchange.response.get("status", ABSENT), what),))

    def _understood(self, exchange: RecordedExchange, response: httpx.Response, *, hide: bool) -> PlayedAnswer:
        text = self._names.restored(response.text)
        body: Any = HIDDEN_ANSWER if hide and response.is_success else text
        if body is text and exchange.response.get("body") not in FREE_BODIES:
            with contextlib.suppress(ValueError):
                parsed = json.loads(text)
                body = text if isinstance(parsed, str) else without_system_metadata(parsed)
        return PlayedAnswer(response.status_code, response.headers.get("content-type", ""), body)


def _turn(sequence: Sequence[RecordedExchange]) -> int:
    if any(stalls(one.request) for one in sequence):
        return 2
    return 0 if any(one.eventually for one in sequence) else 1


def _compared(exchange: RecordedExchange, answer: PlayedAnswer, comparison: Comparison) -> Iterator[Difference]:
    recorded = exchange.response
    if not recorded:
        comparison.learn(answer.body)
        return
    if answer.status != recorded["status"]:
        yield Difference("status", recorded["status"], answer.status)
    if answer.content_type != recorded["content_type"]:
        yield Difference(CONTENT_TYPE, recorded["content_type"], answer.content_type)
    yield from comparison.differences(recorded["body"], answer.body, exchange.subset)
