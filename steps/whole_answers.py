"""Steps of whole_answers.feature: operations are written down, carried out, and held to the reference model."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_bdd import parsers

from fixtures.sequences import Sequences
from fixtures.words import given, then, when
from zep_conformance.reference import values
from zep_conformance.reference.operations import Operation
from zep_conformance.reference.zep.operations import (
    ChangeMessage,
    ChangeSession,
    ChangeUser,
    ClearSession,
    CreateSession,
    CreateUser,
    DeleteUser,
    FetchMessage,
    FetchSession,
    FetchUser,
    ListMessages,
    ListSessionsOfUser,
    ReadMemory,
    Said,
    Write,
)
from zep_conformance.reference.zep.search import MOODS, Search

Script = list[Operation[Any]]
HERE, THERE = "here", "there"
"""Two sessions."""
ADA, GRACE = "ada", "ada-g"
"""Two users, of whom one's id begins with the other's."""
DIFFERENCES = {
    "case": ("team", "Team", "ÉCOLE", "École", "école"),
    "Unicode normal form": ("caf\u00e9", "cafe\u0301", "\u212b", "\u00c5"),
    "white space at an end": ("ada", "ada ", "ada\u00a0", "ada\t"),
    "one character after 200": ("x" * 200, "x" * 200 + "y", "x" * 200 + "z"),
    "a millisecond": ("ada-1700000000000", "ada-1700000000001"),
    "one letter more": ("ab", "abc", "abcd"),
    "what a pattern would match": ("a_b", "axb", "a%25b", "a.b"),
    "letters that fold to the same": ("straße", "strasse", "STRASSE", "ı", "i"),
}
"""Ends of session ids, by how they differ."""


@pytest.fixture
def script() -> Script:
    """Return the operations of this scenario; there are none yet."""
    return []


def counted(first: int, count: int) -> tuple[Said, ...]:
    """Return so many messages, the first with this number."""
    return tuple(Said(("human", "ai")[at % 2], f"message {at}") for at in range(first, first + count))


@given("messages whose texts a careless store would change have been written to a session")
def write_texts(script: Script) -> None:
    """Write each text, in a role that is no other's."""
    texts = [*values.TEXTS, *(f"before{one}after" for one in values.LINE_BREAKS), values.long_text()]
    said = [Said(values.ROLES[at % len(values.ROLES)], text) for at, text in enumerate(texts)]
    script += [Write(HERE, tuple(said[at : at + 20])) for at in range(0, len(said), 20)]


@when("its memory and the list of its messages are read")
def read_all(script: Script) -> None:
    """Read everything, the newest ones and a page."""
    script += [ListMessages(HERE), ReadMemory(HERE, 100), ReadMemory(HERE, 3), ListMessages(HERE, 10, 2)]


@given("1, 30 and then 2 messages have been written to a session")
def write_in_batches(script: Script) -> None:
    """Write so many in each request."""
    script += [Write(HERE, counted(0, 1)), Write(HERE, counted(1, 30)), Write(HERE, counted(31, 2))]


@when("the newest 1, 2, 3, 12, 21, 32 and 33 of them are read")
def read_newest(script: Script) -> None:
    """Read within a batch, across batches, and all."""
    script += [ReadMemory(HERE, count) for count in (1, 2, 3, 12, 21, 32, 33, 50)]


