"""Steps of langflux_api.feature: talking to a chatbot through LangFlux's API. Other features need some too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pytest_bdd import parsers

from fixtures.chats import Chat, Chats
from fixtures.conversations import ODD_IDS, texts
from fixtures.people import People, SessionIds
from fixtures.texts import difference
from fixtures.words import given, then, when
from zep_conformance.clients.langflux import ROLES, ChatAnswer
from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.facts.servers import memory_path
from zep_conformance.targets import Deployment


@given(parsers.parse("{role} talks under a session id made of her user id and the time"))
def talk_under_session(chats: Chats, people: People, session_ids: SessionIds, role: str) -> None:
    """Make a session id as a front-end does. Documentation, “Use in LangFlux API”."""
    chats.of(role).session = session_ids.new(people[role].user_id)


@given(parsers.parse("Alice talks under a session id with {something} in it"))
def talk_under_odd_session(her: Chat, session_ids: SessionIds, something: str) -> None:
    """Make a session id that is no plain word."""
    her.session = f"{session_ids.new('odd')}-{ODD_IDS[something]}"


@given(parsers.parse('she has said "{text}"'))
def has_said(chats: Chats, her: Chat, people: People, text: str) -> None:
    """Say it, naming roles by their names, and wait for the answer."""
    chats.say(her, people.in_text(text))


@given(parsers.parse('she has said "{text}", and the answer was streamed'))
def has_said_streamed(chats: Chats, her: Chat, people: People, text: str) -> None:
    """Say it in a streamed prediction, and wait until the stream ends."""
    chats.say(her, people.in_text(text), streamed=True)


@when(parsers.parse('she asks "{text}"'))
def asks(chats: Chats, her: Chat, text: str) -> None:
    """Ask under the same ids, and wait for the answer."""
    chats.say(her, text)


@when(parsers.parse('she asks "{text}", and the answer is streamed'))
def asks_streamed(chats: Chats, her: Chat, text: str) -> None:
    """Ask in a streamed prediction, and wait until the stream ends."""
    chats.say(her, text, streamed=True)


@then(parsers.parse('the answer says "{role}"'))
def answer_says(her: Chat, people: People, role: str) -> None:
    """Check that the newest answer has the name of whoever plays `role`, which only who was told it can know."""
    assert people[role].name in her.last.text, (
        f"the chatbot does not know the name {people[role].name}: it answers {her.last.text!r}"
    )


@then("Zep has both sides of the conversation under exactly that session id")
def both_sides(her: Chat, zep: Zep, deployment: Deployment) -> None:
    """Check that it has what she said and what she was answered, in order."""
    found = zep.wire.get(memory_path(her.own_session)).json()["messages"]
    wrong = difference(her.turns, [(message["role"], message["content"]) for message in found])
    seen = needed(deployment.langflux, "a LangFlux").zep_url
    assert not wrong, (
        f"Zep's session {her.session} is not the conversation: {wrong}. LangFlux has Zep at {seen}, "
        f"this run at {zep.url}"
    )


@when("somebody talks under an empty session id", target_fixture="prediction")
def talk_under_empty(chats: Chats) -> httpx.Response:
    """Return the answer to a prediction whose `overrideConfig.sessionId` is there, and empty."""
    return chats.langflux.predict(chats.chatflows.plain, "Hi, my name is Nobody", session="")


@then("the prediction is refused, and says why")
def prediction_refused(chats: Chats, prediction: httpx.Response) -> None:
    """Check that it is a 4xx with words in it; what was accepted all the same is removed at the end."""
    if prediction.status_code == 200:
        chats.answer_removed_later(chats.chatflows.plain, ChatAnswer.of(prediction.json()))
    assert prediction.status_code != 200, f"LangFlux accepted an empty session id: {prediction.text[:200]}"
    assert prediction.status_code in (400, 409, 422), (
        f"expected a 4xx about what was sent, it is {prediction.status_code} {prediction.text[:200]}"
    )
    assert prediction.text.strip(), "the refusal does not say why"


@when(
    parsers.parse("{count:d} users tell the chatbot their names and ask for them, all at the same time"),
    target_fixture="answers",
)
def crowd_talks(chats: Chats, people: People, session_ids: SessionIds, count: int) -> dict[str, str]:
    """Let each user talk in a thread, under a session id of their own. Returns what each was answered, by name."""
    crowd = people.crowd(count)
    sessions = {person.name: session_ids.new(person.user_id) for person in crowd}
    chatflow = chats.chatflows.plain

    def talk(name: str) -> str:
        chat = Chat(chatflow, session=sessions[name])
        chats.say(chat, f"Hi, my name is {name}")
        return chats.say(chat, "What is my name?").text

    with ThreadPoolExecutor(count) as pool:
        return dict(zip(sessions, pool.map(talk, sessions), strict=True))


@then("each is told their own name and nobody else's")
def told_own_name(answers: dict[str, str]) -> None:
    """Check that each name is in its answer, and no other is."""
    for name, text in answers.items():
        assert [other for other in answers if other in text] == [name], f"{name} is answered {text!r}"


@when("she clears the chat, which makes a new session id with the same user id and a new time")
def front_end_clears(her: Chat, people: People, session_ids: SessionIds) -> None:
    """Do what a front-end does, which deletes nothing. Documentation, “Use in LangFlux API”."""
    her.old_session, her.session, her.chat = her.session, session_ids.new(people["Alice"].user_id), None


@then(parsers.parse('asking "{text}" shows no memory of the old conversation'))
def no_old_memory(chats: Chats, her: Chat, people: People, text: str) -> None:
    """Ask, and check that her name is not in the answer."""
    answer = chats.say(her, text)
    assert answer.text.strip(), "the chatbot answers nothing at all, which shows nothing"
    assert people["Alice"].name not in answer.text, f"the chatbot still remembers: {answer.text!r}"


@then("under the old session id she is still remembered")
def old_memory(chats: Chats, her: Chat, people: People) -> None:
    """Ask under it, and check that her name is in the answer."""
    answer = chats.say(Chat(her.chatflow, session=her.old_session), "What is my name?")
    assert people["Alice"].name in answer.text, f"under the old session id the chatbot answers {answer.text!r}"


# -- which id is the session ----------------------------------------------------------------------------------


@given("a chatbot whose Zep Memory node has a Session Id of its own", target_fixture="node_session")
def chatbot_with_session(chats: Chats, her: Chat, session_ids: SessionIds) -> str:
    """Make a chatflow of its own, and return the node's Session Id."""
    session = session_ids.new("node")
    her.chatflow = chats.chatflows.with_session(session)
    return session


