"""Drawing values that are nasty by design, of those in `values`. Imports Hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from zep_conformance.reference import values

T = TypeVar("T")


def _one_of(values: Sequence[T]) -> st.SearchStrategy[T]:
    """Return what draws one of many values. `sampled_from` would have Hypothesis write all of them down."""
    return st.integers(0, len(values) - 1).map(lambda number: values[number])


def often(strategy: st.SearchStrategy[T], times: int) -> list[st.SearchStrategy[T]]:
    """Return a strategy several times: one among others is drawn so much more often. Of equal ones one is left."""
    return [strategy.map(lambda value: value) for _ in range(times)]


def texts(*, long: bool = True, wild: bool = False) -> st.SearchStrategy[str]:
    """Return what draws the text of a message. long: whether very long ones are among them. wild: whether any are."""
    pieced = st.lists(st.sampled_from(values.PIECES), min_size=1, max_size=8).map("".join)
    some = _one_of((*values.MANY_TEXTS, values.long_text()) if long else values.MANY_TEXTS)
    return st.one_of(*often(some, 9), pieced, *(often(_any_text(), 5) if wild else ()))


def roles() -> st.SearchStrategy[str]:
    """Return what draws the role of a message."""
    return st.sampled_from(values.ROLES)


def metadata(*, reserved: bool = False, empty: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return what draws metadata: nested, null, numeric, with keys of any case and script.

    reserved: whether Zep's own key may be among them. empty: whether there may be none in them.
    """
    some = values.MANY_METADATA + (({},) if empty else ())
    some += ({"system": {"intent": "forged"}, "mood": "calm"}, {"system": 1, "a": 2}) if reserved else ()
    leaves = st.one_of(st.none(), st.booleans(), st.sampled_from(values.NUMBERS), st.sampled_from(values.TEXTS))
    drawn = st.dictionaries(st.sampled_from(values.KEYS), leaves, min_size=1, max_size=4)
    return st.one_of(*often(_one_of(some), 9), drawn)


def _any_text() -> st.SearchStrategy[str]:
    """Return what draws any text that UTF-8 can hold."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def any_family() -> st.SearchStrategy[tuple[str, ...]]:
    """Return what draws any id, and two that are easily taken for it."""
    pieces = st.one_of(_any_text(), *map(st.just, ["/", "%", "%2F", "+", "?", "#", "..", "/memory", "\\", "\n", "ß"]))
    ident = st.lists(pieces, min_size=1, max_size=3).map("".join).map(lambda text: text.replace("\0", ""))
    return ident.map(lambda one: (f"{one}n1", f"{one}n1".swapcase(), f"{one}n1x"))