@when("they are listed in pages of 1, 5, 11, 32, 33 and 50")
def list_pages(script: Script) -> None:
    """List the first, the second and the last page of each size, and one beyond it."""
    for size in (1, 5, 11, 32, 33, 50):
        last = -(-33 // size)
        script += [ListMessages(HERE, size, page) for page in sorted({1, 2, last, last + 1})]


@given(parsers.parse("{owner} with metadata of every kind"))
def write_metadata(script: Script, owner: str) -> None:
    """Give them to messages, one each, or all of them to a record."""
    if owner == "messages":
        every = [Said("human", f"message {at}", one) for at, one in enumerate(values.metadata_of_every_kind())]
        script += [Write(HERE, tuple(every[at : at + 20])) for at in range(0, len(every), 20)]
        script.append(ListMessages(HERE))
        return
    together = values.metadata_together()
    if owner == "a session":
        script += [CreateSession(HERE, metadata=together), FetchSession(HERE)]
    else:
        script += [CreateUser(ADA, metadata=together), FetchUser(ADA)]


@when("some of these metadata are changed, and some are added")
def change_metadata(script: Script) -> None:
    """Change one deep within, replace a list, add others, and set one to null."""
    changes: list[dict[str, Any]] = [
        {"nested": {"deeper": {"Mood": "wild"}}},
        {"list": [None], "added": {"e\u0301": 0.1}},
        {"mood": None, "Mood": 2**31},
    ]
    first = script[0]
    for change in changes:
        if isinstance(first, Write):
            script += [ChangeMessage(HERE, at=at, metadata=change) for at in (0, 1)] + [FetchMessage(HERE, at=0)]
        elif isinstance(first, CreateSession):
            script += [ChangeSession(HERE, change), FetchSession(HERE)]
        else:
            script += [ChangeUser(ADA, metadata=change), FetchUser(ADA)]


@given("3 messages have been written to each of two sessions")
def write_to_both(script: Script) -> None:
    """Write them with metadata, and a uuid of the client's own for one."""
    for session in (HERE, THERE):
        own = Said("ai", "the same text", {"of": session}, own=len(session))
        script.append(Write(session, (Said("human", "the same text", {"of": session, "n": 1}), own, Said("human", ""))))


@when("each is fetched and changed in its own session, and looked for in the other")
def fetch_and_change(script: Script) -> None:
    """Do so twice, since what was made up stays as it is."""
    for at in (0, 1, 2):
        script += [
            FetchMessage(HERE, at=at),
            ChangeMessage(HERE, at=at, metadata={"seen": at, "system": {"forged": True}}),
            FetchMessage(HERE, at=at),
            FetchMessage(HERE, at=at, elsewhere=THERE),
            ChangeMessage(HERE, at=at, elsewhere=THERE, metadata={"seen": "elsewhere"}),
        ]
    script.append(ReadMemory(HERE))


@given("a session of a user has been made, with metadata")
def make_owned_session(script: Script) -> None:
    """Make it, and one of nobody."""
    script += [
        CreateUser(ADA),
        CreateSession(THERE),
        CreateSession(HERE, ADA, {"plan": "Lisbon", "n": 1}),
        FetchSession(HERE),
    ]


@when("it is written to, changed, cleared, and used again")
def use_session(script: Script) -> None:
    """Look at its record, and at the user's list, after each."""
    hello = Write(HERE, (Said("human", "hello"),))
    for done in (hello, ChangeSession(HERE, {"n": 2}), ClearSession(HERE), hello, ChangeSession(HERE, {"m": None})):
        script += [done, FetchSession(HERE), ListSessionsOfUser(ADA)]
    script += [CreateSession(HERE), CreateSession(HERE, GRACE), ReadMemory(HERE), FetchSession(THERE)]


@given("two users have been made, with names and metadata")
def make_users(script: Script) -> None:
    """Make them with ids that begin alike, and a session each."""
    for user in (ADA, GRACE):
        names = (f"{user}@example.com", user.title(), "L ")
        script += [CreateUser(user, names, {"plan": {"to": user}}), FetchUser(user), CreateSession(f"s-{user}", user)]


@when("one is changed, changed again, deleted, and made anew")
def use_user(script: Script) -> None:
    """Look at both records after each."""
    changed = (
        ChangeUser(ADA, ("", "Augusta", ""), {"plan": {"by": "train"}}),
        ChangeUser(ADA, ("new@example.com", "", "")),
    )
    for done in (*changed, CreateUser(ADA), DeleteUser(ADA), CreateUser(ADA, ("", "", "K"))):
        script += [done, FetchUser(ADA), FetchUser(GRACE), ListSessionsOfUser(ADA), ListSessionsOfUser(GRACE)]
    script += [FetchSession(f"s-{ADA}"), FetchSession(f"s-{GRACE}")]


@given("messages with moods have been written to two sessions")
def write_moods(script: Script) -> None:
    """Write nearly the same to both, some of it twice."""
    said = ("the sea is calm", "tea or coffee", "the sea is calm", "who repairs violins")
    for session in (HERE, THERE):
        moods = [None, *({"mood": mood} for mood in MOODS.values())]
        texts = [*(f"{text} {session}" for text in said), "the same here and there"]
        script.append(Write(session, tuple(Said("human", *one) for one in zip(texts, moods, strict=False))))


@when("both are searched by likeness, by MMR and by mood")
def search_both(script: Script) -> None:
    """Search for all, for a few, and for a text that is there to the letter."""
    for session in (HERE, THERE):
        text = f"the sea is calm {session}"
        script += [Search(session, text), Search(session, text, limit=2), Search(session, text, limit=3, mmr=True)]
        script += [Search(session, mood=mood) for mood in MOODS] + [Search(session, text, mood='"calm"')]


@given(parsers.parse("sessions have been written to whose ids differ by {difference}"))
def write_to_alike(script: Script, difference: str) -> None:
    """Write to each what is in no other, then once more to the first."""
    script += [Write(one, (Said("human", f"in number {at}"),)) for at, one in enumerate(DIFFERENCES[difference])]
    script.append(Write(DIFFERENCES[difference][0], (Said("ai", "and again"),)))


@when("one of them is cleared")
def clear_one(script: Script) -> None:
    """Read all, and clear the first; the model looks at all others."""
    names = dict.fromkeys(one.session for one in script if isinstance(one, Write))
    script += [*map(ReadMemory, names), ClearSession(next(iter(names)))]


@then("each answer is whole, and what was written")
def answers_are_whole(script: Script, sequences: Sequences) -> None:
    """Carry all of it out, look at everything once more, and check each answer to the last field."""
    complaint = sequences.complaint_about(script)
    assert not complaint, complaint
