"""What may be called slower: more than chance, and more than a tenth."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zep_conformance.report.latencies import ALIKE, FASTER, FEWEST, LEVEL, MISSING, SLOWER, TOO_FEW, chance, judged

samples = st.lists(st.floats(0.1, 1000, allow_nan=False), min_size=FEWEST, max_size=30)


def exact(then: list[float], now: list[float]) -> float:
    """The same chance, by counting every way to deal the samples out."""
    pool = [*then, *now]
    ranks = [sum(other < one for other in pool) + sum(other == one for other in pool) / 2 for one in pool]
    middle = sum(ranks) * len(now) / len(pool)
    seen = abs(sum(ranks[len(then) :]) - middle)
    dealt = [abs(sum(chosen) - middle) >= seen - 1e-9 for chosen in itertools.combinations(ranks, len(now))]
    return sum(dealt) / len(dealt)


@pytest.mark.parametrize("seed", range(12))
def test_the_chance_is_near_the_exact_one(seed: int) -> None:
    drawn = random.Random(seed)
    shift = drawn.choice([0.0, 0.5, 1.0, 2.0])
    digits = drawn.choice([0, 3])  # with and without ties
    then = [round(drawn.gauss(10, 1), digits) for _ in range(8)]
    now = [round(drawn.gauss(10 + shift, 1), digits) for _ in range(8)]
    expected = exact(then, now)
    # It matters where it is small.
    assert chance(then, now) == pytest.approx(expected, abs=0.01 if expected < 0.1 else 0.2)


@given(samples, samples)
def test_it_is_a_chance_and_the_same_the_other_way_round(then: list[float], now: list[float]) -> None:
    assert 0 <= chance(then, now) <= 1
    assert chance(then, now) == pytest.approx(chance(now, then))


@given(samples, samples)
def test_slower_one_way_is_faster_the_other(then: list[float], now: list[float]) -> None:
    turned = {SLOWER: FASTER, FASTER: SLOWER}
    there = judged(then, now)
    assert judged(now, then) == turned.get(there, there)


@given(samples)
def test_nothing_is_slower_than_itself(values: list[float]) -> None:
    assert judged(values, values) == ALIKE


def test_what_is_the_same_is_seldom_called_different() -> None:
    drawn = random.Random(7)
    wrong = 0
    for _ in range(1000):
        then, now = ([drawn.lognormvariate(1, 0.5) for _ in range(25)] for _ in range(2))
        wrong += judged(then, now) != ALIKE
    assert wrong <= 1000 * LEVEL * 2


def test_what_takes_half_as_long_again_is_called_slower() -> None:
    drawn = random.Random(7)
    found = 0
    for _ in range(200):
        then = [drawn.lognormvariate(1, 0.3) for _ in range(25)]
        now = [drawn.lognormvariate(1, 0.3) * 1.5 for _ in range(25)]
        found += judged(then, now) == SLOWER
    assert found >= 160


@pytest.mark.parametrize(
    ("then", "now", "what"),
    [
        ([], [1.0] * 9, MISSING),
        ([1.0] * 9, [], MISSING),
        ([1.0] * 7, [9.0] * 25, TOO_FEW),
        ([1.0] * 25, [9.0] * 25, SLOWER),
        ([9.0] * 25, [1.0] * 25, FASTER),
        ([100.0 + n / 100 for n in range(50)], [105.0 + n / 100 for n in range(50)], ALIKE),  # sure, and no matter
        ([1.0] * 24 + [900.0], [1.0] * 24 + [1.0], ALIKE),  # one stray
    ],
)
def test_what_is_said(then: list[float], now: list[float], what: str) -> None:
    assert judged(then, now) == what


def test_many_comparisons_ask_for_more() -> None:
    then, now = [10.0 + n / 2 for n in range(25)], [14.0 + n / 2 for n in range(25)]
    assert LEVEL / 100 < chance(then, now) < LEVEL
    assert (judged(then, now), judged(then, now, together=100)) == (SLOWER, ALIKE)
