"""An httpx transport that answers from the recording of a run, in place of the servers: nothing is sent anywhere.

    player = Player(redactor)
    with clock.running(player.clock):
        player.begin(exchanges)                          # of one scenario, in the order in which they were begun
        http_client(url, timeout=1, transport=player).get("/healthz")
        player.missing                                   # what was asked for and is not recorded

A request is answered by the first exchange that asked the same (method, URL, body, credentials; secrets are removed
from both) and is not before one that the same thread has had already. What nobody asked then is `NotRecorded`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import urlsplit

import httpx

from zep_conformance.clients.clock import Clock
from zep_conformance.clients.http import READS_BY_POST
from zep_conformance.redaction.redactor import HIDDEN, Redactor

Question = tuple[str, str, str, str]
"""Method, URL, body and credentials of a request."""
SOMETHING_ELSE = "the steps ask for something else than the run did"
MORE_OFTEN = "the steps ask more often than the run did, or wait for longer"
CUT = "it turns on an answer that was too long to be recorded whole"
LEFT_OUT = "the steps leave something out that the run wrote"
SECRETS = "answers that it turns on had secrets, which no recording has"
_BUILDING = re.compile(r"/api/v1/(?:marketplaces|nodes|credentials|chatflows)\b")
"""What is made once a run, and looked up for that, by whichever scenario needs it first."""
_NAME = re.compile(r'("name":\s*")[^"]*-[^"]*(")')
ROUNDED = timedelta(milliseconds=0.2)
"""By how much a recording may have two exchanges overlap that came one after the other."""
_SHOWN = 100
"""Characters of a URL that are shown."""
_DROPPED = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})
"""Headers that say how an answer was sent."""


class NotRecorded(Exception):
    """Something that a recording can't answer. why: what keeps one from telling; what: which request, in words."""

    def __init__(self, why: str, what: str = "") -> None:
        super().__init__(f"{why}: {what}" if what else why)
        self.why, self.what = why, what
        self.is_excused = False

    def excuse(self) -> None:
        """Let it be known that the answer would have changed nothing."""
        self.is_excused = True


@dataclass(frozen=True, kw_only=True)
class RecordedAnswer:
    """One exchange of a run, as its reports keep it: without secrets.

    credentials: what was sent as `authorization`, "" for nothing; of a stranger, who asked, in words. headers: the
    answer's. failure: the name of httpx's exception where no answer came. began: when it was asked; seconds: until the
    answer had come.
    """

    method: str
    url: str
    body: str
    """Of a longer one than a recording keeps what `beginning` gives."""
    credentials: str
    status: int
    headers: Sequence[tuple[str, str]]
    answer: str
    failure: str
    began: datetime
    seconds: float
    is_cut: bool = False
    """Whether the recording has not all of the answer."""

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.method, self.url, self.body, self.credentials

    @cached_property
    def path(self) -> str:
        """The path of what was asked."""
        return urlsplit(self.url).path

    @property
    def ended(self) -> datetime:
        """When the answer had come."""
        return self.began + timedelta(seconds=self.seconds)

    @property
    def writes(self) -> bool:
        """Whether it may have changed what comes after it."""
        by_post = self.method == "POST" and self.path.endswith(READS_BY_POST)
        return not (by_post or self.method in ("GET", "HEAD", "OPTIONS"))

    @property
    def builds(self) -> bool:
        """Whether it is of what is made once a run."""
        return builds(self.url)

    def response(self, request: httpx.Request) -> httpx.Response:
        """Return the answer. Raises the httpx.TransportError that came in its place."""
        if self.failure:
            kind = getattr(httpx, self.failure, httpx.TransportError)
            raise kind(self.answer, request=request)
        kept = [(name, value) for name, value in self.headers if name.lower() not in _DROPPED]
        known = {"recorded": self}
        found = httpx.Response(
            self.status, headers=kept, content=self.answer.encode(), request=request, extensions=known
        )
        found.encoding = "utf-8"  # whatever it was sent in, that is what we have just made of it
        return found


class _Thread(threading.local):
    """What one thread has had: up to which exchange, how many seconds have passed for it, and when that was."""

    last = -1
    seconds: float | None = None
    moment: datetime | None = None


@dataclass
class _Scenario:
    exchanges: Sequence[RecordedAnswer] = ()
    asked: dict[Question, list[int]] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    at_once: bool = False
    """Whether some of it was asked at the same time as something else."""


