"""A Zep, asked as its users ask it (zep-python), and over plain HTTP where the wire itself is tested."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from zep_python import MemorySearchPayload, ZepClient
from zep_python.exceptions import APIError, NotFoundError, ZepClientError
from zep_python.memory import Memory, Session
from zep_python.memory.client import MemoryClient
from zep_python.message import Message
from zep_python.message.client import MessageClient
from zep_python.user import CreateUserRequest
from zep_python.user.client import UserClient
from zep_python.zep_client import API_BASE_PATH, concat_url

from zep_conformance.clients.http import Hooks, hooked, http_client
from zep_conformance.facts.servers import memory_path, user_path

TIMEOUT = 40.0
"""Seconds for one request: a search with the NLP server down takes Zep 0.27.2 31 s."""
ALIKE = 50
"""Results that are asked for to find one message among others of the same content."""

FAILURES = (ZepClientError, httpx.HTTPError, ConnectionError)
"""What a call raises when Zep can't be reached, or refuses. Of a refused connection zep-python's clients of sessions,
messages and users make a ConnectionError (Python's own), others let httpx's through."""


@dataclass(frozen=True)
class NewMessage:
    """One message as it is written: who says what, with metadata of the writer's own."""

    role: str
    content: str
    metadata: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """Return the message as JSON of the API."""
        body: dict[str, Any] = {"role": self.role, "content": self.content}
        return body | ({"metadata": dict(self.metadata)} if self.metadata is not None else {})


class _Recorded(ZepClient):
    """zep-python's client where something else answers in a server's place, which is not asked for its health."""

    def __init__(self, url: str, token: str | None, *, hooks: Hooks | None, transport: httpx.BaseTransport) -> None:
        self.base_url = concat_url(url, API_BASE_PATH)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        wire = http_client(self.base_url, timeout=TIMEOUT, headers=headers, hooks=hooks, transport=transport)
        self.client, self.aclient = (
            wire,
            httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(501))),
        )
        self.memory = MemoryClient(self.aclient, wire)
        self.message = MessageClient(self.aclient, wire)
        self.user = UserClient(self.aclient, wire)


class Zep:
    """One Zep server.

    url: its base URL. token: the JWT it wants. hooks: httpx event hooks that see every exchange. batch: returns how
    many messages are written in one request at most, None for any number. transport: what answers in its place, None
    for the server.
    Methods raise one of FAILURES (APIError, NotFoundError, AuthError, …).
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        hooks: Hooks | None = None,
        *,
        batch: Callable[[], int | None] = lambda: None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url
        self.token = token
        self._hooks, self._batch, self._transport = hooks, batch, transport
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.wire = http_client(url, timeout=TIMEOUT, headers=headers, hooks=hooks, transport=transport)
        """Plain HTTP with the token, for what the wire itself shows."""
        self.stranger = http_client(url, timeout=TIMEOUT, hooks=hooks, transport=transport)
        """Plain HTTP without any token."""

    @cached_property
    def client(self) -> ZepClient:
        """zep-python's client; made when first used, since making one asks the server for its health."""
        if self._transport is not None:
            return _Recorded(self.url, self.token, hooks=self._hooks, transport=self._transport)
        client = ZepClient(self.url, self.token)
        hooked(client.client, self._hooks or {})
        client.client.timeout = httpx.Timeout(TIMEOUT)
        return client

    def close(self) -> None:
        """Close every connection."""
        self.wire.close()
        self.stranger.close()
        if "client" in self.__dict__:
            self.client.close()

    def write(self, session: str, messages: Sequence[NewMessage]) -> None:
        """Write messages to a session, creating it."""
        written = [Message(**message.body()) for message in messages]
        size = self._batch() or max(1, len(written))
        for first in range(0, max(1, len(written)), size):
            self.client.memory.add_memory(session, Memory(messages=written[first : first + size]))

    def write_at_once(self, session: str, messages: Sequence[NewMessage]) -> None:
        """Write messages in one request, however many. Raises APIError where they are refused."""
        answer = self.wire.post(memory_path(session), json={"messages": [message.body() for message in messages]})
        if answer.status_code != 200:
            raise APIError(answer)

    def memory(self, session: str, lastn: int | None = None) -> Memory:
        """Return the memory of a session: recent messages and the summary."""
        return self.client.memory.get_memory(session, lastn)

    def messages(self, session: str) -> list[Message]:
        """Return every message of a session, oldest first."""
        found: list[Message] = []
        for page in itertools.count(1):
            batch = self.client.message.get_session_messages(session, limit=100, cursor=page)
            found += batch
            if len(batch) < 100:
                break
        return found

    def search(self, session: str, text: str, limit: int | None = None, **query: Any) -> list[Any]:
        """Search in a session; `query` has search_scope, search_type, mmr_lambda, metadata."""
        payload = MemorySearchPayload(text=text, **query)
        return list(self.client.memory.search_memory(session, payload, limit))

    def clear(self, session: str) -> None:
        """Delete a session's memory. Raises NotFoundError when there is none."""
        self._delete(memory_path(session))

    def _delete(self, path: str) -> None:
        # By hand: an id that is no plain word must be escaped, which zep-python leaves to its caller.
        answer = self.wire.delete(path)
        if answer.status_code == 404:
            raise NotFoundError(answer.text)
        if answer.status_code != 200:
            raise APIError(answer)

    def add_session(self, session: str, user: str | None = None, metadata: dict[str, Any] | None = None) -> Session:
        """Create a session record."""
        return self.client.memory.add_session(Session(session_id=session, user_id=user, metadata=metadata))

    def session(self, session: str) -> Session:
        """Return the record of a session. Raises NotFoundError."""
        return self.client.memory.get_session(session)

    def add_user(self, user: str) -> None:
        """Create a user."""
        self.client.user.add(CreateUserRequest(user_id=user))

    def sessions_of(self, user: str) -> list[str]:
        """Return the ids of a user's sessions."""
        return [session.session_id for session in self.client.user.get_sessions(user)]

    def delete_user(self, user: str) -> None:
        """Delete a user, and with it the user's sessions. Raises NotFoundError."""
        self._delete(user_path(user))

    def is_embedded(self, session: str, content: str, uuid: str | None = None) -> bool:
        """Return whether a message with this content can be found by searching, so that its embedding has arrived.

        uuid: the message's own, where others of the session may have the same content.
        """
        try:
            found = self.search(session, content, limit=3 if uuid is None else ALIKE)
        except NotFoundError:
            return False  # before 0.20 a search that finds nothing is answered so
        messages = [result.message or {} for result in found]
        return any(one.get("content") == content and uuid in (None, one.get("uuid")) for one in messages)
