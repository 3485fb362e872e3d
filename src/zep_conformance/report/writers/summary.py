"""reports/summary.md: the report in Markdown, for the page that a pipeline shows of a job."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zep_conformance.report.basis import ids_in_words
from zep_conformance.report.document import merging_in_words, target_of
from zep_conformance.report.events import RunEnded
from zep_conformance.report.folder import SUMMARY
from zep_conformance.report.outcomes import DOES_NOT_CONFORM, WORST_FIRST
from zep_conformance.report.terminal import NOT_A_DEPLOYMENT
from zep_conformance.report.writers.base import AtEnd

SHOWN, MOST = 300, 20
"""Characters of a reason, and scenarios that are wrong, that are shown."""
_WRONG = ("failed", "error")
_LISTS = (
    ("worse", "Worse than in the baseline"),
    ("known", "Failed in the baseline too, and does not fail this run"),
    ("better", "Better than in the baseline"),
    ("unchecked", "Checked in the baseline, not now"),
)


class Summary(AtEnd):
    """Writes the summary."""

    file = SUMMARY

    def text(self, event: RunEnded) -> str:
        """Return it as Markdown."""
        return markdown(event.document, event.folder)


def markdown(report: Mapping[str, Any], folder: Path) -> str:
    """Return the summary of a report (see `reports.document`). folder: where the reports are."""
    blocks = (
        _head(report),
        *_wrong(report, "failed", "Failed"),
        *_wrong(report, "error", "The suite itself broke: this says nothing about the deployment"),
        _facts(report),
        *_unchecked(report),
        *_baseline(report),
        *_skipped(report, "deviation", "Known deviations"),
        *_fixed(report),
        *_skipped(report),
        *_skipped(report, "not run", "Not run"),
        *_listed("Left behind in the target", map(text, report["left_behind"])),
        *_requirements(report),
        f"The whole evidence: `index.html` in `{folder}/`, and for machines `conformance.json`.",
    )
    return "\n\n".join(blocks) + "\n"


def text(value: str) -> str:
    """Return any text as Markdown that shows it, on one line: a server's words must not become a link or a tag."""
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", value).strip()
    line = line if len(line) <= SHOWN else line[:SHOWN] + "…"
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # @somebody and https:// would be made into links without any mark-up.
    line = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", line)
    return line.replace("@", "&#64;").replace("://", "&#58;//")


def _head(report: Mapping[str, Any]) -> str:
    """Return the verdict, and what may be thought of it."""
    excused = report["exit_code"] == 0 and report["verdict"] == DOES_NOT_CONFORM
    lines = [f"## zep-conformance: {report['verdict']}{', but no worse than the baseline' if excused else ''}"]
    lines.append(f"\n{text(report['basis']['words'])}")
    if report.get("merged"):
        lines.append(f"\n{text(merging_in_words(report['merged']))}")
    if (report["target"] or {}).get("deployed") is False:
        lines.append(f"\n{NOT_A_DEPLOYMENT}")
    for why in filter(None, (report["trouble"], *report["ended"])):
        lines.append("\n**Why:** " + text(why))
    lines += ["\n" + text(remark) for remark in report.get("remarks", ())]
    return "\n".join(lines)


def _wrong(report: Mapping[str, Any], outcome: str, title: str) -> Iterator[str]:
    """Yield what failed or broke: its requirements, why, and where it stands."""
    found = [(one, ids) for one, ids in _scenarios(report).values() if one["outcome"] == outcome]
    lines = [f"**{', '.join(ids)}** {text(one['name'])}: {text(one['reason'])}{_place(one)}" for one, ids in found]
    if len(lines) > MOST:
        lines[MOST:] = [f"{len(lines) - MOST} more"]
    yield from _listed(title, lines)


def _place(scenario: Mapping[str, Any]) -> str:
    failed = next((step["line"] for step in scenario["steps"] if step["outcome"] == "failed"), scenario["line"])
    return f" ({text(scenario['feature'])}:{failed})" if scenario["feature"] else ""


def _facts(report: Mapping[str, Any]) -> str:
    parts = ", ".join(_part(name, part) for name, part in report["parts"].items())
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report["outcomes"].items() if count)
    gate = report.get("gate") or {}
    fail_on = {
        "must": "failures of what MUST be",
        "should": "any failure",
        "deviation": "any failure, and known deviations",
    }.get(gate.get("fail_on", ""), "any failure")
    rows = {
        "target": text(target_of(report)),
        "parts": parts or "none",
        "scenarios": counts or "none ran",
        "exit code": f"{report['exit_code']} (it is 1 on {fail_on})",
        "seed": str(report["seed"]),
        "began": f"{text(report['started'])}, took {report['duration']:.1f} s, {report['requests']} requests",
    }
    return _table(("", ""), rows.items())


