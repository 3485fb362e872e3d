"""Differences of the same kind: the same place, the same sort of value recorded, the same sort come.

A server that is altogether different differs in a few ways a hundred times over; each way is shown once.
"""

from __future__ import annotations

import re
from typing import Any

from zep_conformance.recordings.comparison import ABSENT, UUID, UUID_PLACEHOLDER, Difference, is_time
from zep_conformance.recordings.player import Played

SHORT = 40
"""Characters up to which a text is its own sort."""
_LITERAL = re.compile(UUID)
_INDEX = re.compile(r"\[\d+\]")

Kind = tuple[str, str, str]


def kind(difference: Difference) -> Kind:
    """The kind of a difference: where (any index), the sort recorded, the sort come."""
    where = _INDEX.sub("[*]", difference.where)
    exact = where in ("status", "content_type", "request")
    return where, _sort(difference.recorded, exact=exact), _sort(difference.came, exact=exact)


def telling(played: Played) -> tuple[Difference, ...]:
    """The differences that tell exchanges apart: with another status the rest of the answer follows from it."""
    by_status = tuple(difference for difference in played.differences if difference.where == "status")
    return by_status or played.differences


def _sort(value: Any, *, exact: bool) -> str:
    if value is ABSENT:
        return "nothing"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        if is_time(value):
            return "a time"
        text = _LITERAL.sub("{{uuid}}", UUID_PLACEHOLDER.sub("{{uuid}}", value))
        return repr(text) if exact or len(text) <= SHORT else "a text"
    if isinstance(value, bool) or value is None or exact:
        return repr(value)
    return "a number"
