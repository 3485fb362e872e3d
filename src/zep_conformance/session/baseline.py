"""A baseline: an earlier report that a run is compared with, so that only what got worse fails it.

A scenario got worse when it fails now and did not then: it passed, deviated, was skipped, or broke for a reason of
its own. It is known when it failed then too, and better when it is less of a failure now. One that the baseline does
not have is measured by its requirements.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.report.document import FORMAT
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import COULD_NOT_TELL, OUTCOMES, TELLING, Record

_SEVERITY = {"failed": 2, "deviation": 1}
"""How much of a failure an outcome is; 0 for all others."""
KINDS = ("worse", "known", "better", "unchecked")
"""Kinds of change. What is unchecked passed, failed or deviated then and was skipped or not run now."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What an earlier run came to. scenarios: outcome by node id. requirements: outcome by id.

    fixed: node ids of scenarios whose known deviation was fixed by then. parts: version by name.
    """

    path: Path
    started: str
    verdict: str
    target: str
    parts: Mapping[str, str]
    scenarios: Mapping[str, str]
    requirements: Mapping[str, str]
    fixed: frozenset[str] = frozenset()

    def then(self, record: Record) -> str:
        """Return a scenario's outcome then; its requirements' where it is new, skipped where those are new too.

        A new scenario was not looked at then, so that a failure of its is excused only where all its requirements
        failed already.
        """
        if record.nodeid in self.scenarios:
            return self.scenarios[record.nodeid]
        found = [self.requirements.get(identifier, "skipped") for identifier in record.requirements]
        return min(found, key=_severity, default="skipped")


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

    baseline: Baseline
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


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in a file. Raises CannotTell when it can't be read, or is no report of this form."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotTell(
            f"--baseline: {path} can't be read: {error.strerror}",
            "Give the conformance.json of an earlier run, or leave the option out.",
            code="report-unreadable",
        ) from None
    except (ValueError, RecursionError):
        raise _foreign(path, "is not JSON") from None
    tool = found.get("tool") if isinstance(found, dict) else None
    if not isinstance(tool, dict) or tool.get("name") != "zep-conformance":
        raise _foreign(path, "is no report of zep-conformance")
    if found.get("format") not in range(1, FORMAT + 1):
        raise _foreign(path, f"has format {found.get('format')!r}, and this version reads 1 to {FORMAT}")
    try:
        return _understood(path, found)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _foreign(path, f"is damaged ({type(error).__name__}: {error})") from None


def _foreign(path: Path, why: str) -> CannotTell:
    advice = "Give the conformance.json that an earlier `zep-conformance run` wrote."
    return CannotTell(f"--baseline: {path} {why}", advice, code="report-unreadable")


def _understood(path: Path, found: Mapping[str, Any]) -> Baseline:
    scenarios: dict[str, str] = {}
    fixed = set()
    for requirement in found["requirements"]:
        for scenario in requirement["scenarios"]:
            scenarios[str(scenario["nodeid"])] = _outcome(scenario["outcome"])
            if scenario["mended"]:
                fixed.add(str(scenario["nodeid"]))
    target = found["target"] or {}
    return Baseline(
        path=path,
        started=str(found["started"]),
        verdict=str(found["verdict"]),
        target=str(target.get("name") or ""),
        parts={str(name): str(part["version"]) for name, part in found["parts"].items() if "version" in part},
        scenarios=scenarios,
        requirements={str(one["id"]): _outcome(one["outcome"]) for one in found["requirements"]},
        fixed=frozenset(fixed),
    )


def _outcome(found: object) -> str:
    if found not in OUTCOMES:
        raise ValueError(f"no outcome {found!r}")
    return str(found)


def _severity(outcome: str) -> int:
    return _SEVERITY.get(outcome, 0)


def compare(
    baseline: Baseline, records: Iterable[Record], failing: Collection[str], observations: Observations
) -> BaselineComparison:
    """Return a run beside a baseline. failing: node ids of the records that fail the run by themselves."""
    comparison = BaselineComparison(baseline, list(_differences(baseline, observations)))
    for record in sorted(records, key=lambda record: record.nodeid):
        then = baseline.then(record)
        if kind := _kind(baseline, record, then, fails=record.nodeid in failing):
            comparison.changes[kind].append(Change(record, then))
    return comparison


def _kind(baseline: Baseline, record: Record, then: str, *, fails: bool) -> str:
    """Return what has become of a scenario, one of `KINDS`; "" where nothing is to be said of it."""
    gain = _severity(then) - _severity(record.outcome)
    if fails and record.fixed:
        # A strict run fails on what is fixed; the baseline need not list it as a deviation any more.
        return "known" if record.nodeid in baseline.fixed else "worse"
    if fails:
        return "worse" if gain < 0 else "known"
    if record.nodeid not in baseline.scenarios or record.outcome == "error":
        return ""
    if record.outcome not in TELLING:
        return "unchecked" if then in TELLING else ""
    return "better" if gain > 0 else ""


def _differences(baseline: Baseline, observations: Observations) -> Iterator[str]:
    target = observations.target.name if observations.target is not None else ""
    if target and baseline.target and target != baseline.target:
        yield f"target {baseline.target} then, {target} now"
    now = {name: part.version for name, part in observations.parts.items()}
    for name in sorted({*now, *baseline.parts}) if now else ():
        if now.get(name) != baseline.parts.get(name):
            yield f"{name} {baseline.parts.get(name, 'absent')} then, {now.get(name, 'absent')} now"
    if baseline.verdict == COULD_NOT_TELL:
        yield "that run could not tell anything"
