"""JSON that is nested too deeply: read, it could fail half-way through what is done with it, which is recursive."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 200
"""Lists and objects in each other that the embedded servers read: far more than anybody writes."""


def is_too_deep(text: str | bytes, value: Any) -> bool:
    """Return whether lists and objects are nested deeper than MAX_DEPTH in the JSON value of a text."""
    opened = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if opened <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner = (one for one in level if isinstance(one, list | dict))
        level = [item for one in inner for item in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return False
    return True
