"""Scenarios carried out in several processes that are forked from this one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from zep_conformance.session import shares


def test_each_item_is_carried_out_once_elsewhere_where_all_is_known_that_was_here() -> None:
    known = {"here": os.getpid()}
    found = shares.in_shares(3, range(50), lambda numbers: ([*numbers], known["here"], os.getpid()))
    assert len(found) == 3
    assert sorted(number for numbers, _, _ in found for number in numbers) == [*range(50)]
    assert all(here == os.getpid() and there != here for _, here, there in found)


def test_what_belongs_together_is_of_one_share() -> None:
    found = shares.in_shares(2, range(9), lambda numbers: [*numbers], together=[101, 102, 103])
    assert [numbers[:3] for numbers in found if 102 in numbers] == [[101, 102, 103]]
    assert sorted(number for numbers in found for number in numbers) == [*range(9), 101, 102, 103]


def test_what_one_raises_is_raised() -> None:
    def broken(numbers: Iterator[int]) -> list[int]:
        if 1 in (taken := [*numbers]):
            raise ValueError("one of them")
        return taken

    with pytest.raises(ValueError, match="one of them"):
        shares.in_shares(2, range(2), broken)


def test_one_that_ends_without_a_word_is_no_silence() -> None:
    with pytest.raises(RuntimeError):
        shares.in_shares(2, range(2), lambda numbers: os._exit(3) if 1 in numbers else 0)


def test_where_nothing_can_be_forked_there_is_one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert shares.possible() == 1
