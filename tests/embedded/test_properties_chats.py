"""Chats with the embedded LangFlux: whoever talks under whatever ids, answers, lists and memory are the model's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple

from tests.support.chats_model import Chatbot, ChatMessage, ChatsModel
from tests.support.chatting import MakeBot, making_chatbots
from tests.support.properties import EVERY_NIGHT, Machine, broken, finds, holds, initialize, rule
from tests.support.zep_asked import Asked, asking, fresh, others, pieces, texts
from zep_conformance.clients.langflux import ChatAnswer, LangFlux, chat_path

# Zep has no model here: it would sum up what is tested.
PARTS = ["zep", "langflux"]
questions = st.sampled_from(["What is my name?", "my name is Ada", "my name is Bo"]) | texts.filter(bool)


class Talkers(Machine):
    """People who talk to two chatbots under ids of every kind, list what was said, and clear it."""

    names = Bundle("names")
    bots = Bundle("bots")

    def __init__(self, zep: Asked, langflux: LangFlux, make: MakeBot) -> None:
        super().__init__()
        self.zep, self.langflux, self.make, self.model = zep, langflux, make, ChatsModel()

    @initialize(target=names, before=pieces, after=pieces, how=st.sampled_from(sorted(others(""))))
    def think_of_names(self, before: str, after: str, how: str) -> MultipleResults[str]:
        """Of users, sessions and chats alike."""
        name = f"{before}{fresh()}{after}"
        return multiple(name, others(name)[how], fresh())

    @initialize(target=bots)
    def make_bots(self) -> MultipleResults[Chatbot]:
        """One as the documentation has it, and one with a Session Id on its node."""
        return multiple(self.make(""), self.make(f"fixed{fresh()}"))

    @rule(
        target=names,
        bot=bots,
        question=questions,
        session=names | st.none(),
        chat=names | st.none(),
        streamed=st.booleans(),
    )
    def talk(self, bot: Chatbot, question: str, session: str | None, chat: str | None, streamed: bool) -> str:
        """One turn, whole or streamed; what it says its chat is can be gone on with."""
        if streamed:
            events = self.langflux.stream(bot.ident, question, session=session, chat=chat)
            text = "".join(data for name, data in events if name == "token")
            answer = ChatAnswer.of({"text": text} | next(data for name, data in events if name == "metadata"))
        else:
            answer = self.langflux.ask(bot.ident, question, session=session, chat=chat)
        new = answer.chat_id if session is None and chat is None else ""
        chat_id, session_id = self.model.identity(bot, session, chat, new)
        assert (answer.chat_id, answer.session_id) == (chat_id, session_id)
        assert answer.text == self.model.turn(bot, question, chat_id, session_id)
        human, ai = bot.said[-2:]
        human.id, ai.id = new, answer.message_id
        return answer.chat_id

    @rule(bot=bots, chat=st.none() | names, session=st.none() | names)
    def list_messages(self, bot: Chatbot, chat: str | None, session: str | None) -> None:
        """All of them, those of a chat, those of a session, or those of both."""
        self.are_listed(bot, chat, session)

    @rule(bot=bots, chat=names, session=st.none() | names)
    def clear_a_chat(self, bot: Chatbot, chat: str, session: str | None) -> None:
        """Of any name, whether somebody talked there or not."""
        self.clear(bot, chat, session)

    @rule(bot=bots, at=st.integers(0, 99))
    def clear_a_chat_that_was_had(self, bot: Chatbot, at: int) -> None:
        """Whatever session it was under."""
        if bot.said:
            self.clear(bot, bot.said[at % len(bot.said)].chat, None)

    @rule(bot=bots, session=names)
    def clear_a_session(self, bot: Chatbot, session: str) -> None:
        """Of any name, in whatever chats it was."""
        self.clear(bot, None, session)

    @rule(bot=bots)
    def clear_everything(self, bot: Chatbot) -> None:
        """Of one chatbot."""
        self.clear(bot, None, None)

    def look_everywhere(self) -> None:
        """Zep remembers what the model does, of every session that was talked under."""
        for session in list(self.model.memory):
            came = [(one["role"], one["content"]) for one in self.zep.everything(session)]
            assert came == self.model.remembered(session), f"Zep's memory of {session!r}"

    def clear(self, bot: Chatbot, chat: str | None, session: str | None) -> None:
        """Delete chat messages; what Zep remembered of them is gone at once."""
        touched = {one.session for one in bot.listed(chat, session)} | {session or chat}
        query = {name: value for name, value in (("chatId", chat), ("sessionId", session)) if value is not None}
        answer = self.langflux.wire.delete(chat_path(bot.ident, query))
        assert (answer.status_code, answer.json()["affected"]) == (200, self.model.clear(bot, chat, session))
        for one in touched - {None}:
            assert len(self.zep.everything(str(one))) == len(self.model.remembered(str(one)))
        self.are_listed(bot, None, None)

    def are_listed(self, bot: Chatbot, chat: str | None, session: str | None) -> None:
        """The chat messages are the model's, in both orders."""
        query = {name: value for name, value in (("chatId", chat), ("sessionId", session)) if value is not None}
        for order in ("ASC", "DESC"):
            answer = self.langflux.wire.get(chat_path(bot.ident, query | {"order": order}))
            came = answer.json()
            expected = bot.listed(chat, session)
            if order == "DESC":
                expected = expected[::-1]
            fields = ("role", "content", "chatId", "sessionId")
            shown = [ChatMessage(*(one[name] for name in fields), id=one["id"]) for one in came]
            for one, other in zip(shown, expected, strict=False):
                other.id = other.id or one.id
            assert shown == expected


def test_chats_are_as_the_model_has_them(tmp_path_factory: pytest.TempPathFactory, model_url: str) -> None:
    with (
        broken(tmp_path_factory.mktemp("data"), PARTS, {}) as fleet,
        asking(fleet) as zep,
        making_chatbots(fleet, model_url) as (langflux, make),
    ):
        holds(lambda: Talkers(zep, langflux, make))


MUTATIONS = (
    "override-ignored",
    "turn-written-twice",
    "memory-per-chatflow",
    "node-session-first",
    "clear-keeps-zep",
    "clear-takes-all",
    "clear-misses-node-session",
    "delete-by-session-keeps-zep",
    # These take their time.
    "ai-turn-forgotten",
    "memory-not-read",
    "chat-id-first",
    "nameless-session-shared",
    "stream-without-memory",
    "listing-ignores-session",
)


@pytest.mark.parametrize("mutation", MUTATIONS if EVERY_NIGHT else MUTATIONS[:8])
def test_the_machine_finds_a_mutation(tmp_path: Path, model_url: str, mutation: str) -> None:
    with (
        broken(tmp_path, PARTS, {"langflux": [mutation]}) as fleet,
        asking(fleet) as zep,
        making_chatbots(fleet, model_url) as (langflux, make),
    ):
        finds(lambda: Talkers(zep, langflux, make))
