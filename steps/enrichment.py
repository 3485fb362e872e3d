"""Steps of enrichment.feature: what Zep finds out about messages, and how long that takes; others need some too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faker import Faker
from pytest_bdd import parsers

from fixtures.conversations import Conversation, Conversations
from fixtures.enrichment import Patience
from fixtures.people import People, Person
from fixtures.stopwatch import Arrivals
from fixtures.words import given, then, when
from zep_conformance.clients import clock
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.facts.servers import session_path
from zep_conformance.settings import Settings

STALL = 5.0
"""Seconds by which an enrichment may take longer than before; one clear stalls Zep 0.27.2 for 7 to 20 s."""

LOST = "What Zep found out about the message is lost"
"""How a failure says that another finding was stored over it (DEV-16)."""

WRITTEN_AGAIN = 5
"""Messages of the same text that tell a finding that was lost from one that never comes: most of them must get it. One
would not do: what Zep 0.27.2 loses of one message, of 25 to 75 one, it may lose of the next, too."""

LONGER = 8
"""Characters by which an entity may be longer than the name in it: a title, a word beside it."""


def system_metadata(conversation: Conversation) -> dict[str, Any]:
    """Return what Zep has found out about the newest message of a conversation so far."""
    return newest_system_metadata(conversation, 1)[0]


def newest_system_metadata(conversation: Conversation, count: int) -> list[dict[str, Any]]:
    """Return what Zep has found out so far about each of the `count` newest messages, oldest first."""
    newest = conversation.memory(lastn=count).messages
    return [(message.metadata or {}).get("system") or {} for message in newest]


def is_among(person: Person, names: list[str]) -> bool:
    """Return whether somebody's name is among entities, whole or in parts: recognisers cut names differently.

    What is much longer than the name is a sentence that it is in, and no entity.
    """
    found = [name for name in names if name and len(name) <= len(person.name) + LONGER]
    return all(any(part in name for name in found) for part in person.name.split())


def await_finding(
    check: Callable[[], None], conversation: Conversation, patience: Patience, *, what: str, other: str
) -> None:
    """Wait until a check of what Zep finds out about the newest message holds, as long as this scenario does.

    Says so where it was found out and lost: the other finding has come, this one has not, and most of WRITTEN_AGAIN
    messages of the same text, each written by itself and as the first was, get it. what, other: their names in the
    system metadata. Raises AssertionError.
    """
    limit = patience.limit
    try:
        eventually(check, limit)
    except AssertionError as error:
        so_far = system_metadata(conversation)
        if what in so_far or other not in so_far or patience.alike is None:
            raise
        text = conversation.memory(lastn=1).messages[-1].content
        with patience.alike():
            for _ in range(WRITTEN_AGAIN):
                conversation.write(NewMessage("human", text))

        def most_found() -> int:
            count = sum(bool(found.get(what)) for found in newest_system_metadata(conversation, WRITTEN_AGAIN))
            assert count > WRITTEN_AGAIN / 2
            return count

        try:
            count = eventually(most_found, limit)
        except AssertionError:
            raise error from None
        said = str(error).splitlines()[0]  # pytest has more to say, line by line
        later = f"of {WRITTEN_AGAIN} messages of the same text written now {count} have their {what}"
        raise AssertionError(f"{said} {LOST}: its {other} came, and {later}") from None


@given(parsers.parse('the entity "{role}" appears in the system metadata of her message'))
@then(parsers.parse('the entity "{role}" appears in the system metadata of her message'))
@then(parsers.parse('zep-nlp finds names in it: the entity "{role}" appears in the system metadata of her message'))
def entity_appears(
    conversations: Conversations, people: People, patience: Patience, arrivals: Arrivals, role: str
) -> None:
    """Wait until whoever plays `role` is among the entities of Alice's message."""

    def named() -> None:
        entities = system_metadata(conversations["Alice"]).get("entities") or []
        names = [entity.get("Name") for entity in entities]
        assert is_among(people[role], names), (
            f"after {patience.limit:g} s the entities of the message are {names}. Is the NLP server up?"
        )

    await_finding(named, conversations["Alice"], patience, what="entities", other="intent")
    arrivals.note("entities", conversations["Alice"])


