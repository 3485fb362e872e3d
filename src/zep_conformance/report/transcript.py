"""The transcript: every request and answer of a scenario, shown as curl commands, so that somebody can ask the same."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zep_conformance.redaction.redactor import Redactor


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

SHOWN = 1500
"""Characters of a body that are kept."""
_KEPT_HEADERS = ("authorization", "content-type", "cookie", "x-request-from", "accept")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request with its answer. seconds: from sending to the answer's headers."""

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

    def shown(self, redactor: Redactor, variables: Mapping[str, str]) -> str:
        """Return the request as a command, and what it was answered, without secrets. variables: see `as_curl`."""
        words = as_curl(
            self.method, self.url, headers=self.headers, body=self.body, redactor=redactor, variables=variables
        )
        answer = redactor(self.answer.strip()) or "(empty)"
        return f"{' '.join(words)}\n  → {self.status} in {self.seconds * 1000:.0f} ms: {answer}"


class Transcript:
    """Collects what httpx clients send and get.

    variables: the environment variables that hold secrets, by secret. on_exchange: called with each request and its
    answer too, where somebody wants to count or replay them.
    """

    def __init__(self, redactor: Redactor, variables: Mapping[str, str] | None = None) -> None:
        self._redactor, self._variables = redactor, dict(variables or {})
        self.exchanges: list[Exchange] = []
        self.on_exchange: Callable[[httpx.Request, httpx.Response], None] | None = None

    def begin(self) -> None:
        """Forget what was before: a new scenario starts."""
        self.exchanges = []

    def shown(self, newest: int = 6) -> str:
        """Return the newest exchanges as curl commands with their answers, secrets removed."""
        lines: list[str] = []
        repeated = 0
        for exchange, previous in zip(self.exchanges, [None, *self.exchanges], strict=False):
            # Polling asks the same over and over: the newest answer is shown, and how often it was asked.
            same = previous is not None and exchange.question == previous.question
            repeated = repeated + 1 if same else 0
            text = exchange.shown(self._redactor, self._variables)
            text += f"\n  (asked {repeated + 1} times)" if repeated else ""
            lines = [*lines[:-1], text] if same else [*lines, text]
        left_out = len(lines) - newest
        head = [f"({left_out} earlier requests left out)"] if left_out > 0 else []
        return "\n".join(head + lines[-newest:])

    def answered(self, response: httpx.Response) -> None:
        """Write an exchange down: an httpx response hook."""
        streamed = "event-stream" in response.headers.get("content-type", "")
        if not streamed:
            response.read()
        request = response.request
        if self.on_exchange is not None:
            self.on_exchange(request, response)
        exchange = Exchange(
            method=request.method,
            url=str(request.url),
            headers=request.headers,
            body=request.content.decode(errors="replace"),
            status=response.status_code,
            answer="(a stream)" if streamed else response.text,
            seconds=0.0 if streamed else response.elapsed.total_seconds(),
        )
        self.add(exchange)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange down, without what is too long or tells nothing. Its headers: by names in lower case."""
        kept = {name: exchange.headers[name] for name in _KEPT_HEADERS if name in exchange.headers}
        short = replace(exchange, headers=kept, body=cut(exchange.body, SHOWN), answer=cut(exchange.answer, SHOWN))
        self.exchanges.append(short)


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; how many it has is said behind what is left of a longer one."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
