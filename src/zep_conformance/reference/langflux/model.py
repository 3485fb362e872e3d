"""What LangFlux must answer, list and have Zep remember, in plain Python: whose turn it is, and what clearing takes.

It stands on the model of Zep: what is said is written there, under the session that it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zep_conformance.reference.operations import Chatbot, World
from zep_conformance.reference.rules import Cell, Difference, Exactly, Fields, Holds, OwnTime, OwnUuid, Rule, shown
from zep_conformance.reference.zep.model import KnownMessage, ZepModel
from zep_conformance.reference.zep.paths import kept_id

if TYPE_CHECKING:
    from zep_conformance.reference.langflux.operations import Look

REMEMBERED = 10
"""The newest messages of a session that a chatbot is reminded of (the Zep Memory node's Size)."""
QUESTION = "What is my name?"
UNKNOWN = "I don't know your name."
MADE, NODE = re.compile(r"made-(\d+)"), re.compile(r"node-(\d+)")
"""Ids in a sequence that are no names: one that LangFlux made up, and the Session Id of a chatbot's node."""
_NAME = re.compile(r"my name is (\w+)")
_ROLES = {"userMessage": "human", "apiMessage": "ai"}
_UNUSED = (
    "sourceDocuments", "usedTools", "fileAnnotations", "agentReasoning", "fileUploads", "artifacts", "action",
    "leadEmail", "followUpPrompts", "execution", "executionId", "reasonContent",
)  # fmt: skip
"""What a chat message has for agents and the like, and what no conversation fills in."""


def _names(texts: Sequence[str]) -> list[str]:
    return [name for text in texts for name in _NAME.findall(text)]


@dataclass
class KnownChatMessage:
    """One side of a turn. content: None until it was heard. chat, session: their ids, which LangFlux may make up."""

    role: str
    content: str | None
    chat: Cell
    session: Cell
    ident: Cell = field(default_factory=Cell)
    created: Cell = field(default_factory=Cell)


@dataclass
class Turn:
    """A turn that is asked for. expected: what the model may say, None where that is not known."""

    chatbot: int
    human: KnownChatMessage
    ai: KnownChatMessage
    expected: frozenset[str] | None
    is_new: bool = False
    """Whether LangFlux makes up the chat."""


class ChatsModel:
    """Chatbots in front of one Zep. zep: what that remembers."""

    def __init__(self, world: World) -> None:
        self.world, self.zep = world, ZepModel(world)
        self.said: list[list[KnownChatMessage]] = [[] for _ in world.chatbots]
        """By chatbot, its chat messages, the oldest first."""
        self.made: list[Cell] = []
        """The ids that LangFlux has made up for chats."""
        self.looked_for: dict[tuple[int, str | None, str | None], None] = {}
        """(chatbot, session, chat) of what something was done to, as the sequence has them."""

    def shows(self, behaviour: str) -> bool:
        """Return whether the server is known to show a recorded behaviour."""
        return behaviour in self.world.behaviours

    def chatbot(self, number: int) -> tuple[int, Chatbot]:
        """Return a chatbot by its number, counted in circles, and that number."""
        number %= len(self.world.chatbots)
        return number, self.world.chatbots[number]

    def ident(self, name: str) -> str:
        """Return the id that a name of the sequence stands for here."""
        made, node = MADE.fullmatch(name), NODE.fullmatch(name)
        if made and self.made:
            return str(self.made[int(made[1]) % len(self.made)].value)
        if node and self.chatbot(int(node[1]))[1].session:
            return self.chatbot(int(node[1]))[1].session
        return self.world.name(name)

    def in_zep(self, session: str) -> str:
        """Return what Zep keeps a session under."""
        return kept_id(session, self.world.behaviours)

    def remembered(self, session: str) -> list[KnownMessage]:
        """Return what Zep remembers of a session, the oldest first."""
        return self.zep.messages(self.in_zep(session))

    # -- turns --------------------------------------------------------------------------------------------------

    def turn(self, number: int, question: str, session: str | None, chat: str | None, *, streamed: bool) -> Turn:
        """Return the turn that a question under these ids is; it is none before it was answered, see `TurnRule`.

        The session is the request's session id, its chat id, the node's Session Id, or that of the chat, in this order.
        The chat is the request's chat id, its session id, or that of the first chat message.
        """
        number, chatbot = self.chatbot(number)
        first = Cell()
        made = Cell() if self.shows("session-is-chat-id") else first
        given, given_chat = (None if name is None else Cell(self.ident(name)) for name in (session, chat))
        of_chat = given_chat or given or made
        if streamed and self.shows("stream-ignores-node-session"):
            given_chat = of_chat
        of_session = given or given_chat or (Cell(chatbot.session) if chatbot.session else of_chat)
        human = KnownChatMessage("userMessage", question, of_chat, of_session, first)
        ai = KnownChatMessage("apiMessage", None, of_chat, of_session)
        history = [] if of_session.value is None else self.remembered(of_session.value)
        replies = self._replies(question, [one.content for one in history])
        return Turn(number, human, ai, replies, is_new=session is None and chat is None)

    def _replies(self, question: str, history: list[str]) -> frozenset[str] | None:
        """Return what the model may say to a question after these texts."""
        if not self.world.knows_model:
            return None
        if question != QUESTION:
            return frozenset({f"Noted: {question}"})
        names = _names(history[-REMEMBERED:])
        if names:
            return frozenset({f"Your name is {names[-1]}."})
        # What was summed up may have a name in it, once that has come.
        older = _names(history) if len(history) >= self.world.window else []
        return frozenset({UNKNOWN, *(f"Your name is {name}." for name in older)})

    def remember(self, turn: Turn, seen: Any) -> None:
        """Let a turn that was answered have happened."""
        turn.human.created.since = turn.ai.created.since = seen
        self.said[turn.chatbot] += [turn.human, turn.ai]
        if turn.is_new:
            self.made.append(turn.human.chat)
        session = str(turn.human.session.value)
        messages = [KnownMessage(_ROLES[one.role], one.content or "") for one in (turn.human, turn.ai)]
        ident = self.in_zep(session)
        is_new = ident not in self.zep.sessions
        written = self.zep.write(ident, messages)
        assert written is not None, "no uuid is given"
        dated = [one.created for one in messages] + ([written.created, written.updated] if is_new else [])
        for cell in dated:
            cell.since = seen

    # -- chat messages ------------------------------------------------------------------------------------------

    def listed(self, number: int, session: str | None, chat: str | None) -> list[KnownChatMessage]:
        """Return the chat messages of a chatbot, of a session or a chat or both if they are given, the oldest first."""
        wanted = [None if name is None else self.ident(name) for name in (session, chat)]
        return [
            one
            for one in self.said[self.chatbot(number)[0]]
            if wanted[0] in (None, one.session.value) and wanted[1] in (None, one.chat.value)
        ]

    def message_rule(self, number: int, message: KnownChatMessage) -> Rule:
        """Return what a chat message must be listed as."""
        fields: dict[str, Any] = {
            "id": OwnUuid(message.ident, self.zep.taken),
            "role": message.role,
            "content": message.content,
            "chatflowid": self.chatbot(number)[1].chatflow,
            "chatId": message.chat.value,
            "sessionId": message.session.value,
            "createdDate": OwnTime(message.created),
            "memoryType": Holds("the kind of memory", lambda came: isinstance(came, str) and bool(came)),
        }
        return Fields(fields, {**dict.fromkeys(_UNUSED), "chatType": "EXTERNAL"})

    def clear(self, number: int, session: str | None, chat: str | None) -> int:
        """Delete chat messages, and what Zep remembers of their sessions; return how many were deleted.

        A chat without any messages may be remembered under its own id.
        """
        gone = self.listed(number, session, chat)
        by_session, by_chat = (None if name is None else self.ident(name) for name in (session, chat))
        sessions = {by_session} if by_session else {one.session.value for one in gone} or {by_chat}
        if by_chat and not by_session and self.shows("clear-misses-node-session"):
            sessions = {by_chat}
        if not by_chat and self.shows("delete-by-session-keeps-zep"):
            sessions = set()
        for one in sessions - {None}:
            self.zep.delete_session(self.in_zep(str(one)))
        bot = self.chatbot(number)[0]
        self.said[bot] = [one for one in self.said[bot] if not any(one is other for other in gone)]
        return len(gone)

    # -- when a sequence is over --------------------------------------------------------------------------------

    def everything(self) -> list[Look]:
        """Return the operations that look at every list and every memory that anything was done to."""
        from zep_conformance.reference.langflux import operations as ops

        looks: list[Look] = [ops.ListChatMessages(*one) for one in self.looked_for]
        names = {name: None for _, *both in self.looked_for for name in both if name is not None}
        names |= {f"made-{number}": None for number in range(len(self.made))}
        looks += [ops.ListChatMessages(0, None, f"made-{number}") for number in range(len(self.made))]
        names |= {f"node-{number}": None for number, one in enumerate(self.world.chatbots) if one.session}
        return [*looks, *(ops.ReadRemembered(name) for name in names)]


@dataclass(frozen=True)
class TurnRule(Rule):
    """The answer to a question: the model's words, and whose turn it was. With it the turn has happened.

    fields: those that the answer must have, beside text and ids; optional: those that it may have.
    """

    model: ChatsModel
    turn: Turn
    fields: dict[str, Any]
    optional: dict[str, Any]

    def differences(self, came: Any, where: str, seen: Any) -> Iterator[Difference]:
        """Yield what is wrong with it; where nothing is, let it have happened."""
        human, ai = self.turn.human, self.turn.ai
        text = came.get("text") if isinstance(came, dict) else None
        rule = Fields(
            {
                "text": self._text(),
                "chatId": OwnText(human.chat),
                "sessionId": OwnText(human.session),
                "chatMessageId": OwnUuid(ai.ident, self.model.zep.taken),
                **self.fields,
            },
            self.optional,
        )
        found = list(rule.differences(came, where, seen))
        yield from found
        if not found:
            ai.content = text
            self.model.remember(self.turn, seen)

    def _text(self) -> Rule:
        expected = self.turn.expected
        if expected is None:
            return Holds("a text", lambda came: isinstance(came, str))
        if len(expected) == 1:
            return Exactly(next(iter(expected)))
        return Holds(f"one of {', '.join(map(shown, sorted(expected)))}", lambda came: came in expected)


@dataclass(frozen=True)
class OwnText(Rule):
    """A text that is known, or that a server makes up and never changes."""

    cell: Cell

    def differences(self, came: Any, where: str, seen: Any) -> Iterator[Difference]:  # noqa: ARG002
        """Yield that it is none, or another than it was."""
        if not isinstance(came, str) or not came:
            yield Difference(where, "a text", shown(came))
            return
        yield from self.cell.same(came, where)