@then("an intent appears in the system metadata of her message")
def intent_appears(conversations: Conversations, patience: Patience, arrivals: Arrivals) -> None:
    """Wait until Alice's message has an intent, which is some text."""

    def intended() -> None:
        intent = system_metadata(conversations["Alice"]).get("intent")
        assert isinstance(intent, str) and intent.strip(), (
            f"after {patience.limit:g} s the message has no intent. Is Zep's model reachable?"
        )

    await_finding(intended, conversations["Alice"], patience, what="intent", other="entities")
    arrivals.note("intent", conversations["Alice"])


@then("zep-nlp embeds it: it can be found by searching")
def can_be_found(
    conversations: Conversations, zep: Zep, enrichment: EnrichmentWait, patience: Patience, arrivals: Arrivals
) -> None:
    """Wait until Alice's message can be found."""
    enrichment.await_embedded(zep, conversations["Alice"].session, patience.limit)
    arrivals.note("embedding", conversations["Alice"])


@when("somebody sets the system metadata of her message to something else")
def forge(conversations: Conversations, zep: Zep) -> None:
    """Set it by the route that changes a message's metadata; whether that is refused does not matter."""
    conversation = conversations["Alice"]
    message = conversation.messages()[-1].uuid
    answer = zep.wire.patch(
        f"{session_path(conversation.session)}/messages/{message}",
        json={"metadata": {"system": {"entities": [], "forged": True}}},
    )
    assert answer.status_code < 500, f"the server broke: {answer.status_code}"


@then(parsers.parse('the entity "{role}" is still in the system metadata of her message'))
def entity_stays(conversations: Conversations, people: People, role: str) -> None:
    """Check at once that nothing was changed."""
    found = system_metadata(conversations["Alice"])
    names = [entity.get("Name") for entity in found.get("entities") or []]
    assert is_among(people[role], names), f"the entities are now {names}"
    assert "forged" not in found, "a writer could set system metadata"


def seconds_to_enrich(conversation: Conversation, text: str, limit: float) -> float:
    """Write a message, and return the seconds from then until a search finds it. Fails after `limit` seconds."""
    conversation.write(NewMessage("human", text))
    start = clock.monotonic()

    def found() -> None:
        is_embedded = conversation.zep.is_embedded(conversation.session, text)
        assert is_embedded, f"enriched only after more than {limit:g} s, or never"

    eventually(found, limit)
    return clock.monotonic() - start


@given("it has been measured how long the enrichment of a message takes", target_fixture="usual_seconds")
def measure_usual(conversations: Conversations, faker: Faker, settings: Settings, arrivals: Arrivals) -> float:
    """Return the seconds from writing a message to finding it."""
    steady = conversations.new("steady")
    seconds = seconds_to_enrich(steady, faker.sentence(8), settings.wait_limit)
    arrivals.note("embedding", steady)
    return seconds


@when("a conversation is cleared right after its last message was written", target_fixture="seconds_after_clear")
def clear_at_once(conversations: Conversations, zep: Zep, faker: Faker, settings: Settings) -> float:
    """Write and clear, then return the seconds that a message in another session takes."""
    hasty = conversations.new("hasty")
    hasty.write(NewMessage("human", faker.sentence(8)))
    zep.clear(hasty.session)
    return seconds_to_enrich(conversations.new("waiting"), faker.sentence(8), max(settings.wait_limit, 60.0))


@then("the enrichment of another conversation takes about as long as before")
def not_delayed(usual_seconds: float, seconds_after_clear: float) -> None:
    """Check that it is not longer than before by more than STALL."""
    assert seconds_after_clear < usual_seconds + STALL, (
        f"another conversation was enriched only after {seconds_after_clear:.1f} s; "
        f"before the clear it took {usual_seconds:.1f} s"
    )
