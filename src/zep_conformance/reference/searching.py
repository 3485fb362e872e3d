"""Searching for a sequence at which a server differs from the model: drawn by Hypothesis, from a seed, and shrunk."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zep_conformance.reference.carrying import Outcome
from zep_conformance.reference.operations import Drawn, Kind, Operation
from zep_conformance.reference.shrinking import shrunk
from zep_conformance.settings.sources import cache

SHRINKING = 30.0
"""Seconds in which what was found is made shorter, at most."""

Operations = Sequence[Operation[Any]]
Try = Callable[[Operations], Outcome]
"""Carries a sequence out under names of its own."""


@dataclass(frozen=True)
class Found:
    """A sequence that fails, as short as it was made, and what came of it."""

    operations: Operations
    outcome: Outcome


class _Enough(Exception):
    """Shrinking has taken its time."""


class _Ended(BaseException):
    """Something went wrong that is no difference. It ends Hypothesis at once, as Ctrl-C does."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Search:
    """Draws sequences and carries them out until one fails, which is then made shorter.

    attempt: carries one out. shrinking: seconds for that, at most. found: what failed so far, as short as it is by now.
    """

    def __init__(self, kind: Kind, how: Drawn, attempt: Try, *, shrinking: float = SHRINKING) -> None:
        self.kind, self._how, self._attempt, self._shrinking = kind, how, attempt, shrinking
        self._since = 0.0
        self.found: Found | None = None
        self._known: dict[str, bool] = {}
        self._sought: tuple[Any, ...] | None = None

    def run(self, *, seed: int, sequences: int) -> Found | None:
        """Try so many sequences at most; return the one that fails, None where none does.

        seed: the same draws the same. Raises what `attempt` raises.
        """
        from hypothesis import HealthCheck, Phase, find, settings
        from hypothesis.errors import HypothesisException, NoSuchExample

        bounded = settings(
            max_examples=2,  # the first is the least there is: nothing
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        drawn = self.kind.sequences(self._how)
        with _only_seeded():
            # One by one: of what it has drawn once Hypothesis would draw variations.
            for number in range(sequences):
                chance = random.Random(f"{seed}/{self.kind.name}/{number}")
                try:
                    find(drawn, self._drawn_fails, settings=bounded, random=chance)
                    break
                except NoSuchExample:
                    continue
                except _Ended as ended:
                    raise ended.error from None
                except HypothesisException:
                    # A server that does not do the same twice: what was found stands.
                    if self.found is None:
                        raise
                    break
        self.shrink()
        return self.found

    def shrink(self) -> None:
        """Make what was found shorter, for as long as that may take."""
        if self.found is None:
            return
        self._since, self._sought = time.monotonic(), _kind_of_failure(self.found.outcome)
        with contextlib.suppress(_Enough):
            shrunk([one.as_json() for one in self.found.operations], self._document_fails)

    def _drawn_fails(self, operations: list[Operation[Any]]) -> bool:
        try:
            return self._fails(operations)
        except Exception as error:
            raise _Ended(error) from error

    def _document_fails(self, document: list[Any]) -> bool:
        if time.monotonic() - self._since > self._shrinking:
            raise _Enough
        try:
            operations = self.kind.read(document)
        except ValueError:
            return False  # made so simple that it is no sequence
        return all(self.kind.draws(one, self._how) for one in operations) and self._fails(operations)

    def _fails(self, operations: list[Operation[Any]]) -> bool:
        key = json.dumps([one.as_json() for one in operations], sort_keys=True)
        if not operations or key in self._known:
            return self._known.get(key, False)
        outcome = self._attempt(operations)
        fails = outcome.failure is not None and self._sought in (None, _kind_of_failure(outcome))
        self._known[key] = fails
        if not fails:
            return False
        begun = operations[: outcome.begun]
        if self.found is None or _size(begun) <= _size(self.found.operations):
            self.found = Found(begun, outcome)
        return True


def _kind_of_failure(outcome: Outcome) -> tuple[Any, ...] | None:
    """Return what two failures have in common that may be the same: a wrong status of an operation, or a wrong body."""
    step = outcome.failure
    if step is None:
        return None
    wrong_status = any(not one.where and one.expected.startswith("status ") for one in step.differences)
    return (step.operation.do, step.status) if wrong_status else ()


def _size(operations: Operations) -> tuple[int, int]:
    """Return how long a sequence is: by operations, then by what they carry."""
    return len(operations), len(str(operations))


@contextmanager
def _only_seeded() -> Iterator[None]:
    """Let Hypothesis draw from the seed alone, and keep what it keeps in our cache.

    It mixes constants of the user's own modules in, of those that happen to be imported: another selection of scenarios
    would draw other sequences from the same seed.
    """
    from hypothesis import configuration
    from hypothesis.internal.conjecture import providers

    configuration.set_hypothesis_home_dir(cache() / "hypothesis")
    local = getattr(providers, "_get_local_constants", None)
    if local is None:
        yield
        return
    none = type(providers._local_constants)()
    providers._get_local_constants = lambda: none
    try:
        yield
    finally:
        providers._get_local_constants = local
