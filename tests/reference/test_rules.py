"""Rules: what they let pass, what they do not, and what is said of that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from zep_conformance.reference.operations import World
from zep_conformance.reference.rules import (
    ZERO_TIME,
    Cell,
    Exactly,
    Fields,
    InAnyOrder,
    Listed,
    OwnTime,
    OwnUuid,
    Seen,
    alike,
    shown,
    time_of,
)
from zep_conformance.reference.zep.model import KnownMessage, ZepModel
from zep_conformance.reference.zep.search import FoundRule

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEEN = Seen(NOW, NOW)
UUIDS = ("6f1c3f0e-0b7a-4c58-9a53-3d1c5b5f0a01", "6f1c3f0e-0b7a-4c58-9a53-3d1c5b5f0a02")


def said(rule: Any, came: Any) -> list[str]:
    return [str(one) for one in rule.differences(came, "", SEEN)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (2**53 + 1, 2**53, True),
        (1, True, False),
        (0, False, False),
        ({"a": [None]}, {"a": [None]}, True),
        ({"a": None}, {}, False),
        ("caf\u00e9", "cafe\u0301", False),
        (0.1, 0.10000000000000002, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_json_values_are_alike_or_not(one: Any, other: Any, same: bool) -> None:
    assert alike(one, other) is alike(other, one) is same


def test_a_field_that_lacks_or_is_too_much_is_named() -> None:
    rule = Fields({"a": 1, "b": Listed(["x"], "letters")}, {"c": 3})
    assert said(rule, {"a": 1, "b": ["x"]}) == said(rule, {"a": 1, "b": ["x"], "c": 3}) == []
    assert said(rule, {"b": ["y", "z"], "d": 4}) == [
        "a: expected to be there, came nothing",
        "b: expected 1 letters, came 2",
        'b[0]: expected "x", came "y"',
        "d: expected not to be there, came 4",
    ]


def test_a_uuid_stays_and_is_nobody_elses() -> None:
    taken: dict[str, Cell] = {}
    mine, other = OwnUuid(Cell(), taken), OwnUuid(Cell(), taken)
    assert said(mine, UUIDS[0]) == said(mine, UUIDS[0]) == []
    assert "as at the reading before" in said(mine, UUIDS[1])[0]
    assert "of its own" in said(other, UUIDS[0])[0]
    assert "expected a uuid" in said(other, "none")[0]


def test_a_time_is_that_of_the_request_and_stays() -> None:
    rule = OwnTime(Cell(since=SEEN))
    assert said(rule, "2026-01-02T03:04:06.123456789Z") == []
    assert "as at the reading before" in said(rule, "2026-01-02T03:04:07Z")[0]
    assert said(OwnTime(Cell(since=SEEN)), "2026-01-02T04:04:06+01:00") == []
    for wrong in ("2026-01-02T04:04:05Z", "0001-01-01T00:00:00Z", "yesterday", None):
        assert said(OwnTime(Cell(since=SEEN)), wrong)


def test_what_can_not_be_seen_is_escaped() -> None:
    assert shown("cafe\u0301") == '"cafe\\u0301"'
    assert shown("用户") == '"用户"'
    assert said(Exactly("a"), "a\u200b") == ['expected "a", came "a\\u200b"']


@pytest.mark.parametrize(
    ("times", "is_right"),
    [
        (["2026-11-26T20:00:01Z", "2026-11-26T20:00:01Z"], True),
        (["2026-11-26T20:00:01Z", "2026-11-26T20:00:02Z"], False),
    ],
)
def test_the_newest_are_found_first_and_those_of_one_time_in_any_order(times: list[str], is_right: bool) -> None:
    """The messages of one post have one time on a real Zep, whose database may give them in any order."""
    model = ZepModel(World("x"))
    known = [KnownMessage("human", "tea") for _ in times]
    for number, (one, time) in enumerate(zip(known, times, strict=True)):
        one.uuid.value, one.created.value = model.world.uuid(number), time
        one.created.since = Seen(time_of(time), time_of(time))  # type: ignore[arg-type]
    came = [
        {
            "message": {
                "uuid": one.uuid.value,
                "created_at": one.created.value,
                "updated_at": ZERO_TIME,
                "role": "human",
                "content": "tea",
                "token_count": 0,
            },
            "summary": None,
            "dist": 0,
            "embedding": None,
        }
        for one in known
    ]
    rule = FoundRule(model, known, 10)
    now = Seen(*[time_of(times[-1])] * 2)  # type: ignore[arg-type]
    assert (not [*rule.differences(came, "", now)]) == is_right


@pytest.mark.parametrize("came", [["a", "b"], ["b", "a"]])
def test_a_list_in_any_order_is_complete(came: list[str]) -> None:
    """A user's sessions came in another order once one of them had been changed: nobody promises one."""
    rule = InAnyOrder({name: Fields({"session_id": name}) for name in ("a", "b")}, "session_id", "sessions")
    assert said(rule, [{"session_id": name} for name in came]) == []
    assert said(rule, [{"session_id": name} for name in came[:1]])
    assert said(rule, [{"session_id": name} for name in ("a", "c")])
    assert said(rule, {}) == ["expected a list of sessions, came {}"]
