"""Whether latencies of one run are slower than those of another, or only differ as any two runs would.

Two things must hold before a run is called slower. Its single latencies must be larger than the other's more often than
chance would have it: by the test of Mann and Whitney, which asks only for their order, so that a few stray ones do not
matter; two-sided, at a level of 1 in 100 for all latencies that are compared together (divided among them, after
Bonferroni). And the medians must differ by a tenth: with many samples a difference that nobody minds is no chance
either.

Percentiles alone do not tell how much was chance: without single latencies on both sides, or with under 8 of them,
nothing is said. The test speaks of two runs, not of two versions: a machine that was busy during one of them is a
difference as well. Whether it lasts, the history of several runs shows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist, median

SLOWER, FASTER, ALIKE, TOO_FEW, MISSING = "slower", "faster", "no difference shown", "too few samples", "no samples"
FEWEST = 8
"""Latencies on either side, of which on the normal approximation of the test's statistic is good."""
LEVEL = 0.01
"""How often latencies of the same kind may be called different."""
MATTERS = 0.1
"""By which share of the smaller one medians must differ."""


def chance(then: Sequence[float], now: Sequence[float]) -> float:
    """Return how likely samples that are no larger or smaller than each other differ in order at least as these do.

    The test of Mann and Whitney, two-sided, by its normal approximation, with corrections for ties and continuity.
    """
    size, count = len(then) * len(now), len(then) + len(now)
    if not size:
        return 1.0
    ranks, place = {}, 0
    ties = Counter([*then, *now])
    for value in sorted(ties):
        ranks[value] = place + (ties[value] + 1) / 2
        place += ties[value]
    larger = sum(ranks[value] for value in now) - len(now) * (len(now) + 1) / 2
    tied = sum(times**3 - times for times in ties.values()) / (count * (count - 1))
    spread = math.sqrt(size / 12 * (count + 1 - tied))
    away = max(abs(larger - size / 2) - 0.5, 0.0)
    return 2 * (1 - NormalDist().cdf(away / spread)) if spread else 1.0


def judged(then: Sequence[float], now: Sequence[float], *, together: int = 1) -> str:
    """Return how the latencies of a run stand to those of another: SLOWER, FASTER, ALIKE, TOO_FEW or MISSING.

    together: how many such pairs are compared at once.
    """
    if not then or not now:
        return MISSING
    if min(len(then), len(now)) < FEWEST:
        return TOO_FEW
    before, after = median(then), median(now)
    if abs(after - before) <= MATTERS * min(before, after) or chance(then, now) > LEVEL / max(together, 1):
        return ALIKE
    return SLOWER if after > before else FASTER
