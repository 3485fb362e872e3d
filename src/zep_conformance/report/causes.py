"""Failures of one cause, which are shown as one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zep_conformance.report.differences import COUNT, told
from zep_conformance.report.outcomes import Record

_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|zc-[0-9a-f]+\S*|[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:\.\d+)?")
"""What differs between complaints of one cause."""


def by_cause(records: Iterable[Record]) -> list[list[Record]]:
    """Return the records of what failed or broke, those of one cause together, in the order of their first one."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.outcome in ("failed", "error"):
            complaint = record.reason if record.evidence is None else record.evidence.complaint
            cause = cause_of(record.outcome, complaint, reason=record.reason, deviation=record.deviation)
            found.setdefault((record.outcome, cause), []).append(record)
    return list(found.values())


def cause_of(outcome: str, complaint: str, *, reason: str, deviation: str | None) -> str:
    """Return what failures of one cause have in common: the words of their complaints, without what varies."""
    first, second = (*complaint.strip().splitlines()[:2], "", "")[:2]
    if COUNT.match(first) and (difference := told(second)):
        first = difference.path  # without a sentence of its own a comparison is known by where it fails
    return deviation or _VARIABLE.sub("…", reason if outcome == "error" else first)
