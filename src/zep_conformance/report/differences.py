"""How two values differ, by the paths at which they do: what a failed comparison shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST = 30
"""Differences that are listed; how many more there are is said."""
_LONGEST = 120
_ABSENT = object()


def explained(came: Any, expected: Any) -> list[str] | None:
    """Return in words, a line each, where two lists or objects differ; None for what is better shown whole."""
    for kinds in ((dict,), (list, tuple)):
        if isinstance(came, kinds) and isinstance(expected, kinds):
            found = list(_between(came, expected, ""))
            more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
            return [f"{len(found)} difference{'s' * (len(found) != 1)}:", *found[:MOST], *more]
    return None


def _between(came: Any, expected: Any, at: str) -> Iterator[str]:
    if isinstance(came, dict) and isinstance(expected, dict):
        for key in sorted({*came, *expected}, key=str):
            yield from _between(came.get(key, _ABSENT), expected.get(key, _ABSENT), f"{at}.{key}".lstrip("."))
    elif isinstance(came, (list, tuple)) and isinstance(expected, (list, tuple)):
        for number in range(max(len(came), len(expected))):
            one, other = (values[number] if number < len(values) else _ABSENT for values in (came, expected))
            yield from _between(one, other, f"{at}[{number}]")
    elif came is _ABSENT:
        yield f"{at}: nothing came, {_short(expected)} was expected"
    elif expected is _ABSENT:
        yield f"{at}: {_short(came)} came, nothing was expected"
    elif came != expected:
        yield f"{at}: {_short(came)} came, {_short(expected)} was expected"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
