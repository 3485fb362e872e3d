"""Two things measured in turns, for as many rounds as a figure needs to be held to its limit."""

from __future__ import annotations

from collections.abc import Callable

ROUNDS = 5
"""At most so many."""

Pair = tuple[float, float]
"""What one round measured of the one, and of the other."""


def in_turns(measured: Callable[[], Pair], *, figure: Callable[[Pair], float], limit: float) -> list[Pair]:
    """Return what was measured, round by round.

    It ends when most of the rounds that there may be are on one side of the limit: no further one could bring their
    median to the other. measured: one round. figure: what a round comes to.
    """
    pairs: list[Pair] = []
    sides = {True: 0, False: 0}
    while max(sides.values()) <= ROUNDS // 2:
        pairs.append(measured())
        sides[figure(pairs[-1]) <= limit] += 1
    return pairs
