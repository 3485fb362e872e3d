"""What a run comes to: its exit code, its verdict, and what it is by its baseline."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zep_conformance.report import outcomes
from zep_conformance.report.outcomes import VERDICTS, Record
from zep_conformance.session.baseline import Baseline, Comparison, compare


@dataclass(frozen=True)
class Gate:
    """What fails a run. fail_on: one of outcomes.FAIL_ON. must: ids of the requirements of level MUST."""

    fail_on: str = "should"
    strict_deviations: bool = False
    must: Collection[str] = ()
    baseline: Baseline | None = None

    def judge(self, records: Iterable[Record], facts: Mapping[str, Any], *, trouble: bool, settled: bool) -> Judgement:
        """What these records come to. facts: what the run found out about its target.

        trouble: something made the run pointless. settled: False when it was interrupted, so that it has not looked
        at everything: it may say "does not conform" then, never "conforms".
        """
        found = list(records)
        failing = outcomes.failing(found, self.strict_deviations, self.fail_on, self.must)
        by_itself = {record.nodeid for record in failing}
        comparison = compare(self.baseline, found, by_itself, facts) if self.baseline else None
        pardoned = comparison.pardoned if comparison else frozenset[str]()
        code = outcomes.exit_code(found, trouble, self.strict_deviations, self.fail_on, self.must, pardoned)
        code = code if settled or code == 1 else 2
        return Judgement(
            self,
            code,
            # What failed in the baseline already is pardoned, and is no less of a failure for it.
            VERDICTS[1] if code == 0 and failing else VERDICTS[code],
            [record for record in failing if record.nodeid not in pardoned],
            [record for record in found if record.outcome == "failed" and record.nodeid not in by_itself],
            comparison,
        )


@dataclass(frozen=True)
class Judgement:
    """What a run comes to. code: the exit code. verdict: one of VERDICTS, what the deployment is said to do.

    failing: what fails the run. uncounted: what failed and does not count: it checks nothing that MUST be.
    """

    gate: Gate
    code: int
    verdict: str
    failing: list[Record]
    uncounted: list[Record]
    comparison: Comparison | None

    def as_json(self) -> dict[str, Any]:
        """The judgement for the report."""
        return {
            "fail_on": self.gate.fail_on,
            "strict_deviations": self.gate.strict_deviations,
            "failing": [record.nodeid for record in self.failing],
            "uncounted": [record.nodeid for record in self.uncounted],
            "baseline": self.comparison.as_json() if self.comparison else None,
        }

    def lines(self) -> Iterator[str]:
        """What there is to say of it before the verdict, a line each."""
        for record in self.uncounted:
            yield f"failed, and does not count with --fail-on must: {record.name} ({', '.join(record.requirements)})"
        if self.gate.fail_on == "deviation" and any(record.outcome == "deviation" for record in self.failing):
            yield "known deviations fail this run, as --fail-on deviation says"
        if self.comparison is not None:
            yield from self.comparison.lines()

    @property
    def said(self) -> str:
        """The verdict with its exit code, in words."""
        excused = self.code == 0 and self.verdict != VERDICTS[0]
        return f"{self.verdict}{', but no worse than the baseline' if excused else ''} (exit code {self.code})"
