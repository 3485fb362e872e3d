"""Records of scenarios, as a run has them."""

from __future__ import annotations

from typing import Any

from zep_conformance.report.outcomes import Record


def record(nodeid: str, outcome: str, *requirements: str, **more: Any) -> Record:
    """Return the record of a scenario. requirements: API-1 where none is given. more: what else differs."""
    known = {"name": f"Scenario {nodeid}", "feature": "a.feature:1", "duration": 0.1}
    return Record(**{**known, "nodeid": nodeid, "outcome": outcome, "requirements": requirements or ("API-1",), **more})
