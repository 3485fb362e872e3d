"""Steps of search.feature: what is found in a session."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_bdd import parsers
from zep_python.memory import Memory

from fixtures.conversations import Conversation, Conversations
from fixtures.people import People, SessionIds
from fixtures.words import given, then, when
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.errors import HarnessError
from zep_conformance.settings import Settings

THINGS = (
    NewMessage("human", "Yesterday we adopted a grey puppy from the shelter"),
    NewMessage("ai", "Congratulations on your new companion"),
    NewMessage("human", "Next Tuesday I fly to Lisbon for a conference on bridges"),
    NewMessage("ai", "Have a safe flight and enjoy the pastries"),
    NewMessage("human", "My sister repairs violins in a small workshop"),
)
OTHER_THINGS = tuple(NewMessage(one.role, f"{one.content}, somebody else told me") for one in THINGS)

ELSEWHERE = (
    NewMessage("human", "The train to Porto leaves at noon on Friday"),
    NewMessage("ai", "I will set a reminder in the calendar"),
    NewMessage("ai", "Thank you for telling me"),
    NewMessage("human", "The new carpet clashes with the curtains"),
    NewMessage("human", "Interest rates went up again this month"),
)
"""What else was talked about."""

REPEATED = "The invoice for the blue bicycle has not been paid"
REPETITIONS = (
    NewMessage("human", REPEATED),
    NewMessage("human", REPEATED),
    NewMessage("human", REPEATED),
    NewMessage("human", "The invoice for the piano lessons arrives in spring"),
)


@pytest.fixture
def other(conversations: Conversations) -> Conversation:
    """Return a second conversation, of somebody else, which nothing has been written to yet."""
    return conversations.new_of("Bob")


@given("a conversation about several things has been written to a session")
def write_things(conversation: Conversation) -> None:
    """Write messages that have few words in common."""
    conversation.write(*THINGS)


@given("the same conversation with other words has been written to another session")
def write_other_things(other: Conversation) -> None:
    """Write nearly the same messages, so that a search that crosses sessions would find either."""
    other.write(*OTHER_THINGS)


@given("a conversation that says one thing three times and another once has been written to a session")
def write_repetitions(conversation: Conversation) -> None:
    """Write three equal messages, and one that is close to them."""
    conversation.write(*REPETITIONS)


@given(
    parsers.parse(
        'messages about "{one}" and about "{another}" have been written to a session, so marked in their metadata'
    )
)
def write_marked(conversation: Conversation, one: str, another: str) -> None:
    """Write messages in turns whose metadata says which of two topics they are about."""
    topics = (one, another, one, another)
    conversation.write(
        *(NewMessage("human", f"Message {number} of {topic}", {"topic": topic}) for number, topic in enumerate(topics))
    )


@given("it can be searched")
def searchable(conversation: Conversation, zep: Zep, enrichment: EnrichmentWait) -> None:
    """Wait until every message is embedded, since the newest can be found."""
    enrichment.await_embedded(zep, conversation.session)


@given("both can be searched")
def both_searchable(conversation: Conversation, other: Conversation, zep: Zep, enrichment: EnrichmentWait) -> None:
    """Wait until every message of both sessions is embedded."""
    for one in (conversation, other):
        enrichment.await_embedded(zep, one.session)


@when("it is searched for the text of one of its messages", target_fixture="found")
def search_exact(conversation: Conversation, zep: Zep) -> list[Any]:
    """Return what is found for the third message's own text."""
    return zep.search(conversation.session, conversation.written[2].content)


