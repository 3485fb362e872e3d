"""What the page says, in its order: the verdict and what weakens it, then everything else; all from the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zep_conformance.facts.requirements import SOURCES
from zep_conformance.report.basis import NO_CAPABILITY, ids_in_words
from zep_conformance.report.outcomes import (
    AS_FAR_AS_ASKED,
    CONFORMS,
    COULD_NOT_TELL,
    DOES_NOT_CONFORM,
    OUTCOMES,
    WORST_FIRST,
)
from zep_conformance.report.terminal import NOT_A_DEPLOYMENT
from zep_conformance.report.writers.html import drawing
from zep_conformance.report.writers.html.failing import Requirement, Scenario

TIME_TO = "time to "
"""What the name of a measurement begins with that says how long an enrichment took to come."""
_FIGURES = ("min", "p25", "p50", "p75", "p95", "p99", "max")
_TONES = {CONFORMS: "good", AS_FAR_AS_ASKED: "good", DOES_NOT_CONFORM: "bad", COULD_NOT_TELL: "unknown"}
_FAIL_ON = {
    "must": "a failure of what MUST be",
    "should": "any failure",
    "deviation": "any failure, and any known deviation",
}


@dataclass(frozen=True, kw_only=True)
class Weakness:
    """Something that keeps the verdict from saying more. items: what it is about. place: where more is said of it."""

    words: str
    items: Sequence[str] = ()
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One requirement. words: what came out, plainly. counts: its scenarios by outcome. scenarios: their numbers."""

    requirement: Requirement
    outcome: str
    words: str
    counts: Sequence[tuple[str, int]]
    scenarios: Sequence[int]
    causes: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A section of the documentation, and what it promises."""

    title: str
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A known deviation that scenarios have shown, or that is fixed."""

    identifier: str
    what: str
    shown: Sequence[Scenario]
    fixed: Sequence[Scenario]


def tone(report: Mapping[str, Any]) -> str:
    """Return how the verdict is coloured: good, bad or unknown."""
    return _TONES.get(report["verdict"], "unknown")


def verdict(report: Mapping[str, Any]) -> str:
    """Return the verdict in words."""
    excused = report["exit_code"] == 0 and report["verdict"] == DOES_NOT_CONFORM
    words = f"{report['verdict']}{', but no worse than the baseline' if excused else ''}"
    return words[:1].upper() + words[1:]


def fails_on(report: Mapping[str, Any]) -> str:
    """Return in words what makes a run end with exit code 1."""
    return _FAIL_ON.get((report.get("gate") or {}).get("fail_on", ""), _FAIL_ON["should"])


def in_order(report: Mapping[str, Any]) -> list[Requirement]:
    """Return the requirements in the documentation's order: section by section."""
    sections = [*SOURCES]
    place = {source: number for number, source in enumerate(sections)}
    return sorted(report["requirements"], key=lambda one: place.get(one["source"], len(place)))


def weaknesses(report: Mapping[str, Any], scenarios: Iterable[Scenario]) -> Iterator[Weakness]:
    """Yield what keeps the verdict from saying more, the weightiest first."""
    found = [*scenarios]
    gate = report.get("gate") or {}
    if report["trouble"]:
        yield Weakness(words="The run could not tell anything:", items=report["trouble"].splitlines())
    if (report["target"] or {}).get("deployed") is False:
        yield Weakness(words=NOT_A_DEPLOYMENT)
    for why in report["ended"]:
        count = report["outcomes"].get("not run", 0)
        yield Weakness(words=f"{_first_upper(why)}; {_scenarios(count)} had no turn." if count else _first_upper(why))
    yield from _unchecked(report, gate)
    if broke := report["outcomes"].get("error", 0):
        what = f"The suite itself broke in {_scenarios(broke)}, which say nothing about the deployment."
        yield Weakness(words=what, place="failures")
    deviating = [one for one in found if one.outcome == "deviation"]
    if deviating:
        ids = sorted({one.found["deviation"] for one in deviating if one.found.get("deviation")}, key=_number)
        what = f"{_scenarios(len(deviating))} failed as this version is known to: {', '.join(ids)}."
        yield Weakness(words=_first_upper(what), place="deviations")
    if gate.get("accepted"):
        yield Weakness(words=f"Accepted by name, and fails nothing: {', '.join(gate['accepted'])}.")
    if gate.get("uncounted"):
        what = f"{_scenarios(len(gate['uncounted']))} failed and do not count with --fail-on {gate['fail_on']}."
        yield Weakness(words=_first_upper(what), place="failures")
    yield from _baseline(gate)
    repeated = [f"{one.name}: {one.found['repeated']}" for one in found if one.found.get("repeated")]
    if repeated:
        yield Weakness(words="Carried out once more, and only the second time is told of:", items=repeated)
    if report["left_behind"]:
        what = "Left behind in the target, since it could not be removed:"
        yield Weakness(words=what, items=report["left_behind"])


