"""Recordings are compared as their format says."""

from __future__ import annotations

from typing import Any

import pytest

from zep_conformance.recordings.comparison import Comparison
from zep_conformance.recordings.format import ZERO_UUID, without_system_metadata

ONE, TWO = "0f0e0d0c-0000-4000-8000-000000000001", "0f0e0d0c-0000-4000-8000-000000000002"


def differs(recorded: Any, came: Any, subset: bool = False) -> bool:
    return bool(list(Comparison().differences(recorded, came, subset)))


SAME = [
    ("a text", "a text"),
    ({"a": 1, "b": [True, None]}, {"b": [True, None], "a": 1}),
    ("{{any}}", {"what": "ever"}),
    ("{{text}}", ""),
    ("{{int}}", 5),
    ("{{tokens}}", 0),
    ("{{float}}", 0.5),
    ("{{float}}", 1),
    ("{{vector}}", [0.1, 2]),
    ("{{time}}", "2026-11-22T07:53:43.4726Z"),
    ("{{time}}", "2026-11-22T07:53:43+01:00"),
    ("mask_{{uuid:1}}", f"mask_{ONE}"),
    (["{{uuid:1}}", "{{uuid:2}}", "{{uuid:1}}"], [ONE, TWO, ONE]),
]
OTHER = [
    ("a text", "another"),
    (1, True),
    (0, False),
    (None, {}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": 1, "b": 2}, {"a": 1}),
    ([1], [1, 1]),
    ("{{text}}", None),
    ("{{int}}", "5"),
    ("{{int}}", True),
    ("{{tokens}}", -1),
    ("{{vector}}", None),
    ("{{vector}}", []),
    ("{{time}}", "0001-01-01T00:00:00Z"),
    ("{{time}}", "yesterday"),
    ("{{uuid:1}}", "not-a-uuid"),
    ("{{uuid:1}}", ZERO_UUID),
    (["{{uuid:1}}", "{{uuid:1}}"], [ONE, TWO]),
    (["{{uuid:1}}", "{{uuid:2}}"], [ONE, ONE]),
]


@pytest.mark.parametrize(("recorded", "came"), SAME)
def test_same(recorded: Any, came: Any) -> None:
    assert not differs(recorded, came)


@pytest.mark.parametrize(("recorded", "came"), OTHER)
def test_other(recorded: Any, came: Any) -> None:
    assert differs(recorded, came)


def test_a_subset_may_have_more_keys_but_not_fewer() -> None:
    assert not differs({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, subset=True)
    assert differs({"a": 1, "b": 1}, {"a": 1}, subset=True)


def test_a_difference_says_where() -> None:
    found = list(Comparison().differences({"messages": [{"role": "ai"}]}, {"messages": [{"role": "human"}]}))
    assert str(found[0]).splitlines() == ["body.messages[0].role", '    recorded: "ai"', '    came:     "human"']


def test_system_metadata_is_left_out_and_own_metadata_stays() -> None:
    messages = [{"metadata": {"system": {"intent": "x"}}}, {"metadata": {"system": {}, "own": 1}}]
    assert without_system_metadata(messages) == [{}, {"metadata": {"own": 1}}]
