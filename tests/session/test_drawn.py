"""What a scenario draws that its seed does not give again."""

from __future__ import annotations

from itertools import count

from zep_conformance.session.drawn import Drawn


def test_what_was_drawn_is_drawn_again() -> None:
    first = Drawn()
    for nodeid in ("one", "two"):
        first.begin(nodeid)
        drawn = [first.uuid(), first.uuid(), first("time", lambda: 7)]
        assert len(set(drawn)) == 3
    second = Drawn(first.kept)
    for nodeid in ("two", "one"):
        second.begin(nodeid)
        assert [second.uuid(), second.uuid()] == first.kept[nodeid]["uuid"]
        assert second("time", lambda: 8) == 7
    assert second.kept == first.kept


def test_more_than_was_drawn_is_new() -> None:
    numbers = count(5)
    drawn = Drawn({"one": {"number": [1, 2]}})
    drawn.begin("one")
    assert [drawn("number", lambda: next(numbers)) for _ in range(4)] == [1, 2, 5, 6]
