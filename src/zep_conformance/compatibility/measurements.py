"""What whole runs on a real Zep, by itself or behind a real LangFlux, came to: small files made of their reports.

    found = measurements_of([json.loads(path.read_text()) for path in reports])   # one for each pair of versions
    keep(found)                                                                   # in docs/data/

What is kept are outcomes, ids and dates: no texts, no addresses. One file is about one Zep (`zep-0.23.0.json`: the
embedded LangFlux stood before it) or one pair (`zep-0.23.0-langflux-2.2.8.json`), and about all of its runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from zep_conformance import suite
from zep_conformance.errors import CannotTell
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import load_requirements

FORMAT = 2
"""The format of a report that can be read."""
WORST_FIRST = ("failed", "deviation", "passed", "skipped")
"""What a requirement can come to in a run in which nothing broke."""
_VERDICTS = ("conforms", "conforms as far as asked", "does not conform")
_NOT_SELECTED = "not selected"


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a requirement came to in all runs together: the worst. tried: scenarios of it that say something, at most.

    deviations: known ones that its scenarios have shown. times: in how many runs it came to that worst.
    """

    outcome: str
    tried: int
    deviations: tuple[str, ...] = ()
    times: int = 1

    def joined(self, other: Held) -> Held:
        """Return what it came to in these runs and another one's."""
        worst, best = sorted((self, other), key=lambda one: WORST_FIRST.index(one.outcome))
        return Held(
            outcome=worst.outcome,
            tried=max(self.tried, other.tried),
            deviations=tuple(sorted({*self.deviations, *other.deviations}, key=number)),
            times=worst.times + (best.times if best.outcome == worst.outcome else 0),
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for the file."""
        found: dict[str, Any] = {"outcome": self.outcome, "tried": self.tried}
        if self.deviations:
            found["deviations"] = list(self.deviations)
        return found | {"times": self.times}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One run. measured: its day. suite: the version of zep-conformance. verdict: what it came to, in words."""

    measured: str
    suite: str
    target: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """All that was measured of a Zep, or of a pair. langflux: "" where the embedded one stood before Zep."""

    zep: str
    langflux: str = ""
    runs: tuple[Ended, ...] = ()
    requirements: Mapping[str, Held] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What its file is called, without its ending."""
        return f"zep-{self.zep}" + (f"-langflux-{self.langflux}" if self.langflux else "")

    @property
    def title(self) -> str:
        """What it is about, in words."""
        return f"Zep {self.zep}" + (f" with LangFlux {self.langflux}" if self.langflux else "")

    @property
    def verdict(self) -> str:
        """What its runs came to, where all came to the same; else each with its count."""
        found = [run.verdict for run in self.runs]
        if len(set(found)) == 1:
            return found[0]
        return ", ".join(f"{found.count(one)} of {len(found)} {one}" for one in dict.fromkeys(found))

    def as_json(self) -> dict[str, Any]:
        """Return it for the file."""
        return {
            "zep": self.zep,
            "langflux": self.langflux or None,
            "runs": [asdict(run) for run in self.runs],
            "requirements": {name: held.as_json() for name, held in self.requirements.items()},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Measurement:
        """Return what `as_json` gave. Raises KeyError or TypeError for anything else."""
        return cls(
            zep=found["zep"],
            langflux=found["langflux"] or "",
            runs=tuple(Ended(**run) for run in found["runs"]),
            requirements={
                name: Held(**{**held, "deviations": tuple(held.get("deviations", ()))})
                for name, held in found["requirements"].items()
            },
        )


def number(deviation: str) -> int:
    """Return the number of a deviation's id, by which they are sorted."""
    return int(deviation.rpartition("-")[2])


def measurements_of(reports: Iterable[Mapping[str, Any]]) -> list[Measurement]:
    """Return what these reports come to, one for each Zep and each pair.

    Raises CannotTell for what is no report of a whole run, in which nothing broke, on a Zep that says its version.
    """
    found: dict[str, Measurement] = {}
    for report in reports:
        one = _measurement(report)
        found[one.name] = _joined(found[one.name], one) if one.name in found else one
    return list(found.values())


def _joined(one: Measurement, other: Measurement) -> Measurement:
    names = dict.fromkeys([*one.requirements, *other.requirements])
    held = {
        name: one.requirements[name].joined(other.requirements[name])
        if name in one.requirements and name in other.requirements
        else (one.requirements.get(name) or other.requirements[name])
        for name in names
    }
    return Measurement(zep=one.zep, langflux=one.langflux, runs=(*one.runs, *other.runs), requirements=held)


def _measurement(report: Mapping[str, Any]) -> Measurement:
    why = _unfit(report)
    if why:
        advice = "Give one of a whole run on a real Zep, in which nothing broke and nothing was left out by name."
        raise CannotTell(f"this report says nothing of a version: {why}", advice, code="report-incomplete")
    parts = report["parts"]
    langflux = parts.get("langflux", {"embedded": True})
    known = load_requirements()
    return Measurement(
        zep=parts["zep"]["version"].removeprefix("v"),
        langflux="" if langflux.get("embedded") else langflux["version"].removeprefix("v"),
        runs=(
            Ended(
                measured=report["started"][:10],
                suite=report["tool"]["version"],
                target=report["target"]["name"].partition(":")[0],
                verdict=report["verdict"],
            ),
        ),
        requirements={one["id"]: _held(one) for one in report["requirements"] if one["id"] in known},
    )


def _unfit(report: Mapping[str, Any]) -> str:
    """Return why nothing can be kept of a report; "" where something can."""
    parts = report["parts"]
    zep, langflux = parts.get("zep", {}), parts.get("langflux", {"embedded": True})
    if report["format"] != FORMAT:
        return f"its format is {report['format']}, and not {FORMAT}"
    if report["trouble"] or report["ended"] or report["verdict"] not in _VERDICTS:
        return "the run did not come to a verdict"
    if report["outcomes"]["error"] or report["outcomes"]["not run"]:
        return "something of the suite itself broke in it, or was not run"
    if not is_version(zep.get("version", "")) or not (langflux.get("embedded") or is_version(langflux["version"])):
        return "a part does not say its version"
    if Version(zep["version"]) >= Version("1"):
        return "Zep 1.x is another product, with another API"
    if report.get("merged"):
        return "what failed was run once more, and merged with it"
    if report.get("settings", {}).get("mutations"):
        return "mutations were planted in it"
    if zep.get("embedded") or not report["target"]["deployed"]:
        return "its Zep is the embedded one"
    if any(one["why"] == _NOT_SELECTED for found in report["requirements"] for one in found["left_out"]):
        return "scenarios were chosen"
    return ""


def is_version(text: str) -> bool:
    """Return whether a text is a version that has a place among others."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _held(found: Mapping[str, Any]) -> Held:
    scenarios, known = found["scenarios"], load_deviations()
    shown = {one["deviation"] for one in scenarios if one["outcome"] == "deviation"}
    return Held(
        outcome=found["outcome"] if found["outcome"] in WORST_FIRST else "failed",
        tried=sum(one["outcome"] in ("passed", "failed", "deviation") for one in scenarios),
        deviations=tuple(sorted((one for one in shown if one in known), key=number)),
    )


def read_reports(paths: Iterable[Path]) -> list[Measurement]:
    """Return what these conformance.json come to. Raises CannotTell for one that can't be read, or says nothing."""
    found = []
    for path in paths:
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            measurements_of([report])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is none of zep-conformance's"
            advice = "Give the conformance.json of a whole run."
            raise CannotTell(f"{path} can't be read as a report: {why}", advice, code="report-unreadable") from None
        except CannotTell as error:
            raise CannotTell(f"{path}: {error.what}", error.advice, code=error.code) from None
        found.append(report)
    return measurements_of(found)


def with_kept(found: Iterable[Measurement], folder: Path | None = None) -> list[Measurement]:
    """Return each joined with what is kept of that Zep or pair, where something is. Raises CannotTell, see `kept`."""
    before = {one.name: one for one in kept(folder)}
    return [_joined(before[one.name], one) if one.name in before else one for one in found]


def keep(found: Iterable[Measurement], folder: Path | None = None) -> list[Path]:
    """Write each to its file, in place of what is kept of that Zep or pair. Return the files.

    Raises CannotTell where the folder can't be written.
    """
    folder, written = folder or suite.measurements(), []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            path = folder / f"{one.name}.json"
            path.write_text(written_out(one), encoding="utf-8")
            written.append(path)
    except OSError as error:
        what = f"can't keep a measurement in {folder}: {error.strerror}"
        raise CannotTell(what, "Name a folder that you may write to.", code="file-unwritable") from None
    return written


def written_out(found: Measurement) -> str:
    """Return the text of a measurement's file: a requirement a line, so that a change of it is one."""
    body = found.as_json()
    runs = ",\n".join(f"  {json.dumps(run)}" for run in body["runs"])
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(held)}" for name, held in body["requirements"].items())
    head = f' "zep": {json.dumps(body["zep"])},\n "langflux": {json.dumps(body["langflux"])}'
    return f'{{\n{head},\n "runs": [\n{runs}\n ],\n "requirements": {{\n{rows}\n }}\n}}\n'


def kept(folder: Path | None = None) -> list[Measurement]:
    """Return all that is kept: oldest Zep first, each before its pairs, those by their LangFlux."""
    folder = folder or suite.measurements()
    found = [Measurement.from_json(json.loads(path.read_text(encoding="utf-8"))) for path in folder.glob("zep-*.json")]
    return sorted(found, key=lambda one: (Version(one.zep), Version(one.langflux or "0")))
