"""Steps about session ids, clearing sessions, and the users that own them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from faker import Faker
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.enrichment import Enrichment
from fixtures.people import People, SessionIds
from steps.conversation import Told
from steps.zep import Conversation, small_talk, texts
from zep_conformance.clients.zep import NotFoundError, Said, Zep, memory_path, session_path

ODD = {
    "a space": "user 42",
    "a dot and a dash": "user.name-42_~",
    "a dot and an at": "user.name@example.com",
    "a colon": "user:42",
    "a question mark": "who?me",
    "a number sign": "user#42",
    "a percent sign": "100%user",
    "a plus sign": "one+one",
    "an ampersand": "you&me",
    "a slash": "team/user",
    "Chinese letters": "用户",
    "Cyrillic letters": "Пользователь",
    "an emoji": "👍",
    "200 characters": "x" * 200,
}
"""What the odd part of a session id is."""


@then("the same session id in capitals has no memory")
def other_case(told: Told, zep: Zep) -> None:
    """Session ids are case-sensitive."""
    capitals = told["Alice"].session.upper()
    assert zep.memory(capitals).messages == [], f"{capitals} has the memory of {told['Alice'].session}"


# -- odd ids --------------------------------------------------------------------------------------------------


@pytest.fixture
def odd(conversation: Conversation) -> Conversation:
    """The scenario's session, whose id has something odd in it once a step has said what."""
    return conversation


@when(parsers.parse("a message is written to a session whose id has {something} in it"))
def write_odd(
    odd: Conversation, zep: Zep, session_ids: SessionIds, belongings: Belongings, faker: Faker, something: str
) -> None:
    """The id escaped as one segment of the path."""
    odd.session = belongings.session(zep, f"{session_ids.new('odd')}-{ODD[something]}")
    odd.said = small_talk(faker, 1)
    answer = zep.wire.post(memory_path(odd.session), json={"messages": [said.body() for said in odd.said]})
    assert answer.status_code == 200, f"writing is answered {answer.status_code} {answer.text!r}"


@then("it is remembered under that id, and under no other")
def remembered_odd(odd: Conversation, zep: Zep) -> None:
    """Read back by the same id; an id that differs in the odd character only is empty."""
    answer = zep.wire.get(memory_path(odd.session))
    assert answer.status_code == 200, f"reading is answered {answer.status_code} {answer.text!r}"
    contents = [(message["role"], message["content"]) for message in answer.json()["messages"]]
    assert contents == odd.texts, "the memory is not what was written"
    start, dash, part = odd.session.rpartition("-")
    # What a server might take it for: mangled at its end, or wherever it is no plain word.
    signs = r"[^A-Za-z0-9]"
    mangled = {re.sub(signs, other, part) for other in ("", "_", " ", "?")}
    for one in sorted((mangled | {re.split(signs, part)[0], part[:-1] + "_"}) - {part}):
        neighbour = f"{start}{dash}{one}"
        assert zep.wire.get(memory_path(neighbour)).json()["messages"] == [], f"{neighbour} has its memory too"


@when(parsers.parse("a session record is made whose id has {something} in it"))
def record_odd(odd: Conversation, zep: Zep, session_ids: SessionIds, belongings: Belongings, something: str) -> None:
    """By POST /sessions, where the id stands in the body."""
    odd.session = belongings.session(zep, f"{session_ids.new('record')}-{ODD[something]}")
    zep.add_session(odd.session, metadata={"made": "as a record"})


@then("the record can be fetched by that id")
def fetch_odd(odd: Conversation, zep: Zep) -> None:
    """The id escaped as one segment of the path."""
    answer = zep.wire.get(session_path(odd.session))
    assert answer.status_code == 200, f"fetching {odd.session!r} is answered {answer.status_code} {answer.text!r}"
    assert answer.json()["session_id"] == odd.session, "the record has another session id"


# -- clearing -------------------------------------------------------------------------------------------------


@given("the session is cleared")
@when("the session is cleared")
def clear(conversation: Conversation, zep: Zep) -> None:
    """Delete the session's memory."""
    zep.clear(conversation.session)


@when(parsers.parse("the session of {role} is cleared"))
def clear_of(told: Told, zep: Zep, role: str) -> None:
    """Delete the memory of somebody's session."""
    zep.clear(told[role].session)


