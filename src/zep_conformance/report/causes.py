"""Failures of one cause, which are shown as one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zep_conformance.report.outcomes import Record

_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|zc-[0-9a-f]+\S*|[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:\.\d+)?")
"""What differs between complaints of one cause."""


def by_cause(records: Iterable[Record]) -> list[list[Record]]:
    """Return the records of what failed or broke, those of one cause together, in the order of their first one."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.outcome in ("failed", "error"):
            complaint = record.reason if record.evidence is None else record.evidence.complaint
            first = next(iter(complaint.strip().splitlines()), "")
            alike = record.reason if record.outcome == "error" else first
            cause = record.deviation or _VARIABLE.sub("…", alike)
            found.setdefault((record.outcome, cause), []).append(record)
    return list(found.values())