@when(parsers.re(r"a question is asked with (?P<given_ids>a session id and a chat id|a session id|a chat id|neither)"))
def ask_with(chats: Chats, her: Chat, session_ids: SessionIds, given_ids: str) -> None:
    """Ask with a session id, a chat id, both or neither in the request."""
    her.session = session_ids.new("request") if "a session id" in given_ids else None
    her.chat = session_ids.new("chat") if "a chat id" in given_ids else None
    chats.say(her, "Hello there")


@then(parsers.re(r"the session is that of the (?P<which>session id|chat id|node's Session Id)"))
def session_is(her: Chat, zep_if_given: Zep | None, node_session: str, which: str) -> None:
    """Check that the answer says so, and that Zep has the conversation there (where it can be asked)."""
    given = {"session id": her.session, "chat id": her.chat, "node's Session Id": node_session}
    expected = needed(given[which], f"a {which}")
    assert her.last.session_id == expected, "the answer names another session"
    if zep_if_given is None:
        return
    contents = [message.content for message in zep_if_given.memory(expected).messages]
    assert contents == ["Hello there", her.last.text], "Zep does not have the conversation under that session id"


@then("the stream began, came in pieces and ended")
def stream_is_whole(her: Chat) -> None:
    """Check that its events are start, token (more than one), metadata and end."""
    names = [name for name, _ in her.events]
    assert names[:1] == ["start"], f"the stream's events are {names}"
    assert names[-1:] == ["end"], f"the stream's events are {names}"
    assert names.count("token") > 1, f"the answer came in one piece: {names}"
    assert "metadata" in names, f"the stream says nothing of its session: {names}"


# -- chat messages --------------------------------------------------------------------------------------------


@given(parsers.parse("{one} and {another} have each told the chatbot their name under their own session id"))
def both_told(chats: Chats, people: People, session_ids: SessionIds, one: str, another: str) -> None:
    """Have two conversations in one chatflow."""
    for role in (one, another):
        talk_under_session(chats, people, session_ids, role)
        chats.say(chats.of(role), f"Hi, my name is {people[role].name}")


@then(parsers.re(r"listing the chat messages by the session id of (?P<role>\w+) gives (her|his) conversation only"))
def listed_by_session(chats: Chats, role: str) -> None:
    """Check that it has both sides, in order, and nothing of anybody else."""
    chat = chats.of(role)
    listed = chats.langflux.chat_messages(chat.chatflow, sessionId=chat.own_session)
    wrong = difference(chat.turns, [(ROLES.get(one.role, one.role), one.content) for one in listed])
    assert not wrong, f"not the conversation: {wrong}"


