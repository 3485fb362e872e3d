"""A baseline: an earlier report that a run is compared with, so that only what got worse fails it.

A scenario got worse when it fails now and did not then: it passed, deviated, was skipped, or broke for a reason of
its own. It is known when it failed then too, and better when it is less of a failure now. One that the baseline does
not have is measured by its requirements.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.report.comparing import circumstances
from zep_conformance.report.folder import REPORT
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import TELLING, Record
from zep_conformance.report.reading import Report, read, severity

KINDS = ("worse", "known", "better", "unchecked")
"""Kinds of change. What is unchecked passed, failed or deviated then and was skipped or not run now."""


@dataclass(frozen=True)
class Change:
    """One scenario's outcome then and now."""

    record: Record
    then: str

    def as_json(self) -> dict[str, Any]:
        """Return the change for the report."""
        record = self.record
        return {
            "name": record.name,
            "nodeid": record.nodeid,
            "requirements": list(record.requirements),
            "then": self.then,
            "now": record.outcome,
        }

    def __str__(self) -> str:
        now = "fixed" if self.record.fixed else self.record.outcome
        return f"{self.record.name} ({', '.join(self.record.requirements)}): {self.then} then, {now} now"


@dataclass(frozen=True)
class BaselineComparison:
    """A run beside its baseline.

    changes: by their kind, one of `KINDS`. differences: what else is not the same, in words: the target, versions.
    """

    baseline: Report
    differences: Sequence[str]
    changes: Mapping[str, list[Change]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    @property
    def pardoned(self) -> frozenset[str]:
        """The node ids of what fails now, but no worse than then."""
        return frozenset(change.record.nodeid for change in self.changes["known"])

    def as_json(self) -> dict[str, Any]:
        """Return the comparison for the report."""
        return {
            "file": str(self.baseline.path),
            "started": self.baseline.started,
            "differences": self.differences,
            **{name: [change.as_json() for change in changes] for name, changes in self.changes.items()},
        }

    def lines(self, most: int = 10) -> Iterator[str]:
        """Yield the comparison in words, a line each; at most so many scenarios of a kind by name."""
        yield f"baseline: the run of {self.baseline.started[:10] or 'an unknown day'}, {self.baseline.path}"
        if self.differences:
            yield f"not the same as then: {'; '.join(self.differences)}"
        for name, changes in self.changes.items():
            for change in changes[:most]:
                yield f"{name}: {change}"
            if len(changes) > most:
                yield f"{name}: {len(changes) - most} more, all in the report"
            elif not changes and name == "worse":
                yield "worse than then: nothing"


def read_baseline(path: Path) -> Report:
    """Return the report in a file. Raises CannotTell when it can't be read, or is no report of this form."""
    return read(path / REPORT if path.is_dir() else path, asked_by="--baseline: ")


def compare(
    baseline: Report, records: Iterable[Record], failing: Collection[str], observations: Observations
) -> BaselineComparison:
    """Return a run beside a baseline. failing: node ids of the records that fail the run by themselves."""
    target = observations.target.name if observations.target is not None else ""
    versions = {name: part.version for name, part in observations.parts.items()}
    comparison = BaselineComparison(baseline, list(circumstances(baseline, target=target, parts=versions)))
    for record in sorted(records, key=lambda record: record.nodeid):
        then = baseline.outcome_of(record.nodeid, record.requirements)
        if kind := _kind(baseline, record, then, fails=record.nodeid in failing):
            comparison.changes[kind].append(Change(record, then))
    return comparison


def _kind(baseline: Report, record: Record, then: str, *, fails: bool) -> str:
    """Return what has become of a scenario, one of `KINDS`; "" where nothing is to be said of it."""
    gain = severity(then) - severity(record.outcome)
    if fails and record.fixed:
        # A strict run fails on what is fixed; the baseline need not list it as a deviation any more.
        before = baseline.scenarios.get(record.nodeid)
        return "known" if before is not None and before.fixed else "worse"
    if fails:
        return "worse" if gain < 0 else "known"
    if record.nodeid not in baseline.scenarios or record.outcome == "error":
        return ""
    if record.outcome not in TELLING:
        return "unchecked" if then in TELLING else ""
    return "better" if gain > 0 else ""
