"""The transcript: every request and answer of a scenario, shown as curl commands, so that somebody can ask the same."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

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
    that a header ends with. Every other secret is hidden, so that the command shows none and may not run as it is.
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
    return shlex.quote(redactor(f"{name}: {value}"))


if TYPE_CHECKING:
    import httpx

NEWEST = 20
"""Exchanges of a scenario that its evidence has."""
SHOWN = 1500
"""Characters of a body that are kept."""
_KEPT_HEADERS = ("authorization", "content-type", "cookie", "x-request-from", "accept")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request with its answer. status: 0 where there was none. seconds: from sending until the answer was read."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    status: int
    answer: str
    seconds: float

    @property
    def question(self) -> tuple[str, str, str]:
        """What was asked: the same for each poll."""
        return self.method, self.url, self.body

    def as_json(self, redactor: Redactor, variables: Mapping[str, str]) -> dict[str, Any]:
        """Return the request as a command, and what it was answered, without secrets. variables: see `as_curl`."""
        words = as_curl(
            self.method, self.url, headers=self.headers, body=self.body, redactor=redactor, variables=variables
        )
        return {
            "request": " ".join(words),
            "status": self.status,
            "milliseconds": round(self.seconds * 1000, 1),
            "answer": redactor(self.answer.strip()),
            "times": 1,
        }


def in_words(exchange: Mapping[str, Any]) -> str:
    """Return an exchange, as `Exchange.as_json` gave it, as a command and its answer."""
    times = f"\n  (asked {exchange['times']} times)" if exchange["times"] > 1 else ""
    return f"{exchange['request']}\n  {came(exchange)}{times}"


def came(exchange: Mapping[str, Any]) -> str:
    """Return what came of an exchange, as `Exchange.as_json` gave it: its status, how long it took, and the answer."""
    milliseconds = f"{exchange['milliseconds']:.0f} ms"
    head = f"{exchange['status']} in {milliseconds}" if exchange["status"] else f"no answer after {milliseconds}"
    return f"→ {head}: {exchange['answer'] or '(empty)'}"


def _sent(request: httpx.Request) -> float:
    """Return when a request was sent, by time.monotonic(), see `clients.http.hooked`."""
    at: float = request.extensions.get("began", time.monotonic())
    return at


class Transcript:
    """Collects what httpx clients send and get.

    variables: the environment variables that hold secrets, by secret. whole: all of it, which only grows until it is
    taken, whatever is forgotten here. on_exchange: called with each request and its
    answer too, where somebody wants to count or replay them.
    """

    def __init__(self, redactor: Redactor, variables: Mapping[str, str] | None = None) -> None:
        self._redactor, self._variables = redactor, dict(variables or {})
        self.exchanges: list[Exchange] = []
        self.whole = Exchanges()
        self.on_exchange: Callable[[httpx.Request, httpx.Response], None] | None = None

    def name(self, **secrets: str | None) -> None:
        """Let commands have a variable in place of a secret: variable by variable, the secret or None."""
        known = {secret: variable for variable, secret in secrets.items() if secret}
        self._variables = known | self._variables

    def begin(self) -> None:
        """Forget what was before: a new scenario starts."""
        self.exchanges = []

    def as_json(self, newest: int = NEWEST) -> tuple[list[dict[str, Any]], int]:
        """Return the newest exchanges, secrets removed, oldest first; and how many earlier ones are left out.

        Polling asks the same over and over: that is one, with the newest answer and how often it was asked.
        """
        asked: list[tuple[Exchange, int]] = []
        for exchange in self.exchanges:
            again = asked[-1][1] if asked and asked[-1][0].question == exchange.question else 0
            asked = [*(asked[:-1] if again else asked), (exchange, again + 1)]
        found = [one.as_json(self._redactor, self._variables) | {"times": times} for one, times in asked[-newest:]]
        return found, len(asked) - len(found)

    def shown(self, newest: int = 6) -> str:
        """Return the newest exchanges as curl commands with their answers, secrets removed."""
        found, left_out = self.as_json(newest)
        head = [f"({left_out} earlier requests left out)"] if left_out else []
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
        exchange = Exchange(
            method=request.method,
            url=str(request.url),
            headers=request.headers,
            body=body,
            status=0 if response is None else response.status_code,
            answer="\n".join(filter(None, (answer, f"({error})" if error else ""))),
            seconds=seconds,
        )
        self.add(exchange)
        whole = Whole(
            method=request.method,
            url=str(request.url),
            sent=telling(request.headers),
            body=body,
            status=None if response is None else response.status_code,
            headers=() if response is None else telling(response.headers),
            answer=answer,
            error=error,
            at=_sent(request),
            seconds=seconds,
        )
        self.whole.add(whole)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange down, without what is too long or tells nothing. Its headers: by names in lower case."""
        kept = {name: exchange.headers[name] for name in _KEPT_HEADERS if name in exchange.headers}
        short = replace(exchange, headers=kept, body=cut(exchange.body, SHOWN), answer=cut(exchange.answer, SHOWN))
        self.exchanges.append(short)


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; how many it has is said behind what is left of a longer one."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
