"""A LangFlux (Flowise under another name), asked over its API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import httpx

from zep_conformance.clients import sockets
from zep_conformance.clients.families import NEWEST, Account, Family
from zep_conformance.clients.http import Hooks, LangFluxRefused, http_client
from zep_conformance.facts.flows import chatflow_body, credential_body, node_path

__all__ = ["ChatAnswer", "ChatMessage", "LangFlux", "LangFluxRefused"]

TIMEOUT = 60.0
"""Seconds for one request; a prediction has a model behind it."""

ROLES = {"userMessage": "human", "apiMessage": "ai"}
"""The roles of chat messages, and what Zep calls them."""


@dataclass(frozen=True)
class ChatAnswer:
    """What a prediction gave."""

    text: str
    chat_id: str
    session_id: str
    message_id: str
    memory_type: str
    question: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> ChatAnswer:
        """Return the answer in the JSON of a prediction; what that lacks is empty."""
        names = ("text", "chatId", "sessionId", "chatMessageId", "memoryType", "question")
        return cls(*(str(body.get(name) or "") for name in names))


@dataclass(frozen=True)
class ChatMessage:
    """One chat message that LangFlux keeps. role: userMessage or apiMessage."""

    id: str
    role: str
    content: str
    session_id: str
    chat_id: str


class LangFlux:
    """One LangFlux server.

    api_key: None where it asks for none. hooks: httpx event hooks that see every exchange. account: a login, where
    the family takes one with each request. family: how its version is asked. transport: what answers in its place, None
    for the server.
    Methods raise LangFluxRefused for an answer that is no success, httpx.HTTPError where there is none.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        hooks: Hooks | None = None,
        *,
        account: Account | None = None,
        family: Family = NEWEST,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url, self.family = url, family
        known = family.headers(api_key, account)
        self.wire = http_client(url, timeout=TIMEOUT, headers=known, hooks=hooks, transport=transport)
        """Plain HTTP with the key."""
        self.public = http_client(url, timeout=TIMEOUT, hooks=hooks, transport=transport)
        """Plain HTTP as a chatbot's visitors speak it, without a key."""

    def close(self) -> None:
        """Close every connection."""
        self.wire.close()
        self.public.close()

    def _json(self, what: str, answer: httpx.Response) -> Any:
        if answer.status_code != 200:
            raise LangFluxRefused(what, answer)
        return answer.json()

    def template(self) -> dict[str, Any]:
        """Return the flow (nodes and edges) of the documented template, the conversation chain."""
        found = self._json("listing the marketplace", self.wire.get(self.family.marketplace))
        by_name = {template.get("templateName"): template for template in found}
        for name in self.family.templates:
            if name in by_name:
                flow: dict[str, Any] = json.loads(by_name[name]["flowData"])
                return flow
        raise AssertionError(f"the marketplace has no template called {' or '.join(self.family.templates)}")

    def node(self, name: str) -> dict[str, Any]:
        """Return the definition of a node, such as ZepMemory."""
        definition: dict[str, Any] = self._json(f"looking up the node {name}", self.wire.get(node_path(name)))
        return definition

    def add_credential(self, name: str, kind: str, secret: str) -> str:
        """Make a credential; returns its id. kind: of `facts.flows`, MODEL_CREDENTIAL or ZEP_CREDENTIAL."""
        body = credential_body(name, kind, secret)
        return str(self._json("adding a credential", self.wire.post("/api/v1/credentials", json=body))["id"])

    def delete_credential(self, credential: str) -> None:
        """Delete a credential."""
        self._json("deleting a credential", self.wire.delete(f"/api/v1/credentials/{credential}"))

    def add_chatflow(self, name: str, flow: Mapping[str, Any]) -> str:
        """Save a chatflow; returns its id."""
        body = chatflow_body(name, flow)
        return str(self._json("saving a chatflow", self.wire.post("/api/v1/chatflows", json=body))["id"])

    def flow(self, chatflow: str) -> dict[str, Any]:
        """Return the flow (nodes and edges) of a saved chatflow."""
        kept = self._json("looking up a chatflow", self.wire.get(f"/api/v1/chatflows/{chatflow}"))
        flow: dict[str, Any] = json.loads(kept["flowData"])
        return flow

    def delete_chatflow(self, chatflow: str) -> None:
        """Delete a chatflow, and with it its chat messages."""
        self._json("deleting a chatflow", self.wire.delete(f"/api/v1/chatflows/{chatflow}"))

    def predict(
        self, chatflow: str, question: str, *, session: str | None = None, chat: str | None = None
    ) -> httpx.Response:
        """Make one prediction, whatever the answer. session: `overrideConfig.sessionId`; chat: `chatId`."""
        return self.public.post(f"/api/v1/prediction/{chatflow}", json=_question(question, session, chat))

    def ask(self, chatflow: str, question: str, *, session: str | None = None, chat: str | None = None) -> ChatAnswer:
        """Make one prediction that should work. Raises LangFluxRefused."""
        body = self._json("a prediction", self.predict(chatflow, question, session=session, chat=chat))
        return self._answer(chatflow, body, session, chat)

    def _answer(self, chatflow: str, body: Mapping[str, Any], session: str | None, chat: str | None) -> ChatAnswer:
        answer = ChatAnswer.of(self.family.completed(body, session, chat))
        if answer.session_id or self.family.says_ids:
            return answer
        # Neither was sent: only the chat messages say what LangFlux made of it.
        newest = self.chat_messages(chatflow)[-1]
        return replace(answer, chat_id=newest.chat_id, session_id=newest.session_id)

    def stream(
        self, chatflow: str, question: str, *, session: str | None = None, chat: str | None = None
    ) -> list[tuple[str, Any]]:
        """Return the events of a streamed prediction, (name, data), until it ends. Raises LangFluxRefused."""
        body = _question(question, session, chat)
        if self.family.streaming == "sockets":
            events = sockets.streamed(self.public, f"/api/v1/prediction/{chatflow}", body)
            return [
                (name, self.family.completed(data, session, chat) if name == "metadata" else data)
                for name, data in events
            ]
        body |= {"streaming": True}
        with self.public.stream("POST", f"/api/v1/prediction/{chatflow}", json=body) as answer:
            if answer.status_code != 200:
                answer.read()
                raise LangFluxRefused("a streamed prediction", answer)
            return list(events_of(answer.iter_text()))

    def chat_messages(self, chatflow: str, **query: str) -> list[ChatMessage]:
        """Return the chat messages that LangFlux keeps, oldest first. query: chatId, sessionId."""
        answer = self.wire.get(chat_path(chatflow, {"order": "ASC", **query}))
        names = ("id", "role", "content", "sessionId", "chatId")
        return [
            ChatMessage(*(kept[name] or "" for name in names)) for kept in self._json("listing chat messages", answer)
        ]

    def clear(self, chatflow: str, **query: str) -> None:
        """Delete chat messages, and with them the memory. query: chatId, sessionId, memoryType."""
        self._json("clearing a chat", self.wire.delete(chat_path(chatflow, query)))


def chat_path(chatflow: str, query: Mapping[str, str]) -> str:
    """Return the API path of a chatflow's chat messages, those that a query asks for."""
    # By hand: httpx 0.24 takes a value like "a%2Fb" for one that is escaped already.
    return f"/api/v1/chatmessage/{chatflow}?{urlencode(query)}"


def _question(question: str, session: str | None, chat: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"question": question}
    if chat is not None:
        body["chatId"] = chat
    if session is not None:
        body["overrideConfig"] = {"sessionId": session}
    return body


def events_of(pieces: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield the events in LangFlux's stream: each a `data:` line holding JSON with `event` and `data`."""
    for line in _lines(pieces):
        text = line.strip()
        if text.startswith("data:"):
            event = json.loads(text.removeprefix("data:"))
            yield event["event"], event.get("data")


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Yield a text's lines. Only a newline ends one: what people say has signs that end one elsewhere (U+2028)."""
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
    yield rest
