"""What a client does with LangFlux's API: each operation as data, how it is asked for, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from zep_conformance.clients.langflux import events_of
from zep_conformance.reference.langflux.model import ChatsModel, TurnRule
from zep_conformance.reference.operations import Expected, Operation, Request
from zep_conformance.reference.rules import Difference, Fields, Listed, Rule, shown
from zep_conformance.reference.zep.operations import ListMessages
from zep_conformance.reference.zep.paths import only, path

Look = Operation[ChatsModel]
PAGE = 100
"""Messages of a session that are read from Zep, more than a sequence has."""


@dataclass(frozen=True)
class _OfChat(Operation[ChatsModel]):
    """What is done to chats of a chatbot, by their session, their chat id, or both."""

    chatbot: int = 0
    session: str | None = None
    chat: str | None = None

    def noted(self, model: ChatsModel) -> tuple[int, str | None, str | None]:
        """Return the ids, and have them looked at when the sequence is over."""
        ids = model.chatbot(self.chatbot)[0], self.session, self.chat
        model.looked_for[ids] = None
        return ids

    def path(self, model: ChatsModel, **more: str) -> str:
        """Return the path of the chat messages."""
        given = {"sessionId": self.session, "chatId": self.chat}
        query = {name: model.ident(value) for name, value in given.items() if value is not None} | more
        return f"{path('chatmessage', model.chatbot(self.chatbot)[1].chatflow)}?{urlencode(query)}"

    def under(self) -> str:
        """Return the ids in words."""
        ids = [f"the session {shown(self.session)}"] if self.session is not None else []
        ids += [f"the chat {shown(self.chat)}"] if self.chat is not None else []
        return f"{' and '.join(ids) or 'no id'}{f' of chatbot {self.chatbot}' if self.chatbot else ''}"


@dataclass(frozen=True)
class Talk(_OfChat):
    """Say something to a chatbot, and have it answered, streamed or not."""

    do: ClassVar[str] = "talk"
    question: str = "hello"
    streamed: bool = False

    def words(self) -> str:
        """Return what is done."""
        return f"say {shown(self.question)} under {self.under()}{', the answer streamed' if self.streamed else ''}"

    def request(self, model: ChatsModel) -> Request:
        """Return how it is asked for."""
        session, chat = (None if name is None else model.ident(name) for name in (self.session, self.chat))
        override = None if session is None else {"sessionId": session}
        body = {"question": self.question, "chatId": chat, "overrideConfig": override}
        body["streaming"] = True if self.streamed else None  # type: ignore[assignment]
        chatflow = model.chatbot(self.chatbot)[1].chatflow
        return Request("POST", path("prediction", chatflow), only(body), part="langflux")

    def expected(self, model: ChatsModel) -> Expected:
        """Return the model's answer, and whose turn it was."""
        if self.session is not None or self.chat is not None:
            self.noted(model)  # what was said under no id is looked at under the one that was made up
        turn = model.turn(self.chatbot, self.question, self.session, self.chat, streamed=self.streamed)
        fields = {"question": self.question, "memoryType": _MEMORY}
        if not self.streamed:
            return Expected((200,), TurnRule(model, turn, fields, {"isStreamValid": False}))
        return Expected((200,), StreamRule(TurnRule(model, turn, fields, {})))

    def comparable(self, body: Any) -> Any:
        """Return the events of a stream, its pieces put together, and any other answer as it is."""
        if not isinstance(body, str):
            return body
        events = list(events_of([body]))
        text = "".join(str(data) for name, data in events if name == "token")
        return {"text": text, "events": [[name, data] for name, data in events if name != "token"]}


_MEMORY = "Zep Memory - Open Source"
"""What LangFlux calls a Zep Memory node."""


@dataclass(frozen=True)
class StreamRule(Rule):
    """A stream: its start, its pieces, whose turn it was, and its end. The pieces are its text, each once."""

    turn: TurnRule

    def differences(self, came: Any, where: str, seen: Any) -> Iterator[Difference]:
        """Yield what is wrong with it."""
        try:
            events = list(events_of([came]))
        except (TypeError, ValueError, KeyError) as error:
            yield Difference(where, "a stream of events", f"{shown(came)} ({type(error).__name__})")
            return
        names = [name for name, _ in events]
        pieces = [data for name, data in events if name == "token"]
        wanted = ["start", *["token"] * len(pieces), "metadata", "end"]
        if names != wanted or not all(isinstance(piece, str) for piece in pieces):
            come = ", ".join(dict.fromkeys(names))
            yield Difference(where, "a start, the pieces of a text, metadata and an end", come or "nothing")
            return
        metadata = next(data for name, data in events if name == "metadata")
        yield from self.turn.differences({**metadata, "text": "".join(pieces)}, where, seen)


@dataclass(frozen=True)
class ListChatMessages(_OfChat):
    """List chat messages."""

    do: ClassVar[str] = "list-chat-messages"
    newest_first: bool = False

    def words(self) -> str:
        """Return what is done."""
        return f"list the chat messages of {self.under()}{', the newest first' if self.newest_first else ''}"

    def request(self, model: ChatsModel) -> Request:
        """Return how it is asked for."""
        order = "DESC" if self.newest_first else "ASC"
        return Request("GET", self.path(model, order=order), part="langflux")

    def expected(self, model: ChatsModel) -> Expected:
        """Return what was said, in order."""
        number, session, chat = self.noted(model)
        found = [model.message_rule(number, one) for one in model.listed(number, session, chat)]
        return Expected((200,), Listed(found[::-1] if self.newest_first else found, "chat messages"))


@dataclass(frozen=True)
class Clear(_OfChat):
    """Delete chat messages, and with them what Zep remembers."""

    do: ClassVar[str] = "clear"

    def words(self) -> str:
        """Return what is done."""
        return f"clear {self.under()}"

    def request(self, model: ChatsModel) -> Request:
        """Return how it is asked for."""
        return Request("DELETE", self.path(model), part="langflux")

    def expected(self, model: ChatsModel) -> Expected:
        """Return how many chat messages there were."""
        return Expected((200,), Fields({"affected": model.clear(*self.noted(model))}, {"raw": []}))


@dataclass(frozen=True)
class ReadRemembered(Operation[ChatsModel]):
    """List everything that Zep remembers of a session."""

    do: ClassVar[str] = "read-remembered"
    session: str

    def words(self) -> str:
        """Return what is done."""
        return f"read from Zep what is remembered under {shown(self.session)}"

    def comparable(self, body: Any) -> Any:
        """Return the messages without what enrichment writes."""
        return ListMessages(self.session).comparable(body)

    def request(self, model: ChatsModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", path("sessions", model.ident(self.session), "messages", limit=PAGE))

    def expected(self, model: ChatsModel) -> Expected:
        """Return what was said under it, the oldest first."""
        found = model.remembered(model.ident(self.session))
        messages = Listed([one.rule(model.zep.taken) for one in found], "messages")
        return Expected((200,), Fields({"messages": messages, "total_count": len(found), "row_count": len(found)}))


ALL: tuple[type[Operation[Any]], ...] = (Talk, ListChatMessages, Clear, ReadRemembered)
