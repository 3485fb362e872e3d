"""Making a sequence that fails shorter: operations are left out, and what they carry is made simpler, while it fails.

Hypothesis's own way needs hundreds of sequences to get there, each of many requests, since it knows choices and not
operations. Here the JSON of a sequence is taken apart, so that every kind is shrunk alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

Document = list[Any]
"""A sequence as it stands in a file: a list of operations."""
_SIMPLE = ("", "a", "hello")
_FIXED = frozenset(("do",))
"""What is never changed of an operation."""


def shrunk(document: Sequence[Any], fails: Callable[[Document], bool]) -> Document:
    """Return a sequence that fails, too, of which nothing can be left out or made simpler.

    fails: whether a sequence fails; it may end the search by an exception.
    """
    shortest = list(document)
    while True:
        before = list(shortest)
        shortest = _shorter(shortest, fails)
        for at in range(len(shortest)):
            before_it, after_it = shortest[:at], shortest[at + 1 :]
            shortest[at] = _simplest(shortest[at], partial(_fails_between, fails, before_it, after_it))
        if shortest == before:
            return shortest


def _fails_between(fails: Callable[[Document], bool], before: Document, after: Document, one: Any) -> bool:
    return fails([*before, one, *after])


def _shorter(items: list[Any], fails: Callable[[list[Any]], bool]) -> list[Any]:
    """Return a list with as many items left out as can be, in ever smaller runs, from its end on."""
    size = max(1, len(items) // 2)
    while True:
        end = len(items)
        while end > 0:
            without = items[: max(0, end - size)] + items[end:]
            if fails(without):
                items = without
            end -= size
        if size == 1:
            return items
        size //= 2


def _simplest(value: Any, fails: Callable[[Any], bool]) -> Any:
    """Return what a value can be made, without what it holds being needed."""
    progress = True
    while progress:
        progress = False
        for simpler in _simpler(value):
            if fails(simpler):
                value, progress = simpler, True
                break
    return value


def _simpler(value: Any) -> Iterator[Any]:
    """Yield values that are simpler than one, the simplest first."""
    if isinstance(value, Mapping):
        yield from _with_less(value)
    elif isinstance(value, list):
        yield from ([], value[: len(value) // 2], value[len(value) // 2 :]) if len(value) > 1 else ()
        yield from (value[:at] + value[at + 1 :] for at in range(len(value)) if len(value) > 1)
        for at, one in enumerate(value):
            yield from ([*value[:at], simpler, *value[at + 1 :]] for simpler in _simpler(one))
    elif isinstance(value, str):
        simple = [one for one in _SIMPLE if len(one) < len(value)]
        halves = [value[: len(value) // 2], value[len(value) // 2 :]] if len(value) > 1 else []
        ends = [value[1:], value[:-1]] if 1 < len(value) <= 40 else []
        yield from dict.fromkeys([*simple, *halves, *ends])
    elif isinstance(value, bool):
        yield from (False,) if value else ()
    elif isinstance(value, int | float) and value not in (0, 1):
        yield from dict.fromkeys([0, 1, *([int(value) // 2] if 3 < value < 10**6 else [])])


def _with_less(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in value:
        if name not in _FIXED:
            yield {key: one for key, one in value.items() if key != name}
    for name, one in value.items():
        if name not in _FIXED:
            yield from ({**value, name: simpler} for simpler in _simpler(one))
