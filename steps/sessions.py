"""Steps of sessions.feature: session ids, clearing sessions, and the users that own them."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest
from faker import Faker
from pytest_bdd import parsers
from zep_python.exceptions import NotFoundError

from fixtures.cleanup import Cleanup
from fixtures.conversations import ODD_IDS, Conversation, Conversations, small_talk, texts
from fixtures.people import People, SessionIds
from fixtures.words import given, then, when
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.facts.servers import memory_path, session_path

PURGED = 5.0
"""Seconds within which a Zep that answers has removed what was cleared before it was started."""


@then("the same session id in capitals has no memory")
def other_case(conversations: Conversations, zep: Zep) -> None:
    """Check that session ids are case-sensitive."""
    session = conversations["Alice"].session
    assert zep.memory(session.upper()).messages == [], f"{session.upper()} has the memory of {session}"


# -- odd ids --------------------------------------------------------------------------------------------------


@when(parsers.parse("a message is written to a session whose id has {something} in it"), target_fixture="conversation")
def write_odd(conversations: Conversations, zep: Zep, faker: Faker, something: str) -> Conversation:
    """Return the conversation, written over plain HTTP with the id escaped as one segment of the path."""
    odd = conversations.new("odd", f"-{ODD_IDS[something]}")
    odd.written = small_talk(faker, 1)
    answer = zep.wire.post(memory_path(odd.session), json={"messages": [one.body() for one in odd.written]})
    assert answer.status_code == 200, f"writing is answered {answer.status_code} {answer.text!r}"
    return odd


@then("it is remembered under that id, and under no other")
def remembered_odd(conversation: Conversation, zep: Zep) -> None:
    """Check that the same id has it, and that ids that differ in the odd character only are empty."""
    answer = zep.wire.get(memory_path(conversation.session))
    assert answer.status_code == 200, f"reading is answered {answer.status_code} {answer.text!r}"
    contents = [(message["role"], message["content"]) for message in answer.json()["messages"]]
    assert contents == conversation.texts, "the memory is not what was written"
    start, dash, part = conversation.session.rpartition("-")
    # What a server might take it for: mangled at its end, or wherever it is no plain word.
    signs = r"[^A-Za-z0-9]"
    mangled = {re.sub(signs, other, part) for other in ("", "_", " ", "?")}
    for one in sorted((mangled | {re.split(signs, part)[0], part[:-1] + "_"}) - {part}):
        neighbour = f"{start}{dash}{one}"
        assert zep.wire.get(memory_path(neighbour)).json()["messages"] == [], f"{neighbour} has its memory too"


@when(parsers.parse("a session record is made whose id has {something} in it"), target_fixture="conversation")
def record_odd(conversations: Conversations, zep: Zep, something: str) -> Conversation:
    """Return the conversation, whose record is made by POST /sessions, where the id stands in the body."""
    odd = conversations.new("record", f"-{ODD_IDS[something]}")
    zep.add_session(odd.session, metadata={"made": "as a record"})
    return odd


@then("the record can be fetched by that id")
def fetch_odd(conversation: Conversation, zep: Zep) -> None:
    """Check that its path, in which the id is escaped as one segment, has the record."""
    session = conversation.session
    answer = zep.wire.get(session_path(session))
    assert answer.status_code == 200, f"fetching {session!r} is answered {answer.status_code} {answer.text!r}"
    assert answer.json()["session_id"] == session, "the record has another session id"


# -- clearing -------------------------------------------------------------------------------------------------


@given("the session is cleared")
@when("the session is cleared")
def clear(conversation: Conversation, zep: Zep) -> None:
    """Delete the session's memory."""
    zep.clear(conversation.session)


@when(parsers.parse("the session of {role} is cleared"))
def clear_of(conversations: Conversations, zep: Zep, role: str) -> None:
    """Delete the memory of the session of whoever plays `role`."""
    zep.clear(conversations[role].session)


@given(parsers.parse("what {role} has written has been enriched"))
def role_enriched(conversations: Conversations, zep: Zep, enrichment: EnrichmentWait, role: str) -> None:
    """Wait until clearing it delays nobody (DEV-1)."""
    enrichment.settle(zep, conversations[role].session)


@then("its memory, its messages and a search in it are empty at once")
def empty_at_once(conversation: Conversation, zep: Zep) -> None:
    """Check without waiting: whoever asks right after the answer must not see anything."""
    memory = conversation.memory()
    assert memory.messages == [], "the memory still has messages"
    assert memory.summary is None or not memory.summary.content, "the memory still has a summary"
    assert conversation.messages() == [], "its messages are still listed"
    found = zep.search(conversation.session, conversation.written[0].content)
    assert found == [], "its messages are still found by searching"


@when("another message is written to the session")
def write_again(conversation: Conversation) -> None:
    """Write one message under the id that was cleared."""
    conversation.written = []
    conversation.write(NewMessage("human", "Hello again, this is the first message"))


@then("its memory holds that message only")
def holds_that_only(conversation: Conversation) -> None:
    """Check that nothing of what was cleared has come back, neither in the memory nor in the list."""
    assert conversation.remembered() == conversation.texts, "not the new message alone"
    assert texts(conversation.messages()) == conversation.texts, "not the new message alone"


