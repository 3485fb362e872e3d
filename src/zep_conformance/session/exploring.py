"""Exploring: sequences of every kind, one after the other, until the time is up; what differs is kept."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from zep_conformance.errors import LimitReached
from zep_conformance.reference.carrying import Outcome
from zep_conformance.reference.kept import Curl, Kept, described
from zep_conformance.reference.operations import Drawn, Kind, Operation
from zep_conformance.reference.searching import Found, Search

ROUND = 25
"""Sequences that are drawn from one seed; the next round has another, so that no two are alike."""
SHRINKING = 60.0
"""Seconds in which what differs is made shorter, at most."""

Operations = Sequence[Operation[Any]]
Attempt = Callable[[Kind, Operations], Outcome]


class _Over(BaseException):
    """The time is up, or enough operations were carried out."""


@dataclass(frozen=True)
class Difference:
    """One way in which a server differs. path: the file that keeps the sequence."""

    kind: Kind
    found: Found
    path: Path


@dataclass
class Explored:
    """What came of exploring. ended: why it ended before its time, "" where it did not."""

    differences: list[Difference] = field(default_factory=list)
    sequences: int = 0
    operations: int = 0
    ended: str = ""
    interrupted: bool = False
    silent: bool = False
    """Whether it ended since a server did not answer."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """When exploring ends: after so many seconds, or so many operations."""

    seconds: float | None = None
    operations: int | None = None


class Explorer:
    """Draws sequences and has them carried out; a way of differing that was met before is not looked for again.

    attempt: carries one out. tidy: called after each sequence. say: told each difference as it is found.
    """

    def __init__(
        self,
        *,
        attempt: Attempt,
        tidy: Callable[[], None],
        curl: Curl,
        folder: Path,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self._attempt, self._tidy = attempt, tidy
        self._curl, self._folder, self._seed, self._say = curl, folder, seed, say
        self._met: set[tuple[str, ...]] = set()
        self._bounds, self._began = Bounds(), 0.0
        self._search: Search | None = None
        self._under_way: tuple[Kind, Operations] | None = None
        self.explored = Explored()

    def run(self, kinds: Sequence[Kind], how: Drawn, bounds: Bounds) -> Explored:
        """Explore kinds in turn until the bounds are met, a limit of the run is, or Ctrl-C is pressed."""
        self._bounds, self._began = bounds, time.monotonic()

        def rounds() -> None:
            for number in itertools.count():
                self._round(kinds[number % len(kinds)], how, self._seed + number)

        return self._explored(rounds)

    def replay(self, kind: Kind, operations: Operations) -> Explored:
        """Carry one sequence out, as it is."""

        def once() -> None:
            outcome = self._try(kind, operations)
            if outcome.failure is not None:
                self._search = Search(kind, Drawn(), lambda _operations: outcome)
                self._search.found = Found(operations, outcome)

        return self._explored(once)

    def _explored(self, work: Callable[[], None]) -> Explored:
        try:
            work()
        except _Over:
            pass
        except LimitReached as error:
            self.explored.ended = error.what
        except KeyboardInterrupt:
            self.explored.ended, self.explored.interrupted = "interrupted", True
        except httpx.TimeoutException as error:
            self._did_not_answer(error)
        self._keep_what_is_under_way()
        return self.explored

    def _round(self, kind: Kind, how: Drawn, seed: int) -> None:
        """Carry out one round of sequences of a kind; after a difference go on with another seed."""
        self._search = Search(kind, how, lambda operations: self._try(kind, operations), shrinking=SHRINKING)
        self._search.run(seed=seed, sequences=ROUND)
        self._keep_what_is_under_way()

    def _try(self, kind: Kind, operations: Operations) -> Outcome:
        if self._is_over():
            raise _Over
        self._under_way = kind, operations
        outcome = self._attempt(kind, operations)
        self._under_way = None
        self.explored.sequences += 1
        self.explored.operations += len(outcome.steps)
        self._tidy()
        if outcome.failure is not None and signature(outcome) in self._met:
            return Outcome(outcome.steps)
        return outcome

    def _is_over(self) -> bool:
        """Return whether the bounds are met; what was found just before is still made shorter."""
        bounds = self._bounds
        if self._search is not None and self._search.found is not None:
            return False
        if bounds.seconds is not None and time.monotonic() - self._began >= bounds.seconds:
            return True
        return bounds.operations is not None and self.explored.operations >= bounds.operations

    def _keep_what_is_under_way(self) -> None:
        """Keep and tell what the round has found, if anything."""
        search, self._search = self._search, None
        if search is None or search.found is None:
            return
        found, kind = search.found, search.kind
        self._met.add(signature(found.outcome))
        about = {"seed": self._seed, "finding": len(self.explored.differences) + 1}
        path = Kept(kind=kind, operations=found.operations, about=about).keep(self._folder)
        self.explored.differences.append(Difference(kind, found, path))
        self._say("\n".join([f"difference {about['finding']} ({kind.name}), {path}", *described(found, self._curl)]))

    def _did_not_answer(self, error: httpx.TimeoutException) -> None:
        """Keep the sequence at which a server did not answer; no further one is sent to it."""
        self.explored.silent = True
        self.explored.ended = f"no answer came ({type(error).__name__})"
        if self._under_way is not None:
            kind, operations = self._under_way
            path = Kept(kind=kind, operations=operations, about={"seed": self._seed, "finding": 99}).keep(self._folder)
            self.explored.ended += f"; the sequence is kept in {path}"


def signature(outcome: Outcome) -> tuple[str, ...]:
    """Return what two failures have in common that show the same: the operation, and the place that differs first."""
    failure = outcome.failure
    assert failure is not None and failure.differences, "it failed"
    first = failure.differences[0]
    place = re.sub(r"\[(\d+|'.*'|\".*\")\]", "[]", first.where)
    words = "" if first.where else f"{failure.status} {first.expected}"
    return failure.operation.do, place, words
