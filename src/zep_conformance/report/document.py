"""reports/conformance.json: what was tested, and what came out of it, for machines; summary.md beside it, for people.

Its form is published as fixtures/data/conformance.schema.json.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from zep_conformance import suite
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report import summary
from zep_conformance.report.basis import Basis, Checked
from zep_conformance.report.folder import LOGS, REPORT, SUMMARY
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
) -> dict[str, Any]:
    """Return the report. duration: seconds. prefix: what the names of all that was made begin with.

    records: with those of scenarios that were not run. basis: what the verdict rests on.
    verdict: another than the exit code's for what does not conform, but no worse than in the baseline. gate: what
    fails the run, and how it compares with its baseline (`session.verdict.Verdict.as_json`).
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
        "ended": list(observations.ended),
        "target": asdict(target) | {"timeline": [span.as_json() for span in target.timeline]} if target else None,
        "parts": {name: part.as_json() for name, part in observations.parts.items()},
        "capabilities": {
            name: {"offered": reason is None, "reason": reason} for name, reason in observations.capabilities.items()
        },
        "seed": seed,
        "prefix": prefix if target else None,
        "requests": observations.requests,
        "left_behind": list(observations.left_behind),
        "outcomes": {outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
        "evidence": [
            {"nodeid": record.nodeid, **record.evidence.as_json()} for record in found if record.evidence is not None
        ],
        "requirements": [_requirement(one, found) for one in basis.requirements],
    }


def _requirement(checked: Checked, records: Iterable[Record]) -> dict[str, Any]:
    requirement = checked.requirement
    known = {name: getattr(requirement, name) for name in ("id", "level", "text", "source")}
    scenarios = [_scenario(record) for record in records if requirement.id in record.requirements]
    return known | {"outcome": checked.outcome, **checked.as_json(), "scenarios": scenarios}


def _scenario(record: Record) -> dict[str, Any]:
    named = {"mended" if name == "fixed" else name: value for name, value in record.as_json().items()}
    del named["requirements"], named["evidence"]
    return named | {"duration": round(record.duration, 4)}


def write(folder: Path, report: Mapping[str, Any], redactor: Redactor) -> Path:
    """Write the report and its summary, without secrets. Return the report's path.

    Raises OSError when the folder can't be written.
    """
    clean = redactor.everywhere(dict(report))
    path = folder / REPORT
    write_file(path, json.dumps(clean, indent=2, ensure_ascii=False) + "\n")
    write_file(folder / SUMMARY, redactor(summary.markdown(clean, folder)))
    return path


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
