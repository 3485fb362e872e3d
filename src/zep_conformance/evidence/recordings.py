"""Recorded exchanges of real servers, and how a server is held to them.

A recording is a file of JSON Lines, one exchange a line: a request, and the answer in which everything that may
differ from server to server is a placeholder (``{{uuid:1}}``, ``{{time}}`` …; docs/recordings.md has the list).
Exchanges of one sequence belong together and are played in order::

    replay = Replay(load(path), httpx.Client(base_url=url), {"model-url": …, "zep-url": …})
    differences = replay.play(exchange)     # [] when the server answered as recorded
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from zep_conformance.waiting import eventually

EVENTUALLY = 30.0
"""Seconds in which an answer marked `eventually` must have come (the queue works first)."""

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_UUID_PLACEHOLDER = re.compile(r"\{\{uuid:(\d+)\}\}")
_ABSENT = object()


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer.

    eventually: the answer may come later. subset: the real answer has more keys than are compared.
    """

    sequence: str
    step: int
    request: dict[str, Any]
    response: dict[str, Any]
    about: str = ""
    eventually: bool = False
    subset: bool = False

    @property
    def name(self) -> str:
        """`sequence-step`, unique in a recording."""
        return f"{self.sequence}-{self.step}"


@dataclass(frozen=True)
class Difference:
    """One place where an answer is not as recorded: a JSON path, what was recorded, what came."""

    where: str
    recorded: Any
    came: Any

    def __str__(self) -> str:
        came = "nothing" if self.came is _ABSENT else json.dumps(self.came, ensure_ascii=False)
        recorded = "nothing" if self.recorded is _ABSENT else json.dumps(self.recorded, ensure_ascii=False)
        return f"{self.where}\n    recorded: {recorded}\n    came:     {came}"


