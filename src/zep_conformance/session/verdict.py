"""The end of a run: what fails it (by level, by deviation, by a baseline), its verdict, report and last lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zep_conformance import __version__
from zep_conformance.facts.deviations import Deviation
from zep_conformance.facts.requirements import Requirement
from zep_conformance.report import document, terminal
from zep_conformance.report.basis import Basis, Checked, by_reason
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import AS_FAR_AS_ASKED, CONFORMS, COULD_NOT_TELL, DOES_NOT_CONFORM, TELLING, Record
from zep_conformance.report.reading import Report
from zep_conformance.session.baseline import BaselineComparison, compare

_SETTLED = frozenset({0, 1, 5})
"""pytest's exit statuses of a run that came to its end: all passed, some failed, nothing was collected."""
_USAGE_ERROR = 4
_INTERRUPTED = "the run was interrupted"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What fails a run. fail_on: must, should or deviation, as `--fail-on` takes it.

    must: ids of the requirements of level MUST. strict_deviations: whether a known deviation that is fixed fails it.
    accepted: ids of the deviations that never fail it. deviations: by id, those that there are.
    required: ids of the requirements without which it can't tell. require: how they were asked for.
    """

    fail_on: str = "should"
    strict_deviations: bool = False
    must: Collection[str] = ()
    accepted: Collection[str] = ()
    deviations: Mapping[str, Deviation] = field(default_factory=dict)
    require: str = ""
    required: Collection[str] = ()
    baseline: Report | None = None

    def fails(self, record: Record) -> bool:
        """Return whether a record fails the run by itself, whatever the baseline pardons.

        With fail_on "must" a failed scenario counts when it checks a requirement of that level.
        """
        if record.outcome == "failed":
            return self.fail_on != "must" or any(one in self.must for one in record.requirements)
        if record.outcome == "deviation":
            return self.fail_on == "deviation" and record.deviation not in self.accepted
        return record.fixed and self.strict_deviations

    def verdict(
        self, records: Iterable[Record], observations: Observations, basis: Basis, *, settled: bool = True
    ) -> Verdict:
        """Return what these records come to. basis: what they say, and leave out, of all requirements.

        settled: False when the run was interrupted, so that it has not seen everything: it may say "does not conform"
        then, never "conforms".
        """
        found = list(records)
        by_itself = [record for record in found if self.fails(record)]
        ids = {record.nodeid for record in by_itself}
        comparison = compare(self.baseline, found, ids, observations) if self.baseline else None
        pardoned = comparison.pardoned if comparison else frozenset[str]()
        failing = [record for record in by_itself if record.nodeid not in pardoned]
        outcomes = {record.outcome for record in found}
        unmet = basis.unmet(self.required)
        certain = not observations.troubles and settled and not outcomes & {"error", "not run"} and not unmet
        code = 1 if failing else 0 if certain and outcomes & TELLING else 2
        if code == 0 and not by_itself:
            name = CONFORMS if basis.is_whole else AS_FAR_AS_ASKED
        else:
            # What failed in the baseline already is pardoned, and is no less of a failure for it.
            name = COULD_NOT_TELL if code == 2 else DOES_NOT_CONFORM
        return Verdict(
            gate=self,
            code=code,
            name=name,
            basis=basis,
            unmet=unmet,
            failing=failing,
            uncounted=[record for record in found if record.outcome == "failed" and record.nodeid not in ids],
            shown={record.deviation for record in found},
            repeated=[record for record in found if record.repeated],
            comparison=comparison,
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a run comes to. code: the exit code; 0: conforms, 1: does not, 2: could not tell.

    name: one of outcomes.VERDICTS, what the deployment is said to do. basis: what that rests on. unmet: what --require
    names and could not be checked. failing: what fails the run. uncounted: what failed and does not count: it checks
    nothing that MUST be. repeated: what was carried out once more. shown: the deviations that scenarios have shown.
    """

    gate: Gate
    code: int
    name: str
    basis: Basis
    unmet: list[Checked]
    failing: list[Record]
    uncounted: list[Record]
    repeated: list[Record]
    shown: set[str | None]
    comparison: BaselineComparison | None

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        return {
            "fail_on": self.gate.fail_on,
            "strict_deviations": self.gate.strict_deviations,
            "accepted": sorted(self.gate.accepted),
            "require": self.gate.require,
            "unmet": [{"id": one.requirement.id, "why": one.why} for one in self.unmet],
            "failing": [record.nodeid for record in self.failing],
            "uncounted": [record.nodeid for record in self.uncounted],
            "baseline": self.comparison.as_json() if self.comparison else None,
        }

    def remarks(self) -> Iterator[str]:
        """Yield what there is to say before the verdict, a line each."""
        for record in self.uncounted:
            yield f"failed, and does not count with --fail-on must: {record.name} ({', '.join(record.requirements)})"
        if self.gate.fail_on == "deviation" and any(record.outcome == "deviation" for record in self.failing):
            yield "known deviations fail this run, as --fail-on deviation says"
        shown = {record.deviation for record in self.failing if record.outcome == "failed"}
        for deviation in (one for one in self.gate.deviations.values() if one.id in shown):
            yield f"{deviation.id} fails this run: {deviation.what}"
            yield f"  what mends it: {deviation.mended_by}; or --accept {deviation.id}"
        if self.repeated:
            # Each deviation is named once.
            known = {record.repeated.partition(":")[0] for record in self.repeated} - self.shown
            because = f"Zep was frozen{''.join(f' ({one})' for one in sorted(known))}"
            yield f"carried out once more, since {because}: {', '.join(record.name for record in self.repeated)}"
        if self.comparison is not None:
            yield from self.comparison.lines()
        for why, ids in by_reason(self.unmet):
            yield f"--require {self.gate.require}, and not checked: {ids} ({why})"
        unchecked = [] if self.basis.is_empty else self.basis.unchecked()
        for why, ids in by_reason(one for one in unchecked if one not in self.unmet):
            yield f"MUST not checked: {ids} ({why.partition(': ')[0]})"

    def __str__(self) -> str:
        excused = self.code == 0 and self.name == DOES_NOT_CONFORM
        return (
            f"{self.name}{', but no worse than the baseline' if excused else ''}: {self.basis} (exit code {self.code})"
        )


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What a run comes to. exit_code: of the process. report: conformance.json."""

    exit_code: int
    verdict: Verdict
    report: dict[str, Any]
    records: Collection[Record]
    observations: Observations

    def is_whole(self, *, interrupted: bool) -> bool:
        """Return whether its reports may replace those of any other run. interrupted: whether somebody ended it."""
        return self.verdict.name != COULD_NOT_TELL and not interrupted

    def lines(self, where: str) -> Iterator[str]:
        """Yield what is said of it in a terminal. where: the reports are, in words."""
        if merged := self.report.get("merged"):
            yield document.merging_in_words(merged)
        yield from terminal.conclusion(
            self.records, self.observations, remarks=self.verdict.remarks(), verdict=str(self.verdict), reports=where
        )


def conclude(
    records: Collection[Record],
    observations: Observations,
    gate: Gate,
    *,
    requirements: Mapping[str, Requirement],
    exit_status: int,
    seed: int,
    prefix: str,
    started: datetime,
    duration: float,
    settings: Mapping[str, str] | None = None,
    merged: Mapping[str, Any] | None = None,
) -> Conclusion:
    """Return what a run comes to. exit_status: pytest's own. prefix: of the names of all that was made.

    duration: seconds. Words that pytest does not understand end the process with pytest's own status.
    """
    found = [*records, *_not_run({record.nodeid for record in records}, observations)]
    basis = Basis.of(found, observations, requirements)
    verdict = gate.verdict(found, observations, basis, settled=exit_status in _SETTLED)
    return Conclusion(
        exit_code=exit_status if exit_status == _USAGE_ERROR else verdict.code,
        verdict=verdict,
        report=document.document(
            found,
            basis,
            observations=observations,
            version=__version__,
            seed=seed,
            prefix=prefix,
            started=started,
            duration=duration,
            exit_code=verdict.code,
            verdict=verdict.name,
            gate=verdict.as_json(),
            settings=settings,
            merged=merged,
        ),
        records=found,
        observations=observations,
    )


def _not_run(ran: Collection[str], observations: Observations) -> Iterator[Record]:
    """Yield a record of each scenario that was selected and has none, since the run ended before its turn."""
    why = observations.ended[0] if observations.ended else _INTERRUPTED
    for nodeid, scenario in observations.scenarios.items():
        if scenario.selected and nodeid not in ran:
            yield Record(
                name=scenario.name,
                feature=scenario.feature,
                line=scenario.line,
                nodeid=nodeid,
                requirements=scenario.requirements,
                outcome="not run",
                duration=0.0,
                reason=why,
            )
