"""Steps about searching in a session."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.enrichment import Enrichment
from fixtures.people import People, SessionIds
from steps.zep import Conversation
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import Memory, Said, Zep, session_path
from zep_conformance.errors import HarnessError
from zep_conformance.settings import Settings

THINGS = (
    Said("human", "Yesterday we adopted a grey puppy from the shelter"),
    Said("ai", "Congratulations on your new companion"),
    Said("human", "Next Tuesday I fly to Lisbon for a conference on bridges"),
    Said("ai", "Have a safe flight and enjoy the pastries"),
    Said("human", "My sister repairs violins in a small workshop"),
)
OTHER_THINGS = tuple(Said(said.role, f"{said.content}, somebody else told me") for said in THINGS)

ELSEWHERE = (
    Said("human", "The train to Porto leaves at noon on Friday"),
    Said("ai", "I will set a reminder in the calendar"),
    Said("ai", "Thank you for telling me"),
    Said("human", "The new carpet clashes with the curtains"),
    Said("human", "Interest rates went up again this month"),
)
"""What else was talked about."""

REPEATED = "The invoice for the blue bicycle has not been paid"
REPETITIONS = (
    Said("human", REPEATED),
    Said("human", REPEATED),
    Said("human", REPEATED),
    Said("human", "The invoice for the piano lessons arrives in spring"),
)


@pytest.fixture
def other(zep: Zep, people: People, session_ids: SessionIds, belongings: Belongings) -> Conversation:
    """A second session, of somebody else."""
    return Conversation(belongings.session(zep, session_ids.new(people["Bob"].user_id)))


@given("a conversation about several things has been written to a session")
def write_things(conversation: Conversation, zep: Zep) -> None:
    """Messages that have few words in common."""
    conversation.write(zep, list(THINGS))


@given("the same conversation with other words has been written to another session")
def write_other_things(other: Conversation, zep: Zep) -> None:
    """Nearly the same messages, so that a search that crosses sessions would find either."""
    other.write(zep, list(OTHER_THINGS))


@given("a conversation that says one thing three times and another once has been written to a session")
def write_repetitions(conversation: Conversation, zep: Zep) -> None:
    """Three equal messages, and one that is close to them."""
    conversation.write(zep, list(REPETITIONS))


@given(
    parsers.parse(
        'messages about "{one}" and about "{another}" have been written to a session, so marked in their metadata'
    )
)
def write_marked(conversation: Conversation, zep: Zep, one: str, another: str) -> None:
    """Messages whose metadata says what they are about."""
    topics = (one, another, one, another)
    said = [Said("human", f"Message {number} of {topic}", {"topic": topic}) for number, topic in enumerate(topics)]
    conversation.write(zep, said)


@given("it can be searched")
def searchable(conversation: Conversation, zep: Zep, enrichment: Enrichment) -> None:
    """Every message is embedded: the newest can be found, and as many as were written."""
    enrichment.await_embedded(zep, conversation.session)


@given("both can be searched")
def both_searchable(conversation: Conversation, other: Conversation, zep: Zep, enrichment: Enrichment) -> None:
    """Every message of both sessions is embedded."""
    for one in (conversation, other):
        enrichment.await_embedded(zep, one.session)


@when("it is searched for the text of one of its messages", target_fixture="found")
def search_exact(conversation: Conversation, zep: Zep) -> list[Any]:
    """The third message's own text."""
    return zep.search(conversation.session, conversation.said[2].content)


