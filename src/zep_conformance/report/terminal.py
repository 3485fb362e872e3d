"""What a run says in a terminal: before it, what is tested; after it, what that means."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import OUTCOMES, Record, worst

NOT_A_DEPLOYMENT = "These are the suite's own servers: this run says nothing about a deployment."
SHOWN = 10
"""How many of what was left behind are listed."""


def wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    """Yield lines that fit a terminal of so many columns; what goes on is indented."""
    for line in lines:
        yield from textwrap.wrap(line, max(width - 1, 40), subsequent_indent="    ", break_on_hyphens=False) or [""]


def parts(versions: Mapping[str, str], capabilities: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the parts under test and what can be asked of them. capabilities: None where offered, else why not."""
    yield "parts: " + ", ".join(f"{part} {version}" for part, version in versions.items())
    yield "capabilities: " + " ".join(name for name, reason in capabilities.items() if reason is None)
    absent = ", ".join(f"{name} ({reason})" for name, reason in capabilities.items() if reason is not None)
    yield f"not offered: {absent}" if absent else "every capability is offered"


def conclusion(
    records: Iterable[Record], observations: Observations, *, remarks: Iterable[str], verdict: str, reports: str
) -> Iterator[str]:
    """Yield what came out, a line each. remarks: of the gate. verdict, reports: in words."""
    found = list(records)
    for outcome, title in (("deviation", "known deviation"), ("skipped", "skipped"), ("not run", "not run")):
        reasons = Counter(record.reason for record in found if record.outcome == outcome)
        for reason, count in sorted(reasons.items(), key=lambda item: _natural(item[0])):
            yield f"{title}{f' ({count} scenarios)' if count > 1 else ''}: {reason}"
    for record in found:
        if record.fixed:
            yield f"fixed: {record.name}: {record.reason}"
    for record in found:
        for name, figures in record.measurements.items():
            if figures["count"] < 2:  # no distribution; the page shows those of all scenarios together
                continue
            milliseconds = ", ".join(f"{key} {value:g}" for key, value in figures.items() if key != "count")
            yield f"{name} ({figures['count']:g} times, milliseconds): {milliseconds}"
    left_behind = observations.left_behind
    for text in left_behind[:SHOWN]:
        yield f"left behind: {text}"
    if len(left_behind) > SHOWN:
        yield f"left behind: {len(left_behind) - SHOWN} more, all in the report"
    checked = {identifier for record in found for identifier in record.requirements}
    counts = Counter(worst(one.outcome for one in found if identifier in one.requirements) for identifier in checked)
    listed = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
    yield f"requirements: {listed or 'no scenario ran'}"
    yield from remarks
    yield f"{verdict}; {reports}"
    if observations.target is not None and not observations.target.deployed:
        yield NOT_A_DEPLOYMENT


def _natural(text: str) -> list[tuple[int, str]]:
    """Return a sort key with numbers in their order: DEV-9 before DEV-10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]