def load(path: Path) -> list[Exchange]:
    """The exchanges of a recording, in order. Raises ValueError naming the line that is not one."""
    exchanges = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            exchanges.append(Exchange(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}:{number} is not an exchange: {error}") from error
    return exchanges


@dataclass
class Comparison:
    """Compares answers with placeholders; remembers which UUID each `{{uuid:N}}` stands for."""

    uuids: dict[str, str] = field(default_factory=dict)

    def differences(self, recorded: Any, came: Any, subset: bool = False, where: str = "body") -> Iterator[Difference]:
        """Yield each place where `came` is not as `recorded`. With `subset`, further keys are allowed."""
        if isinstance(recorded, dict) and isinstance(came, dict):
            for key in recorded | ({} if subset else came):
                there = f"{where}.{key}"
                if key not in came:
                    yield Difference(there, recorded[key], _ABSENT)
                elif key not in recorded:
                    yield Difference(there, _ABSENT, came[key])
                else:
                    yield from self.differences(recorded[key], came[key], subset, there)
        elif isinstance(recorded, list) and isinstance(came, list) and len(recorded) == len(came):
            for index, (one, other) in enumerate(zip(recorded, came, strict=True)):
                yield from self.differences(one, other, subset, f"{where}[{index}]")
        elif isinstance(recorded, str):
            if not self._text(recorded, came):
                yield Difference(where, recorded, came)
        elif type(recorded) is not type(came) or recorded != came:
            yield Difference(where, recorded, came)

    def _text(self, recorded: str, came: Any) -> bool:
        number = isinstance(came, int | float) and not isinstance(came, bool)
        match recorded:
            case "{{any}}":
                return True
            case "{{text}}" | "{{html}}":
                return isinstance(came, str)
            case "{{int}}" | "{{tokens}}":
                return number and isinstance(came, int) and came >= 0
            case "{{float}}":
                return number
            case "{{vector}}":
                return isinstance(came, list) and bool(came) and all(isinstance(x, float | int) for x in came)
            case "{{time}}":
                return (
                    isinstance(came, str) and bool(_TIME.fullmatch(came)) and not came.startswith("0001-01-01T00:00:00")
                )
        return isinstance(came, str) and self._with_uuids(recorded, came)

    def _with_uuids(self, recorded: str, came: str) -> bool:
        """A text with `{{uuid:N}}` in it: a known N must be that UUID, a new N must be a new one."""
        names = _UUID_PLACEHOLDER.findall(recorded)
        pattern = re.escape(recorded)
        for name in names:
            pattern = pattern.replace(re.escape(f"{{{{uuid:{name}}}}}"), f"({_UUID})", 1)
        found = re.fullmatch(pattern, came, re.DOTALL)
        if not found:
            return False
        for name, value in zip(names, found.groups(), strict=True):
            known = self.uuids.get(name)
            if known is None and value != ZERO_UUID and value not in self.uuids.values():
                self.uuids[name] = value
            elif known != value:
                return False
        return True


def without_system_metadata(body: Any) -> Any:
    """`body` as it was compared when recording: `metadata.system` arrives when it arrives, so it is left out."""
    if isinstance(body, list):
        return [without_system_metadata(item) for item in body]
    if not isinstance(body, dict):
        return body
    kept = {key: without_system_metadata(value) for key, value in body.items()}
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and "system" in metadata:
        kept["metadata"] = {key: value for key, value in metadata.items() if key != "system"}
        if not kept["metadata"]:
            del kept["metadata"]
    return kept


class Replay:
    """Plays recorded exchanges against one server, each sequence in order.

    variables: what `{{model-url}}` and `{{zep-url}}` stand for in requests.
    """

    def __init__(self, exchanges: Sequence[Exchange], client: httpx.Client, variables: Mapping[str, str]) -> None:
        self._sequences: dict[str, list[Exchange]] = {}
        for exchange in exchanges:
            self._sequences.setdefault(exchange.sequence, []).append(exchange)
        self._client = client
        self._variables = variables
        self._comparisons: dict[str, Comparison] = {}
        self._played: dict[str, dict[int, list[Difference]]] = {}

    def play(self, exchange: Exchange) -> list[Difference]:
        """Play `exchange`, after those before it in its sequence, each once. Returns how its answer differs.

        Raises httpx.HTTPError when the server can't be reached.
        """
        played = self._played.setdefault(exchange.sequence, {})
        for earlier in self._sequences[exchange.sequence]:
            if earlier.step not in played:
                played[earlier.step] = self._exchange(earlier)
            if earlier.step == exchange.step:
                break
        return played[exchange.step]

    def _exchange(self, exchange: Exchange) -> list[Difference]:
        known = self._comparisons.setdefault(exchange.sequence, Comparison())
        differences: list[Difference] = []

        def as_recorded() -> None:
            nonlocal differences
            # A comparison that fails half-way must not leave its guesses behind.
            attempt = Comparison(dict(known.uuids))
            differences = list(self._compare(exchange, self._send(exchange.request, attempt), attempt))
            self._comparisons[exchange.sequence] = attempt
            assert not differences

        with contextlib.suppress(AssertionError):
            eventually(as_recorded, EVENTUALLY if exchange.eventually else 0.0)
        return differences

    def _send(self, request: dict[str, Any], comparison: Comparison) -> httpx.Response:
        headers = dict(request.get("headers", {}))
        content: bytes | None = None
        if "body" in request:
            headers.setdefault("content-type", "application/json")
            content = self._filled(json.dumps(request["body"], ensure_ascii=False), comparison).encode()
        elif "raw" in request:
            content = request["raw"].encode()
        # Written by hand: a client that tidied the path (`//`, `%2F`) would not send what was recorded.
        path = self._filled(request["path"], comparison).encode()
        url = self._client.base_url.copy_with(raw_path=path)
        return self._client.request(request["method"], url, headers=headers, content=content)

    def _filled(self, text: str, comparison: Comparison) -> str:
        for name, value in self._variables.items():
            text = text.replace(f"{{{{{name}}}}}", value)
        return _UUID_PLACEHOLDER.sub(lambda found: comparison.uuids.get(found[1], found[0]), text)

    @staticmethod
    def _compare(exchange: Exchange, response: httpx.Response, comparison: Comparison) -> Iterator[Difference]:
        recorded = exchange.response
        if response.status_code != recorded["status"]:
            yield Difference("status", recorded["status"], response.status_code)
        came_type = response.headers.get("content-type", "")
        if came_type != recorded["content_type"]:
            yield Difference("content_type", recorded["content_type"], came_type)
        body: Any = response.text
        if not isinstance(recorded["body"], str):
            try:
                body = without_system_metadata(response.json())
            except ValueError:
                yield Difference("body", recorded["body"], body)
                return
        yield from comparison.differences(recorded["body"], body, exchange.subset)
