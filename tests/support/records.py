"""Records of scenarios, as a run has them."""

from __future__ import annotations

from typing import Any

from zep_conformance.report.evidence import Evidence
from zep_conformance.report.outcomes import Record


def evidence(text: str = "it forgot", **more: Any) -> Evidence:
    """Return the evidence of a failure. text: stands wherever a text can. more: what else differs."""
    known = {
        "complaint": text,
        "steps": ({"text": text, "keyword": "Given", "line": 3, "outcome": "failed", "duration": 0.1},),
        "exchanges": ({"request": f"curl {text}", "status": 200, "milliseconds": 1.0, "answer": text, "times": 2},),
        "left_out": 1,
        "logs": {"zep": f"a log of\n{text}"},
        "attached": (text,),
        "rerun": f"zep-conformance run {text}",
        "seed": 7,
    }
    return Evidence(**{**known, **more})


def record(nodeid: str, outcome: str, *requirements: str, **more: Any) -> Record:
    """Return the record of a scenario. requirements: API-1 where none is given. more: what else differs."""
    known = {"name": f"Scenario {nodeid}", "feature": "features/a.feature", "line": 1, "duration": 0.1}
    return Record(**{**known, "nodeid": nodeid, "outcome": outcome, "requirements": requirements or ("API-1",), **more})