@given("a message has been written to a session under a uuid of the client's own", target_fixture="conversation")
def write_under_uuid(conversations: Conversations, zep: Zep) -> Conversation:
    """Return the conversation, whose one message has a uuid that was not used before."""
    conversation = conversations.new("uuid")
    conversation.written = [NewMessage("human", "Hello, this is the first message")]
    answer = _write_as(zep, conversation.session, conversation.written[0], _own_uuid(conversation))
    assert answer.status_code == 200, f"writing is answered {answer.status_code} {answer.text!r}"
    return conversation


@then("another message can be written under that uuid")
def uuid_is_free(conversations: Conversations, conversation: Conversation, zep: Zep) -> None:
    """Check that it is taken no more, as soon as Zep, which answers meanwhile, has removed what was cleared."""
    other, own = conversations.new("uuid"), _own_uuid(conversation)
    other.written = [NewMessage("human", "Hello, this is another message")]

    def check() -> None:
        answer = _write_as(zep, other.session, other.written[0], own)
        assert answer.status_code == 200, (
            f"what was cleared is still kept: after a start of Zep its message's uuid is taken: {answer.status_code}"
        )

    eventually(check, PURGED)


def _own_uuid(conversation: Conversation) -> str:
    """Return the uuid that the first message of a session is given."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, conversation.session))


def _write_as(zep: Zep, session: str, message: NewMessage, own: str) -> httpx.Response:
    """Return the answer to writing a message under a uuid."""
    return zep.wire.post(memory_path(session), json={"messages": [message.body() | {"uuid": own}]})


@when("a session that does not exist is cleared", target_fixture="answer")
def clear_nothing(zep: Zep, session_ids: SessionIds) -> httpx.Response:
    """Return the answer to clearing a session id that nobody uses."""
    return zep.wire.delete(memory_path(session_ids.new("nobody")))


# -- users ----------------------------------------------------------------------------------------------------


@pytest.fixture
def owned() -> dict[str, list[str]]:
    """Return the id of each role's user and of the sessions that it owns; there are none yet."""
    return {}


@given(parsers.parse("{one} and {another} are users with 2 sessions each"))
def make_users(
    zep: Zep,
    people: People,
    session_ids: SessionIds,
    cleanup: Cleanup,
    owned: dict[str, list[str]],
    one: str,
    another: str,
) -> None:
    """Make two users who own two sessions with a message each."""
    for role in (one, another):
        user = cleanup.user(zep, session_ids.new(people[role].user_id))
        zep.add_user(user)
        owned[role] = [user]
        for _ in range(2):
            session = cleanup.session(zep, session_ids.new(people[role].user_id))
            zep.add_session(session, user)
            zep.write(session, [NewMessage("human", people.in_text(f"my name is {role}"))])
            owned[role].append(session)


@given("what was written to their sessions has been enriched")
def owned_enriched(zep: Zep, enrichment: EnrichmentWait, owned: dict[str, list[str]]) -> None:
    """Wait until deleting them delays nobody (DEV-1)."""
    for _, *sessions in owned.values():
        for session in sessions:
            enrichment.settle(zep, session)


@then(parsers.parse("the sessions of {one} are listed, and none of {another}'s"))
def sessions_listed(zep: Zep, owned: dict[str, list[str]], one: str, another: str) -> None:
    """Check that each user's list is exactly their own sessions."""
    for role in (one, another):
        user, *sessions = owned[role]
        assert sorted(zep.sessions_of(user)) == sorted(sessions), f"not the sessions of {role}"


@when(parsers.parse("the user {role} is deleted"))
def delete_user(zep: Zep, owned: dict[str, list[str]], role: str) -> None:
    """Delete the user that `role` is."""
    zep.delete_user(owned[role][0])


@then(parsers.parse("the sessions of {role} are gone, records and memory"))
def sessions_gone(zep: Zep, owned: dict[str, list[str]], role: str) -> None:
    """Check that neither records nor memory nor the list have them."""
    user, *sessions = owned[role]
    for session in sessions:
        status = zep.wire.get(session_path(session)).status_code
        assert status == 404, f"the record of {session} is answered {status}"
        assert zep.memory(session).messages == [], f"the memory of {session} is still there"
    assert _listed(zep, user) == [], "its sessions are still listed"


def _listed(zep: Zep, user: str) -> list[str]:
    """Return the sessions of a user that may not be known any more."""
    try:
        return zep.sessions_of(user)
    except NotFoundError:
        return []


@then(parsers.parse("the sessions of {role} are still there"))
def sessions_there(zep: Zep, people: People, owned: dict[str, list[str]], role: str) -> None:
    """Check the list and the memory of each."""
    user, *sessions = owned[role]
    assert sorted(zep.sessions_of(user)) == sorted(sessions), f"not the sessions of {role}"
    for session in sessions:
        contents = [message.content for message in zep.memory(session).messages]
        assert contents == [people.in_text(f"my name is {role}")], f"the memory of {session} is not what was written"
