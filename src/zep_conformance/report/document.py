"""The document of a run: what was tested, and what came out of it, as data. Every report is made of it.

It is reports/conformance.json, and its form is published as fixtures/data/conformance.schema.json.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from zep_conformance import suite
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.basis import Basis, Checked
from zep_conformance.report.folder import LOGS
from zep_conformance.report.folder import write as write_file
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import OUTCOMES, Record

SCHEMA = suite.data() / "conformance.schema.json"
FORMAT = 2


def document(
    records: Iterable[Record],
    basis: Basis,
    *,
    observations: Observations,
    version: str,
    seed: int,
    prefix: str,
    started: datetime,
    duration: float,
    exit_code: int,
    verdict: str,
    gate: Mapping[str, Any],
    settings: Mapping[str, str] | None = None,
    merged: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report. duration: seconds. prefix: what the names of all that was made begin with.

    records: with those of scenarios that were not run. basis: what the verdict rests on.
    verdict: another than the exit code's for what does not conform, but no worse than in the baseline. gate: what
    fails the run, and how it compares with its baseline (`session.verdict.Verdict.as_json`). settings: what was given,
    by option. merged: the run that this one completes, see `session.again`.
    """
    found = sorted(records, key=lambda record: record.nodeid)
    counts = Counter(record.outcome for record in found)
    target = observations.target
    return {
        "format": FORMAT,
        "tool": {"name": "zep-conformance", "version": version},
        "started": started.isoformat(timespec="seconds"),
        "duration": round(duration, 3),
        "verdict": verdict,
        "exit_code": exit_code,
        "basis": basis.as_json(),
        "gate": dict(gate),
        "trouble": observations.trouble,
        "remarks": list(observations.remarks),
        "ended": list(observations.ended),
        "target": asdict(target) | {"timeline": [span.as_json() for span in target.timeline]} if target else None,
        "parts": parts_of(observations),
        "capabilities": capabilities_of(observations),
        "seed": seed,
        "settings": dict(settings or {}),
        "merged": merged,
        "prefix": prefix if target else None,
        "environment": dict(observations.environment),
        "requests": observations.requests,
        "left_behind": list(observations.left_behind),
        "recorded": list(observations.recorded),
        "outcomes": {outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
        "evidence": [
            {"nodeid": record.nodeid, **record.evidence.as_json()} for record in found if record.evidence is not None
        ],
        "requirements": [_requirement(one, found) for one in basis.requirements],
    }


def target_of(report: Mapping[str, Any]) -> str:
    """Return the name of the target of a report; that of a target that did not come up as far as it was given."""
    return str((report["target"] or {}).get("name") or report.get("settings", {}).get("target") or "none")


def parts_of(observations: Observations) -> dict[str, Any]:
    """Return the parts that were seen, for the report."""
    return {name: part.as_json() for name, part in observations.parts.items()}


def capabilities_of(observations: Observations) -> dict[str, Any]:
    """Return what the target offers, and why it does not offer the rest, for the report."""
    return {name: {"offered": reason is None, "reason": reason} for name, reason in observations.capabilities.items()}


def _requirement(checked: Checked, records: Iterable[Record]) -> dict[str, Any]:
    requirement = checked.requirement
    known = {name: getattr(requirement, name) for name in ("id", "level", "text", "source")}
    scenarios = [_scenario(record) for record in records if requirement.id in record.requirements]
    return known | {"outcome": checked.outcome, **checked.as_json(), "scenarios": scenarios}


def _scenario(record: Record) -> dict[str, Any]:
    named = {"mended" if name == "fixed" else name: value for name, value in record.as_json().items()}
    del named["requirements"], named["evidence"]
    return named | {
        "duration": round(record.duration, 4),
        "started": record.started or None,
        "steps": list(record.steps),
    }


def merging_in_words(merged: Mapping[str, Any]) -> str:
    """Return what a merged report rests on. merged: as the document has it."""
    count = len(merged["again"])
    return (
        f"merged with the run {merged['run']}: {count} scenario{'s were' if count != 1 else ' was'} run again, all "
        "others are as they were then; the verdict rests on both runs"
        f"{'; ' * ('missing' in merged)}{merged.get('missing', '')}"
    )


def scenarios_in(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the scenarios of a document, each once, in the order of their node ids.

    Each has its `requirements` beside, and the `level` that is the highest of theirs.
    """
    found: dict[str, dict[str, Any]] = {}
    for requirement in report["requirements"]:
        for scenario in requirement["scenarios"]:
            known = found.setdefault(
                scenario["nodeid"], {**scenario, "requirements": [], "level": requirement["level"]}
            )
            known["requirements"].append(requirement["id"])
            known["level"] = min(known["level"], requirement["level"])  # MUST is before SHOULD
    return [found[nodeid] for nodeid in sorted(found)]


def keep_logs(folder: Path, logs: Mapping[str, str], redactor: Redactor) -> None:
    """Keep what each part has written in `logs/` beside the report, without secrets; those of an earlier run go.

    A folder that can't be written has been complained of before.
    """
    with contextlib.suppress(OSError):
        for part, log in logs.items():
            path = folder / LOGS / f"{part}.log"
            if log:
                write_file(path, redactor(log))
            else:
                path.unlink(missing_ok=True)