@when("it is searched for part of one of its messages", target_fixture="found")
def search_part(conversation: Conversation, zep: Zep) -> list[Any]:
    """Half of the third message's words."""
    words = conversation.said[2].content.split()
    return zep.search(conversation.session, " ".join(words[: len(words) // 2 + 1]))


@then("that message comes first")
def comes_first(conversation: Conversation, found: list[Any]) -> None:
    """The third message is the closest."""
    assert found, "nothing was found"
    assert found[0].message["content"] == conversation.said[2].content, "another message comes first"


@when("the other session is searched for the text of one of the first one's messages", target_fixture="found")
def search_across(conversation: Conversation, other: Conversation, zep: Zep) -> list[Any]:
    """What the first session has word for word, and the other nearly."""
    return zep.search(other.session, conversation.said[2].content, limit=20)


@then("only messages of the other session are found")
def only_of_other(other: Conversation, found: list[Any]) -> None:
    """All of them, since the limit lets them through, and nothing else."""
    contents = sorted(result.message["content"] for result in found)
    assert contents == sorted(said.content for said in other.said), "not the other session's messages"


@when("a session that does not exist is searched", target_fixture="found")
def search_nowhere(zep: Zep, session_ids: SessionIds) -> list[Any]:
    """A session id that nobody uses."""
    return zep.search(session_ids.new("nobody"), "anything at all")


@when("a session that does not exist is read and searched", target_fixture="both")
def read_and_search_nowhere(zep: Zep, session_ids: SessionIds) -> tuple[httpx.Response, httpx.Response]:
    """Reading asks the database, searching the NLP server too; neither writes."""
    path = session_path(session_ids.new("nobody"))
    return zep.wire.get(f"{path}/memory"), zep.wire.post(f"{path}/search", json={"text": "anything at all"})


@then("both answers are empty, and neither is an error")
def both_empty(both: tuple[httpx.Response, httpx.Response]) -> None:
    """200 for both; each failure names the part to look at."""
    read, search = both
    assert read.status_code == 200, f"reading is answered {read.status_code} {read.text!r}: is PostgreSQL up?"
    assert search.status_code == 200, f"searching is answered {search.status_code} {search.text!r}: is zep-nlp up?"
    assert read.json()["messages"] == [] and search.json() == [], "something is in a session that nobody wrote to"


@then("nothing is found")
def nothing_found(found: list[Any]) -> None:
    """An empty answer, and no error."""
    assert found == [], "something was found in a session that nobody has written to"


@when(parsers.parse("it is searched with limit {limit:d}"), target_fixture="found")
def search_limited(conversation: Conversation, zep: Zep, limit: int) -> list[Any]:
    """For something that all messages are more or less close to."""
    return zep.search(conversation.session, "What did I say?", limit=limit)


@then(parsers.parse("{count:d} messages are found"))
def so_many_found(found: list[Any], count: int) -> None:
    """As many as asked for: each message is more or less close."""
    contents = [result.message["content"] for result in found]
    assert len(contents) == count, f"{len(contents)} messages were found"
    assert len(set(contents)) == count, "a message was found twice"


@when("it is searched for that thing by relevance alone, for 2 messages", target_fixture="by_relevance")
def search_by_relevance(conversation: Conversation, zep: Zep) -> list[str]:
    """Similarity."""
    return _contents(zep.search(conversation.session, REPEATED, limit=2))


@when("it is searched for that thing by maximal marginal relevance, for 2 messages", target_fixture="by_mmr")
def search_by_mmr(conversation: Conversation, zep: Zep) -> list[str]:
    """MMR, with much weight on sparing what repeats."""
    return _contents(zep.search(conversation.session, REPEATED, limit=2, search_type="mmr", mmr_lambda=0.3))


def _contents(found: list[Any]) -> list[str]:
    return [result.message["content"] for result in found]


@then("relevance alone brings the repetition")
def relevance_repeats(by_relevance: list[str]) -> None:
    """The closest two are equal."""
    assert by_relevance == [REPEATED, REPEATED], "the closest messages are not the equal ones"


@then("maximal marginal relevance brings the other thing too")
def mmr_spares(by_mmr: list[str]) -> None:
    """One of the equal ones, and the other."""
    assert sorted(by_mmr) == sorted({REPEATED, REPETITIONS[-1].content}), "what repeats is not spared"


@when(parsers.parse('it is searched for anything marked "{topic}"'), target_fixture="found")
def search_marked(conversation: Conversation, zep: Zep, topic: str) -> list[Any]:
    """With a JSONPath over the metadata."""
    where = {"where": {"jsonpath": f'$ ? (@.topic == "{topic}")'}}
    return zep.search(conversation.session, "Message", limit=10, metadata=where)


@then(parsers.parse('only messages marked "{topic}" are found'))
def only_marked(conversation: Conversation, found: list[Any], topic: str) -> None:
    """All of those, and no other."""
    marked = [said.content for said in conversation.said if (said.metadata or {})["topic"] == topic]
    assert sorted(_contents(found)) == sorted(marked), f"not the messages marked {topic!r}"


@when("its summaries are searched for who it was about", target_fixture="found")
def search_summaries(conversation: Conversation, zep: Zep, people: People, settings: Settings) -> list[Any]:
    """In scope `summary`; the summary's own embedding comes a moment after the summary."""

    def embedded() -> list[Any]:
        found = zep.search(conversation.session, people["Alice"].name, search_scope="summary")
        assert found, f"no summary is found in {settings.wait_limit:g} s"
        return found

    return eventually(embedded, settings.wait_limit)


@then("the summary is found, and no message")
def summary_found(memory: Memory, found: list[Any]) -> None:
    """Exactly the session's summary."""
    assert memory.summary is not None
    assert [result.message for result in found] == [None], "a message was found in scope summary"
    assert found[0].summary.uuid == memory.summary.uuid, "another summary was found"


# -- by meaning -----------------------------------------------------------------------------------------------


@given(parsers.parse('a conversation in which somebody says "{text}" has been written to a session'))
def write_among_others(conversation: Conversation, zep: Zep, text: str) -> None:
    """Among messages about other things; neither first nor last."""
    conversation.write(zep, [*ELSEWHERE[:2], Said("human", text), *ELSEWHERE[2:]])


@when(parsers.parse('it is searched for "{text}", with which that has no word in common'), target_fixture="found")
def search_by_meaning(conversation: Conversation, zep: Zep, text: str) -> list[Any]:
    """Whoever compares words finds nothing in it."""
    if shared := words_in(text) & words_in(conversation.said[2].content):
        raise HarnessError(f"they have words in common: {shared}")
    return zep.search(conversation.session, text)


def words_in(text: str) -> set[str]:
    """The words of a text, without regard to capitals."""
    return set(re.findall(r"\w+", text.casefold()))


@then("what was said about it comes first")
def meaning_comes_first(conversation: Conversation, found: list[Any]) -> None:
    """The third message."""
    comes_first(conversation, found)
