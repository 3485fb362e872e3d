"""Outcomes: what one scenario's run means, and what a whole run means.

passed, failed, skipped and deviation speak of the deployment; an error says that the harness broke, so that the
scenario says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OUTCOMES = ("passed", "failed", "skipped", "deviation", "error")
FAIL_ON = ("must", "should", "deviation")
"""What fails a run: failures of what MUST be, any failure, or known deviations too."""
_WORST_FIRST = ("failed", "error", "deviation", "passed", "skipped")


@dataclass(frozen=True)
class Record:
    """One scenario's outcome.

    duration: seconds. reason: why it failed, was skipped or deviates. mended: a known deviation that passed.
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
    mended: bool = False
    measurements: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The record as JSON, to be sent by a worker."""
        return asdict(self) | {"requirements": list(self.requirements)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Record:
        """The record that `as_json` gave."""
        return cls(**{**found, "requirements": tuple(found["requirements"])})


def worst(outcomes: Iterable[str]) -> str:
    """The outcome of a requirement from those of its scenarios; skipped where none ran."""
    present = set(outcomes)
    return next((outcome for outcome in _WORST_FIRST if outcome in present), "skipped")


def failing(
    records: Iterable[Record],
    strict_deviations: bool = False,
    fail_on: str = "should",
    must: Collection[str] = (),
) -> list[Record]:
    """The records that fail a run.

    strict_deviations: a known deviation that is mended does. fail_on: one of FAIL_ON. must: the ids of requirements
    of level MUST; with fail_on "must" a failed scenario counts when it checks one of them.
    """
    return [
        record
        for record in records
        if (record.outcome == "failed" and (fail_on != "must" or any(one in must for one in record.requirements)))
        or (record.outcome == "deviation" and fail_on == "deviation")
        or (record.mended and strict_deviations)
    ]


def exit_code(
    records: Iterable[Record],
    trouble: bool,
    strict_deviations: bool,
    fail_on: str = "should",
    must: Collection[str] = (),
    pardoned: Collection[str] = (),
) -> int:
    """0: conforms, 1: does not, 2: could not tell.

    Nothing ran, or something broke that is not the deployment's: it could not tell. strict_deviations, fail_on, must:
    see `failing`. pardoned: node ids of what failed in the baseline already; these do not fail this run.
    """
    found = list(records)
    if any(record.nodeid not in pardoned for record in failing(found, strict_deviations, fail_on, must)):
        return 1
    outcomes = {record.outcome for record in found}
    if trouble or "error" in outcomes or not outcomes & {"passed", "failed", "deviation"}:
        return 2
    return 0


VERDICTS = {0: "conforms", 1: "does not conform", 2: "could not tell"}
