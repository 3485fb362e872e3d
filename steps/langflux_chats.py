"""Steps of langflux_chats.feature: what is said, answered, streamed, remembered and listed, to the letter."""

from __future__ import annotations

import datetime
from typing import Any

from pytest_bdd import parsers

from fixtures.chats import Chat, Chats
from fixtures.people import People, SessionIds
from fixtures.texts import HARD_TEXTS, difference, text_difference
from fixtures.words import given, then, when
from zep_conformance.clients import clock
from zep_conformance.clients.langflux import ROLES, chat_path
from zep_conformance.session.run import Run

Listed = list[dict[str, Any]]
"""Chat messages as LangFlux lists them."""


@when(parsers.parse("she says a text with {kind}, and says it again with the answer streamed"))
def say_twice(chats: Chats, her: Chat, kind: str) -> None:
    """Say the same to the letter both times: what comes twice is said twice."""
    chats.say(her, HARD_TEXTS[kind])
    chats.say(her, HARD_TEXTS[kind], streamed=True)


@then("each answer is what the model said, and names her question")
def answer_to_the_letter(run: Run, her: Chat) -> None:
    """Check the answers against what the suite's own model says to such a text; another's are only compared later."""
    questions = [text for role, text in her.turns if role == "human"]
    for answer, question in zip(her.answers, questions, strict=True):
        if "model" not in run.deployment.missing:
            wrong = text_difference(f"Noted: {question}", answer.text)
            assert not wrong, f"the answer is not what the model said: {wrong}"
        if answer.question:
            wrong = text_difference(question, answer.question)
            assert not wrong, f"the answer names another question: {wrong}"


@then("the pieces of the stream are the answer, each once and in order")
def pieces_are_the_answer(chats: Chats, her: Chat) -> None:
    """Check them against the answer that LangFlux lists, and that they come between the stream's start and its end."""
    names = [name for name, _ in her.events]
    assert names.count("start") == names.count("end") == names.count("metadata") == 1, f"the stream's events: {names}"
    tokens = [place for place, name in enumerate(names) if name == "token"]
    assert names.index("start") < tokens[0], "a piece comes before the start"
    assert tokens[-1] < names.index("metadata"), "a piece comes after the stream has said whose it was"
    pieces = [data for name, data in her.events if name == "token"]
    assert all(isinstance(piece, str) for piece in pieces), f"a piece is no text: {pieces}"
    listed = chats.langflux.chat_messages(her.chatflow, sessionId=her.own_session)
    wrong = text_difference(listed[-1].content, "".join(pieces))
    assert not wrong, f"the pieces are not the answer that is listed: {wrong}"


@given(
    parsers.parse(
        "{one} and {another} talk in turn with the same chatbot, {most:d} and {fewer:d} times, "
        "every second answer streamed"
    )
)
def talk_in_turn(
    chats: Chats, people: People, session_ids: SessionIds, one: str, another: str, most: int, fewer: int
) -> None:
    """Let each say something, one after the other, under ids of which the other's begin with the first one's."""
    session, chat = session_ids.new(f"{people[one].user_id}-And-More"), session_ids.new("chat")
    for role, ending in ((one, ""), (another, "0")):
        chats.of(role).session, chats.of(role).chat = session + ending, chat + ending
    for number in range(most):
        for role in (one, another)[: 2 if number < fewer else 1]:
            chats.say(chats.of(role), people.faker.sentence(4), streamed=number % 2 == 1)


@when("the chat messages of each are listed, by session and by chat", target_fixture="lists")
def list_each(chats: Chats) -> list[tuple[Chat, Listed]]:
    """Return what was listed of each chat, by either id and in either order, the newest always last."""
    lists = []
    for chat in chats.everybody:
        for name, ident in (("sessionId", chat.own_session), ("chatId", chat.last.chat_id)):
            for order in ("ASC", "DESC"):
                answer = chats.langflux.wire.get(chat_path(chat.chatflow, {name: ident, "order": order}))
                assert answer.status_code == 200, f"listing is answered {answer.status_code} {answer.text[:200]!r}"
                lists.append((chat, answer.json()[:: 1 if order == "ASC" else -1]))
    return lists


@then("each list is the conversation: every message once, in order, with its role, its session and its chat")
def lists_are_conversations(lists: list[tuple[Chat, Listed]]) -> None:
    """Check everything that a message says of itself."""
    for chat, listed in lists:
        wrong = difference(chat.turns, [(ROLES.get(one["role"], ""), one["content"]) for one in listed])
        assert not wrong, f"a list is not the conversation: {wrong}"
        for one in listed:
            found = (one["sessionId"], one["chatId"], one["chatflowid"])
            assert found == (chat.session, chat.chat, chat.chatflow), f"a message is listed with {found}"


@then("each message has an id and a time of its own, the same whenever it is listed")
def messages_are_marked(lists: list[tuple[Chat, Listed]]) -> None:
    """Check that no id is there twice, that times never go back, and that every list of a chat is the same."""
    first: dict[str, Listed] = {}
    for chat, listed in lists:
        assert listed == first.setdefault(chat.own_session, listed), "two lists of one chat differ"
    ids = [one["id"] for listed in first.values() for one in listed]
    assert len(set(ids)) == len(ids), "two messages have the same id"
    for listed in first.values():
        times = [datetime.datetime.fromisoformat(one["createdDate"].replace("Z", "+00:00")) for one in listed]
        assert times == sorted(times), f"the times of the messages go back: {times}"
        age = abs(clock.now() - times[-1])
        assert age < datetime.timedelta(days=1), f"a message of this minute is of {times[-1]}"


@then("each answer has named its own chat message, and the chat and the session that were sent")
def answers_name_their_own(lists: list[tuple[Chat, Listed]]) -> None:
    """Check the ids in every answer against the list."""
    for chat, listed in lists:
        kept = [one["id"] for one in listed if ROLES.get(one["role"]) == "ai"]
        assert [answer.message_id for answer in chat.answers] == kept, "answers name other chat messages than their own"
        for answer in chat.answers:
            found = (answer.session_id, answer.chat_id)
            assert found == (chat.session, chat.chat), f"an answer names session and chat {found}"
