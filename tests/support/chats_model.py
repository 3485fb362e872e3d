"""What a LangFlux must answer and remember, in plain Python: whose turn it is, and what clearing takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

REMEMBERED = 10
"""The newest messages of a session that a chatbot is reminded of (the Zep Memory node's Size)."""
_NAME = re.compile(r"my name is (\w+)")


def reply(texts: Sequence[str]) -> str:
    """What the model server says when it is sent these texts, the newest last."""
    if texts[-1] != "What is my name?":
        return f"Noted: {texts[-1]}"
    names = [name for text in texts for name in _NAME.findall(text)]
    return f"Your name is {names[-1]}." if names else "I don't know your name."


@dataclass
class ChatMessage:
    """One side of a turn, as LangFlux lists it. id: "" while nobody has told it."""

    role: str
    content: str
    chat: str
    session: str
    id: str = ""


@dataclass
class Chatbot:
    """A chatflow. session: the Session Id of its Zep Memory node, "" for none."""

    ident: str
    session: str
    said: list[ChatMessage] = field(default_factory=list)

    def listed(self, chat: str | None = None, session: str | None = None) -> list[ChatMessage]:
        """Its chat messages, of a chat or a session or both if they are given, the oldest first."""
        return [one for one in self.said if chat in (None, one.chat) and session in (None, one.session)]


class ChatsModel:
    """Chatbots in front of one Zep."""

    def __init__(self) -> None:
        self.memory: dict[str, list[tuple[str, str]]] = {}
        """By session, (role, content) of what Zep remembers."""

    def remembered(self, session: str) -> list[tuple[str, str]]:
        """What Zep remembers of a session."""
        return self.memory.get(session, [])

    def identity(self, bot: Chatbot, session: str | None, chat: str | None, new: str) -> tuple[str, str]:
        """(chat, session) of a turn with these ids; new: the id of its first chat message."""
        chat_id = chat or session or new
        return chat_id, session or chat or bot.session or chat_id

    def turn(self, bot: Chatbot, question: str, chat: str, session: str) -> str:
        """The answer to a question in a chat and session, which is remembered."""
        known = self.memory.setdefault(session, [])
        answer = reply([*(content for _, content in known[-REMEMBERED:]), question])
        known += [("human", question), ("ai", answer)]
        bot.said.append(ChatMessage("userMessage", question, chat, session))
        bot.said.append(ChatMessage("apiMessage", answer, chat, session))
        return answer

    def clear(self, bot: Chatbot, chat: str | None, session: str | None) -> int:
        """How many chat messages are deleted, and with them what Zep remembers of their sessions.

        A chat without any messages may be remembered under its own id.
        """
        gone = bot.listed(chat, session)
        sessions = {session} if session else {one.session for one in gone} or {chat}
        for one in sessions - {None}:
            self.memory.pop(str(one), None)
        bot.said = [one for one in bot.said if one not in gone]
        return len(gone)
