"""Outcomes: what one scenario's run means, and what a whole run may mean.

passed, failed, skipped and deviation speak of the deployment; an error says that the harness broke, so that the
scenario says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OUTCOMES = ("passed", "failed", "skipped", "deviation", "error")
WORST_FIRST = ("failed", "error", "deviation", "passed", "skipped")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One scenario's outcome.

    duration: seconds. reason: why it failed, was skipped or deviates. fixed: a known deviation that passed.
    measurements: named figures, milliseconds.
    """

    name: str
    feature: str
    nodeid: str
    requirements: tuple[str, ...]
    outcome: str
    duration: float
    reason: str = ""
    deviation: str | None = None
    fixed: bool = False
    measurements: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON, to be sent by a worker."""
        return asdict(self) | {"requirements": list(self.requirements)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Record:
        """Return the record that `as_json` gave."""
        return cls(**{**found, "requirements": tuple(found["requirements"])})


def worst(outcomes: Iterable[str]) -> str:
    """Return the outcome of a requirement from those of its scenarios; skipped where none ran."""
    present = set(outcomes)
    return next((outcome for outcome in WORST_FIRST if outcome in present), "skipped")


VERDICTS = {0: "conforms", 1: "does not conform", 2: "could not tell"}
