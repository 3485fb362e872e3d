"""What fails is made shorter by what might have been drawn, and shows the same fault then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from zep_conformance.reference.carrying import Outcome, Step
from zep_conformance.reference.langflux import operations as chats
from zep_conformance.reference.operations import Drawn, Operation, Request, kind
from zep_conformance.reference.rules import Difference
from zep_conformance.reference.searching import Found, Search
from zep_conformance.reference.zep import operations as zep
from zep_conformance.reference.zep.search import Search as SearchFor

STALLS = frozenset({"clearing-stalls-enrichment"})
HELLO = zep.Said("human", "hello")


def failing(operation: Operation[Any], where: str = "content", status: int = 200) -> Outcome:
    """The outcome of a sequence that fails at an operation."""
    difference = Difference(where, "status 200" if not where else "this", "that")
    step = Step(operation, Request("GET", "/"), status, "", (difference,))
    return Outcome([step], step, begun=99)


def tried(name: str, first: Sequence[Operation[Any]], outcome: Callable[[Operation[Any]], Outcome]) -> list[Any]:
    """Make a sequence shorter that fails at whatever is in it; return all that was tried, and last what was found."""
    sequences: list[Any] = []

    def attempt(operations: Sequence[Operation[Any]]) -> Outcome:
        sequences.append(list(operations))
        return outcome(operations[-1])

    search = Search(kind(name), Drawn(behaviours=STALLS), attempt)
    search.found = Found(first, outcome(first[-1]))
    search.shrink()
    assert search.found is not None
    return [*sequences, list(search.found.operations)]


@pytest.mark.parametrize("operation", [chats.Clear(0, "a", "b"), chats.ListChatMessages(0, "ab", "cd")])
def test_chats_of_everybody_are_never_cleared_or_listed(operation: Operation[Any]) -> None:
    every = tried("chats", [operation], failing)
    assert all((one.session, one.chat) != (None, None) for sequence in every for one in sequence)
    assert len(every[-1]) == 1 and (every[-1][0].session is None or every[-1][0].chat is None)


def test_nothing_is_posted_without_messages_where_that_stalls_everybody() -> None:
    every = tried("memory", [zep.Write("a", (HELLO, HELLO))], failing)
    assert all(one.messages for sequence in every for one in sequence)
    assert len(every[-1][0].messages) == 1


def test_a_search_stays_one_for_something() -> None:
    every = tried("search", [SearchFor("a", "tea", limit=4, mmr=True)], failing)
    searches = [one for sequence in every for one in sequence if isinstance(one, SearchFor)]
    assert searches and all(one.text and one.limit != 0 for one in searches)


def test_another_fault_on_the_way_is_not_taken_for_this_one() -> None:
    def outcome(last: Operation[Any]) -> Outcome:
        if isinstance(last, zep.ListMessages):
            return failing(last, where="", status=404)
        return failing(last)  # whatever it is, it fails as well, but otherwise

    every = tried("memory", [zep.Write("a", (HELLO, HELLO)), zep.ListMessages("a", 5), zep.FetchSession("a")], failing)
    assert len(every[-1]) == 1
    every = tried("memory", [zep.Write("a", (HELLO, HELLO)), zep.FetchSession("a"), zep.ListMessages("a", 5)], outcome)
    assert [one.do for one in every[-1]] == ["list-messages"]
