"""Vocabulary: who has written what to which session of Zep, and what that holds."""

from __future__ import annotations

from faker import Faker
from pytest_bdd import parsers

from fixtures.conversations import Conversation, Conversations
from fixtures.words import given, then, when
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.zep import Zep


@given(parsers.re(r'(?P<role>\w+) has written "(?P<text>[^"]+)" to (a|another) session'))
@when(parsers.re(r'(?P<role>\w+) writes "(?P<text>[^"]+)" to a session'))
def write_text(conversations: Conversations, role: str, text: str) -> None:
    """Write one message, which may name roles, to a new session of whoever plays `role`; it must be acknowledged."""
    conversations.begin(role, text)


@given(parsers.parse('{role} has written "{text}" to a session whose id begins with that of {first}'))
def write_to_longer(conversations: Conversations, role: str, text: str, first: str) -> None:
    """Write one message to a session that a server that compares beginnings only would take for the first one."""
    conversations.begin(role, text, session=conversations[first].session + "0")


@given(parsers.re(r"the session of (?P<role>\w+) holds only what (?P<same>\w+) has written"))
@then(parsers.re(r"(zep-postgres keeps it: )?the session of (?P<role>\w+) holds only what (?P<same>\w+) has written"))
def holds_only(conversations: Conversations, role: str, same: str) -> None:
    """Check that the memory of a role's session is all that they have written, and nothing else."""
    assert role == same
    assert conversations[role].remembered() == conversations[role].texts, f"not what {role} has written"


@given(parsers.parse("a conversation of {count:d} messages has been written to a session"))
def write_conversation(conversation: Conversation, faker: Faker, count: int) -> None:
    """Write `count` messages in one request."""
    conversation.go_on(faker, count)


@given(parsers.parse("{count:d} more messages have been written to it, one at a time"))
def write_one_at_a_time(conversation: Conversation, faker: Faker, count: int) -> None:
    """Write `count` messages, each in a request of its own."""
    for _ in range(count):
        conversation.go_on(faker, 1)


@given("they have all been enriched")
@when("they have all been enriched")
def all_enriched(conversation: Conversation, zep: Zep, enrichment: EnrichmentWait) -> None:
    """Wait until the newest message is embedded, and nothing more will happen."""
    enrichment.settle(zep, conversation.session)
