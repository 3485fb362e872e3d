"""How two values differ, by the paths at which they do: what a failed comparison shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, NamedTuple

MOST = 200
"""Differences that are listed; how many more there are is said."""
_LONGEST = 1000
"""Characters of a value that are shown: of a longer text those around where it differs."""
_BEFORE = 20
"""Characters that are shown before those that differ."""
_SHORT = 200
"""A text of so many characters in one line is better shown whole."""
_ABSENT = object()
_LINE = re.compile(r"\s*(?P<path>\S+): (?P<came>.+?) came, (?P<expected>.+) was expected(?:\.\.\.)?$")
COUNT = re.compile(r"(?:assert )?\d+ differences?:$")
"""The line before a list of differences."""


class Told(NamedTuple):
    """A line that tells of a difference, taken apart."""

    path: str
    came: str
    expected: str


def told(line: str) -> Told | None:
    """Return what a line tells of a difference; None for any other line."""
    found = _LINE.match(line)
    return Told(**found.groupdict()) if found else None


def shortened(line: str, most: int) -> str:
    """Return a line that tells of a difference in so many characters: of both values what is where they differ."""
    found = told(line)
    if found is None or len(line) <= most:
        return line
    room = max((most - len(found.path) - len("  :  came,  was expected")) // 2, _BEFORE * 2)
    begin = alike(found.came, found.expected)
    came, expected = (_window(text, begin, room) for text in (found.came, found.expected))
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}{found.path}: {came} came, {expected} was expected"


def explained(came: Any, expected: Any) -> list[str] | None:
    """Return in words, a line each, where two lists, objects, sets or long texts differ; None for anything else."""
    if isinstance(came, str) and isinstance(expected, str):
        if max(len(came), len(expected)) <= _SHORT and "\n" not in came + expected:
            return None
        return ["1 difference:", *_of_texts(came, expected, ""), _lengths(came, expected)]
    for kinds in ((dict,), (list, tuple), (set, frozenset)):
        if isinstance(came, kinds) and isinstance(expected, kinds):
            found = list(_between(came, expected, ""))
            more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
            return [f"{len(found)} difference{'s' * (len(found) != 1)}:", *found[:MOST], *more]
    return None


def alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _between(came: Any, expected: Any, at: str) -> Iterator[str]:
    if isinstance(came, dict) and isinstance(expected, dict):
        for key in sorted({*came, *expected}, key=str):
            yield from _between(came.get(key, _ABSENT), expected.get(key, _ABSENT), f"{at}.{key}".lstrip("."))
    elif isinstance(came, (list, tuple)) and isinstance(expected, (list, tuple)):
        for number in range(max(len(came), len(expected))):
            one, other = (values[number] if number < len(values) else _ABSENT for values in (came, expected))
            yield from _between(one, other, f"{at}[{number}]")
    elif isinstance(came, (set, frozenset)) and isinstance(expected, (set, frozenset)):
        for one in sorted(came - expected, key=repr):
            yield from _between(one, _ABSENT, f"{at}{{}}")
        for one in sorted(expected - came, key=repr):
            yield from _between(_ABSENT, one, f"{at}{{}}")
    elif came is _ABSENT:
        yield f"{_named(at)}: nothing came, {_short(expected)} was expected"
    elif expected is _ABSENT:
        yield f"{_named(at)}: {_short(came)} came, nothing was expected"
    elif came != expected and isinstance(came, str) and isinstance(expected, str):
        yield from _of_texts(came, expected, at)
    elif came != expected:
        yield f"{_named(at)}: {_short(came)} came, {_short(expected)} was expected"


def _of_texts(came: str, expected: str, at: str) -> Iterator[str]:
    """Yield how two texts differ: whole where they are short, else what is where they begin to differ, and where."""
    if max(len(came), len(expected)) <= _LONGEST and at:
        yield f"{_named(at)}: {came!r} came, {expected!r} was expected"
        return
    begin = alike(came, expected)
    one, other = (_window(text, begin, _LONGEST) for text in (came, expected))
    yield f"{_named(at)}[{begin}]: {one!r} came, {other!r} was expected"


def _lengths(came: str, expected: str) -> str:
    line = came.count("\n", 0, alike(came, expected)) + 1
    return f"in line {line}; {len(came)} characters came, {len(expected)} were expected"


def _named(path: str) -> str:
    """Return a path without blanks, which a line would be cut at."""
    return re.sub(r"\s", "·", path)


def _window(text: str, begin: int, most: int) -> str:
    """Return what is in a text from shortly before a place on; dots say where something is left out."""
    if len(text) <= most:
        return text
    start = max(begin - _BEFORE, 0)
    end = start + most
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
