"""Steps about who wrote what to which session."""

from __future__ import annotations

import pytest
from pytest_bdd import given, parsers, then

from fixtures.belongings import Belongings
from fixtures.people import People, SessionIds
from steps.zep import Conversation, texts
from zep_conformance.clients.zep import Said, Zep

Told = dict[str, Conversation]
"""The session of each role, and what they wrote to it."""


@pytest.fixture
def told() -> Told:
    """Nobody has written anything yet."""
    return {}


@given(parsers.re(r'(?P<role>\w+) has written "(?P<text>[^"]+)" to (a|another) session'))
def write_text(
    told: Told,
    zep: Zep,
    people: People,
    session_ids: SessionIds,
    belongings: Belongings,
    role: str,
    text: str,
) -> None:
    """Write one message to a new session of somebody's."""
    told[role] = Conversation(belongings.session(zep, session_ids.new(people[role].user_id)))
    told[role].write(zep, [Said("human", people.in_text(text))])


@given(parsers.parse('{role} has written "{text}" to a session whose id begins with that of {first}'))
def write_to_longer(
    told: Told, zep: Zep, people: People, belongings: Belongings, role: str, text: str, first: str
) -> None:
    """An id that a server that looks at beginnings only would take for the other."""
    told[role] = Conversation(belongings.session(zep, told[first].session + "0"))
    told[role].write(zep, [Said("human", people.in_text(text))])


@then(parsers.re(r"(zep-postgres keeps it: )?the session of (?P<role>\w+) holds only what (?P<same>\w+) has written"))
def holds_only(told: Told, zep: Zep, role: str, same: str) -> None:
    """Their messages, all of them, and nobody else's."""
    assert role == same
    assert texts(zep.memory(told[role].session).messages) == told[role].texts, f"not what {role} has written"
