"""Answers compared with recorded ones, placeholders understood.

comparison = Comparison()
list(comparison.differences({"uuid": "{{uuid:1}}"}, {"uuid": "0f0e…"}))     # []
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zep_conformance.recordings.format import ZERO_TIME, ZERO_UUID

UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
"""A regular expression: any UUID."""
UUID_PLACEHOLDER = re.compile(r"\{\{uuid:(\d+)\}\}")
ABSENT = object()
"""What came, or was recorded, where nothing is."""
_LITERAL = re.compile(rf"(?!{ZERO_UUID}){UUID}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Difference:
    """One place where an answer is not as recorded: a JSON path, what was recorded, what came (or ABSENT)."""

    where: str
    recorded: Any
    came: Any

    def __str__(self) -> str:
        return f"{self.where}\n    recorded: {written(self.recorded)}\n    came:     {written(self.came)}"


def written(value: Any) -> str:
    """Return one side of a difference as a text."""
    return "nothing" if value is ABSENT else json.dumps(value, ensure_ascii=False)


def is_time(value: Any) -> bool:
    """Return whether it is an RFC 3339 time other than the zero time."""
    return isinstance(value, str) and bool(_TIME.fullmatch(value)) and not value.startswith(ZERO_TIME[:-1])


def fits(placeholder: Any, came: Any) -> bool | None:
    """Return whether what came is what a placeholder stands for; None for what is no placeholder, and for UUIDs."""
    number = isinstance(came, int | float) and not isinstance(came, bool)
    match placeholder:
        case "{{any}}":
            return True
        case "{{text}}" | "{{html}}":
            return isinstance(came, str)
        case "{{int}}" | "{{tokens}}":
            return number and isinstance(came, int) and came >= 0
        case "{{float}}":
            return number
        case "{{vector}}":
            return isinstance(came, list) and bool(came) and all(isinstance(x, float | int) for x in came)
        case "{{time}}":
            return is_time(came)
    return None


@dataclass
class Comparison:
    """Compares answers with placeholders; remembers which UUID each `{{uuid:N}}` stands for."""

    uuids: dict[str, str] = field(default_factory=dict)

    def differences(self, recorded: Any, came: Any, subset: bool = False, where: str = "body") -> Iterator[Difference]:
        """Yield each place where `came` is not as `recorded`. With `subset`, further keys are allowed."""
        if isinstance(recorded, dict) and isinstance(came, dict):
            for key in recorded | ({} if subset else came):
                there = f"{where}.{key}"
                if key not in came:
                    yield Difference(there, recorded[key], ABSENT)
                elif key not in recorded:
                    yield Difference(there, ABSENT, came[key])
                else:
                    yield from self.differences(recorded[key], came[key], subset, there)
        elif isinstance(recorded, list) and isinstance(came, list) and len(recorded) == len(came):
            for index, (one, other) in enumerate(zip(recorded, came, strict=True)):
                yield from self.differences(one, other, subset, f"{where}[{index}]")
        elif isinstance(recorded, str):
            known = fits(recorded, came)
            if not (isinstance(came, str) and self._with_uuids(recorded, came) if known is None else known):
                yield Difference(where, recorded, came)
        elif type(recorded) is not type(came) or recorded != came:
            yield Difference(where, recorded, came)

    def learn(self, came: Any) -> None:
        """Give the UUIDs of an answer that nothing was recorded of numbers, in the order of their appearance."""
        for value in _LITERAL.findall(json.dumps(came)):
            self.number(value)

    def number(self, value: str) -> str:
        """Return the N of a UUID's `{{uuid:N}}`; a new one gets the next."""
        if value not in self.uuids.values():
            self.uuids[str(len(self.uuids) + 1)] = value
        return next(name for name, known in self.uuids.items() if known == value)

    def _with_uuids(self, recorded: str, came: str) -> bool:
        """Compare a text with `{{uuid:N}}` in it: a known N must be that UUID, a new N must be a new one."""
        names = UUID_PLACEHOLDER.findall(recorded)
        pattern = re.escape(recorded)
        for name in names:
            pattern = pattern.replace(re.escape(f"{{{{uuid:{name}}}}}"), f"({UUID})", 1)
        found = re.fullmatch(pattern, came, re.DOTALL)
        if not found:
            return False
        for name, value in zip(names, found.groups(), strict=True):
            known = self.uuids.get(name)
            if known is None and value != ZERO_UUID and value not in self.uuids.values():
                self.uuids[name] = value
            elif known != value:
                return False
        return True
