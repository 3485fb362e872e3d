"""Steps about what Zep finds out about messages: entities, intent, and how long that takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from faker import Faker
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.enrichment import Enrichment
from fixtures.people import People, Person, SessionIds
from steps.conversation import Told
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import Said, Zep, session_path
from zep_conformance.settings import Settings

STALL = 5.0
"""Seconds by which an enrichment may take longer than before; one clear stalls Zep 0.27.2 for 7 to 20 s."""


def system_metadata(zep: Zep, session: str) -> dict[str, Any]:
    """What Zep has found out about the newest message of a session so far."""
    found: dict[str, Any] = (zep.memory(session, lastn=1).messages[-1].metadata or {}).get("system") or {}
    return found


def is_among(person: Person, names: list[str]) -> bool:
    """Whether somebody's name is among entities, whole or in parts: recognisers cut names differently."""
    return all(any(part in name for name in names) for part in person.name.split())


@given(parsers.parse('the entity "{role}" appears in the system metadata of her message'))
@then(parsers.parse('the entity "{role}" appears in the system metadata of her message'))
@then(parsers.parse('zep-nlp finds names in it: the entity "{role}" appears in the system metadata of her message'))
def entity_appears(zep: Zep, told: Told, people: People, settings: Settings, role: str) -> None:
    """Within the wait limit."""

    def named() -> None:
        entities = system_metadata(zep, told["Alice"].session).get("entities") or []
        names = [entity.get("Name") for entity in entities]
        assert is_among(people[role], names), (
            f"after {settings.wait_limit:g} s the entities of the message are {names}. Is the NLP server up?"
        )

    eventually(named, settings.wait_limit)


@then("an intent appears in the system metadata of her message")
def intent_appears(zep: Zep, told: Told, settings: Settings) -> None:
    """Some text, within the wait limit."""

    def intended() -> None:
        intent = system_metadata(zep, told["Alice"].session).get("intent")
        assert intent, f"after {settings.wait_limit:g} s the message has no intent. Is Zep's model reachable?"

    eventually(intended, settings.wait_limit)


@when("somebody sets the system metadata of her message to something else")
def forge(zep: Zep, told: Told) -> None:
    """By the route that changes a message's metadata."""
    session = told["Alice"].session
    message = zep.messages(session)[-1].uuid
    answer = zep.wire.patch(
        f"{session_path(session)}/messages/{message}",
        json={"metadata": {"system": {"entities": [], "forged": True}}},
    )
    assert answer.status_code < 500, f"the server broke: {answer.status_code}"


@then(parsers.parse('the entity "{role}" is still in the system metadata of her message'))
def entity_stays(zep: Zep, told: Told, people: People, role: str) -> None:
    """At once: nothing was changed."""
    found = system_metadata(zep, told["Alice"].session)
    names = [entity.get("Name") for entity in found.get("entities") or []]
    assert is_among(people[role], names), f"the entities are now {names}"
    assert "forged" not in found, "a writer could set system metadata"


@dataclass
class Pace:
    """How long enrichment takes, in seconds."""

    usual: float
    after: float = 0.0


def _timed(zep: Zep, session: str, text: str, limit: float) -> float:
    """Seconds from writing a message to finding it."""
    zep.write(session, [Said("human", text)])
    start = time.monotonic()

    def found() -> None:
        assert zep.is_embedded(session, text), f"enriched only after more than {limit:g} s, or never"

    eventually(found, limit)
    return time.monotonic() - start


@given("it has been measured how long the enrichment of a message takes", target_fixture="pace")
def usual_pace(zep: Zep, session_ids: SessionIds, belongings: Belongings, faker: Faker, settings: Settings) -> Pace:
    """From the write to being found by a search."""
    session = belongings.session(zep, session_ids.new("steady"))
    return Pace(_timed(zep, session, faker.sentence(8), settings.wait_limit))


@when("a conversation is cleared right after its last message was written")
def clear_at_once(
    zep: Zep, session_ids: SessionIds, belongings: Belongings, faker: Faker, pace: Pace, settings: Settings
) -> None:
    """Write and clear, then write to another session and measure again."""
    hasty = belongings.session(zep, session_ids.new("hasty"))
    zep.write(hasty, [Said("human", faker.sentence(8))])
    zep.clear(hasty)
    session = belongings.session(zep, session_ids.new("waiting"))
    pace.after = _timed(zep, session, faker.sentence(8), max(settings.wait_limit, 60.0))


@then("the enrichment of another conversation takes about as long as before")
def not_delayed(pace: Pace) -> None:
    """Not longer than before by more than STALL."""
    assert pace.after < pace.usual + STALL, (
        f"another conversation was enriched only after {pace.after:.1f} s; before the clear it took {pace.usual:.1f} s"
    )


@given(parsers.parse("what {role} has written has been enriched"))
def told_is_enriched(zep: Zep, told: Told, enrichment: Enrichment, role: str) -> None:
    """So that clearing it delays nobody (DEV-1)."""
    enrichment.settle(zep, told[role].session)
