"""The transcript: every request and answer of a scenario, shown as curl commands, so that somebody can ask the same."""

from __future__ import annotations

import re
import shlex
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zep_conformance.facts.causes import cause_of
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.exchanges import Exchanges, Whole, telling


def as_curl(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: str = "",
    redactor: Redactor,
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the words of a shell command that sends a request, each option with its value as one word.

    variables: the names of the environment variables that hold secrets, by secret: `"$ZEP_TOKEN"` stands for the one
    that a header ends with; what is a variable already stays one. Every other secret is hidden, so that the command
    shows none and may not run as it is.
    """
    words = ["curl -i"] + ([] if method == "GET" else [f"-X {shlex.quote(method)}"])
    words += [f"-H {_header(name, value, redactor, variables or {})}" for name, value in headers.items()]
    words += [f"--data-binary {shlex.quote(redactor(body))}"] if body else []
    words += ["--path-as-is"] if "//" in url.partition("://")[2] or "/." in url else []
    return [*words, shlex.quote(redactor(url))]


def _header(name: str, value: str, redactor: Redactor, variables: Mapping[str, str]) -> str:
    """Return a header as a shell word."""
    before, _, last = value.rpartition(" ")
    if last in variables:
        return f'"{" ".join(filter(None, (f"{name}:", before, f"${variables[last]}")))}"'
    text = redactor(f"{name}: {value}")
    has_stand_in = any(secret in text for secret in variables if secret.startswith("$"))
    return f'"{text}"' if has_stand_in and not _SPECIAL.search(text) else shlex.quote(text)


if TYPE_CHECKING:
    import httpx

NEWEST = 20
"""Exchanges of a scenario that its evidence has."""
KEPT = 5_000
"""And those of which it may have them."""
SHOWN = 1500
"""Characters of a body that are kept."""
A_SECOND = 1000
"""Milliseconds."""
REFUSED = 300
"""The least status by which somebody is served nothing."""
KEPT_HEADERS = ("authorization", "content-type", "cookie", "x-request-from", "accept")


_SPECIAL = re.compile(r'["`\\!]')
"""What a shell takes for something else within quotation marks."""
_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)")
"""What stands for a token in a header of somebody who has not the right one."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request with its answer. status: 0 where there was none. seconds: from sending until the answer was read.

    error: why there was no answer, or none to its end. by: who asked, where it was not the scenario's own client.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    status: int
    answer: str
    seconds: float
    error: str = ""
    by: str = ""

    @property
    def question(self) -> tuple[str, str, str, str]:
        """What was asked: the same for each poll."""
        return self.method, self.url, self.body, self.by

    def as_json(self, redactor: Redactor, variables: Mapping[str, str]) -> dict[str, Any]:
        """Return the request as a command, and what it was answered, without secrets. variables: see `as_curl`."""
        stand_ins = _VARIABLE.findall(" ".join(self.headers.values())) if self.by else []
        known = {**variables, **{f"${name}": name for name in stand_ins}}
        words = as_curl(self.method, self.url, headers=self.headers, body=self.body, redactor=redactor, variables=known)
        return {
            "request": " ".join(words),
            "status": self.status,
            "milliseconds": round(self.seconds * 1000, 1),
            "answer": redactor(self.answer.strip()),
            "error": redactor(self.error),
            "by": self.by,
            "times": 1,
        }


def in_words(exchange: Mapping[str, Any]) -> str:
    """Return an exchange, as `Exchange.as_json` gave it, as a command and its answer."""
    times = f"\n  (asked {exchange['times']} times)" if exchange["times"] > 1 else ""
    by = f"({by})\n" if (by := exchange.get("by")) else ""
    return f"{by}{exchange['request']}\n  → {came(exchange)}: {said(exchange)}{times}"


def came(exchange: Mapping[str, Any]) -> str:
    """Return what came of an exchange, as `Exchange.as_json` gave it, and after how long."""
    milliseconds = exchange["milliseconds"]
    took = f"{milliseconds:.0f} ms" if milliseconds < A_SECOND else f"{milliseconds / A_SECOND:.1f} s"
    return f"{exchange['status']} in {took}" if exchange["status"] else f"no answer after {took}"


def said(exchange: Mapping[str, Any]) -> str:
    """Return the answer of an exchange, as `Exchange.as_json` gave it; why there is none, or not all of it."""
    answer, error = exchange["answer"], exchange.get("error", "")
    if not error:
        return answer or "(empty)"
    likely = cause_of(error, "request")
    why = f"{error}; likely {likely.cause}" if likely is not None else error
    return f"{answer}\n(it broke off: {why})" if answer or exchange["status"] else why


def _sent(request: httpx.Request) -> float:
    """Return when a request was sent, by time.monotonic(), see `clients.http.hooked`."""
    at: float = request.extensions.get("began", time.monotonic())
    return at


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a request is shown that is not to be shown as it is: what an httpx request has as its extension "shown".

    headers: by names in lower case, in place of those of these names. by: who asks, in words.
    """

    url: str
    headers: Sequence[tuple[str, str]]
    by: str

    def answer(self, status: int, text: str) -> str:
        """Return an answer as it is shown: what is served to somebody who should be refused may be anybody's."""
        is_kept = status >= REFUSED or not text
        return text if is_kept else f"({len(text)} characters that may be anybody's: not kept)"


class Transcript:
    """Collects what httpx clients send and get.

    variables: the environment variables that hold secrets, by secret. whole: all of it, which only grows until it is
    taken, whatever is forgotten here. on_exchange: called with each request and its
    answer too, where somebody wants to count or replay them.
    """

    def __init__(self, redactor: Redactor, variables: Mapping[str, str] | None = None) -> None:
        self._redactor, self._variables = redactor, dict(variables or {})
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._forgotten = 0
        self._telling: list[Exchange] = []
        self.whole = Exchanges()
        self.on_exchange: Callable[[httpx.Request, httpx.Response], None] | None = None

    def name(self, **secrets: str | None) -> None:
        """Let commands have a variable in place of a secret: variable by variable, the secret or None."""
        known = {secret: variable for variable, secret in secrets.items() if secret}
        self._variables = known | self._variables

    def begin(self) -> None:
        """Forget what was before: a new scenario starts."""
        self.exchanges.clear()
        self._telling, self._forgotten = [], 0

    def point_at(self, by: str) -> None:
        """Let the newest exchange that somebody else asked for be shown, in place of newer ones that tell less."""
        found = next((one for one in reversed(self.exchanges) if one.by == by), None)
        if found is not None and len(self._telling) < NEWEST:
            self._telling.append(found)

    def as_json(self, newest: int = NEWEST) -> tuple[list[dict[str, Any]], int]:
        """Return the newest exchanges, secrets removed, oldest first; and how many others are left out.

        Where some were pointed at it is those. Polling asks the same over and over: that is one, with the newest
        answer and how often it was asked.
        """
        asked: list[tuple[Exchange, int]] = []
        for exchange in self.exchanges:
            if asked and asked[-1][0].question == exchange.question:
                asked[-1] = exchange, asked[-1][1] + 1
            else:
                asked.append((exchange, 1))
        shown = [(one, 1) for one in self._telling[-newest:]] or asked[-newest:]
        found = [one.as_json(self._redactor, self._variables) | {"times": times} for one, times in shown]
        return found, self._forgotten + len(asked) - len(found)

    def shown(self, newest: int = 6) -> str:
        """Return the newest exchanges as curl commands with their answers, secrets removed."""
        found, left_out = self.as_json(newest)
        head = [f"({left_out} other requests left out)"] if left_out else []
        return "\n".join([*head, *map(in_words, found)])

    def answered(self, response: httpx.Response) -> None:
        """Write an exchange down: an httpx response hook. That of a stream is written down when it is closed."""
        request = response.request
        streamed = "event-stream" in response.headers.get("content-type", "")
        if not streamed:
            response.read()
        if self.on_exchange is not None:
            self.on_exchange(request, response)
        if streamed:
            from zep_conformance.report.streams import Heard  # imports httpx, while the target comes up

            response.stream = Heard(response.stream, lambda octets, error: self._streamed(response, octets, error))
        else:
            self._keep(request, response, response.text, response.elapsed.total_seconds())

    def failed(self, request: httpx.Request, error: httpx.RequestError) -> None:
        """Write down that a request got no answer, or none that could be read to its end."""
        from zep_conformance.report.streams import in_short

        self._keep(request, None, "", time.monotonic() - _sent(request), in_short(error))

    def _streamed(self, response: httpx.Response, octets: bytes, error: str) -> None:
        from zep_conformance.report.streams import text_of

        self._keep(
            response.request, response, text_of(response, octets), time.monotonic() - _sent(response.request), error
        )

    def _keep(
        self, request: httpx.Request, response: httpx.Response | None, answer: str, seconds: float, error: str = ""
    ) -> None:
        body = request.content.decode(errors="backslashreplace")
        status = 0 if response is None else response.status_code
        shown: Shown | None = request.extensions.get("shown")
        url, sent = str(request.url), telling(request.headers)
        if shown is not None:
            url, answer = shown.url, shown.answer(status, answer)
            hidden = {name for name, _ in shown.headers}
            sent = [*((name, value) for name, value in sent if name not in hidden), *shown.headers]
        found = dict(sent)
        kept = found if shown is not None else {name: found[name] for name in KEPT_HEADERS if name in found}
        by = shown.by if shown is not None else ""
        exchange = Exchange(
            method=request.method, url=url, headers=kept, body=body, status=status, answer=answer, seconds=seconds,
            error=error, by=by,
        )  # fmt: skip
        self.add(exchange)
        whole = Whole(
            method=request.method,
            url=url,
            sent=sent,
            body=body,
            status=status or None,
            headers=() if response is None else telling(response.headers),
            answer=answer,
            error=error,
            at=_sent(request),
            seconds=seconds,
            by=by,
        )
        self.whole.add(whole)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange down, without what is too long."""
        self._forgotten += len(self.exchanges) == KEPT
        self.exchanges.append(replace(exchange, body=cut(exchange.body, SHOWN), answer=cut(exchange.answer, SHOWN)))


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; how many it has is said behind what is left of a longer one."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