class Player(httpx.BaseTransport):
    """Answers from a recording. redactor: knows what stands in for the secrets of the run.

    shared: exchanges of other scenarios, which may have made what this one uses. longest: characters of a body, beyond
    which the recording has it cut; None where it has all of each.
    """

    def __init__(
        self, redactor: Redactor, shared: Iterable[RecordedAnswer] = (), *, longest: int | None = None
    ) -> None:
        self._redactor, self._longest = redactor, longest
        self._shared: dict[Question, RecordedAnswer] = {}
        for one in shared:
            if one.builds and one.status < 400 and not one.failure:
                self._shared.setdefault(one.question, one)
                self._shared.setdefault(_without_name(one.question), one)
        self._lock = threading.Lock()
        self._scenario = _Scenario()
        self._thread = _Thread()
        self._known: dict[str, str] = {}
        self.latest = 0.0
        self.missing: list[NotRecorded] = []
        self.has_secrets = False
        """Whether an answer was given that a secret had been removed from."""
        self.is_disturbed = False
        """Whether parts were stopped, started or cut off, as far as the scenario knows."""
        self.clock = _RecordedClock(self)

    def begin(self, exchanges: Sequence[RecordedAnswer], moment: datetime | None = None) -> None:
        """Begin a scenario: these are its exchanges. moment: when it began."""
        scenario = _Scenario(exchanges, at_once=_are_at_once(exchanges))
        for number, one in enumerate(exchanges):
            scenario.asked.setdefault(one.question, []).append(number)
            if one.builds:
                scenario.asked.setdefault(_without_name(one.question), []).append(number)
        with self._lock:
            self._scenario, self._thread, self.missing = scenario, _Thread(), []
            self.has_secrets = self.is_disturbed = False
            first = exchanges[0].began if exchanges else datetime.now(UTC)
            self._thread.moment = self.moment = min(first, moment or first)

    @property
    def is_at_once(self) -> bool:
        """Whether something of the scenario was asked while something else was."""
        return self._scenario.at_once

    def missed(self, why: str, what: str = "") -> NotRecorded:
        """Return, as an error to raise, that something can't be told; it is kept, whatever becomes of it."""
        error = NotRecorded(why, self._redactor(what))
        self.missing.append(error)
        return error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the server did then. Raises NotRecorded, or the httpx.TransportError that came in its place."""
        with self._lock:
            found = self._found(self._questions(request))
            if isinstance(found, str):
                url = str(request.url)
                shown = url if len(url) <= _SHOWN else f"{url[:_SHOWN]}…"
                raise self.missed(found, f"{request.method} {shown}")
            if found.is_cut:
                raise self.missed(CUT, f"{request.method} {request.url.path}")
            self._pass(found.seconds)
            self._thread.moment = found.ended
            told = (found.answer, *(value for _, value in found.headers))
            self.has_secrets = self.has_secrets or any(HIDDEN in text for text in told)
        return found.response(request)

    def _questions(self, request: httpx.Request) -> Iterator[Question]:
        """Yield a request as the recording may have it: as it is, without secrets, and without a name of our own."""
        whole = request.content.decode(errors="backslashreplace")
        body, length = whole[: self._longest], len(whole)
        if shown := request.extensions.get("shown"):
            sent = beginning(self._redactor(body), length, self._longest)
            yield request.method, self._redactor(shown.url), sent, shown.by
            return
        said = request.headers.get("authorization", "")
        if said not in self._known:
            self._known[said] = self._redactor(f"authorization: {said}").removeprefix("authorization: ")
        by = self._known[said]
        yield request.method, str(request.url), beginning(body, length, self._longest), by
        sent = beginning(self._redactor(body), length, self._longest)
        clean = (request.method, self._redactor(str(request.url)), sent, by)
        yield clean
        if _BUILDING.match(request.url.path):
            yield _without_name(clean)

    def _found(self, questions: Iterator[Question]) -> RecordedAnswer | str:
        """Return the exchange that answers, or why there is none."""
        scenario, why, shared = self._scenario, SOMETHING_ELSE, None
        for question in questions:
            numbers = scenario.asked.get(question, [])
            free = [number for number in numbers if number not in scenario.used]
            later = [number for number in free if number > self._thread.last]
            if later or (free and scenario.at_once):
                return self._taken((later or free)[0])
            why = MORE_OFTEN if numbers else why
            shared = shared or self._shared.get(question)
        return shared or why

    def _taken(self, number: int) -> RecordedAnswer | str:
        scenario = self._scenario
        if not scenario.at_once:
            skipped = (one for one in range(self._thread.last + 1, number) if one not in scenario.used)
            if any(scenario.exchanges[one].writes and not scenario.exchanges[one].builds for one in skipped):
                return LEFT_OUT
        scenario.used.add(number)
        self._thread.last = max(self._thread.last, number)
        return scenario.exchanges[number]

    def _pass(self, seconds: float) -> None:
        self._thread.seconds = self.seconds() + seconds
        self.latest = max(self.latest, self._thread.seconds)

    def seconds(self) -> float:
        """Return how many have passed for this thread."""
        return self.latest if self._thread.seconds is None else self._thread.seconds

    def now(self) -> datetime:
        """Return when this thread is."""
        return self._thread.moment or self.moment

    def sleep(self, seconds: float) -> None:
        """Let so many seconds have passed for this thread."""
        with self._lock:
            self._pass(seconds)
            self._thread.moment = self.now() + timedelta(seconds=seconds)


class _RecordedClock(Clock):
    """The time of a recording: it passes by what was waited for then, and nobody waits now."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def now(self) -> datetime:
        """Return when the newest answer of this thread had come."""
        return self._player.now()

    def monotonic(self) -> float:
        """Return the seconds that this thread has waited, for answers and between them."""
        return self._player.seconds()

    def sleep(self, seconds: float) -> None:
        """Let them have passed."""
        self._player.sleep(seconds)


def beginning(body: str, length: int, longest: int | None) -> str:
    """Return a body as a recording is asked for it: of a longer one its beginning, and how many characters it had.

    length: of the whole body. longest: how many a recording keeps, None for all.
    """
    return body if longest is None or length <= longest else f"{body}… ({length} characters)"


def builds(url: str) -> bool:
    """Return whether what is asked there is made, or looked up for that, once for several scenarios."""
    return _BUILDING.match(urlsplit(url).path) is not None


def _without_name(question: Question) -> Question:
    method, url, body, credentials = question
    return method, url, _NAME.sub(r"\1\2", body), credentials


def _are_at_once(exchanges: Iterable[RecordedAnswer]) -> bool:
    """Return whether one was begun before the one before it had come to its end."""
    ended: datetime | None = None
    for one in exchanges:
        if ended is not None and one.began < ended - ROUNDED:
            return True
        ended = one.ended
    return False
