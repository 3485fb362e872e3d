"""What two reports differ in: what is better and worse, which deviations came and went, and how long things took.

A scenario is worse where it is more of a failure than it was: failed counts for more than a known deviation, and that
for more than anything else. One that says nothing in one of the reports (it was skipped, was not run, broke, or is not
in it) is neither better nor worse: it fails now and was not checked then, is checked now, or is not checked any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zep_conformance.report import tables as shown
from zep_conformance.report.latencies import FASTER, SLOWER, judged
from zep_conformance.report.outcomes import COULD_NOT_TELL, DOES_NOT_CONFORM, TELLING
from zep_conformance.report.reading import Report, ScenarioRead, severity
from zep_conformance.report.tables import Page, Row, Table

WORSE, BETTER, FAILING, CHECKED, UNCHECKED = "worse", "better", "failing", "checked", "unchecked"
KINDS = {
    WORSE: "worse",
    FAILING: "fails now, and was not checked then",
    BETTER: "better",
    UNCHECKED: "not checked any more",
    CHECKED: "checked now, and not then",
}
"""Kinds of change, in words."""
_OF_THIS_MACHINE = re.compile(r"https?://(127\.|localhost|\[::1\])")
ABSENT = "absent"
"""What stands for the outcome of what a report does not have."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One requirement or scenario that has another outcome. id: of a requirement, or a scenario's node id."""

    kind: str
    id: str
    name: str
    requirements: tuple[str, ...] = ()
    then: str
    now: str
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self) | {"requirements": list(self.requirements)}


@dataclass(frozen=True, kw_only=True)
class LatencyDifference:
    """One kind of latency, in milliseconds. then, now: its figures. judged: what may be said of it, see `latencies`."""

    name: str
    then: Mapping[str, float]
    now: Mapping[str, float]
    judged: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"name": self.name, "then": dict(self.then), "now": dict(self.now), "judged": self.judged}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two reports beside each other. circumstances: what else differs, in words: target, versions, settings."""

    then: Report
    now: Report
    circumstances: list[str]
    requirements: list[Difference]
    scenarios: list[Difference]
    appeared: list[str]
    gone: list[str]
    latencies: list[LatencyDifference]

    @property
    def is_worse(self) -> bool:
        """Return whether any scenario fails, or deviates, that did not. Latencies alone do not make a report worse."""
        return any(one.kind in (WORSE, FAILING) for one in self.scenarios)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing differs, figures of latencies aside that may be chance."""
        slower = any(one.judged in (SLOWER, FASTER) for one in self.latencies)
        return not (self.circumstances or self.requirements or self.scenarios or self.appeared or self.gone or slower)

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as JSON."""
        return {
            "then": _side(self.then),
            "now": _side(self.now),
            "worse": self.is_worse,
            "circumstances": self.circumstances,
            "requirements": [one.as_json() for one in self.requirements],
            "scenarios": [one.as_json() for one in self.scenarios],
            "deviations": {"appeared": self.appeared, "gone": self.gone},
            "latencies": [one.as_json() for one in self.latencies],
        }


def _side(report: Report) -> dict[str, Any]:
    return {
        "report": str(report.path),
        "started": report.started,
        "verdict": report.verdict,
        "target": report.target,
        "parts": dict(report.parts),
    }


def compare(then: Report, now: Report) -> Comparison:
    """Return what differs between two reports."""
    seen = [{one.deviation for one in report.scenarios.values() if shows(one)} for report in (then, now)]
    known = [{name for name in names if name} for names in seen]
    return Comparison(
        then=then,
        now=now,
        circumstances=list(_circumstances(then, now)),
        requirements=list(_requirements(then, now)),
        scenarios=list(_scenarios(then, now)),
        appeared=sorted(known[1] - known[0], key=_number),
        gone=sorted(known[0] - known[1], key=_number),
        latencies=_latencies(then, now),
    )


def shows(scenario: ScenarioRead) -> bool:
    """Return whether a scenario shows the deviation that it names: it deviated, or failed as that does."""
    return scenario.outcome in ("deviation", "failed")


def kind(then: str, now: str) -> str:
    """Return what has become of an outcome, one of KINDS; "" where nothing is to be said of it."""
    if now not in TELLING:
        return UNCHECKED if then in TELLING else ""
    if then not in TELLING:
        return FAILING if now == "failed" else CHECKED
    gain = severity(then) - severity(now)
    return BETTER if gain > 0 else WORSE if gain < 0 else ""


def circumstances(then: Report, *, target: str, parts: Mapping[str, str]) -> Iterator[str]:
    """Yield in words what is another target or version than a report's. parts: version by name; none: not known."""
    if target and then.target and target != then.target:
        yield f"target {then.target} then, {target} now"
    for name in sorted({*parts, *then.parts}) if parts else ():
        if parts.get(name) != then.parts.get(name):
            yield f"{name} {then.parts.get(name, ABSENT)} then, {parts.get(name, ABSENT)} now"
    if then.verdict == COULD_NOT_TELL:
        yield "that run could not tell anything"


def _circumstances(then: Report, now: Report) -> Iterator[str]:
    yield from circumstances(then, target=now.target, parts=now.parts)
    if now.verdict == COULD_NOT_TELL:
        yield "this run could not tell anything"
    before, after = _settings(then.document), _settings(now.document)
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            absent = "not given" if name.startswith("--") else ABSENT
            yield f"{name} {before.get(name, absent)} then, {after.get(name, absent)} now"


