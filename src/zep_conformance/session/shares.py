"""Carrying scenarios out in several processes at once, each forked from the one that has collected them.

    found = in_shares(3, lambda number: carried_out(session.items[number::3]))

What is carried out must need nothing of the others, and nothing that can't be had twice.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from zep_conformance import suite

T = TypeVar("T")
MOST = 4
"""Processes: more would wait for each other's memory."""
_works: list[Callable[[int], Any]] = []


def possible() -> int:
    """Return how many shares there is a processor for; 1 where no process can be forked."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return min(MOST, suite.cores())


def in_shares(count: int, work: Callable[[int], T]) -> list[T]:
    """Return what `work` returns for each number below `count`, called in a process that is forked from this one.

    What it returns is pickled. Raises what it raises.
    """
    _works.append(work)
    try:
        with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("fork")) as pool:
            return list(pool.map(_share, range(count)))
    finally:
        _works.pop()


def _share(number: int) -> Any:
    return _works[-1](number)
