"""Reports of earlier runs, read back: of this format or the one before, from a file, a folder, or a run's name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.report.document import FORMAT
from zep_conformance.report.folder import LATEST, REPORT, latest, runs
from zep_conformance.report.outcomes import OUTCOMES

ADVICE = "Give the conformance.json that an earlier `zep-conformance run` wrote."


@dataclass(frozen=True, kw_only=True)
class ScenarioRead:
    """One scenario of a report. fixed: whether its known deviation was. samples: single latencies, milliseconds."""

    nodeid: str
    name: str
    requirements: tuple[str, ...]
    outcome: str
    reason: str = ""
    deviation: str | None = None
    fixed: bool = False
    measurements: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RequirementRead:
    """One requirement of a report."""

    id: str
    level: str
    text: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an earlier run came to. scenarios: by node id. requirements: by id. parts: version by name.

    document: all of it. name: what it is called among others, the name of its run where it has one.
    """

    path: Path
    document: Mapping[str, Any]
    started: str
    verdict: str
    target: str
    parts: Mapping[str, str]
    scenarios: Mapping[str, ScenarioRead]
    requirements: Mapping[str, RequirementRead]

    @property
    def name(self) -> str:
        """Return what the report is called among others."""
        return self.path.parent.name if self.path.name == REPORT and self.path.parent.name else str(self.path)

    def outcome_of(self, nodeid: str, requirements: Iterable[str]) -> str:
        """Return a scenario's outcome; its requirements' where it is new, skipped where those are new too.

        A new scenario was not looked at then, so that a failure of its is excused only where all its requirements
        failed already.
        """
        if nodeid in self.scenarios:
            return self.scenarios[nodeid].outcome
        found = [self.requirements[one].outcome if one in self.requirements else "skipped" for one in requirements]
        return min(found, key=severity, default="skipped")


_SEVERITY = {"failed": 2, "deviation": 1}


def severity(outcome: str) -> int:
    """Return how much of a failure an outcome is: 2 for failed, 1 for a known deviation, 0 for all others."""
    return _SEVERITY.get(outcome, 0)


def find(given: str, reports: Path) -> Path:
    """Return the file of the report that is meant. Raises CannotTell where there is none.

    given: a file; a folder with a report, or with runs, of which it is the last that could tell; `latest`; or the name
    of a run, or how it begins, in the folder `reports`.
    """
    if given == LATEST:
        return _in(reports, f"no run is kept in {reports}/")
    path = Path(given)
    if path.is_file():
        return path
    if path.is_dir():
        return _in(path, f"no report is in {path}/")
    kept = runs(reports)
    meant = [run for run in kept if run.name == given] or [run for run in kept if given and run.name.startswith(given)]
    if len(meant) == 1:
        return meant[0] / REPORT
    if meant:
        what = f"{given} is the beginning of {len(meant)} runs: {', '.join(run.name for run in meant[-3:])}"
        raise CannotTell(what, "Give more of its name.", code="report-unreadable")
    there = ", ".join(run.name for run in kept[-3:])
    advice = f"Give a file, a folder, or a run in {reports}/: {there}." if there else ADVICE
    raise CannotTell(f"there is no report {given}", advice, code="report-unreadable")


def _in(folder: Path, otherwise: str) -> Path:
    last = latest(folder)
    for path in (folder / REPORT, *([last / REPORT] if last is not None else [])):
        if path.is_file():
            # By its own name, which tells it from others, where the folder has a copy of it.
            return last / REPORT if last is not None and (last / REPORT).is_file() else path
    raise CannotTell(otherwise, "`zep-conformance run` writes one.", code="report-unreadable")


def read(path: Path, *, asked_by: str = "") -> Report:
    """Return the report in a file. asked_by: the option that names it, with its colon.

    Raises CannotTell when it can't be read, or is no report of this form.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotTell(
            f"{asked_by}{path} can't be read: {error.strerror}",
            "Give the conformance.json of an earlier run, or leave the option out." if asked_by else ADVICE,
            code="report-unreadable",
        ) from None
    except (ValueError, RecursionError):
        raise _foreign(asked_by, path, "is not JSON") from None
    tool = found.get("tool") if isinstance(found, dict) else None
    if not isinstance(tool, dict) or tool.get("name") != "zep-conformance":
        raise _foreign(asked_by, path, "is no report of zep-conformance")
    if found.get("format") not in range(1, FORMAT + 1):
        raise _foreign(asked_by, path, f"has format {found.get('format')!r}, and this version reads 1 to {FORMAT}")
    try:
        return _understood(path, found)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _foreign(asked_by, path, f"is damaged ({type(error).__name__}: {error})") from None


def _foreign(asked_by: str, path: Path, why: str) -> CannotTell:
    return CannotTell(f"{asked_by}{path} {why}", ADVICE, code="report-unreadable")


def _understood(path: Path, found: Mapping[str, Any]) -> Report:
    requirements: dict[str, RequirementRead] = {}
    scenarios: dict[str, Mapping[str, Any]] = {}
    checks: dict[str, list[str]] = {}
    for one in found["requirements"]:
        requirements[str(one["id"])] = RequirementRead(
            id=str(one["id"]),
            level=str(one.get("level", "")),
            text=str(one.get("text", "")),
            outcome=_outcome(one["outcome"]),
        )
        for scenario in one["scenarios"]:
            scenarios.setdefault(str(scenario["nodeid"]), scenario)
            checks.setdefault(str(scenario["nodeid"]), []).append(str(one["id"]))
    target = found["target"] or {}
    return Report(
        path=path,
        document=found,
        started=str(found["started"]),
        verdict=str(found["verdict"]),
        target=str(target.get("name") or ""),
        parts={str(name): str(part["version"]) for name, part in found["parts"].items() if "version" in part},
        scenarios={nodeid: _scenario(nodeid, one, checks[nodeid]) for nodeid, one in scenarios.items()},
        requirements=requirements,
    )


def _scenario(nodeid: str, found: Mapping[str, Any], requirements: Iterable[str]) -> ScenarioRead:
    deviation = found.get("deviation")
    measurements, samples = found.get("measurements") or {}, found.get("samples") or {}
    return ScenarioRead(
        nodeid=nodeid,
        name=str(found.get("name") or nodeid),
        requirements=tuple(dict.fromkeys(requirements)),
        outcome=_outcome(found["outcome"]),
        reason=str(found.get("reason") or ""),
        deviation=None if deviation is None else str(deviation),
        fixed=bool(found["mended"]),
        measurements={
            str(name): {str(key): float(value) for key, value in figures.items()}
            for name, figures in measurements.items()
        },
        samples={str(name): [float(one) for one in values] for name, values in samples.items()},
    )


def _outcome(found: object) -> str:
    if found not in OUTCOMES:
        raise ValueError(f"no outcome {found!r}")
    return str(found)
