"""An answer turned into what a recording holds: whatever may differ from server to server becomes a placeholder.

Where an earlier recording of the same exchange is known, its placeholders are kept as long as they fit, since it knows
best what is free (a text's wording) and what is not; UUIDs are numbered anew in the order in which they appear.

    abstraction = Abstraction(Comparison())
    abstraction.body({"uuid": "0f0e…", "token_count": 7})       # {"uuid": "{{uuid:1}}", "token_count": "{{tokens}}"}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from zep_conformance.recordings.comparison import ABSENT, UUID, Comparison, fits, is_time
from zep_conformance.recordings.format import ZERO_UUID

FREE = {
    "flowData": "{{any}}",
    "stack": "{{any}}",
    "encryptedData": "{{text}}",
    "icon": "{{text}}",
    "iconSrc": "{{text}}",
    "id": "{{int}}",
    "token_count": "{{tokens}}",
    "dist": "{{float}}",
    "score": "{{float}}",
}
"""Fields that are free wherever they are, and what they hold; those of another type than that are not free."""
VECTOR = 8
"""Fractions from which on a list of nothing else is a vector."""
_UUID = re.compile(UUID)
_PLACEHOLDER = re.compile(r"\{\{(uuid:\d+|time|int|tokens|text|html|float|vector|any)\}\}")


class Abstraction:
    """Abstracts the answers of one sequence.

    numbers: which UUID has which number; new ones get the next. is_private: whether a text must not be recorded, since
    it holds a secret or an address.
    """

    def __init__(self, numbers: Comparison, is_private: Callable[[str], bool] = lambda _: False) -> None:
        self._numbers, self._is_private = numbers, is_private

    def body(self, came: Any, earlier: Any = ABSENT, *, subset: bool = False) -> Any:
        """An answer's body with placeholders. earlier: the same in an earlier recording.

        subset: only the keys that were recorded earlier are.
        """
        return self._value(came, earlier, "", subset)

    def text(self, text: str) -> str:
        """A text with numbers for its UUIDs, the all-zero one excepted."""
        return _UUID.sub(self._numbered, text)

    def _value(self, came: Any, earlier: Any, key: str, subset: bool) -> Any:
        if isinstance(earlier, str) and fits(earlier, came):
            return earlier
        free = FREE.get(key)
        if free is not None and fits(free, came) and earlier is ABSENT:
            return free if free != "{{any}}" or isinstance(came, str | dict | list) else came
        if isinstance(came, dict):
            known = earlier if isinstance(earlier, dict) else {}
            kept = [name for name in came if name in known] if subset and known else list(came)
            return {name: self._value(came[name], known.get(name, ABSENT), name, subset) for name in kept}
        if isinstance(came, list):
            return self._list(came, earlier, key, subset)
        if isinstance(came, str):
            return self._text(came)
        return "{{float}}" if isinstance(came, float) and earlier is ABSENT else came

    def _list(self, came: list[Any], earlier: Any, key: str, subset: bool) -> Any:
        if earlier is ABSENT and len(came) >= VECTOR and all(isinstance(one, float) for one in came):
            return "{{vector}}"
        known = earlier if isinstance(earlier, list) else []
        # A longer list than before is most likely more of the same.
        known = known + known[-1:] * (len(came) - len(known))
        known += [ABSENT] * (len(came) - len(known))
        return [self._value(one, before, key, subset) for one, before in zip(came, known, strict=False)]

    def _text(self, came: str) -> str:
        if is_time(came):
            return "{{time}}"
        # What only looks like a placeholder would be taken for one.
        return "{{text}}" if _PLACEHOLDER.search(came) or self._is_private(came) else self.text(came)

    def _numbered(self, found: re.Match[str]) -> str:
        return found[0] if found[0] == ZERO_UUID else f"{{{{uuid:{self._numbers.number(found[0])}}}}}"