def _unchecked(report: Mapping[str, Any], gate: Mapping[str, Any]) -> Iterator[Weakness]:
    unmet = {one["id"]: one["why"] for one in gate.get("unmet") or ()}
    if unmet:
        yield Weakness(words=f"Required (--require {gate['require']}), and not checked:", items=_by_reason(unmet))
    whys = {one["id"]: one["why"] for one in (report.get("basis") or {}).get("must_unchecked") or ()}
    for level in ("MUST", "SHOULD"):
        of_level = [one for one in report["requirements"] if one["level"] == level and one["id"] not in unmet]
        nothing = {one["id"]: whys.get(one["id"], _why(one)) for one in of_level if one["checked"] == "not checked"}
        if nothing:
            yield Weakness(words=f"{level}, and not checked:", items=_by_reason(nothing), place="requirements")
    in_part = {one["id"]: _why(one) for one in report["requirements"] if one["checked"] == "in part"}
    if in_part:
        yield Weakness(words="Checked in part only:", items=_by_reason(in_part), place="requirements")


def _baseline(gate: Mapping[str, Any]) -> Iterator[Weakness]:
    baseline = gate.get("baseline")
    if not baseline:
        return
    then = f"{baseline['file']}, the run of {baseline['started'][:10]}"
    for name, words in (
        ("known", f"Failed in the baseline too ({then}), and does not fail this run:"),
        ("unchecked", f"Checked in the baseline ({then}), and not now:"),
        ("worse", f"Worse than in the baseline ({then}):"),
    ):
        if baseline[name]:
            items = [f"{one['name']} ({', '.join(one['requirements'])})" for one in baseline[name]]
            yield Weakness(words=words, items=items)
    if baseline["differences"]:
        yield Weakness(words="The baseline is of something else:", items=baseline["differences"])


def _by_reason(whys: Mapping[str, str]) -> list[str]:
    found: dict[str, list[str]] = {}
    for identifier, why in whys.items():
        found.setdefault(why, []).append(identifier)
    return [f"{ids_in_words(ids)}: {why}" for why, ids in sorted(found.items(), key=lambda item: -len(item[1]))]


def _why(requirement: Requirement) -> str:
    """Return why most of what was left out of a requirement was: what could have been asked before what could not."""
    left_out = requirement["left_out"]
    weight = {one["why"]: (not one["why"].startswith(NO_CAPABILITY), one["scenarios"]) for one in left_out}
    return max(weight, key=lambda why: weight[why], default="the run has no scenario of it")


def chapters(
    requirements: Sequence[Requirement], scenarios: Mapping[str, Scenario], causes: Mapping[str, int]
) -> list[Chapter]:
    """Return a row for each requirement, by section. causes: the number of its cause, by a scenario's node id."""
    found: dict[str, list[Row]] = {}
    for requirement in requirements:
        nodeids = [one["nodeid"] for one in requirement["scenarios"]]
        counted = Counter(one["outcome"] for one in requirement["scenarios"])
        row = Row(
            requirement=requirement,
            outcome=requirement["outcome"],
            words=_plainly(requirement, counted),
            counts=[(outcome, counted[outcome]) for outcome in WORST_FIRST if counted[outcome]],
            scenarios=[scenarios[nodeid].number for nodeid in nodeids],
            causes=sorted({causes[nodeid] for nodeid in nodeids if nodeid in causes}),
        )
        found.setdefault(SOURCES.get(requirement["source"], str(requirement["source"])), []).append(row)
    return [Chapter(title=_first_upper(title), rows=rows) for title, rows in found.items()]


def _plainly(requirement: Requirement, counted: Mapping[str, int]) -> str:
    """Return what came out of a requirement, in words that need no explanation."""
    outcome = requirement["outcome"]
    if outcome == "failed":
        return f"does not hold: {counted['failed']} of {_scenarios(sum(counted.values()))} failed"
    if outcome == "error":
        return f"not certain: the suite broke in {_scenarios(counted['error'])}"
    if outcome == "deviation":
        known = {one["deviation"] for one in requirement["scenarios"] if one.get("deviation")}
        return f"does not hold, as is known of this version: {', '.join(sorted(known, key=_number))}"
    if requirement["checked"] == "not checked":
        return f"not checked: {_why(requirement)}"
    if requirement["checked"] == "in part":
        rest = _scenarios(sum(counted.values()) - counted["passed"])
        return f"holds, as far as it was checked; not in {rest}: {_why(requirement)}"
    return f"holds, in {_scenarios(counted['passed'])}"