def _part(name: str, part: Mapping[str, str]) -> str:
    """Return a part by what is known of it: its version and URL, or the image or program that it is."""
    known = text(part.get("version") or part.get("image") or part.get("program") or "")
    return f"{text(name)} {known}" + (f" at {text(part['url'])}" if "url" in part else "")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _unchecked(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps a green run from saying more than it does."""
    unmet = {one["id"]: one["why"] for one in report["gate"]["unmet"]}
    yield from _by_reason(f"Required (`--require {text(report['gate']['require'])}`), and not checked", unmet)
    if report["basis"]["checked"]:
        must = {one["id"]: one["why"] for one in report["basis"]["must_unchecked"] if one["id"] not in unmet}
        yield from _by_reason("MUST, and not checked", must)


def _by_reason(title: str, whys: Mapping[str, str]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for identifier, why in whys.items():
        found.setdefault(why, []).append(identifier)
    return _listed(title, (f"{ids_in_words(ids)}: {text(why)}" for why, ids in found.items()))


def _baseline(report: Mapping[str, Any]) -> Iterator[str]:
    found = (report.get("gate") or {}).get("baseline")
    if found is None:
        return
    differences = "".join(f"; {text(one)}" for one in found["differences"])
    yield f"### Beside the baseline\n\n{text(found['file'])}, the run of {text(found['started'][:10])}{differences}"
    for name, title in _LISTS:
        if found[name]:
            yield f"**{title}:**\n\n" + "\n".join(
                f"- {text(one['name'])} ({', '.join(one['requirements'])}): {one['then']} then, {one['now']} now"
                for one in found[name]
            )
    if not found["worse"]:
        yield "Nothing got worse."


def _requirements(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield requirements by outcome, failed ones first; folded, and those that nothing checked are left out."""
    looked_at = [one for one in report["requirements"] if one["scenarios"]]
    rows = sorted(looked_at, key=lambda one: WORST_FIRST.index(one["outcome"]))
    if not rows:
        return
    head = ("requirement", "level", "outcome", "scenarios")
    table = _table(head, map(_requirement, rows))
    yield f"<details><summary>{len(rows)} requirements, by outcome</summary>\n\n{table}\n\n</details>"


def _requirement(requirement: Mapping[str, Any]) -> tuple[str, ...]:
    scenarios, outcome = requirement["scenarios"], requirement["outcome"]
    found = Counter(scenario["outcome"] for scenario in scenarios)
    counts = ", ".join(f"{found[outcome]} {outcome}" for outcome in WORST_FIRST if found[outcome])
    shown = f"**{outcome}**" if outcome in _WRONG else outcome
    return f"{requirement['id']}: {text(requirement['text'])}", requirement["level"], shown, counts


def _scenarios(report: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], list[str]]]:
    """Each scenario with its requirements, by node id."""
    found: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for requirement in report["requirements"]:
        for scenario in requirement["scenarios"]:
            found.setdefault(scenario["nodeid"], (scenario, []))[1].append(requirement["id"])
    return found


def _fixed(report: Mapping[str, Any]) -> Iterator[str]:
    found = [(one, ids) for one, ids in _scenarios(report).values() if one["mended"]]
    lines = (f"{text(one['name'])} ({', '.join(ids)}): {text(one['reason'])}" for one, ids in found)
    return _listed("Known deviations that are fixed", lines)


def _skipped(report: Mapping[str, Any], outcome: str = "skipped", title: str = "Skipped") -> Iterator[str]:
    """Yield what was skipped, by the capability that the target lacks; or what was not run or deviates, by why."""
    found: dict[str, list[str]] = {}
    count: Counter[str] = Counter()
    for scenario, ids in _scenarios(report).values():
        if scenario["outcome"] == outcome:
            count[scenario["reason"]] += 1
            found.setdefault(scenario["reason"], []).extend(ids)
    skipped = (
        f"{text(reason)}: {count[reason]} scenario{'s' * (count[reason] != 1)} of {', '.join(sorted(set(ids)))}"
        for reason, ids in sorted(found.items())
    )
    return _listed(title, skipped)


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    """Yield a chapter that is a list; none where that is empty."""
    if lines := "\n".join(f"- {item}" for item in items):
        yield f"### {title}\n\n{lines}"
