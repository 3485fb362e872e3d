"""The layer HTTP: one line to a server, and what stands between it and us."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from zep_conformance.doctor.address import Address
from zep_conformance.doctor.findings import ANSWER_LIMIT, Case, Late
from zep_conformance.doctor.network import reach, speaks_http, speaks_tls

LARGEST = 1 << 20
"""Bytes of an answer that are read."""
_PROXY = re.compile(r"(?i)nginx|openresty|caddy|envoy|cloudflare|traefik|haproxy|awselb|apache|fly/")
_ASKS_FOR_TLS = re.compile(r"(?i)HTTP request (?:was sent )?to (?:an )?HTTPS")
_LOGIN = re.compile(r"(?i)log[-_]?in|sign[-_]?in|\bauth|oauth|\bsso\b|accounts?\.|cloudflareaccess|/cdn-cgi/access")


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered. seconds: how long that took."""

    status: int
    headers: Mapping[str, str]
    text: str
    seconds: float

    def json(self) -> Any:
        """Return the body as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> dict[str, Any]:
        """Return the fields of a JSON object; empty where the body is none."""
        body = self.json()
        return body if isinstance(body, dict) else {}

    def message(self) -> str:
        """Return the message in a JSON object, as Flowise refuses something; the whole body without one."""
        return str(self.fields().get("message", self.text))


class Connection:
    """Connections to one server, kept open from one question to the next."""

    def __init__(self, case: Case, address: Address) -> None:
        """Reaches for the server. Raises Broken, OutOfTime."""
        self.case, self.address = case, address
        reached = reach(case, address)
        self._proxied = reached.proxied
        self._client = httpx.Client(verify=reached.context or False, follow_redirects=False, trust_env=reached.proxied)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        limit: float = ANSWER_LIMIT,
        late: str | None = None,
    ) -> HttpAnswer:
        """Ask, and return the answer, to its end or its first megabyte.

        limit: seconds. late: the code of the finding where it does not come within them.
        Raises Late without such a code, Broken with one and where what answers is no HTTP, OutOfTime.
        """
        try:
            return self.case.budget.within(limit, lambda: self._ask(method, path, headers, body, limit))
        except (Late, httpx.TimeoutException):
            if late is None:
                raise Late(limit) from None
            self.case.fail(late, path=path, limit=f"{limit:g}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self._no_http(error, path)

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None, body: Any, limit: float) -> HttpAnswer:
        began = time.monotonic()
        url = self.address.url + path
        with self._client.stream(method, url, headers=dict(headers or {}), json=body, timeout=limit) as answer:
            content = b""
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > LARGEST:
                    break
            text = content.decode(answer.encoding or "utf-8", errors="replace")
            return HttpAnswer(answer.status_code, answer.headers, text, time.monotonic() - began)

    def _no_http(self, error: Exception, path: str) -> NoReturn:
        """Fail with what it is, when there is no answer. Raises Broken."""
        self.case.know(path=path)
        if self._proxied:
            self.case.fail("proxy-of-environment", answer=str(error) or type(error).__name__)
        if self.address.scheme == "http" and speaks_tls(self.address):
            self.case.fail("http-on-https-port")
        self._check_protocol()
        garbled = isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error)
        self.case.fail("http-not-http" if garbled else "http-closed")

    def _check_protocol(self) -> None:
        """Fail where something that is no HTTP is answered. Raises Broken."""
        if self.address.scheme == "http" and speaks_http(self.address) is False:
            self.case.fail("http-not-http")

    def first(self, path: str, otherwise: str = "") -> HttpAnswer:
        """Return the answer to a question that the part itself answers to everybody, without a token.

        otherwise: a path that it also has, whose answer it signs by X-Zep-Version.
        Raises Broken for what answers in its place: a proxy, a redirect, a login, TLS, or nobody.
        """
        answer = self.get(path)
        if answer.status in (401, 403, 407):
            self.case.fail("proxy-wants-login", path=path, status=answer.status)
        # A proxy also signs what the part behind it answers; but this question no part answers 404.
        if answer.status == 404 and _PROXY.search(answer.headers.get("server", "")):
            if otherwise and "x-zep-version" in self.get(otherwise).headers:
                self.case.fail("path-not-led", path=path, status=404, instead="/api/v1")
            self.case.fail("wrong-host", host=self.address.host)
        return answer

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """Return what the part answers. Raises Broken for a proxy's answer or none, OutOfTime."""
        try:
            answer = self.ask("GET", path, headers=headers)
        except Late as late:
            self._check_protocol()
            self.case.fail("http-silent", path=path, limit=f"{late.limit:g}")
        self.check(answer, path)
        return answer

    def check(self, answer: HttpAnswer, path: str) -> None:
        """Fail for an answer that is a proxy's or leads elsewhere. Raises Broken."""
        case, address = self.case, self.address
        case.know(path=path, status=answer.status)
        if address.scheme == "http" and answer.status == 400 and _ASKS_FOR_TLS.search(answer.text):
            case.fail("http-on-https-port")
        own = {"x-zep-version", "x-langflux-embedded"} & set(answer.headers)
        if self._proxied and answer.status in (403, 407, 502, 503, 504) and not own:
            case.fail("proxy-of-environment", answer=f"{answer.status} to {path}")
        if answer.status == 421 or answer.headers.get("x-render-routing") == "no-server":
            case.fail("wrong-host", host=address.host)
        if answer.status in (502, 503, 504) and "x-zep-version" not in answer.headers:
            case.fail(f"proxy-{answer.status}")
        location = answer.headers.get("location", "")
        if 300 <= answer.status < 400 and location:
            shown = re.sub(r"\?.*", "?…", location)
            if _LOGIN.search(location):
                case.fail("redirect-to-login", location=shown)
            if location.startswith(f"https://{address.host}") and address.scheme == "http":
                case.fail("redirect-to-https")
            case.fail("redirect-elsewhere", location=shown)
