"""reports/conformance.json: what was tested, and what came out of it, for machines.

Its form is published as conformance.schema.json beside this module.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from zep_conformance.evidence.outcomes import OUTCOMES, VERDICTS, Record, worst
from zep_conformance.evidence.requirements import Requirement

SCHEMA = Path(__file__).with_name("conformance.schema.json")
FORMAT = 1


def document(
    records: Iterable[Record],
    requirements: Mapping[str, Requirement],
    *,
    facts: Mapping[str, Any],
    version: str,
    seed: int,
    started: datetime,
    duration: float,
    exit_code: int,
) -> dict[str, Any]:
    """The report. duration: seconds. facts: what the run found out about its target."""
    found = sorted(records, key=lambda record: record.nodeid)
    counts = Counter(record.outcome for record in found)
    by_requirement = {
        identifier: [record for record in found if identifier in record.requirements] for identifier in requirements
    }
    capabilities = facts.get("capabilities") or {}
    return {
        "format": FORMAT,
        "tool": {"name": "zep-conformance", "version": version},
        "started": started.isoformat(timespec="seconds"),
        "duration": round(duration, 3),
        "verdict": VERDICTS[exit_code],
        "exit_code": exit_code,
        "trouble": facts.get("trouble"),
        "target": facts.get("target"),
        "parts": facts.get("parts") or {},
        "capabilities": {name: {"offered": reason is None, "reason": reason} for name, reason in capabilities.items()},
        "seed": seed,
        "prefix": facts.get("prefix"),
        "requests": facts.get("requests", 0),
        "left_behind": facts.get("left_behind") or [],
        "outcomes": {outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
        "requirements": [
            {
                "id": requirement.id,
                "level": requirement.level,
                "text": requirement.text,
                "source": requirement.source,
                "outcome": worst(record.outcome for record in by_requirement[requirement.id]),
                "scenarios": [_scenario(record) for record in by_requirement[requirement.id]],
            }
            for requirement in requirements.values()
        ],
    }


def _scenario(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "feature": record.feature,
        "nodeid": record.nodeid,
        "outcome": record.outcome,
        "duration": round(record.duration, 4),
        "reason": record.reason,
        "deviation": record.deviation,
        "mended": record.mended,
        "measurements": dict(record.measurements),
    }


def write(folder: Path, report: Mapping[str, Any]) -> Path:
    """Write the report; returns its path. Raises OSError when the folder can't be written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "conformance.json"
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
