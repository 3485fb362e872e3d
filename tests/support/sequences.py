"""Sequences carried out on embedded servers, for tests: that they hold, and that a mutation is found."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import httpx

from tests.support.properties import EVERY_NIGHT
from tests.support.zep_asked import SOON
from zep_conformance.facts.recorded_behaviours import recorded_behaviours
from zep_conformance.reference.carrying import Outcome, Server, carry_out, sender_of
from zep_conformance.reference.operations import Drawn, Operation, World, kind
from zep_conformance.reference.searching import Found, Search

EXAMPLES = 1000 if EVERY_NIGHT else 25
HUNTED = 150
"""Sequences in which a mutation must have shown itself. Most do in fewer than five."""
ALL_OF_ZEP = frozenset(one.name for one in recorded_behaviours("zep"))
_worlds = itertools.count(1)


def searched(
    name: str,
    client: httpx.Client,
    behaviours: Iterable[str] = (),
    *,
    sequences: int = EXAMPLES,
    seed: int = 1,
    shrinking: float = 10.0,
) -> Found | None:
    """The shortest sequence of a kind at which a server differs from the model, None where none of so many does.

    shrinking: seconds in which it is made shorter, at most.
    """
    of, shown = kind(name), frozenset(behaviours)
    servers = {"zep": Server(sender_of(client), patience=SOON)}

    def attempt(operations: Sequence[Operation[Any]]) -> Outcome:
        return carry_out(of, operations, World(f"w{next(_worlds)}", shown), servers)

    how = Drawn(behaviours=shown, wild=True)
    return Search(of, how, attempt, shrinking=shrinking).run(seed=seed, sequences=sequences)


def told(found: Found | None) -> list[str]:
    """What differs, and after which operations: for a test that fails."""
    if found is None or found.outcome.failure is None:
        return []
    return [*(one.words() for one in found.operations), *map(str, found.outcome.failure.differences)]