@when(parsers.re(r"her chat messages are deleted by session id(?P<with_chat> and chat id)?"))
def delete_chat_messages(chats: Chats, her: Chat, with_chat: str | None) -> None:
    """Delete them after they have settled in Zep, so that nobody's enrichment is delayed (DEV-1)."""
    chats.settle(her.own_session)
    query = {"sessionId": her.own_session}
    if with_chat:
        query |= {"chatId": her.last.chat_id, "memoryType": her.last.memory_type}
    chats.langflux.clear(her.chatflow, **query)


@then("no chat messages are listed for her session")
def none_listed(chats: Chats, her: Chat) -> None:
    """Check that LangFlux keeps none."""
    assert chats.langflux.chat_messages(her.chatflow, sessionId=her.own_session) == [], "chat messages are still listed"


@when("she says something that is too long for Zep to take", target_fixture="prediction")
def too_long(chats: Chats, her: Chat) -> httpx.Response:
    """Return the answer to a question over 5 MB, more than Zep takes: reading works, writing the turn does not.

    Control characters take six bytes each in JSON, so that the text itself can be short enough for a real
    LangFlux to count its tokens in seconds; the answer repeats it.
    """
    chats.removed_later(her.session)
    her.turns = [("human", "Do remember this: " + "\x01" * 450_000)]
    return chats.langflux.predict(her.chatflow, her.turns[0][1], session=her.session)


@then("the prediction fails, since the turn was not remembered")
def turn_not_lost(her: Chat, zep: Zep, prediction: httpx.Response) -> None:
    """Check that the prediction says that it is not. Skips where a Zep takes it: then nothing was tried."""
    status = prediction.status_code
    if texts(zep.memory(her.own_session).messages)[:1] == her.turns:
        pytest.skip("this Zep takes a turn of more than 5 MB: nothing shows what comes of one that it refuses")
    assert status >= 400, f"the prediction is answered {status}, and the turn is not remembered as it was said"
    assert status not in (401, 403, 404, 413), (
        f"LangFlux itself refuses so long a question, by {status}: nothing was tried"
    )


# -- without a session id -------------------------------------------------------------------------------------


@given(parsers.parse('Alice has said "{text}" without any session id'))
@when(parsers.parse('Alice says "{text}" without any session id'))
def says_without_ids(chats: Chats, her: Chat, people: People, text: str) -> None:
    """Say it with neither session id nor chat id in the request."""
    answer = chats.say(her, people.in_text(text))
    assert answer.session_id, "the answer names no session"


@then("the session id is the first chat message's id")
def first_message_is_session(chats: Chats, her: Chat) -> None:
    """Check it against LangFlux's list. Documentation, “Use in LangFlux UI”."""
    listed = chats.langflux.chat_messages(her.chatflow, sessionId=her.last.session_id)
    assert listed, "the session has no chat messages"
    assert her.last.session_id == listed[0].id, "the session id is not the first chat message's id"


@given(parsers.parse('asking "{text}" in the same chat gives "{role}"'))
def asks_in_chat(chats: Chats, her: Chat, people: People, text: str, role: str) -> None:
    """Ask with the chat id that the first answer gave, and check that the answer has the name."""
    her.chat = her.last.chat_id
    chats.say(her, text)
    answer_says(her, people, role)


@when("she clears the chat history")
def clear_history(chats: Chats, her: Chat) -> None:
    """Clear it as LangFlux's page does, by chat id, after everything has settled (DEV-1)."""
    chats.settle(her.last.session_id)
    her.old_session = her.last.session_id
    chats.langflux.clear(
        her.chatflow, chatId=her.last.chat_id, memoryType=her.last.memory_type, sessionId=her.last.session_id
    )


@then("every chat message of that chat is deleted")
def chat_is_empty(chats: Chats, her: Chat) -> None:
    """Check that LangFlux lists none."""
    assert chats.langflux.chat_messages(her.chatflow, chatId=needed(her.chat, "a chat id")) == [], (
        "chat messages are still listed"
    )


@then(parsers.parse('asking "{text}" anew gives a new session id and no memory of the old conversation'))
def starts_again(chats: Chats, her: Chat, people: People, text: str) -> None:
    """Ask without ids, as at first, and check the session id and that her name is not in the answer."""
    her.chat = None
    no_old_memory(chats, her, people, text)
    assert her.last.session_id != her.old_session, "the cleared chat goes on under the old session id"
