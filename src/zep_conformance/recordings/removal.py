"""What a replay makes in a server, how it is removed again, and what must have been enriched before that (DEV-1).

Clearing a conversation whose last message is not enriched yet, and a post without messages, each stall everybody's
enrichment on Zep 0.27.2. A replay must do the first only when the queue is empty; the second is in the recordings,
so that is done last, and waited for before anything is removed. Each thing is removed by the request that undoes it.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.recordings.names import OWNERS
from zep_conformance.recordings.server import INTERNAL, ReplayServer

STALL = 15.0
"""Seconds by which a post without messages delays the enrichment of Zep 0.27.2: a little more than was measured."""
UNHURRIED = 10.0
"""Seconds that entities and intent get where no scenario waits: on a busy machine they come long after embeddings."""
VAIN = 3
"""Waits for entities and intent that may be in vain: a Zep may find out neither."""
_MEMORY = re.compile(r"/api/v\d+/sessions/[^/]+/memory")
_TALK = re.compile(r"/api/v\d+/(?:internal-)?prediction/.+")
_CLEARS_SEVERAL = re.compile(r"/api/v\d+/(?:user|chatmessage|chatflows)/.+")


def stalls(request: Mapping[str, Any]) -> bool:
    """Return whether a request is a post without messages."""
    body = request.get("body")
    empty = isinstance(body, dict) and not body.get("messages")
    return bool(request["method"] == "POST" and _MEMORY.fullmatch(request["path"]) and empty)


class EnrichmentQueue:
    """The queue of one Zep, as far as it is known from what was written.

    zep: None where it can't be asked from here; then nothing is waited for. prefix: of the session that is written to.
    limit: seconds to wait, more where it was stalled.
    """

    def __init__(self, zep: Zep | None, *, prefix: str, limit: float) -> None:
        self._zep, self._session, self._limit = zep, f"{prefix}settled", limit
        self._waiting: set[str] = set()
        self._stalls = self._settled = self._in_vain = 0
        self.trouble: str | None = None

    def note(self, request: Mapping[str, Any]) -> None:
        """Note a request that was sent: it may have written something that is enriched later."""
        path = request["path"].partition("?")[0]
        if request["method"] == "POST" and (_MEMORY.fullmatch(path) or _TALK.fullmatch(path)):
            self._stalls += stalls(request)
            self._waiting.add(path)

    def holds_back(self, request: Mapping[str, Any]) -> bool:
        """Return whether a request clears what is not known to be enriched yet, so that the queue must settle first."""
        path = request["path"].partition("?")[0]
        if request["method"] != "DELETE" or self._zep is None or self.trouble:
            return False
        return path in self._waiting or (bool(self._waiting) and bool(_CLEARS_SEVERAL.fullmatch(path)))

    def is_enriching(self, memory: str) -> bool:
        """Return whether a session, by the path of its memory, is not known to be enriched yet."""
        return self._zep is not None and not self.trouble and memory in self._waiting

    def settle(self) -> None:
        """Wait until what was written is enriched. What goes wrong is kept as `trouble`, and not tried again.

        Zep works through its queue in order, so that one last message is enriched after all others.
        """
        if self._zep is None or self.trouble or not self._waiting:
            return
        self._settled += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zep-python's, of versions other than its own
                text = f"Conversation {self._settled} of Zita Marchetti is over in Lisbon"
                self._zep.write(self._session, [NewMessage("human", text)])
                EnrichmentWait(self._limit + self._stalls * STALL, UNHURRIED).settle(self._zep, self._session)
        except Exception as error:
            # Whatever is answered by what is no Zep, or a broken one: the rest, and the removal, go on.
            self.trouble = (
                f"enrichment did not settle before the removal ({type(error).__name__}), which may delay others'"
            )
        self._waiting.clear()
        self._stalls = 0

    def await_metadata(self, session: str) -> None:
        """Wait until Zep has written what it finds out into the metadata of a session's messages (DEV-16).

        session: its path. What does not come within UNHURRIED is lost for good, or never comes at all: after a few such
        waits in vain there are no more.
        """
        if self._zep is None or self.trouble or self._in_vain >= VAIN:
            return
        zep = self._zep

        def complete() -> None:
            messages = zep.wire.get(f"{session}/messages?limit=100").json()["messages"]
            found = [(one.get("metadata") or {}).get("system", {}) for one in messages if one.get("content")]
            assert all("entities" in one and "intent" in one for one in found)

        try:
            eventually(complete, UNHURRIED)
        except (AssertionError, httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError):
            self._in_vain += 1

    @property
    def session(self) -> str | None:
        """The session that was written to, if any."""
        return self._session if self._settled else None


_ONE_OF_ZEP = re.compile(rf"(/api/v\d+)/({'|'.join(OWNERS)})/([^/]+)")
_MADE_BY_POST = re.compile(r"(/api/v\d+)/(sessions|user)/?")
_SAVED = re.compile(r"/api/v\d+/(chatflows|credentials)(?:/([^/]+))?/?")
_PREDICTION = re.compile(r"/api/v\d+/(?:internal-)?prediction/([^/]+)/?")
_ORDER = ("chat", "chatflow", "credential", "user", "collection", "session")
"""Of removing: chats go before their chatflow, users before sessions."""


@dataclass(frozen=True)
class Undo:
    """A request that removes something of a kind. name: its own."""

    server: ReplayServer
    kind: str
    name: str
    path: str


class Removals:
    """What is to be removed.

    zep: behind LangFlux, or the one that is replayed against; None where it can't be asked from here.
    """

    def __init__(self, zep: ReplayServer | None, queue: EnrichmentQueue) -> None:
        self._zep, self._queue = zep, queue
        self._undos: dict[str, Undo] = {}
        self.left: list[str] = []

    def note(self, server: ReplayServer, method: str, path: str, body: Any, answer: httpx.Response) -> None:
        """Look at an exchange for what it made, or removed."""
        path = path.partition("?")[0]
        done = answer.is_success
        one, by_post, saved = _ONE_OF_ZEP.match(path), _MADE_BY_POST.fullmatch(path), _SAVED.fullmatch(path)
        if one and server.part == "zep":
            self._of_zep(server, one[1], one[2], one[3], method == "DELETE" and done)
        elif by_post and server.part == "zep":
            name = _named(body, by_post[2]) or _named(_fields(answer) if done else None, by_post[2])
            if name:
                self._of_zep(server, by_post[1], by_post[2], quote(name, safe=""), False)
        elif saved:
            self._saved(server, saved[1][:-1], saved[2], method, answer)
        elif talk := _PREDICTION.fullmatch(path):
            self._talked(server, talk[1], answer)
        if server.part == "langflux" and self._zep is not None:
            for session in _sessions_in(body):
                self._of_zep(self._zep, "/api/v1", "sessions", quote(session, safe=""), False)

    def remove(self) -> list[str]:
        """Remove everything, after it has settled. Returns what could not be removed, and why."""
        if any(undo.server is self._zep for undo in self._undos.values()):
            self._queue.settle()
        if self._queue.session and self._zep:
            self._of_zep(self._zep, "/api/v1", "sessions", self._queue.session, False)
        for undo in sorted(self._undos.values(), key=lambda undo: _ORDER.index(undo.kind)):
            what = f"{undo.kind} {undo.name}"
            try:
                status = undo.server.send("DELETE", undo.path, {INTERNAL: "internal"}).status_code
            except httpx.HTTPError as error:
                self.left.append(f"{what} ({type(error).__name__})")
                continue
            if status not in range(200, 300) and status != 404:  # 404: gone already
                self.left.append(f"{what} (answered {status})")
        self._undos = {}
        return self.left + ([self._queue.trouble] if self._queue.trouble else [])

    def _of_zep(self, server: ReplayServer, root: str, owner: str, name: str, gone: bool) -> None:
        """Note a session, a user or a collection of Zep, by its escaped name."""
        kind = owner.removesuffix("s")
        path = f"{root}/{owner}/{name}" + ("/memory" if kind == "session" else "")
        self._keep(Undo(server, kind, name, path), gone)

    def _saved(self, server: ReplayServer, kind: str, given: str | None, method: str, answer: httpx.Response) -> None:
        if identifier := given or _fields(answer).get("id"):
            gone = method == "DELETE" and answer.is_success
            self._keep(Undo(server, kind, identifier, f"/api/v1/{kind}s/{identifier}"), gone)
        elif answer.is_success:
            self.left.append(f"a {kind}, whose id was not in the answer")

    def _talked(self, server: ReplayServer, flow: str, answer: httpx.Response) -> None:
        """Note a prediction: LangFlux can clear the chat and what Zep has of it."""
        answered = _fields(answer)
        if not answered.get("chatId"):
            return
        query = {name: str(answered[name]) for name in ("chatId", "sessionId", "memoryType") if answered.get(name)}
        path = f"/api/v1/chatmessage/{flow}?{urlencode(query, quote_via=quote)}"
        self._keep(Undo(server, "chat", answered["chatId"], path), False)
        if self._zep:
            session = str(answered.get("sessionId") or answered["chatId"])
            self._of_zep(self._zep, "/api/v1", "sessions", quote(session, safe=""), False)

    def _keep(self, undo: Undo, gone: bool) -> None:
        key = f"{undo.server.part} {undo.path}"
        if gone:
            self._undos.pop(key, None)
        else:
            self._undos[key] = undo


def _fields(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _named(body: Any, owner: str) -> str | None:
    name = body.get("session_id" if owner == "sessions" else "user_id") if isinstance(body, dict) else None
    return name if isinstance(name, str) and name else None


def _sessions_in(body: Any) -> Iterator[str]:
    """Every session id in a request to LangFlux, those in the nodes of a flow included."""
    if isinstance(body, list):
        for item in body:
            yield from _sessions_in(item)
    if not isinstance(body, dict):
        return
    for key, value in body.items():
        if key in ("sessionId", "chatId") and isinstance(value, str) and value:
            yield value
        elif key == "flowData" and isinstance(value, str):
            try:
                yield from _sessions_in(json.loads(value))
            except ValueError:
                continue
        else:
            yield from _sessions_in(value)
