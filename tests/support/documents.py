"""Reports of runs that never were, for the tests of what is written of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from zep_conformance.facts.requirements import load_requirements
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.observations import Observations, PartSeen, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.session.verdict import Gate, conclude

DEPLOYMENT = TargetSeen(name="remote", deployed=True)
OWN_SERVERS = TargetSeen(name="embedded", deployed=False)
PARTS = {"zep": PartSeen(version="0.27.2", url="https://zep.example.com")}


def report(*found: Record, secrets: tuple[str, ...] = (), exit_status: int = 0, **seen: Any) -> dict[str, Any]:
    """Return the report of a run that had these records, without secrets. seen: of its observations."""
    known = {"target": DEPLOYMENT, "parts": PARTS, "capabilities": {"zep": None, "ui": "it has no page"}, **seen}
    concluded = conclude(
        found, Observations(**known), Gate(), requirements=load_requirements(), exit_status=exit_status, seed=7,
        prefix="zc-1", started=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), duration=1.5,
    )  # fmt: skip
    clean: dict[str, Any] = Redactor(secrets).everywhere(concluded.report)
    return clean
