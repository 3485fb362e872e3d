"""Searching for a sequence at which a server differs from the model: drawn and shrunk by Hypothesis, from a seed."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zep_conformance.reference.carrying import Outcome
from zep_conformance.reference.operations import Drawn, Kind, Operation
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


class _Enough(BaseException):
    """Shrinking has taken its time. It ends Hypothesis at once, as Ctrl-C does."""


class _Ended(BaseException):
    """Something went wrong that is no difference: no further sequence is tried."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Search:
    """Draws sequences and carries them out until one fails, which is then shrunk.

    attempt: carries one out. shrinking: seconds for that, at most. found: what failed so far, as short as it is by now.
    """

    def __init__(self, kind: Kind, how: Drawn, attempt: Try, *, shrinking: float = SHRINKING) -> None:
        self.kind, self._how, self._attempt, self._shrinking = kind, how, attempt, shrinking
        self._since = 0.0
        self.found: Found | None = None
        self._failing: set[tuple[str, ...]] = set()
        self._passing: set[tuple[str, ...]] = set()

    def run(self, *, seed: int, sequences: int) -> Found | None:
        """Try so many sequences at most; return the one that fails, None where none does.

        seed: the same draws the same. Raises what `attempt` raises.
        """
        from hypothesis import HealthCheck, Phase, settings
        from hypothesis import find as hypothesis_find
        from hypothesis.errors import HypothesisException, NoSuchExample

        bounded = settings(
            max_examples=sequences + 1,  # the first is the least there is
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        drawn = self.kind.sequences(self._how)
        with _only_seeded():
            try:
                hypothesis_find(drawn, self._fails, settings=bounded, random=random.Random(seed))
            except NoSuchExample:
                pass
            except _Ended as ended:
                raise ended.error from None
            except (_Enough, HypothesisException):
                # Enough, or a server that does not do the same twice: what was found stands.
                if self.found is None:
                    raise
        return self.found

    def _fails(self, operations: list[Operation[Any]]) -> bool:
        if self.found is not None and time.monotonic() - self._since > self._shrinking:
            raise _Enough
        key = tuple(json.dumps(one.as_json(), sort_keys=True) for one in operations)
        # Many drawings are the same sequence, or begin with one that fails.
        if any(key[:length] in self._failing for length in range(1, len(key) + 1)):
            return True
        if not key or key in self._passing:
            return False
        try:
            outcome = self._attempt(operations)
        except Exception as error:
            raise _Ended(error) from error
        if outcome.failure is None:
            self._passing.add(key)
            return False
        begun = operations[: outcome.begun]
        self._failing.add(key[: outcome.begun])
        if self.found is None:
            self._since = time.monotonic()
        if self.found is None or _size(begun) <= _size(self.found.operations):
            self.found = Found(begun, outcome)
        return True


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
