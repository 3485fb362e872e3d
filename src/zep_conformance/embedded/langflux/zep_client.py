"""A small client of Zep's memory API, doing what the JavaScript client 0.9 does that Flowise 2.2.8 is built
with.

Requests, in order: GET /healthz when made, then GET, POST or DELETE /api/v1/sessions/{id}/memory, with
`Authorization: Bearer <token>` on all of them if there is a token.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from zep_conformance.embedded.departures import Departures

TIMEOUT = 30.0
"""Seconds for one request to Zep."""

_NOT_CONNECTED = (
    "Failed to connect to Zep server. Please check that:\n- the server is running \n"
    "- the API URL is correct\n- No other process is using the same port"
)
# What may stand in one segment of a path as it is (RFC 3986, pchar).
_PATH_CHARACTERS = "!$&'()*+,;=:@"
# What a browser's URL leaves in a path as it is; it escapes blanks, quotes and the like, and nothing else.
_BROWSER_CHARACTERS = "/%!$&'()*+,;=:@[]|^~"


class ZepError(Exception):
    """Zep could not be reached or refused; says why, in words that hold no token."""


class _Verbatim(httpx.URL):
    """A URL whose path goes out exactly as it was given: httpx would mend what a lone % makes wrong."""

    target: bytes = b"/"

    @property
    def raw_path(self) -> bytes:
        """Path and query as they stand in the request line."""
        return self.target


def escaped(session: str) -> str:
    """A session id as one segment of a path; dots too, where they would mean "here" and "up"."""
    if session in (".", ".."):
        return session.replace(".", "%2E")
    return quote(session, safe=_PATH_CHARACTERS, errors="replace")


def browser_path(path: str) -> str:
    """A path as a browser's (and Node's) URL tidies it (WHATWG URL standard, the path state).

    Tabs and newlines vanish, a backslash counts as a slash, "." and ".." are resolved, and of the rest only
    blanks, quotes, braces, <, >, ?, #, ` and what is not ASCII are escaped.
    """
    kept: list[str] = []
    parts = re.sub(r"[\t\n\r]", "", path).replace("\\", "/").lstrip("/").split("/")
    for at, part in enumerate(parts):
        plain = re.sub("%2e", ".", part, flags=re.IGNORECASE)
        if plain == ".." and kept:
            kept.pop()
        if plain in (".", ".."):
            if at == len(parts) - 1:
                kept.append("")
            continue
        kept.append(quote(part, safe=_BROWSER_CHARACTERS, errors="replace"))
    return "/" + "/".join(kept)


class ZepClient:
    """Memory in the Zep at `base_url`. token: the JWT of a credential, or "".

    Call `connect` first. Every method raises ZepError.
    """

    def __init__(self, http: httpx.AsyncClient, base_url: str, token: str, departures: Departures) -> None:
        self._http, self._departures = http, departures
        as_given = "base-url-as-given" in departures
        self._base = base_url if as_given else base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token.strip()}"} if token.strip() else {}
        try:
            parts = urlsplit(self._base)
            self._origin = _Verbatim(f"{parts.scheme}://{parts.netloc}")
        except (ValueError, httpx.InvalidURL) as error:
            raise ZepError(f"Failed to parse URL from {base_url}/healthz") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ZepError(f"Failed to parse URL from {base_url}/healthz")
        self._health_path = f"{parts.path}/healthz"
        self._path = "" if as_given else parts.path

    async def connect(self) -> None:
        """Ask whether Zep is there."""
        if (await self._send("GET", self._health_path)).status_code != 200:
            raise ZepError(_NOT_CONNECTED)

    async def memory(self, session: str, lastn: int | None) -> dict[str, Any]:
        """A session's memory: `messages`, and `summary` where there is one; {} where Zep says 404."""
        path = self._memory_path(session)
        if lastn is not None:
            path = f"{path}?lastn={lastn}"
        response = await self._send("GET", path)
        if response.status_code == 404:
            return {}
        self._check(response)
        try:
            memory = json.loads(response.content)
        except ValueError as error:
            raise ZepError("Zep's answer is not JSON") from error
        return memory if isinstance(memory, dict) else {}

    async def add(self, session: str, messages: list[dict[str, str]]) -> None:
        """Write messages (`role`, `content`) to a session."""
        body = json.dumps({"messages": messages, "metadata": {}}, separators=(",", ":")).encode()
        self._check(await self._send("POST", self._memory_path(session), body))

    async def delete(self, session: str) -> None:
        """Delete a session's memory. A session that is not there counts as deleted."""
        response = await self._send("DELETE", self._memory_path(session))
        if response.status_code != 404:
            self._check(response)

    def _memory_path(self, session: str) -> str:
        if "unescaped-session-id" in self._departures:
            return browser_path(f"{self._path}/api/v1/sessions/{session}/memory")
        return f"{self._path}/api/v1/sessions/{escaped(session)}/memory"

    async def _send(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        url = _Verbatim(self._origin)
        url.target = path.encode("ascii", "replace")
        try:
            request = self._http.build_request(method, self._origin, content=body, headers=headers)
            request.url = url
            return await self._http.send(request)
        # The reason may quote a header, and with it the token: it is left out.
        except (httpx.LocalProtocolError, ValueError) as error:
            raise ZepError("the request can't be sent: the URL or the token holds a wrong character") from error
        except httpx.HTTPError as error:
            raise ZepError("fetch failed") from error

    @staticmethod
    def _check(response: httpx.Response) -> None:
        if response.status_code == 401:
            raise ZepError("Authentication failed.")
        if response.status_code == 404:
            raise ZepError("Memory not found for session.")
        if not response.is_success:
            raise ZepError(f"Got an unexpected status code: {response.status_code}")
