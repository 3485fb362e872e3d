"""The memory of a Zep Memory node, and the client of Zep's memory API that it is made of.

The client does what the JavaScript client 0.9 does that Flowise 2.2.8 is built with. Its requests, in order: GET
/healthz, then GET, POST or DELETE /api/v1/sessions/{id}/memory, with `Authorization: Bearer <token>` on all of them if
there is a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.langflux.flow import Node

Message = dict[str, str]
"""`role` and `content`, for Zep and for the model."""

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
    """A URL whose path goes out exactly as it was given: httpx would correct what a lone % makes wrong."""

    target: bytes = b"/"

    @property
    def raw_path(self) -> bytes:
        """Return path and query as they stand in the request line."""
        return self.target


def escaped(session: str) -> str:
    """Return a session id as one segment of a path; dots too, where they would mean "here" and "up"."""
    if session in (".", ".."):
        return session.replace(".", "%2E")
    return quote(session, safe=_PATH_CHARACTERS, errors="replace")


def browser_path(path: str) -> str:
    """Return a path as a browser's (and Node's) URL tidies it (WHATWG URL standard, the path state).

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

    def __init__(self, *, http: httpx.AsyncClient, base_url: str, token: str, behaviours: Behaviours) -> None:
        self._http, self._behaviours = http, behaviours
        as_given = "base-url-as-given" in behaviours
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
        """Return a session's memory: `messages`, and `summary` where there is one; {} where Zep says 404."""
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
        if "unescaped-session-id" in self._behaviours:
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


class ZepMemory:
    """What a Zep Memory node remembers with. token: of its credential, or "".

    Every method raises ZepError, as does making one with a wrong Base URL. Under the session "" nothing is remembered.
    """

    def __init__(self, *, http: httpx.AsyncClient, node: Node, token: str, behaviours: Behaviours) -> None:
        self._node, self._behaviours = node, behaviours
        self.zep = ZepClient(http=http, base_url=node.input("baseURL"), token=token, behaviours=behaviours)

    def _size(self) -> int | None:
        """How many messages are read; None (Zep decides) where the node's Size is empty or no number."""
        try:
            return int(float(self._node.input("k")))
        except ValueError:
            return None

    async def load(self, session: str) -> list[Message]:
        """Return what the model is sent of the past: the summary as a system message, then the newest messages."""
        await self.zep.connect()
        if not session:
            return []
        memory = await self.zep.memory(session, self._size())
        summary = (memory.get("summary") or {}).get("content")
        sent: list[Message] = [{"role": "system", "content": summary}] if summary else []
        roles = {self._node.input("humanPrefix"): "user", self._node.input("aiPrefix"): "assistant"}
        for message in memory.get("messages") or []:
            if message.get("content"):
                role = str(message.get("role"))
                sent.append({"role": roles.get(role, role), "content": message["content"]})
        return sent

    async def save(self, session: str, *, question: str, answer: str) -> None:
        """Write both sides of a turn."""
        if not session:
            return
        human, ai = self._node.input("humanPrefix"), self._node.input("aiPrefix")
        try:
            await self.zep.add(session, [{"role": human, "content": question}, {"role": ai, "content": answer}])
        except ZepError:
            if "failed-write-swallowed" not in self._behaviours:
                raise

    async def clear(self, sessions: Iterable[str]) -> None:
        """Delete what is remembered under the sessions."""
        await self.zep.connect()
        for session in sessions:
            try:
                await self.zep.delete(session)
            except ZepError:
                if "failed-clear-swallowed" not in self._behaviours:
                    raise
