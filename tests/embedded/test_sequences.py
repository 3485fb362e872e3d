"""The embedded Zep in any order of operations: it is what the reference model says, to the last field.

As documented, and with all recorded behaviours; and each of these mutations is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.properties import broken
from tests.support.sequences import ALL_OF_ZEP, HUNTED, searched, told
from tests.support.zep_asked import Asked, asking
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

PARTS = ["zep", "nlp", "model"]


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A Zep that keeps every requirement."""
    with Fleet(parts_for(PARTS, data=tmp_path_factory.mktemp("data"))) as fleet, asking(fleet) as asked:
        yield asked


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A Zep that does as the recorded one does; of its enrichment nothing is asked."""
    parts = parts_for(["zep"], data=tmp_path_factory.mktemp("data"), recorded_behaviours="all")
    with Fleet(parts) as fleet, asking(fleet) as asked:
        yield asked


@pytest.mark.parametrize("kind", ["memory", "records", "search"])
def test_it_is_what_the_model_says(documented: Asked, kind: str) -> None:
    assert told(searched(kind, documented.client)) == []


@pytest.mark.parametrize("kind", ["memory", "records"])
def test_with_recorded_behaviours_it_is_what_the_model_says_of_those(recorded: Asked, kind: str) -> None:
    assert told(searched(kind, recorded.client, ALL_OF_ZEP)) == []


FOUND = {
    "memory": """
        lastn-off-by-one memory-limited last-message-lost sessions-mixed session-ids-ignore-case clear-comes-back
        session-ids-match-prefix clear-keeps-messages system-metadata-writable metadata-keys-folded change-touches-time
        metadata-nulls-dropped later-pages-shifted single-uuid-changes content-composed lone-returns-normalised
        large-posts-unordered clear-takes-longer-ids session-loses-metadata
    """,
    "records": """
        user-sessions-unlisted user-sessions-newest-only user-sessions-of-all user-deletion-keeps-sessions
        user-deletion-keeps-memory user-deletion-takes-all user-names-cleared users-changed-alike user-is-the-old-one
        session-made-at-change session-loses-user metadata-merged-flat
    """,
    "search": """
        search-ranking-reversed search-ranking-ignored search-crosses-sessions search-finds-twice search-filter-ignored
        mmr-ignored clear-keeps-search result-uuid-changes result-without-metadata
    """,
}


EVERY_CHANGE = 2
"""Mutations of each kind that are tried with every change; the others nightly, and by `mutants`."""


@pytest.mark.parametrize(
    ("kind", "mutation"),
    [
        pytest.param(kind, name, id=f"{kind}-{name}", marks=() if number < EVERY_CHANGE else pytest.mark.nightly)
        for kind in FOUND
        for number, name in enumerate(FOUND[kind].split())
    ],
)
def test_a_mutation_is_found(tmp_path: Path, kind: str, mutation: str) -> None:
    with broken(tmp_path, ["zep", "nlp"], {"zep": [mutation]}) as fleet, asking(fleet) as asked:
        assert searched(kind, asked.client, sequences=HUNTED, shrinking=0.0) is not None


def test_what_is_found_is_short_and_the_same_again(tmp_path: Path) -> None:
    with broken(tmp_path, ["zep"], {"zep": ["user-sessions-unlisted"]}) as fleet, asking(fleet) as asked:
        first, again = (searched("records", asked.client, sequences=HUNTED) for _ in range(2))
    assert first is not None and again is not None
    assert first.operations == again.operations
    assert [one.do for one in first.operations][:2] == ["create-user", "create-session"]
    assert len(first.operations) <= 3
