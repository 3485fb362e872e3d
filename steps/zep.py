"""Steps about what Zep stores and summarises, as a client of zep-python sees it."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

import pytest
from faker import Faker
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.enrichment import Enrichment
from fixtures.people import People, SessionIds
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import Memory, Message, Said, Zep
from zep_conformance.settings import Settings


@dataclass
class Conversation:
    """One session and what has been written to it."""

    session: str
    said: list[Said] = field(default_factory=list)

    def write(self, zep: Zep, said: list[Said]) -> None:
        """Write messages to the session, and remember them once they were acknowledged."""
        zep.write(self.session, said)
        self.said += said

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(role, content) of everything written, in order."""
        return [(one.role, one.content) for one in self.said]


def texts(messages: list[Message]) -> list[tuple[str, str]]:
    """(role, content) of messages as they came."""
    return [(message.role, message.content) for message in messages]


@pytest.fixture
def conversation(zep: Zep, people: People, session_ids: SessionIds, belongings: Belongings) -> Conversation:
    """A session that nothing has been written to yet."""
    return Conversation(belongings.session(zep, session_ids.new(people["Alice"].user_id)))


def small_talk(faker: Faker, count: int, first: int = 0) -> list[Said]:
    """So many messages of a conversation, in turns. first: how many were said before."""
    roles = ("human", "ai")
    return [Said(roles[number % 2], faker.sentence(8)) for number in range(first, first + count)]


KINDS = {
    "letters of six scripts": "Grüße, Привет, שלום, مرحبا, 你好, नमस्ते",
    "emoji": "👩‍👩‍👧‍👦 and 🇵🇹 and 👍🏽",
    "line breaks and tabs": "one\n\ttwo\r\nthree\n",
    "quotes and backslashes": "\"double\" 'single' `back` \\ and \\n, 100 %",
    "markup": "<script>alert('x')</script> &amp; **bold** {{braces}}",
    "20000 characters": "twenty thousand " * 1250,
    "nothing but spaces": "   ",
}


@given(parsers.parse("a conversation of {count:d} messages has been written to a session"))
def write_conversation(conversation: Conversation, zep: Zep, faker: Faker, count: int) -> None:
    """Write so many messages in one request."""
    conversation.write(zep, small_talk(faker, count))


@given(parsers.parse("{count:d} more messages have been written to it, one at a time"))
def write_one_at_a_time(conversation: Conversation, zep: Zep, faker: Faker, count: int) -> None:
    """Write so many messages, each in a request of its own."""
    for message in small_talk(faker, count, first=len(conversation.said)):
        conversation.write(zep, [message])


@given(parsers.parse("a message made of {kind} has been written to a session"))
def write_kind(conversation: Conversation, zep: Zep, kind: str) -> None:
    """Write a text of some kind."""
    conversation.write(zep, [Said("human", KINDS[kind])])


@given("a message with its own metadata has been written to a session")
def write_with_metadata(conversation: Conversation, zep: Zep, faker: Faker) -> None:
    """Write a message whose metadata nests and has several types."""
    metadata = {
        "topic": faker.word(),
        "nested": {"count": faker.random_int(), "yes": True, "list": [1, "two"]},
    }
    # And another one: "a uuid of its own" takes two.
    conversation.write(zep, [Said("human", faker.sentence(), metadata), Said("ai", faker.sentence())])


@when("the session's memory is read", target_fixture="memory")
def read_memory(conversation: Conversation, zep: Zep) -> Memory:
    """Read the memory as a client does."""
    return zep.memory(conversation.session)


@when(parsers.parse("the newest {count:d} messages of its memory are read"), target_fixture="memory")
def read_newest(conversation: Conversation, zep: Zep, count: int) -> Memory:
    """Read the memory with lastn."""
    return zep.memory(conversation.session, lastn=count)


@then("it holds exactly those messages, in that order")
def memory_is_complete(conversation: Conversation, memory: Memory) -> None:
    """Role and content of every message, none missing, none twice."""
    assert texts(memory.messages) == conversation.texts, "the memory is not what was written"


@then(parsers.parse("they are the newest {count:d} messages, in that order"))
def memory_is_newest(conversation: Conversation, memory: Memory, count: int) -> None:
    """Exactly the newest so many."""
    assert texts(memory.messages) == conversation.texts[-count:], f"not the newest {count} messages"


@then("another message can be written to it")
def write_another(conversation: Conversation, zep: Zep, faker: Faker) -> None:
    """Write on, and read everything."""
    conversation.write(zep, small_talk(faker, 1, first=len(conversation.said)))
    assert texts(zep.memory(conversation.session).messages) == conversation.texts


@when("the session's messages are listed", target_fixture="listed")
def list_messages(conversation: Conversation, zep: Zep) -> list[Message]:
    """List all messages."""
    return zep.messages(conversation.session)


@then("each has a uuid of its own and a creation time of today")
def messages_are_marked(listed: list[Message]) -> None:
    """uuid and created_at of each message; a day's difference of clocks is let pass."""
    assert listed, "no messages are listed"
    uuids = {str(message.uuid).lower() for message in listed}
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in uuids), f"no uuid: {uuids}"
    assert len(uuids) == len(listed), "two messages have the same uuid"
    now = datetime.datetime.now(datetime.UTC)
    for message in listed:
        assert message.created_at, "a message has no creation time"
        created = datetime.datetime.fromisoformat(message.created_at.replace("Z", "+00:00"))
        assert abs(now - created) < datetime.timedelta(days=1), f"created at {message.created_at}, now is {now}"