@when("it is searched for part of one of its messages", target_fixture="found")
def search_part(conversation: Conversation, zep: Zep) -> list[Any]:
    """Return what is found for half of the third message's words."""
    words = conversation.written[2].content.split()
    return zep.search(conversation.session, " ".join(words[: len(words) // 2 + 1]))


@then("that message comes first")
def comes_first(conversation: Conversation, found: list[Any]) -> None:
    """Check that the third message is the closest."""
    assert found, "nothing was found"
    assert found[0].message["content"] == conversation.written[2].content, "another message comes first"


@when("the other session is searched for the text of one of the first one's messages", target_fixture="found")
def search_across(conversation: Conversation, other: Conversation, zep: Zep) -> list[Any]:
    """Return what is found for what the first session has word for word, and the other nearly."""
    return zep.search(other.session, conversation.written[2].content, limit=20)


@then("only messages of the other session are found")
def only_of_other(other: Conversation, found: list[Any]) -> None:
    """Check that all of them are found, since the limit lets them through, and nothing else."""
    contents = sorted(result.message["content"] for result in found)
    assert contents == sorted(message.content for message in other.written), "not the other session's messages"


@when("a session that does not exist is searched", target_fixture="found")
def search_nowhere(zep: Zep, session_ids: SessionIds) -> list[Any]:
    """Return what is found under a session id that nobody uses."""
    return zep.search(session_ids.new("nobody"), "anything at all")


@then("nothing is found")
def nothing_found(found: list[Any]) -> None:
    """Check that the answer is empty, and no error."""
    assert found == [], "something was found in a session that nobody has written to"


@when(parsers.parse("it is searched with limit {limit:d}"), target_fixture="found")
def search_limited(conversation: Conversation, zep: Zep, limit: int) -> list[Any]:
    """Return what is found for something that all messages are more or less close to."""
    return zep.search(conversation.session, "What did I say?", limit=limit)


@then(parsers.parse("{count:d} messages are found"))
def so_many_found(found: list[Any], count: int) -> None:
    """Check that as many are found as asked for, each once: each message is more or less close."""
    contents = [result.message["content"] for result in found]
    assert len(contents) == count, f"{len(contents)} messages were found"
    assert len(set(contents)) == count, "a message was found twice"


@when("it is searched for that thing by relevance alone, for 2 messages", target_fixture="by_relevance")
def search_by_relevance(conversation: Conversation, zep: Zep) -> list[str]:
    """Return the texts that are found by similarity."""
    return _contents(zep.search(conversation.session, REPEATED, limit=2))


@when("it is searched for that thing by maximal marginal relevance, for 2 messages", target_fixture="by_mmr")
def search_by_mmr(conversation: Conversation, zep: Zep) -> list[str]:
    """Return the texts that are found by MMR, with much weight on sparing what repeats."""
    return _contents(zep.search(conversation.session, REPEATED, limit=2, search_type="mmr", mmr_lambda=0.3))


def _contents(found: list[Any]) -> list[str]:
    return [result.message["content"] for result in found]


@then("relevance alone brings the repetition")
def relevance_repeats(by_relevance: list[str]) -> None:
    """Check that the closest two are equal."""
    assert by_relevance == [REPEATED, REPEATED], "the closest messages are not the equal ones"


@then("maximal marginal relevance brings the other thing too")
def mmr_spares(by_mmr: list[str]) -> None:
    """Check that it is one of the equal ones, and the other."""
    assert sorted(by_mmr) == sorted({REPEATED, REPETITIONS[-1].content}), "what repeats is not spared"


@when(parsers.parse('it is searched for anything marked "{topic}"'), target_fixture="found")
def search_marked(conversation: Conversation, zep: Zep, topic: str) -> list[Any]:
    """Return what is found with a JSONPath over the metadata."""
    where = {"where": {"jsonpath": f'$ ? (@.topic == "{topic}")'}}
    return zep.search(conversation.session, "Message", limit=10, metadata=where)


@then(parsers.parse('only messages marked "{topic}" are found'))
def only_marked(conversation: Conversation, found: list[Any], topic: str) -> None:
    """Check that all of those are found, and no other."""
    marked = [one.content for one in conversation.written if (one.metadata or {})["topic"] == topic]
    assert sorted(_contents(found)) == sorted(marked), f"not the messages marked {topic!r}"


@when("its summaries are searched for who it was about", target_fixture="found")
def search_summaries(conversation: Conversation, zep: Zep, people: People, settings: Settings) -> list[Any]:
    """Return what is found in scope `summary`, as soon as it is: its embedding comes a moment after the summary."""

    def embedded() -> list[Any]:
        found = zep.search(conversation.session, people["Alice"].name, search_scope="summary")
        assert found, f"no summary is found in {settings.wait_limit:g} s"
        return found

    return eventually(embedded, settings.wait_limit)


@then("the summary is found, and no message")
def summary_found(memory: Memory, found: list[Any]) -> None:
    """Check that it is exactly the session's summary."""
    assert memory.summary is not None
    assert [result.message for result in found] == [None], "a message was found in scope summary"
    assert found[0].summary.uuid == memory.summary.uuid, "another summary was found"


# -- by meaning -----------------------------------------------------------------------------------------------


@given(parsers.parse('a conversation in which somebody says "{text}" has been written to a session'))
def write_among_others(conversation: Conversation, text: str) -> None:
    """Write it among messages about other things, as the third."""
    conversation.write(*ELSEWHERE[:2], NewMessage("human", text), *ELSEWHERE[2:])


@when(parsers.parse('it is searched for "{text}", with which that has no word in common'), target_fixture="found")
def search_by_meaning(conversation: Conversation, zep: Zep, text: str) -> list[Any]:
    """Return what is found where comparing words finds nothing. Raises HarnessError when they have one in common."""
    if shared := words_in(text) & words_in(conversation.written[2].content):
        raise HarnessError(f"they have words in common: {shared}")
    return zep.search(conversation.session, text)


def words_in(text: str) -> set[str]:
    """Return the words of a text, without regard to capitals."""
    return set(re.findall(r"\w+", text.casefold()))


@then("what was said about it comes first")
def meaning_comes_first(conversation: Conversation, found: list[Any]) -> None:
    """Check that the third message is the closest."""
    comes_first(conversation, found)
