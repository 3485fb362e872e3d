"""What an answer must be: values as they are, and rules for what nobody can know beforehand.

    rule = Fields({"uuid": uuid, "role": "human", "created_at": created}, optional={"metadata": metadata})
    [*rule.differences(came, "messages[0]", seen)]       # none, or what differs and where

A `Cell` holds what a server has made up (a uuid, a time): whatever it is at the first reading, it must be at each.
"""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
ZERO_TIME = "0001-01-01T00:00:00Z"
CLOCKS = timedelta(seconds=5)
"""What a server's clock, and that of its database, may differ from the one that stamps its answers."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHOWN = 160


@dataclass(frozen=True)
class Difference:
    """What is not as it must be. where: its place in the answer, "" for the whole. expected, came: in words."""

    where: str
    expected: str
    came: str

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}expected {self.expected}, came {self.came}"


@dataclass(frozen=True)
class Seen:
    """When an answer came: began, ended bracket the exchange, by the server's clock as far as that is known."""

    began: datetime
    ended: datetime


class Rule(ABC):
    """What one value of an answer must be."""

    @abstractmethod
    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield what is not as it must be; learn what only the server knows."""


@dataclass
class Cell:
    """What a server made up. value: None until it was seen. since: when what it stands for was done, None before."""

    value: Any = None
    since: Seen | None = None

    def same(self, came: Any, where: str) -> Iterator[Difference]:
        """Take what came as the value, or yield that it was another before."""
        if self.value is None:
            self.value = came
        elif came != self.value:
            yield Difference(where, f"{shown(self.value)}, as at the reading before", shown(came))


def shown(value: Any) -> str:
    """Return a value as JSON, what can't be seen escaped, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=not _plain(value), sort_keys=True)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _plain(value: Any) -> bool:
    """Return whether a text can be shown as it is: letters that nobody takes for others, and nothing invisible."""
    return isinstance(value, str) and all(" " <= sign <= "~" or sign.isalpha() for sign in value)


def alike(one: Any, other: Any) -> bool:
    """Return whether two JSON values are the same: numbers by the 64-bit float that they are, and 1 is not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(type(one) is type(other) and one == other)


def rule_of(value: Any) -> Rule:
    """Return the rule that a plain value stands for: itself."""
    return value if isinstance(value, Rule) else Exactly(value)


@dataclass(frozen=True)
class Exactly(Rule):
    """The value is this one."""

    value: Any

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:  # noqa: ARG002
        """Yield that it is another."""
        if not alike(self.value, came):
            yield Difference(where, shown(self.value), shown(came))


@dataclass(frozen=True)
class Holds(Rule):
    """Something holds of the value. what: what that is, in words."""

    what: str
    test: Callable[[Any], bool]

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:  # noqa: ARG002
        """Yield that it does not."""
        if not self.test(came):
            yield Difference(where, self.what, shown(came))


ANYTHING = Holds("anything", lambda _came: True)


@dataclass(frozen=True)
class OneOf(Rule):
    """The value is as one of several rules has it; they must learn nothing."""

    rules: tuple[Rule, ...]

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield how it differs from the first, where it differs from all."""
        found = [[*rule.differences(came, where, seen)] for rule in self.rules]
        if all(found):
            yield from found[0]


@dataclass(frozen=True)
class Fields(Rule):
    """An object with these fields and no others. optional: those that may be left out."""

    fields: Mapping[str, Any]
    optional: Mapping[str, Any] = field(default_factory=dict)

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield each field that is missing, too much, or not as it must be."""
        if not isinstance(came, Mapping):
            yield Difference(where, "an object", shown(came))
            return
        dot = f"{where}." if where else ""
        for name in self.fields:
            if name not in came:
                yield Difference(f"{dot}{name}", "to be there", "nothing")
        for name, value in came.items():
            known = self.fields.get(name, self.optional.get(name, self))
            if known is self:
                yield Difference(f"{dot}{name}", "not to be there", shown(value))
            else:
                yield from rule_of(known).differences(value, f"{dot}{name}", seen)


@dataclass(frozen=True)
class Listed(Rule):
    """A list of these, in this order. what: what they are called."""

    rules: Sequence[Any]
    what: str = "items"

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield that there are more or fewer, and what is wrong with each."""
        if not isinstance(came, list):
            yield Difference(where, f"a list of {self.what}", shown(came))
            return
        if len(came) != len(self.rules):
            yield Difference(where, f"{len(self.rules)} {self.what}", str(len(came)))
        for number, (rule, value) in enumerate(zip(self.rules, came, strict=False)):
            yield from rule_of(rule).differences(value, f"{where}[{number}]", seen)


