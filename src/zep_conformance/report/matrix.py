"""Requirements beside reports, such as those of several versions: what came of each in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zep_conformance.report.comparing import ABSENT
from zep_conformance.report.reading import Report
from zep_conformance.report.tables import WORSE, Page, Row, Table

SIGNS: Mapping[str, str] = {
    "passed": "✓", "failed": "✗", "deviation": "d", "skipped": "s", "error": "E", "not run": "n", ABSENT: " ",
}  # fmt: skip
"""What stands for an outcome where there is little room."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One requirement. outcomes: in each of the reports, in their order."""

    id: str
    level: str
    text: str
    outcomes: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Return whether it came to different things."""
        return len(set(self.outcomes)) > 1

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        known = {"id": self.id, "level": self.level, "text": self.text, "outcomes": list(self.outcomes)}
        return known | {"differs": self.differs}


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Requirements beside reports, those that differ first, else as they are documented."""

    reports: Sequence[Report]
    lines: Sequence[Line]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        sides = [
            {"report": str(one.path), "started": one.started, "target": one.target, "parts": dict(one.parts),
             "verdict": one.verdict}
            for one in self.reports
        ]  # fmt: skip
        return {"reports": sides, "requirements": [line.as_json() for line in self.lines]}


def matrix(reports: Sequence[Report]) -> Matrix:
    """Return the requirements of all of these reports beside what came of them."""
    lines = []
    for identifier in dict.fromkeys(name for report in reports for name in report.requirements):
        found = [report.requirements.get(identifier) for report in reports]
        known = next(one for one in reversed(found) if one is not None)
        outcomes = tuple(one.outcome if one is not None else ABSENT for one in found)
        lines.append(Line(id=identifier, level=known.level, text=known.text, outcomes=outcomes))
    return Matrix(reports=reports, lines=sorted(lines, key=lambda line: not line.differs))


def page(found: Matrix, *, signs: bool) -> Page:
    """Return a matrix for people. signs: one character for each outcome, explained, in place of its word."""
    shown = SIGNS if signs else {outcome: "" if outcome == ABSENT else outcome for outcome in SIGNS}
    rows = [
        Row(
            cells=("≠" if line.differs else "", line.id, line.level, *(shown[one] for one in line.outcomes), line.text),
            mark=WORSE if "failed" in line.outcomes else "",
        )
        for line in found.lines
    ]
    numbers = [f"[{number}]" for number in range(1, len(found.reports) + 1)]
    differing = sum(line.differs for line in found.lines)
    lines = [f"{number} {_about(report)}" for number, report in zip(numbers, found.reports, strict=True)]
    legend = ["≠ not the same in all of them"]
    if signs:
        used = {outcome for line in found.lines for outcome in line.outcomes}
        legend.append(", ".join(f"{SIGNS[one]} {one}" for one in SIGNS if one in used and one != ABSENT))
    return Page(
        title=f"{len(found.lines)} requirements, {differing or 'none'} of them not the same everywhere",
        lines=lines,
        tables=[
            Table(
                title="Requirements",
                head=("", "id", "level", *numbers, "requirement"),
                rows=rows,
                narrow=frozenset(range(3 + len(numbers))),
            )
        ],
        legend=legend,
    )


def _about(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report.parts.items()))
    return f"{report.target or 'no target'}{f' ({versions})' if versions else ''}, {report.started}: {report.verdict}"
