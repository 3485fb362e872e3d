"""reports/exchanges.ndjson.gz: every exchange of every scenario, whole, one JSON object a line, without secrets.

    for one in read(Path("reports/exchanges.ndjson.gz")):
        one["nodeid"], one["order"]     # of the scenario, and from 1 in the order of sending
                                        # null: made for several scenarios, by one that was run again (--failed)
    one["prefix"]                   # only of those: what the names of that process begin with
    one["attempt"]                  # 1; 2 where the scenario was carried out once more
        one["step"]                     # the line of the step that was being carried out; null before and after
        one["part"]                     # zep, zep-secured, langflux, model; null for none of them
        one["started"], one["seconds"]  # since the scenario began; until the answer was read
        one["by"]                       # who asked, in words: only where it was not the scenario's own client
    one["request"]                  # method, url, headers (pairs), body
        one["status"], one["headers"], one["answer"], one["error"]

Without an answer `status` is null and `error` says why, by the name of httpx's exception and its text. Of a stream the
answer is its text, as far as it was read; with an error too, where it broke off. Bytes that are no text are written as
\\xff. A text longer than `LONGEST` is cut; `cut` then has the length of each that was. What a scenario sent beyond
`MOST` is left out, which its last line says (`left_out`).
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zep_conformance.redaction.documents import JsonCleaner
from zep_conformance.redaction.redactor import Redactor

if TYPE_CHECKING:
    import httpx

LONGEST = {"body": 100_000, "answer": 4_000_000}
"""Characters that are kept: of what was sent less than of what scenarios read."""
MOST = 20_000
"""Exchanges of a scenario."""
_COMMON = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "date", "host", "keep-alive", "user-agent"),
        *("content-encoding", "transfer-encoding"),
    }
)
"""Headers of every request or answer, which tell nothing; and how it was sent what is written here as a text."""

_DATA = "data:"
"""What stands before what an event of a stream has to say."""

Headers = Sequence[tuple[str, str]]


@dataclass(kw_only=True)
class Whole:
    """One exchange. at: when it was sent, by time.monotonic(). seconds: until it was answered. step: a line, or 0.

    by: who asked, where it was not the scenario's own client.
    """

    method: str
    url: str
    sent: Headers
    body: str
    status: int | None
    headers: Headers = ()
    answer: str = ""
    error: str = ""
    at: float
    seconds: float
    by: str = ""
    step: int = 0


class Exchanges:
    """Collects the exchanges of the scenario that is being carried out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Whole] = []
        self._left_out = 0
        self._began = time.monotonic()
        self.step = 0

    def begin(self) -> None:
        """Forget what was before: a new scenario starts."""
        with self._lock:
            self._found, self._left_out, self._began, self.step = [], 0, time.monotonic(), 0

    def add(self, exchange: Whole) -> None:
        """Keep an exchange."""
        exchange.step = self.step
        with self._lock:
            if len(self._found) < MOST:
                self._found.append(exchange)
            else:
                self._left_out += 1

    def taken(self, part_of: Callable[[str], str | None]) -> Iterator[dict[str, Any]]:
        """Yield the exchanges so far as data, which may have secrets, in the order of sending; they are forgotten."""
        with self._lock:
            found, left_out, began = sorted(self._found, key=lambda one: one.at), self._left_out, self._began
            self._found, self._left_out = [], 0
        for order, one in enumerate(found, 1):
            more: dict[str, Any] = {"by": one.by} if one.by else {}
            if left_out and order == len(found):
                more["left_out"] = left_out
            yield {
                "order": order,
                "step": one.step or None,
                "part": part_of(one.url),
                "started": round(one.at - began, 4),
                "seconds": round(one.seconds, 4),
                "request": {"method": one.method, "url": one.url, "headers": one.sent, "body": one.body},
                "status": one.status,
                "headers": one.headers,
                "answer": one.answer,
                "error": one.error,
                **more,
            }


class Packer:
    """Makes what is written of exchanges: clean, and compressed, a piece for each scenario.

    The pieces one after the other are the file.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._clean = JsonCleaner(redactor)
        self._headers: dict[tuple[str, str], tuple[str, str]] = {}
        self._known = -1

    def packed(self, exchanges: Iterable[Mapping[str, Any]], *, nodeid: str, attempt: int) -> bytes:
        """Return the exchanges of a scenario; b"" where there are none."""
        if self._known != self._redactor.known:
            self._known, self._headers = self._redactor.known, {}
        scenario = {"nodeid": self._clean(nodeid), "attempt": attempt}
        lines = [json.dumps(scenario | self._cleaned(one)) for one in exchanges]
        return gzip.compress("\n".join([*lines, ""]).encode(), 3, mtime=0) if lines else b""

    def _cleaned(self, exchange: Mapping[str, Any]) -> dict[str, Any]:
        request, lengths = exchange["request"], {}
        texts = {"body": request["body"], "answer": exchange["answer"]}
        streamed = any("event-stream" in value for name, value in exchange["headers"] if name == "content-type")
        for name, text in texts.items():
            if len(text) > LONGEST[name]:
                lengths[name], texts[name] = len(text), text[: LONGEST[name]]
        asked = {
            "method": request["method"],
            "url": self._clean(request["url"]),
            "headers": [self._header(*one) for one in request["headers"]],
            "body": self._clean(texts["body"]),
        }
        answered = {
            "headers": [self._header(*one) for one in exchange["headers"]],
            "answer": self._clean_stream(texts["answer"]) if streamed else self._clean(texts["answer"]),
            "error": self._clean(exchange["error"]),
        }
        return {**exchange, "request": asked, **answered} | ({"cut": lengths} if lengths else {})

    def _clean_stream(self, text: str) -> str:
        """Return a stream without secrets, each event by itself: "token" is what LangFlux calls a piece of text."""
        events = text.split(_DATA)
        return _DATA.join([self._redactor(events[0]), *(self._event(one) for one in events[1:])])

    def _event(self, text: str) -> str:
        data, newline, rest = text.partition("\n")
        said = data.lstrip(" ")
        return f"{data[: len(data) - len(said)]}{self._clean(said)}{newline}{self._redactor(rest)}"

    def _header(self, name: str, value: str) -> tuple[str, str]:
        """Return a header without secrets, which its name may make one of its value."""
        if (name, value) not in self._headers:
            text = self._redactor(f"{name}: {value}")
            before, colon, after = text.partition(": ")
            self._headers[name, value] = (before, after) if colon else (name, text)
        return self._headers[name, value]


def telling(headers: httpx.Headers) -> Headers:
    """Return the headers that tell something, by their names in lower case."""
    return [(name, value) for name, value in headers.multi_items() if name not in _COMMON]


def lines_of(packed: bytes) -> Iterator[dict[str, Any]]:
    """Yield the exchanges in what `Packer` made. Raises OSError, EOFError or ValueError for anything else."""
    for line in gzip.decompress(packed).splitlines() if packed else ():
        yield json.loads(line)


def packed(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return exchanges that are clean already, as the file has them."""
    return gzip.compress("".join(f"{json.dumps(one)}\n" for one in lines).encode(), 3, mtime=0)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the exchanges of a run. Raises OSError, EOFError or ValueError where the file can't be read."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield json.loads(line)
