"""Steps of summaries.feature, and the conversations that bring a summary, which other features need too."""

from __future__ import annotations

from typing import Any

from faker import Faker
from zep_python.memory import Memory

from fixtures.conversations import Conversation, Conversations, small_talk, texts
from fixtures.people import People
from fixtures.stopwatch import Arrivals
from fixtures.words import given, then, when
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.settings import Settings

Two = dict[str, Conversation]
"""A conversation of each role."""


def about_somebody(people: People, faker: Faker, count: int) -> list[NewMessage]:
    """Return so many messages, of which the first says who speaks."""
    introduced = NewMessage("human", people.in_text("Hi, my name is Alice and I plan a journey"))
    return [introduced, *small_talk(faker, count - 1, first=1)]


@given("a conversation one message short of the window has been written to a session")
def write_below_window(conversation: Conversation, people: People, faker: Faker, settings: Settings) -> None:
    """Write one message less than brings a summary, each in a request of its own."""
    for message in about_somebody(people, faker, settings.message_window - 1):
        conversation.write(message)


@given("a conversation that fills the window has been written to a session")
def write_window(conversation: Conversation, people: People, faker: Faker, settings: Settings) -> None:
    """Write as many messages as bring a summary, in one request."""
    conversation.write(*about_somebody(people, faker, settings.message_window))


@then("the session has no summary")
def no_summary(conversation: Conversation, settings: Settings) -> None:
    """Check that there is no text that sums up, and that every message is in the memory."""
    memory = conversation.memory()
    assert memory.summary is None or not memory.summary.content, (
        f"a summary has come before the window was reached (--message-window is {settings.message_window})"
    )
    assert texts(memory.messages) == conversation.texts, "the memory is not what was written"


@when("one more message is written to it")
def write_one_more(conversation: Conversation, faker: Faker) -> None:
    """Write the message that reaches the window."""
    conversation.go_on(faker, 1)


@when("half a window more is written to it")
def write_half_window(conversation: Conversation, faker: Faker, settings: Settings) -> None:
    """Write as many messages as bring the next summary, with those that stayed."""
    conversation.go_on(faker, settings.message_window // 2)


@given("its summary has come", target_fixture="memory")
@when("its summary has come", target_fixture="memory")
@then("a summary comes, and the newest half of the window stays", target_fixture="memory")
def summary_comes(conversation: Conversation, settings: Settings, arrivals: Arrivals) -> Memory:
    """Wait until all but the newest half of the window is summed up, and return that memory."""
    window = settings.message_window
    stay = conversation.texts[-(window // 2) :]

    def summarised() -> Memory:
        memory = conversation.memory()
        assert memory.summary is not None and memory.summary.content, (
            f"no summary in {settings.wait_limit:g} s of {len(conversation.written)} messages "
            f"(--message-window is {window}). Is Zep's model reachable?"
        )
        assert texts(memory.messages) == stay, (
            f"the messages that stay are not the newest half of the window (--message-window is {window})"
        )
        return memory

    memory = eventually(summarised, settings.wait_limit)
    arrivals.note("summary", conversation)
    return memory


@then("the summary names the message before those that stay")
def summary_covers(conversation: Conversation, memory: Memory, settings: Settings) -> None:
    """Check that `recent_message_uuid` is the newest message that is no longer in the memory."""
    listed = conversation.messages()
    assert len(listed) == len(conversation.written), f"{len(listed)} of {len(conversation.written)} messages are listed"
    covered = listed[-(settings.message_window // 2) - 1]
    assert memory.summary is not None
    assert memory.summary.recent_message_uuid == covered.uuid, f"it should name {covered.content!r}"


@then("the next summary comes, and names the message before those that stay", target_fixture="memory")
def next_summary(conversation: Conversation, settings: Settings, arrivals: Arrivals) -> Memory:
    """Wait for a second summary, check that it covers more than the first, and return the memory with it."""
    memory = summary_comes(conversation, settings, arrivals)
    summary_covers(conversation, memory, settings)
    return memory


@then("the summary says who it was about")
def summary_keeps_name(memory: Memory, people: People) -> None:
    """Check that whoever was introduced in the first message is in the summary, and in the next ones."""
    assert memory.summary is not None
    assert people["Alice"].name in memory.summary.content, f"{people['Alice'].name} is not in the summary"


@then("listing the session's messages gives every one of them, in order")
def nothing_lost(conversation: Conversation) -> None:
    """Check that messages that were summed up are still there."""
    assert texts(conversation.messages()) == conversation.texts


@then("its newest messages can be read beyond the summary")
def beyond_summary(conversation: Conversation) -> None:
    """Check that lastn reaches behind the summary."""
    assert conversation.remembered(lastn=len(conversation.written)) == conversation.texts


# -- whose a summary is ---------------------------------------------------------------------------------------


@given("conversations that fill the window have been written by Alice and by Bob", target_fixture="two")
def write_two_windows(conversations: Conversations, people: People, faker: Faker, settings: Settings) -> Two:
    """Write as many messages as bring a summary to a session of each; return both."""
    two = {role: conversations.new_of(role) for role in ("Alice", "Bob")}
    for role, conversation in two.items():
        said = [NewMessage("human", people.in_text(f"Hi, my name is {role} and I plan a journey"))]
        conversation.write(*said, *small_talk(faker, settings.message_window - 1, first=1))
    return two


@given("each has a summary that says who it was about", target_fixture="summaries")
def summaries_are_own(two: Two, people: People, settings: Settings, arrivals: Arrivals) -> dict[str, Any]:
    """Wait for both summaries, check whom each is about, and return them."""
    found = {role: summary_comes(conversation, settings, arrivals).summary for role, conversation in two.items()}
    for role, other in (("Alice", "Bob"), ("Bob", "Alice")):
        summary = found[role]
        assert summary is not None and people[role].name in summary.content, f"{role} is not in the own summary"
        assert people[other].name not in summary.content, f"the summary of {role} tells of {other}"
    return {role: summary.dict() for role, summary in found.items() if summary is not None}


@when("the session of Alice is cleared, and a message is written to it")
def clear_and_use(two: Two, zep: Zep, enrichment: EnrichmentWait) -> None:
    """Clear it once it has settled, and write one message under the same id."""
    enrichment.settle(zep, two["Alice"].session)
    zep.clear(two["Alice"].session)
    two["Alice"].written = []
    two["Alice"].write(NewMessage("human", "Hello again"))


@then("it has no summary, nor is one found in it")
def summary_is_gone(two: Two, zep: Zep, settings: Settings) -> None:
    """Check the memory, which has the new message alone, and a search for summaries."""
    no_summary(two["Alice"], settings)
    found = zep.search(two["Alice"].session, "a journey", search_scope="summary")
    assert found == [], "the summary is still found by searching"


@then("the session of Bob has its summary as before")
def other_summary_stays(two: Two, summaries: dict[str, Any]) -> None:
    """Check every field but what enrichment may still fill in: its metadata, and with them its token count (DEV-5)."""
    later = {"metadata", "token_count"}
    summary = two["Bob"].memory().summary
    kept = {name: one for name, one in summary.dict().items() if name not in later} if summary else None
    expected = {name: one for name, one in summaries["Bob"].items() if name not in later}
    assert kept == expected, "the summary of Bob is another"