@then("the message has the metadata it was written with")
def metadata_is_kept(conversation: Conversation, listed: list[Message]) -> None:
    """Everything but what Zep adds under `system`."""
    kept = {key: value for key, value in (listed[0].metadata or {}).items() if key != "system"}
    assert kept == conversation.said[0].metadata, "the metadata is not what was written"


@given("they have all been enriched")
@when("they have all been enriched")
def all_enriched(conversation: Conversation, zep: Zep, enrichment: Enrichment) -> None:
    """Until the newest message is embedded, and nothing more will happen."""
    enrichment.settle(zep, conversation.session)


@then("each message has a token count")
def token_counts(conversation: Conversation, zep: Zep, settings: Settings) -> None:
    """More than 0 for each; it comes with the other enrichment."""

    def counted() -> None:
        counts = [message.token_count for message in zep.messages(conversation.session)]
        assert len(counts) == len(conversation.said)
        assert all(count and count > 0 for count in counts), f"the token counts of the messages are {counts}"

    # Everything else has arrived: a count that is not there now was lost, or is a moment late.
    eventually(counted, min(settings.wait_limit, 5.0))


# -- summaries ------------------------------------------------------------------------------------------------


def about_somebody(people: People, faker: Faker, count: int) -> list[Said]:
    """So many messages, of which the first says who speaks."""
    introduced = Said("human", people.in_text("Hi, my name is Alice and I plan a journey"))
    return [introduced, *small_talk(faker, count - 1, first=1)]


@given("a conversation one message short of the window has been written to a session")
def write_below_window(conversation: Conversation, zep: Zep, people: People, faker: Faker, settings: Settings) -> None:
    """One message less than brings a summary."""
    for message in about_somebody(people, faker, settings.message_window - 1):
        conversation.write(zep, [message])


@given("a conversation that fills the window has been written to a session")
def write_window(conversation: Conversation, zep: Zep, people: People, faker: Faker, settings: Settings) -> None:
    """As many messages as bring a summary, in one request."""
    conversation.write(zep, about_somebody(people, faker, settings.message_window))


@then("the session has no summary")
def no_summary(conversation: Conversation, zep: Zep) -> None:
    """Neither text nor a message that it would cover; every message is in the memory."""
    memory = zep.memory(conversation.session)
    assert memory.summary is None or not memory.summary.content, "a summary has come before the window was reached"
    assert texts(memory.messages) == conversation.texts, "the memory is not what was written"


@when("one more message is written to it")
def write_one_more(conversation: Conversation, zep: Zep, faker: Faker) -> None:
    """The message that reaches the window."""
    conversation.write(zep, small_talk(faker, 1, first=len(conversation.said)))


@when("half a window more is written to it")
def write_half_window(conversation: Conversation, zep: Zep, faker: Faker, settings: Settings) -> None:
    """With those that stayed, as many messages as bring the next summary."""
    conversation.write(zep, small_talk(faker, settings.message_window // 2, first=len(conversation.said)))


@given("its summary has come", target_fixture="memory")
@when("its summary has come", target_fixture="memory")
@then("a summary comes, and the newest half of the window stays", target_fixture="memory")
def summary_comes(conversation: Conversation, zep: Zep, settings: Settings) -> Memory:
    """Wait for the summary of all but the newest half of the window."""
    stay = conversation.texts[-(settings.message_window // 2) :]

    def summarised() -> Memory:
        memory = zep.memory(conversation.session)
        assert memory.summary is not None and memory.summary.content, (
            f"no summary in {settings.wait_limit:g} s of {len(conversation.said)} messages "
            f"(--message-window is {settings.message_window}). Is Zep's model reachable?"
        )
        assert texts(memory.messages) == stay, "the messages that stay are not the newest half of the window"
        return memory

    return eventually(summarised, settings.wait_limit)


@then("the summary names the message before those that stay")
def summary_covers(conversation: Conversation, zep: Zep, memory: Memory, settings: Settings) -> None:
    """`recent_message_uuid` is the newest message that is no longer in the memory."""
    listed = zep.messages(conversation.session)
    assert len(listed) == len(conversation.said), f"{len(listed)} of {len(conversation.said)} messages are listed"
    covered = listed[-(settings.message_window // 2) - 1]
    assert memory.summary is not None
    assert memory.summary.recent_message_uuid == covered.uuid, f"it should name {covered.content!r}"


@then("the next summary comes, and names the message before those that stay", target_fixture="memory")
def next_summary(conversation: Conversation, zep: Zep, settings: Settings) -> Memory:
    """A second summary, further on than the first."""
    memory = summary_comes(conversation, zep, settings)
    summary_covers(conversation, zep, memory, settings)
    return memory


@then("the summary says who it was about")
def summary_keeps_name(memory: Memory, people: People) -> None:
    """Whoever was introduced in the first message is in the summary, and in the next ones."""
    assert memory.summary is not None
    assert people["Alice"].name in memory.summary.content, f"{people['Alice'].name} is not in the summary"


@then("listing the session's messages gives every one of them, in order")
def nothing_lost(conversation: Conversation, zep: Zep) -> None:
    """Summarised messages are still there."""
    assert texts(zep.messages(conversation.session)) == conversation.texts


@then("its newest messages can be read beyond the summary")
def beyond_summary(conversation: Conversation, zep: Zep) -> None:
    """lastn reaches behind the summary."""
    everything = zep.memory(conversation.session, lastn=len(conversation.said))
    assert texts(everything.messages) == conversation.texts
