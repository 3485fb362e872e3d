"""Outcomes: what one scenario's run means, and what a whole run may mean.

passed, failed, skipped and deviation speak of the deployment; an error says that the harness broke, so that the
scenario says nothing. A scenario that was asked for is not run when the run ends before it was its turn, or was over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from zep_conformance.report.evidence import Evidence

OUTCOMES = ("passed", "failed", "skipped", "deviation", "error", "not run")
WORST_FIRST = ("failed", "error", "deviation", "passed", "skipped", "not run")
TELLING = frozenset({"passed", "failed", "deviation"})
"""The outcomes of scenarios that ran to their end: only these say what the deployment does."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One scenario's outcome.

    feature: the path of its file. line: in that, 0 where it is not known. started: when, as ISO 8601 has it; "" where
    it was not. duration: seconds. steps: as `evidence.Step.as_json` gives them. reason: why it failed, was skipped, was
    not run or deviates. fixed: a deviation that passed.
    measurements: named figures, milliseconds. samples: what they are of, by the same names. repeated: why it was
    carried out once more, "" where it was not. evidence: where it says that something is wrong.
    """

    name: str
    feature: str
    nodeid: str
    requirements: tuple[str, ...]
    outcome: str
    duration: float
    line: int = 0
    started: str = ""
    steps: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""
    deviation: str | None = None
    fixed: bool = False
    repeated: str = ""
    measurements: Mapping[str, Any] = field(default_factory=dict)
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    evidence: Evidence | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON, to be sent by a worker."""
        evidence = None if self.evidence is None else self.evidence.as_json()
        lists = {"requirements": list(self.requirements), "steps": list(self.steps)}
        return asdict(replace(self, evidence=None, steps=())) | lists | {"evidence": evidence}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Record:
        """Return the record that `as_json` gave."""
        evidence = found["evidence"] and Evidence.from_json(found["evidence"])
        tuples = {name: tuple(found[name]) for name in ("requirements", "steps")}
        return cls(**{**found, **tuples, "evidence": evidence})


def worst(outcomes: Iterable[str]) -> str:
    """Return the outcome of a requirement from those of its scenarios; not run where there are none."""
    present = set(outcomes)
    return next((outcome for outcome in WORST_FIRST if outcome in present), "not run")


CONFORMS, AS_FAR_AS_ASKED = "conforms", "conforms as far as asked"
"""What is said where nothing fails the run: every requirement was checked, or some were not, or in part."""
DOES_NOT_CONFORM, COULD_NOT_TELL = "does not conform", "could not tell"
VERDICTS = (CONFORMS, AS_FAR_AS_ASKED, DOES_NOT_CONFORM, COULD_NOT_TELL)
