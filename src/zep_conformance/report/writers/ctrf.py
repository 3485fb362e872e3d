"""reports/ctrf.json: the scenarios in the Common Test Report Format (ctrf.io), for whatever reads that.

A test's status is passed, failed or skipped; other, for what is none of these: known deviations, and what broke or was
not run. Its rawStatus is the outcome in this project's words.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zep_conformance.report.document import scenarios_in, target_of
from zep_conformance.report.events import RunEnded
from zep_conformance.report.transcript import in_words
from zep_conformance.report.writers.base import AtEnd

SPECIFICATION = "0.0.0"
_STATUSES = ("passed", "failed", "skipped", "pending", "other")
_STATUS = {"passed": "passed", "failed": "failed", "skipped": "skipped"}
_STEP = {"passed": "passed", "failed": "failed"}
_OURS = uuid.UUID("0f7b1a5c-6f0e-5f0a-9d5e-2b8f6a3c7d10")
"""What ids of scenarios are made in, so that a scenario has the same one in every run."""


class Ctrf(AtEnd):
    """Writes the report in the Common Test Report Format."""

    file = "ctrf.json"

    def text(self, event: RunEnded) -> str:
        """Return it as JSON."""
        return render(event.document)


def render(report: Mapping[str, Any]) -> str:
    """Return the report of a run (see `document.document`) as CTRF."""
    evidence = {one["nodeid"]: one for one in report["evidence"]}
    tests = [_test(one, evidence.get(one["nodeid"])) for one in scenarios_in(report)]
    counts = Counter(test["status"] for test in tests)
    start, duration = _milliseconds(report["started"]), round(report["duration"] * 1000)
    target = report["target"] or {}
    found = {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "generatedBy": f"{report['tool']['name']} {report['tool']['version']}",
        "results": {
            "tool": {"name": report["tool"]["name"], "version": report["tool"]["version"]},
            "summary": {
                "tests": len(tests),
                **{status: counts[status] for status in _STATUSES},
                "suites": len({test["suite"][0] for test in tests if "suite" in test}),
                "start": start,
                "stop": start + duration,
                "duration": duration,
            },
            "tests": tests,
            "environment": {
                "testEnvironment": target_of(report),
                "healthy": report["trouble"] is None,
                "extra": {
                    "deployed": bool(target.get("deployed")),
                    "parts": report["parts"],
                    "capabilities": report["capabilities"],
                    "seed": report["seed"],
                },
            },
            "extra": {
                "verdict": report["verdict"],
                "exit_code": report["exit_code"],
                "basis": report["basis"],
                "trouble": report["trouble"],
                "ended": report["ended"],
            },
        },
    }
    return json.dumps(found, indent=1) + "\n"


def _test(scenario: Mapping[str, Any], evidence: Mapping[str, Any] | None) -> dict[str, Any]:
    test: dict[str, Any] = {
        "id": str(uuid.uuid5(_OURS, scenario["nodeid"])),
        "name": scenario["name"],
        "status": _STATUS.get(scenario["outcome"], "other"),
        "rawStatus": scenario["outcome"],
        "duration": round(scenario["duration"] * 1000),
        "tags": [*scenario["requirements"], *([scenario["deviation"]] if scenario["deviation"] else [])],
        "type": "conformance",
        "steps": [{"name": one["text"], "status": _STEP.get(one["outcome"], "other")} for one in scenario["steps"]],
        "extra": {
            "level": scenario["level"],
            "nodeid": scenario["nodeid"],
            "deviation": scenario["deviation"],
            "fixed": scenario["mended"],
        },
    }
    if scenario["feature"]:
        test |= {"suite": [scenario["feature"]], "filePath": scenario["feature"], "line": scenario["line"]}
    if scenario["started"]:
        start = _milliseconds(scenario["started"])
        test |= {"start": start, "stop": start + test["duration"]}
    if scenario["reason"]:
        test["message"] = scenario["reason"]
    if evidence is not None:
        requests = "\n\n".join(map(in_words, evidence["exchanges"]))
        test["trace"] = f"{evidence['complaint']}\n\n{requests}".strip()
        test["stdout"] = [line for part, log in evidence["logs"].items() for line in (f"{part}:", *log.splitlines())]
        test["extra"] |= {"rerun": evidence["rerun"], "attached": evidence["attached"]}
    return test


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
