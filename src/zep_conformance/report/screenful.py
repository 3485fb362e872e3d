"""A failure in a terminal: a screenful, for all of one cause together; the rest is in conformance.json."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePath

from zep_conformance.facts.requirements import SOURCES, Requirement
from zep_conformance.report.causes import by_cause
from zep_conformance.report.differences import shortened
from zep_conformance.report.evidence import LAST, POINTED_AT, Evidence, telling
from zep_conformance.report.outcomes import Record
from zep_conformance.report.shell import COLUMNS, command_lines
from zep_conformance.report.transcript import came, said

LINES = 24
"""What a failure fits into, in `shell.COLUMNS` columns."""
LEAST = 4
"""Lines without which the last exchange is not worth any."""
OTHERS = 2
"""Scenarios that failed alike, and are named."""
_NOISE = re.compile(r"\s*$|\s*assert False$|\s*\+\s+where ")
"""Lines of Python's that tell nobody anything."""
_PLACE = re.compile(r"\W{0,2}(?:https?:/)?(?:/[\w.~%@:+=&?-]+)+/?\W{0,2}")
"""A path or a URL, and what stands around it."""


def screenfuls(records: Iterable[Record], requirements: Mapping[str, Requirement], *, rest: str) -> Iterator[list[str]]:
    """Yield each cause, as lines of which the first is a title. rest: where the whole evidence is."""
    for first, *others in by_cause(records):
        yield _screenful(first, others, requirements, rest)


def worth_reading(complaint: str) -> list[str]:
    """Return the lines of a complaint that tell somebody something."""
    return [line for line in complaint.strip().splitlines() if not _NOISE.match(line)]


def _screenful(
    record: Record, others: Sequence[Record], requirements: Mapping[str, Requirement], rest: str
) -> list[str]:
    known = [requirements[one] for one in record.requirements if one in requirements]
    head = _fitting(f"✗ {record.name}", 2)
    head += chain.from_iterable(_fitting(f"{one.id} ({one.level}): {one.text}", 1) for one in known[:2])
    head += _fitting(f"  source: {SOURCES[known[0].source]}", 1) if known else []
    evidence = record.evidence
    if evidence is None:
        return [*head, *_fitting(record.reason, 6), *_alike(others)]
    if record.outcome == "error":
        head.append("the suite itself broke; this says nothing about the deployment:")
        complaint = evidence.complaint.strip().splitlines()[-8:]
    else:
        head += _fitting(f"failed at: {step}" if (step := evidence.failed_step) else "failed before its first step", 2)
        complaint = worth_reading(evidence.complaint)
    shown = list(chain.from_iterable(_fitting(f"  {shortened(line, 2 * COLUMNS - 14)}", 2) for line in complaint))
    again = command_lines(evidence.rerun)
    end = [f"the rest: {rest}", *_beside(evidence.attached), *_alike(others)]
    room = LINES - len(head) - sum(-(-len(line) // COLUMNS) for line in end) - 1
    # Half a command is none: it is whole wherever three lines of what came are left.
    again = _cut(again, max(room - 3, 3))
    room -= len(again)
    asked = [] if record.outcome == "error" or room < 3 + LEAST else [*_asked(evidence, room - min(len(shown), 4))]
    return [*head, *_cut(shown, max(room - len(asked), 3)), *asked, "again:", *again, *end]


def _beside(attached: Sequence[str]) -> list[str]:
    """Return in lines where else something is, such as a screenshot: the folder, from that of the run on."""
    paths = [PurePath(one) for one in attached if not one.startswith("no ")]
    if not paths:
        return []
    folder = PurePath(*paths[0].parent.parts[-2:])
    names = f"({', '.join(path.name for path in paths)})"
    line = f"beside it: {folder}/ {names}"
    return [line] if len(line) <= COLUMNS else [f"beside it: {folder}/", *_fitting(f"    {names}", 1)]


def _alike(others: Sequence[Record]) -> Iterator[str]:
    if others:
        yield f"{len(others)} more failed alike{', such as' if len(others) > OTHERS else ''}:"
        for record in others[:OTHERS]:
            yield from _fitting(f"  {record.name} ({', '.join(record.requirements)})", 1)


def _asked(evidence: Evidence, most: int) -> Iterator[str]:
    """Yield the exchange that tells most: the request as a command, and the beginning of its answer. most: lines."""
    found = telling(evidence.exchanges, evidence.complaint)
    if found is None:
        return
    which, one = found
    count = evidence.left_out + len(evidence.exchanges)
    by = f", by {one['by']}" if one.get("by") else ""
    counted = {LAST: f"the last of {count} requests", POINTED_AT: f"one of {count} requests"}
    which = "the one request" if count == 1 else counted.get(which, f"{which}, of {count}")
    times = f", asked {one['times']} times" if one["times"] > 1 else ""
    yield from _fitting(f"{which}{by}{times}:", 2)
    request = command_lines(one["request"])
    yield from _cut(request, max(most - 3, LEAST - 2))
    yield from _fitting(f"→ {came(one)}: {said(one)}", 1 if len(request) + 3 > most else 2)


def _cut(lines: Sequence[str], most: int) -> list[str]:
    return list(lines) if len(lines) <= most else [*lines[: most - 1], f"  … {len(lines) - most + 1} lines more"]


def _fitting(text: str, most: int) -> list[str]:
    """Return a text in so many lines at most; what is left out is said by dots.

    A path or a URL is not broken, so that one can copy it.
    """
    too_long = [word for word in text.split() if len(word) > COLUMNS - 4]
    lines = textwrap.wrap(" ".join(text.split()) if not text.startswith("  ") else text, COLUMNS,
                          subsequent_indent="    ", break_on_hyphens=False,
                          break_long_words=not all(map(_PLACE.fullmatch, too_long))) or [""]  # fmt: skip
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][: COLUMNS - 1]}…"]
    return lines