@then("its memory, its messages and a search in it are empty at once")
def empty_at_once(conversation: Conversation, zep: Zep) -> None:
    """No waiting: whoever asks right after the answer must not see it."""
    memory = zep.memory(conversation.session)
    assert memory.messages == [], "the memory still has messages"
    assert memory.summary is None or not memory.summary.content, "the memory still has a summary"
    assert zep.messages(conversation.session) == [], "its messages are still listed"
    found = zep.search(conversation.session, conversation.said[0].content)
    assert found == [], "its messages are still found by searching"


@when("another message is written to the session")
def write_again(conversation: Conversation, zep: Zep) -> None:
    """Use the id again."""
    conversation.said = []
    conversation.write(zep, [Said("human", "Hello again, this is the first message")])


@then("its memory holds that message only")
def holds_that_only(conversation: Conversation, zep: Zep) -> None:
    """Nothing of what was cleared has come back."""
    assert texts(zep.memory(conversation.session).messages) == conversation.texts, "not the new message alone"
    assert texts(zep.messages(conversation.session)) == conversation.texts, "not the new message alone"


@when("a session that does not exist is cleared", target_fixture="answer")
def clear_nothing(zep: Zep, session_ids: SessionIds) -> httpx.Response:
    """A session id that nobody uses."""
    return zep.wire.delete(memory_path(session_ids.new("nobody")))


# -- users ----------------------------------------------------------------------------------------------------


@pytest.fixture
def owned() -> dict[str, list[str]]:
    """The session ids of each role."""
    return {}


@given(parsers.parse("{one} and {another} are users with 2 sessions each"))
def make_users(
    zep: Zep,
    people: People,
    session_ids: SessionIds,
    belongings: Belongings,
    owned: dict[str, list[str]],
    one: str,
    another: str,
) -> None:
    """Two users; each session has a message."""
    for role in (one, another):
        user = belongings.user(zep, session_ids.new(people[role].user_id))
        zep.add_user(user)
        owned[role] = [user]
        for _ in range(2):
            session = belongings.session(zep, session_ids.new(people[role].user_id))
            zep.add_session(session, user)
            zep.write(session, [Said("human", people.in_text(f"my name is {role}"))])
            owned[role].append(session)


@given("what was written to their sessions has been enriched")
def owned_enriched(zep: Zep, enrichment: Enrichment, owned: dict[str, list[str]]) -> None:
    """So that deleting delays nobody (DEV-1)."""
    for _, *sessions in owned.values():
        for session in sessions:
            enrichment.settle(zep, session)


@then(parsers.parse("the sessions of {one} are listed, and none of {another}'s"))
def sessions_listed(zep: Zep, owned: dict[str, list[str]], one: str, another: str) -> None:
    """Exactly their own, either way round."""
    for role in (one, another):
        user, *sessions = owned[role]
        assert sorted(zep.sessions_of(user)) == sorted(sessions), f"not the sessions of {role}"


@when(parsers.parse("the user {role} is deleted"))
def delete_user(zep: Zep, owned: dict[str, list[str]], role: str) -> None:
    """Delete the user."""
    zep.delete_user(owned[role][0])


@then(parsers.parse("the sessions of {role} are gone, records and memory"))
def sessions_gone(zep: Zep, owned: dict[str, list[str]], role: str) -> None:
    """Neither records nor memory nor the list."""
    user, *sessions = owned[role]
    for session in sessions:
        status = zep.wire.get(session_path(session)).status_code
        assert status == 404, f"the record of {session} is answered {status}"
        assert zep.memory(session).messages == [], f"the memory of {session} is still there"
    assert _listed(zep, user) == [], "its sessions are still listed"


def _listed(zep: Zep, user: str) -> list[Any]:
    """The sessions of a user that may not be known any more."""
    try:
        return list(zep.sessions_of(user))
    except NotFoundError:
        return []


@then(parsers.parse("the sessions of {role} are still there"))
def sessions_there(zep: Zep, people: People, owned: dict[str, list[str]], role: str) -> None:
    """Records and memory."""
    user, *sessions = owned[role]
    assert sorted(zep.sessions_of(user)) == sorted(sessions), f"not the sessions of {role}"
    for session in sessions:
        contents = [message.content for message in zep.memory(session).messages]
        assert contents == [people.in_text(f"my name is {role}")], f"the memory of {session} is not what was written"
