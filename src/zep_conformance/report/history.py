"""What the kept runs came to, one after the other, and which scenarios changed their outcome where nothing else did.

Only runs of the same target, versions, mutations and recorded behaviours are put beside each other. A scenario is flaky
where it came to different outcomes in them; its rate is how often it changed from one run that it said something in to
the next, of the times that it could have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.report.folder import REPORT, runs
from zep_conformance.report.outcomes import OUTCOMES, TELLING
from zep_conformance.report.reading import Report, read
from zep_conformance.report.tables import BETTER, PLAIN, WORSE, Page, Row, Table

_ASKED = ("mutations", "recorded-behaviours")
"""The settings with which the same target is another one."""


@dataclass(frozen=True, kw_only=True)
class Flaky:
    """A scenario that changed its outcome. outcomes: of the runs in which it said something, the oldest first."""

    nodeid: str
    name: str
    requirements: tuple[str, ...]
    outcomes: tuple[str, ...]

    @property
    def changes(self) -> int:
        """Return how often it changed from one run to the next."""
        return sum(one != other for one, other in pairwise(self.outcomes))

    @property
    def rate(self) -> float:
        """Return that of the times that it could have."""
        return self.changes / (len(self.outcomes) - 1)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "nodeid": self.nodeid,
            "name": self.name,
            "requirements": list(self.requirements),
            "outcomes": list(self.outcomes),
            "changes": self.changes,
            "rate": round(self.rate, 4),
        }


@dataclass(frozen=True, kw_only=True)
class Series:
    """Runs of the same target and versions, the oldest first. about: both in words."""

    about: str
    reports: Sequence[Report]

    def flaky(self) -> list[Flaky]:
        """Return the scenarios that changed their outcome, those that did so most often first."""
        found = []
        for nodeid in dict.fromkeys(nodeid for report in self.reports for nodeid in report.scenarios):
            seen = [report.scenarios[nodeid] for report in self.reports if _ran(report, nodeid)]
            outcomes = tuple(one.outcome for one in seen if one.outcome in TELLING)
            if len(set(outcomes)) > 1:
                last = seen[-1]
                found.append(Flaky(nodeid=nodeid, name=last.name, requirements=last.requirements, outcomes=outcomes))
        return sorted(found, key=lambda one: (-one.rate, one.nodeid))


@dataclass(frozen=True, kw_only=True)
class History:
    """Every run of a folder. unreadable: the runs whose report can't be read, and why."""

    series: Sequence[Series]
    unreadable: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "series": [
                {
                    "about": one.about,
                    "runs": [_run(report) for report in one.reports],
                    "flaky": [flaky.as_json() for flaky in one.flaky()],
                }
                for one in self.series
            ],
            "unreadable": list(self.unreadable),
        }


def history(folder: Path) -> History:
    """Return what the runs that are kept in a folder came to. Raises CannotTell where there is none to be read."""
    series: dict[str, list[Report]] = {}
    unreadable = []
    for run in runs(folder):
        try:
            report = read(run / REPORT)
        except CannotTell as error:
            unreadable.append(error.what)
        else:
            series.setdefault(_about(report), []).append(report)
    if not series:
        what = f"no run that can be read is kept in {folder}/"
        raise CannotTell(what, "Give the folder of `zep-conformance run --reports`.", code="report-unreadable")
    return History(
        series=[Series(about=about, reports=reports) for about, reports in series.items()], unreadable=unreadable
    )


def _ran(report: Report, nodeid: str) -> bool:
    """Return whether a scenario is of that run, and not of the one that it was merged with."""
    merged = report.document.get("merged")
    return nodeid in report.scenarios and (not merged or nodeid in merged["again"])


def _about(report: Report) -> str:
    versions = [f"{name} {version}" for name, version in sorted(report.parts.items())]
    given = report.document.get("settings") or {}
    asked = [f"--{name} {given[name]}" for name in _ASKED if given.get(name)]
    return ", ".join([report.target or "no target", *versions, *asked])


def _run(report: Report) -> dict[str, Any]:
    return {
        "run": report.name,
        "started": report.started,
        "verdict": report.verdict,
        "merged": bool(report.document.get("merged")),
        "outcomes": _counts(report),
        "p95": {name: figures.get("p95") for name, figures in _figures(report).items()},
    }


def _counts(report: Report) -> dict[str, int]:
    found = [one.outcome for one in report.scenarios.values()]
    return {outcome: found.count(outcome) for outcome in OUTCOMES if outcome in found}


def _figures(report: Report) -> dict[str, Mapping[str, float]]:
    return {name: figures for one in report.scenarios.values() for name, figures in one.measurements.items()}


def page(found: History) -> Page:
    """Return a history for people: what is flaky first."""
    flaky, tables = [], []
    for one in found.series:
        flaky += [
            Row(
                cells=(
                    f"{each.changes} of {len(each.outcomes) - 1}",
                    f"{each.name} ({', '.join(each.requirements)}); {one.about}",
                    ", ".join(f"{count} {name}" for name, count in _tally(each.outcomes).items()),
                ),
                mark=WORSE,
            )
            for each in one.flaky()
        ]
        tables.append(_table(one))
    if flaky:
        head = ("changed", "scenario", "outcomes")
        tables.insert(0, Table(title="Flaky scenarios", head=head, rows=flaky, narrow=frozenset({0})))
    count = sum(len(one.reports) for one in found.series)
    title = f"{count} run{'s' * (count != 1)}, {len(flaky) or 'no'} flaky scenario{'s' * (len(flaky) != 1)}"
    legend = ["p95 in milliseconds, of each latency that was measured"] if any(map(_measured, found.series)) else []
    return Page(title=title, lines=[f"can't be read: {why}" for why in found.unreadable], tables=tables, legend=legend)


def _tally(outcomes: Sequence[str]) -> dict[str, int]:
    return {name: outcomes.count(name) for name in OUTCOMES if name in outcomes}


def _measured(series: Series) -> list[str]:
    return list(dict.fromkeys(name for report in series.reports for name in _figures(report)))


def _table(series: Series) -> Table:
    names = _measured(series)
    rows = []
    for report in series.reports:
        figures = _figures(report)
        counts = ", ".join(f"{count} {outcome}" for outcome, count in _counts(report).items())
        latencies = [f"{figures[name].get('p95', 0):g}" if name in figures else "" for name in names]
        mark = {"does not conform": WORSE, "could not tell": PLAIN}.get(report.verdict, BETTER)
        rows.append(Row(cells=(_when(report), _verdict(report), counts, *latencies), mark=mark))
    head = ("began", "verdict", "scenarios", *names)
    return Table(title=series.about, head=head, rows=rows, narrow=frozenset({0}))


def _verdict(report: Report) -> str:
    return f"{report.verdict}{' (merged)' if report.document.get('merged') else ''}"


def _when(report: Report) -> str:
    return report.started[:19].replace("T", " ")
