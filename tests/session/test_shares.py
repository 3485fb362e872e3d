"""Scenarios carried out in several processes that are forked from this one."""

from __future__ import annotations

import os

import pytest

from zep_conformance.session import shares


def test_each_share_is_carried_out_elsewhere_and_knows_what_was_here() -> None:
    known = {"here": os.getpid()}
    found = shares.in_shares(3, lambda number: (number, known["here"], os.getpid()))
    assert [number for number, _, _ in found] == [0, 1, 2]
    assert all(here == os.getpid() and there != here for _, here, there in found)


def test_what_one_raises_is_raised() -> None:
    def broken(number: int) -> int:
        if number:
            raise ValueError("one of them")
        return number

    with pytest.raises(ValueError, match="one of them"):
        shares.in_shares(2, broken)


def test_one_that_ends_without_a_word_is_no_silence() -> None:
    with pytest.raises(RuntimeError):
        shares.in_shares(2, lambda number: os._exit(3) if number else number)


def test_where_nothing_can_be_forked_there_is_one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert shares.possible() == 1