def deviations(scenarios: Iterable[Scenario]) -> list[Deviation]:
    """Return the deviations that scenarios know, by their ids: those that showed, and those that are fixed."""
    found: dict[str, list[Scenario]] = {}
    for one in scenarios:
        if one.outcome == "deviation" or one.found.get("mended"):
            found.setdefault(one.found.get("deviation") or "unnamed", []).append(one)
    return [
        Deviation(
            identifier=identifier,
            what=known[0].found["reason"].removeprefix(f"{identifier}: "),
            shown=[one for one in known if not one.found.get("mended")],
            fixed=[one for one in known if one.found.get("mended")],
        )
        for identifier, known in sorted(found.items(), key=lambda item: _number(item[0]))
    ]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of one kind: on one axis."""

    axis: drawing.Axis
    spreads: Sequence[drawing.Spread]

    @property
    def columns(self) -> list[str]:
        """Return the names of the figures that there are."""
        return [name for name in _FIGURES if any(name in one.figures for one in self.spreads)]


def latencies(scenarios: Iterable[Scenario]) -> Measured | None:
    """Return how long requests took, as distributions; None where nobody measured that."""
    found = [
        (name, scenario.name, figures)
        for scenario in scenarios
        for name, figures in (scenario.found.get("measurements") or {}).items()
        if not name.startswith(TIME_TO) and "p50" in figures
    ]
    return _measured(found)


def enrichments(scenarios: Iterable[Scenario]) -> Measured | None:
    """Return how long each enrichment took to come, all scenarios together; None where nobody measured that."""
    times: dict[str, list[float]] = {}
    for scenario in scenarios:
        for name, figures in (scenario.found.get("measurements") or {}).items():
            if name.startswith(TIME_TO) and "max" in figures:
                times.setdefault(name.removeprefix(TIME_TO), []).append(figures["max"])
    found = []
    for name, values in times.items():
        values.sort()
        figures = {"count": len(values), "min": values[0], "p50": values[(len(values) - 1) // 2], "max": values[-1]}
        found.append((name, "", figures))
    return _measured(found)


def _measured(found: Sequence[tuple[str, str, Mapping[str, float]]]) -> Measured | None:
    if not found:
        return None
    axis = drawing.Axis.of(value for _, _, figures in found for name, value in figures.items() if name != "count")
    return Measured(axis=axis, spreads=[drawing.spread(name, about, figures, axis) for name, about, figures in found])


def outcome_shares(report: Mapping[str, Any]) -> list[tuple[str, int, float, float]]:
    """Return each outcome that there is: its scenarios, and where their stretch of all begins and how long it is."""
    total, at = sum(report["outcomes"].values()) or 1, 0.0
    found = []
    for outcome in OUTCOMES:
        count = report["outcomes"].get(outcome, 0)
        if count:
            width = round(count / total * 100, 3)
            found.append((outcome, count, round(at, 3), width))
            at += width
    return found


def listed(scenarios: Iterable[Scenario]) -> dict[str, Any]:
    """Return all scenarios as the page lists them: columns, and texts that many have once."""
    texts: dict[str, int] = {}

    def once(text: str) -> int:
        return texts.setdefault(text, len(texts))

    found = [*scenarios]
    rows = {
        "name": [one.name for one in found],
        "place": [[once(place), line] for place, line in (_place(one) for one in found)],
        "outcome": [OUTCOMES.index(one.outcome) for one in found],
        "ms": [round(one.found["duration"] * 1000) for one in found],
        "why": [once(one.found["reason"]) if one.outcome != "passed" or one.found["reason"] else -1 for one in found],
    }
    return rows | {"texts": [*texts], "outcomes": OUTCOMES}


def _place(scenario: Scenario) -> tuple[str, str]:
    feature = str(scenario.found.get("feature") or "")
    if "line" in scenario.found:
        return feature, str(scenario.found["line"])
    path, _, line = feature.rpartition(":")
    return (path, line) if line.isdigit() else (feature, "")


def _scenarios(count: int) -> str:
    return f"{count} scenario{'s' * (count != 1)}"


def _number(identifier: str) -> tuple[str, int]:
    name, _, number = identifier.rpartition("-")
    return name, int(number) if number.isdigit() else 0


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def in_words(milliseconds: float) -> str:
    """Return a time as people say it: 3.4 ms, 250 ms, 1.2 s."""
    if milliseconds >= 999.5:
        return f"{milliseconds / 1000:.3g} s" if milliseconds < 100_000 else f"{milliseconds / 1000:.0f} s"
    return f"{milliseconds:.3g} ms"
