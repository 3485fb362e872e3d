"""Steps of storing.feature: what Zep keeps of a message, and how it comes back."""

from __future__ import annotations

import contextlib
import datetime
import re

from faker import Faker
from pytest_bdd import parsers
from zep_python.memory import Memory
from zep_python.message import Message

from fixtures.conversations import Conversation, texts
from fixtures.words import given, then, when
from zep_conformance.clients import clock
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.facts.servers import session_path
from zep_conformance.settings import Settings

MOST_CHANGES = 40
"""Fields that are added to a message, at most: enrichment may never be complete."""
KINDS = {
    "letters of six scripts": "Grüße, Привет, שלום, مرحبا, 你好, नमस्ते",
    "emoji": "👩‍👩‍👧‍👦 and 🇵🇹 and 👍🏽",
    "line breaks and tabs": "one\n\ttwo\r\nthree\n",
    "quotes and backslashes": "\"double\" 'single' `back` \\ and \\n, 100 %",
    "markup": "<script>alert('x')</script> &amp; **bold** {{braces}}",
    "20000 characters": "twenty thousand " * 1250,
    "nothing but spaces": "   ",
}
"""Texts, by what a feature calls them."""


@given(parsers.parse("a message made of {kind} has been written to a session"))
def write_kind(conversation: Conversation, kind: str) -> None:
    """Write a text of a kind."""
    conversation.write(NewMessage("human", KINDS[kind]))


@given("a message with its own metadata has been written to a session")
def write_with_metadata(conversation: Conversation, faker: Faker) -> None:
    """Write a message whose metadata nests and has several types."""
    metadata = {"topic": faker.word(), "nested": {"count": faker.random_int(), "yes": True, "list": [1, "two"]}}
    # And another one: "a uuid of its own" takes two.
    conversation.write(NewMessage("human", faker.sentence(), metadata), NewMessage("ai", faker.sentence()))


@when("the session's memory is read", target_fixture="memory")
def read_memory(conversation: Conversation) -> Memory:
    """Return the memory as a client reads it."""
    return conversation.memory()


@when(parsers.parse("the newest {count:d} messages of its memory are read"), target_fixture="memory")
def read_newest(conversation: Conversation, count: int) -> Memory:
    """Return the memory, read with lastn."""
    return conversation.memory(lastn=count)


@then("it holds exactly those messages, in that order")
def memory_is_complete(conversation: Conversation, memory: Memory) -> None:
    """Check role and content of every message: none missing, none twice."""
    assert texts(memory.messages) == conversation.texts, "the memory is not what was written"


@then(parsers.parse("they are the newest {count:d} messages, in that order"))
def memory_is_newest(conversation: Conversation, memory: Memory, count: int) -> None:
    """Check that it is exactly the newest `count` messages."""
    assert texts(memory.messages) == conversation.texts[-count:], f"not the newest {count} messages"


@then("another message can be written to it")
def write_another(conversation: Conversation, faker: Faker) -> None:
    """Write on, and check that everything is read."""
    conversation.go_on(faker, 1)
    assert conversation.remembered() == conversation.texts


@when("the session's messages are listed", target_fixture="listed")
def list_messages(conversation: Conversation) -> list[Message]:
    """Return every message of the session."""
    return conversation.messages()


@then("each has a uuid of its own and a creation time of today")
def messages_are_marked(listed: list[Message]) -> None:
    """Check uuid and created_at of each message; a day's difference of clocks is let pass."""
    assert listed, "no messages are listed"
    uuids = {str(message.uuid).lower() for message in listed}
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in uuids), f"no uuid: {uuids}"
    assert len(uuids) == len(listed), "two messages have the same uuid"
    now = clock.now()
    for message in listed:
        assert message.created_at, "a message has no creation time"
        created = datetime.datetime.fromisoformat(message.created_at.replace("Z", "+00:00"))
        assert abs(now - created) < datetime.timedelta(days=1), f"created at {message.created_at}, now is {now}"


@then("the message has the metadata it was written with")
def metadata_is_kept(conversation: Conversation, listed: list[Message]) -> None:
    """Check everything but what Zep adds under `system`."""
    kept = {key: value for key, value in (listed[0].metadata or {}).items() if key != "system"}
    assert kept == conversation.written[0].metadata, "the metadata is not what was written"


@when(
    "a field is added to the metadata of both again and again, until Zep has enriched them",
    target_fixture="added_fields",
)
def add_fields(conversation: Conversation, zep: Zep) -> list[set[str]]:
    """Add fields to each message in turn. Returns the names of those that Zep has acknowledged, by message."""
    messages = conversation.messages()
    added: list[set[str]] = [set() for _ in messages]
    for number in range(MOST_CHANGES):
        for names, message in zip(added, messages, strict=True):
            name = f"field-{number}"
            path = f"{session_path(conversation.session)}/messages/{message.uuid}"
            answer = zep.wire.patch(path, json={"metadata": {name: number}})
            assert answer.status_code == 200, f"changing a message's metadata is answered {answer.status_code}"
            names.add(name)
        found = [(message.metadata or {}).get("system", {}) for message in conversation.messages()]
        if all("entities" in system and "intent" in system for system in found):
            break
    return added


@then("every field that was added is there")
def fields_are_there(
    conversation: Conversation, zep: Zep, enrichment: EnrichmentWait, added_fields: list[set[str]]
) -> None:
    """Check that no acknowledged change is lost, when nothing more will happen to the messages."""
    with contextlib.suppress(AssertionError):  # whether it enriches at all is for other scenarios to say
        enrichment.settle(zep, conversation.session)
    lost = [
        names - (one.metadata or {}).keys() for names, one in zip(added_fields, conversation.messages(), strict=True)
    ]
    count = sum(map(len, lost))
    assert not count, (
        f"{count} of {sum(map(len, added_fields))} fields that were added to messages' metadata while Zep enriched "
        f"them are gone, though each was acknowledged: {sorted(set.union(*lost))}"
    )


@then("each message has a token count")
def token_counts(conversation: Conversation, settings: Settings) -> None:
    """Wait until each message has a count of more than 0; it comes with the other enrichment."""

    def counted() -> None:
        counts = [message.token_count for message in conversation.messages()]
        assert len(counts) == len(conversation.written)
        assert all(count and count > 0 for count in counts), f"the token counts of the messages are {counts}"

    # Everything else has arrived: a count that is not there now was lost, or is a moment late.
    eventually(counted, min(settings.wait_limit, 5.0))