def _settings(document: Mapping[str, Any]) -> dict[str, str]:
    """Return by name what else a run was given, or had."""
    tool, gate, capabilities = (document.get(name) or {} for name in ("tool", "gate", "capabilities"))
    found: dict[str, Any] = {"zep-conformance": tool.get("version")}
    found |= {f"--{name.replace('_', '-')}": gate.get(name) for name in ("fail_on", "require", "strict_deviations")}
    found["--accept"] = ",".join(gate.get("accepted") or ())
    given = document.get("settings") or {}
    found |= {f"--{name}": value for name, value in given.items() if name not in ("target", "seed")}
    found["seed"] = document.get("seed")
    for name, part in (document.get("parts") or {}).items():
        found |= {f"{name}'s {what}": part.get(what) for what in ("image", "digest", "program")}
        if not _OF_THIS_MACHINE.match(str(part.get("url"))):  # its port is another each time
            found[f"{name}'s URL"] = part.get("url")
    for name, capability in capabilities.items():
        found[f"capability {name}"] = "offered" if capability.get("offered") else "not offered"
    return {name: str(value) for name, value in found.items() if value not in (None, "", False)}


def _requirements(then: Report, now: Report) -> Iterator[Difference]:
    for identifier in dict.fromkeys((*now.requirements, *then.requirements)):
        before, after = then.requirements.get(identifier), now.requirements.get(identifier)
        outcomes = before.outcome if before else ABSENT, after.outcome if after else ABSENT
        known = after or before
        if known is not None and (of_kind := kind(*outcomes)):
            yield Difference(kind=of_kind, id=identifier, name=known.text, then=outcomes[0], now=outcomes[1])


def _scenarios(then: Report, now: Report) -> Iterator[Difference]:
    for nodeid in sorted({*then.scenarios, *now.scenarios}):
        before, after = then.scenarios.get(nodeid), now.scenarios.get(nodeid)
        outcomes = before.outcome if before else ABSENT, after.outcome if after else ABSENT
        known = after or before
        if known is not None and (of_kind := kind(*outcomes)):
            yield Difference(
                kind=of_kind,
                id=nodeid,
                name=known.name,
                requirements=known.requirements,
                then=outcomes[0],
                now=outcomes[1],
                reason=known.reason,
            )


def _latencies(then: Report, now: Report) -> list[LatencyDifference]:
    before, after = _measured(then), _measured(now)
    both = [name for name in before if name in after]
    return [
        LatencyDifference(
            name=name,
            then=before[name][0],
            now=after[name][0],
            judged=judged(before[name][1], after[name][1], together=len(both)),
        )
        for name in both
    ]


def _measured(report: Report) -> dict[str, tuple[Mapping[str, float], tuple[float, ...]]]:
    """Return figures and samples by the name of the latency."""
    return {
        name: (figures, tuple(one.samples.get(name, ())))
        for one in sorted(report.scenarios.values(), key=lambda one: one.nodeid)
        for name, figures in one.measurements.items()
    }


def _number(deviation: str) -> tuple[str, int]:
    name, _, number = deviation.rpartition("-")
    return name, int(number) if number.isdigit() else 0


def in_words(comparison: Comparison) -> str:
    """Return in a line what the comparison comes to."""
    slower = [one.name for one in comparison.latencies if one.judged == SLOWER]
    counts = {of: sum(one.kind == of for one in comparison.scenarios) for of in KINDS}
    found = [f"{counts[of]} {KINDS[of]}" for of in KINDS if counts[of]]
    if not comparison.scenarios:
        failing = comparison.now.verdict == DOES_NOT_CONFORM
        found.append(f"no scenario has another outcome{', and it does not conform still' if failing else ''}")
    return "; ".join([*found, *([f"slower: {', '.join(slower)}"] if slower else [])])


def page(comparison: Comparison) -> Page:
    """Return a comparison for people: what else differs first, then what is worse."""
    then, now = comparison.then, comparison.now
    lines = [
        f"then: {then.name}, {then.started}, {then.target or 'no target'}: {then.verdict}",
        f"now: {now.name}, {now.started}, {now.target or 'no target'}: {now.verdict}",
        *(f"not the same: {one}" for one in comparison.circumstances),
        *([f"deviations that appeared: {', '.join(comparison.appeared)}"] if comparison.appeared else []),
        *([f"deviations that are gone: {', '.join(comparison.gone)}"] if comparison.gone else []),
    ]
    tables = [
        Table(
            title=f"{title}, {KINDS[of]}",
            head=("id" if title == "Requirements" else "of", "what", "then", "now"),
            rows=[_row(one) for one in found if one.kind == of],
            narrow=frozenset({2, 3}),
        )
        for title, found in (("Requirements", comparison.requirements), ("Scenarios", comparison.scenarios))
        for of in KINDS
        if any(one.kind == of for one in found)
    ]
    if comparison.latencies:
        tables.append(_latency_table(comparison.latencies))
    return Page(title=f"{in_words(comparison)}", lines=lines, tables=tables)


def _row(one: Difference) -> Row:
    mark = {WORSE: shown.WORSE, FAILING: shown.WORSE, BETTER: shown.BETTER}.get(one.kind, shown.PLAIN)
    return Row(cells=(", ".join(one.requirements) or one.id, one.name, one.then, one.now), mark=mark)


def _latency_table(latencies: Sequence[LatencyDifference]) -> Table:
    rows = []
    for one in latencies:
        mark = {SLOWER: shown.WORSE, FASTER: shown.BETTER}.get(one.judged, shown.PLAIN)
        figures = [f"{one.then.get(name, 0):g} → {one.now.get(name, 0):g}" for name in ("count", "p50", "p95")]
        rows.append(Row(cells=(one.name, *figures, one.judged), mark=mark))
    head = ("latency", "times", "p50 (ms)", "p95 (ms)", "judged")
    return Table(title="Latencies, then → now", head=head, rows=rows, narrow=frozenset({1, 2, 3}))
