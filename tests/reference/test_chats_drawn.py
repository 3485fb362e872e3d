"""Sequences of chats are drawn on ids that LangFlux and the suite mean the same sessions by."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, find, settings
from hypothesis.errors import NoSuchExample

from zep_conformance.reference.langflux.sequences import CHATS
from zep_conformance.reference.operations import Drawn

_APART = re.compile(r"[+@/:]")


def _draws_an_id_that_is_escaped_apart(behaviours: frozenset[str]) -> bool:
    quick = settings(database=None, max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
    named = lambda drawn: any(_APART.search(getattr(one, "session", None) or "") for one in drawn)  # noqa: E731
    try:
        find(CHATS.sequences(Drawn(behaviours=behaviours, length=4)), named, settings=quick)
    except NoSuchExample:
        return False
    return True


def test_with_documented_parts_every_id_is_drawn() -> None:
    assert _draws_an_id_that_is_escaped_apart(frozenset())


@pytest.mark.parametrize("behaviour", ["unescaped-session-id", "path-ids-stay-escaped"])
def test_where_either_part_is_known_to_take_them_apart_those_are_left_out(behaviour: str) -> None:
    assert not _draws_an_id_that_is_escaped_apart(frozenset({behaviour}))
