"""Steps of sequences.feature: whatever is done in whatever order, what comes is what the documentation promises."""

from __future__ import annotations

from pytest_bdd import parsers

from fixtures.sequences import Sequences
from fixtures.words import then, when

KINDS = {
    "sessions and memories": "memory",
    "users and session records": "records",
    "memories and searches": "search",
    "chats of several users": "chats",
}
"""The kind of sequence, by what a feature calls what it is about."""


@when(parsers.parse("any operations on {something} are carried out, in any order"), target_fixture="complaint")
def carried_out(sequences: Sequences, something: str) -> str:
    """Return what is wrong with the first sequence that fails, "" where none does."""
    return sequences.complaint_of(KINDS[something])


@then("each gives what the documentation promises")
def as_promised(complaint: str) -> None:
    """Check that no sequence failed."""
    assert not complaint, complaint
