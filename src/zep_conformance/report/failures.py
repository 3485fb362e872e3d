"""Failures in a terminal: a screenful each, those of one cause together; the rest is in conformance.json."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from zep_conformance.facts.requirements import SOURCES, Requirement
from zep_conformance.report.evidence import Evidence
from zep_conformance.report.outcomes import Record

COLUMNS, LINES = 80, 24
"""What a failure fits into."""
OTHERS = 2
"""Scenarios that failed alike, and are named."""
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|zc-[0-9a-f]+\S*|[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:\.\d+)?")
"""What differs between complaints of one cause."""
_NOISE = re.compile(r"\s*$|\s*assert False$|\s*\+\s+where ")
"""Lines of Python's that tell nobody anything."""
_PLACE = re.compile(r"\W{0,2}(?:https?:/)?(?:/[\w.~%@:+=&?-]+)+/?\W{0,2}")
"""A path or a URL, and what stands around it."""


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


def failures(records: Iterable[Record], requirements: Mapping[str, Requirement], *, rest: str) -> Iterator[list[str]]:
    """Yield each cause, as lines of which the first is a title. rest: where the whole evidence is."""
    for first, *others in by_cause(records):
        yield _screenful(first, others, requirements, rest)


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
        complaint = [line for line in evidence.complaint.strip().splitlines() if not _NOISE.match(line)]
    shown = list(chain.from_iterable(_fitting(f"  {line}", 2) for line in complaint))
    again = command_lines(evidence.rerun)
    also = "".join(f", {path}" for path in evidence.attached[:1])
    end = [*_fitting(f"the rest: {rest}{also}", 1), *_alike(others)]
    room = LINES - len(head) - len(end) - 1
    asked = [] if record.outcome == "error" else [*_asked(evidence, room - min(len(shown), 5) - min(len(again), 5))]
    room -= len(asked)
    again = _cut(again, max(room - min(len(shown), 6), 3))
    return [*head, *_cut(shown, max(room - len(again), 3)), *asked, "again:", *again, *end]


def _alike(others: Sequence[Record]) -> Iterator[str]:
    if others:
        yield f"{len(others)} more failed alike{', such as' if len(others) > OTHERS else ''}:"
        for record in others[:OTHERS]:
            yield from _fitting(f"  {record.name} ({', '.join(record.requirements)})", 1)


def _asked(evidence: Evidence, most: int) -> Iterator[str]:
    """Yield the last exchange: what was asked, as a command, and the beginning of the answer. most: lines, or 6."""
    if not evidence.exchanges:
        return
    last = evidence.exchanges[-1]
    count = evidence.left_out + len(evidence.exchanges)
    times = f", asked {last['times']} times" if last["times"] > 1 else ""
    yield f"the last of {count} requests{times}:" if count > 1 else "the one request:"
    yield from _cut(command_lines(last["request"]), max(most - 3, 3))
    yield from _fitting(f"→ {last['status']} in {last['milliseconds']:.0f} ms: {last['answer'] or '(empty)'}", 2)


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


def command_lines(command: str) -> list[str]:
    """Return a shell command in lines that fit, and that a shell reads as the same command."""
    lines, line = [], ""
    for word in _words(command):
        if line and len(line) + 1 + len(word) > COLUMNS - 2:
            lines.append(f"{line} \\")
            line = ""
        line = f"{line} {word}" if line else word
        while len(line) > COLUMNS - 2:
            piece, line = _broken(line, COLUMNS - 2)
            lines.append(piece)
    return [*lines, line]


def _scanned(text: str) -> Iterator[tuple[str, str, bool]]:
    """Yield each character of a shell's text, with the quote that it stands in and whether a backslash goes before."""
    quote, escaped = "", False
    for char in text:
        yield char, quote, escaped
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char


def _words(command: str) -> Iterator[str]:
    """Yield the words of a command as they are written, with their quotes."""
    word = ""
    for char, quote, escaped in _scanned(command):
        if char == " " and not quote and not escaped:
            yield word
            word = ""
        else:
            word += char
    yield word


def _broken(word: str, most: int) -> tuple[str, str]:
    """Return the beginning of a word that is too long, ended by a backslash, and the rest: a shell joins them again."""
    at, quote = next(
        (at, quote) for at, (_, quote, escaped) in enumerate(_scanned(word)) if at >= most - 2 and not escaped
    )
    return f"{word[:at]}{quote}\\", f"{quote}{word[at:]}"