@dataclass(frozen=True)
class InAnyOrder(Rule):
    """A list of objects whose order nobody promises. rules: by what each has in the field `key`."""

    rules: Mapping[str, Any]
    key: str
    what: str = "items"

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield what differs where both are put in the order of the field."""
        ordered = in_order_of(self.key, came) if isinstance(came, list) else came
        yield from Listed([self.rules[key] for key in sorted(self.rules)], self.what).differences(ordered, where, seen)


def in_order_of(key: str, found: Sequence[Any]) -> list[Any]:
    """Return JSON objects in the order of one of their fields."""
    return sorted(found, key=lambda one: str(one.get(key)) if isinstance(one, Mapping) else "")


@dataclass(frozen=True)
class OwnUuid(Rule):
    """A uuid of its own, the same at every reading. taken: to whom each uuid that was seen belongs."""

    cell: Cell
    taken: dict[str, Cell]

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:  # noqa: ARG002
        """Yield that it is none, another than before, or somebody else's."""
        if not isinstance(came, str) or not _UUID.fullmatch(came) or came == ZERO_UUID:
            yield Difference(where, "a uuid", shown(came))
            return
        if self.taken.setdefault(came, self.cell) is not self.cell:
            yield Difference(where, "a uuid of its own", f"that of another: {came}")
            return
        yield from self.cell.same(came, where)


@dataclass(frozen=True)
class OwnTime(Rule):
    """The time at which something was done, the same at every reading. cell: its `since` says when that was."""

    cell: Cell

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield that it is none, another than before, or outside the exchange that did it."""
        time = time_of(came)
        if time is None:
            yield Difference(where, "a time", shown(came))
            return
        done = self.cell.since or seen
        if not done.began - CLOCKS <= time <= done.ended + CLOCKS:
            yield Difference(where, f"the time of the request, {done.began:%Y-%m-%dT%H:%M:%SZ}", shown(came))
            return
        yield from self.cell.same(came, where)


@dataclass(frozen=True)
class LaterTime(Rule):
    """A time that goes on: not before what it was, and not after the answer. cell: the newest that was seen."""

    cell: Cell

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield that it is none, or not in between."""
        time = time_of(came)
        if time is None:
            yield Difference(where, "a time", shown(came))
            return
        earliest = time_of(self.cell.value) if self.cell.value else (self.cell.since or seen).began - CLOCKS
        if earliest is not None and time < earliest:
            yield Difference(where, f"a time not before {earliest:%Y-%m-%dT%H:%M:%S.%fZ}", shown(came))
        elif time > seen.ended + CLOCKS:
            yield Difference(where, f"a time not after the answer, {seen.ended:%Y-%m-%dT%H:%M:%SZ}", shown(came))
        else:
            self.cell.value = came


@dataclass(frozen=True)
class OwnNumber(Rule):
    """A whole number that stays, and is larger than those of what was made before. before: the cells of those."""

    cell: Cell
    before: Sequence[Cell] = ()

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:  # noqa: ARG002
        """Yield that it is none, another than before, or out of order."""
        if not isinstance(came, int) or isinstance(came, bool):
            yield Difference(where, "a whole number", shown(came))
            return
        largest = max((one.value for one in self.before if one.value is not None), default=None)
        if largest is not None and came <= largest:
            yield Difference(where, f"more than {largest}, which was made before", str(came))
            return
        yield from self.cell.same(came, where)


def time_of(text: Any) -> datetime | None:
    """Return the time of an RFC 3339 text, None where it is none."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text):
        return None
    try:
        # Python reads six digits of a second at most; Go writes up to nine.
        time = datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text))
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
