"""Carrying scenarios out in several processes at once, each forked from the one that has collected them.

    found = in_shares(3, session.items, lambda items: [carried_out(item) for item in items])

What is carried out must need nothing of the others, and nothing that can't be had twice. Whichever process has nothing
to do takes the next one, so that they end together.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from zep_conformance import suite

T = TypeVar("T")
Item = TypeVar("Item")
MOST = 4
"""Processes: more would wait for each other's memory."""
_works: list[Callable[[int], Any]] = []


def possible() -> int:
    """Return how many shares there is a processor for; 1 where no process can be forked."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return min(MOST, suite.cores())


def in_shares(
    count: int, items: Sequence[Item], work: Callable[[Iterator[Item]], T], together: Sequence[Item] = ()
) -> list[T]:
    """Return what `work` returns for each share of the items, called in a process that is forked from this one.

    together: items that one process should have to itself, before it takes others. What `work` returns is pickled.
    Raises what it raises.
    """
    forking = multiprocessing.get_context("fork")
    taken = forking.Value("i", 0)

    def share(number: int) -> Iterator[Item]:
        yield from () if number else together
        while True:
            with taken.get_lock():
                at = taken.value
                taken.value += 1
            if at >= len(items):
                return
            yield items[at]

    _works.append(lambda number: work(share(number)))
    try:
        with ProcessPoolExecutor(count, mp_context=forking) as pool:
            return list(pool.map(_share, range(count)))
    finally:
        _works.pop()


def _share(number: int) -> Any:
    return _works[-1](number)
