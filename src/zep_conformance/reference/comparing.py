"""The same sequence on two servers, and where their answers differ: how an implementer holds a server to a real one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from zep_conformance.reference.carrying import Outcome, Server, Step, carry_out
from zep_conformance.reference.operations import Chatbot, Kind, Operation, World
from zep_conformance.reference.rules import Difference, Exactly, Seen, alike, shown, time_of

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN = frozenset(("id", "dist", "embedding", "token_count"))
"""Fields whose values are a server's own affair."""


def compare(
    kind: Kind,
    operations: Sequence[Operation[Any]],
    world: World,
    servers: Mapping[str, Server],
    others: Mapping[str, Server],
    *,
    chatbots: tuple[Chatbot, ...] = (),
) -> Outcome:
    """Carry a sequence out on both; return the outcome on `servers`, with where the others differ as its failure.

    chatbots: those that are talked to on the others.
    Nothing is held to the model. Uuids, times, the words of refusals and what enrichment brings are not compared.
    """
    ours = carry_out(kind, operations, world, servers, to_the_end=True)
    there_as = replace(world, prefix=f"{world.prefix}b", chatbots=chatbots)  # the two may be one
    theirs = carry_out(kind, operations, there_as, others, to_the_end=True)
    outcome = Outcome(steps=ours.steps, begun=len(operations))
    here, there = _Side(world.prefix), _Side(there_as.prefix)
    for one, other in zip_longest(ours.steps, theirs.steps):
        step: Step = one or other
        found = [*_differing(one, other, here, there)]
        if found:
            outcome.failure = Step(step.operation, step.request, step.status, step.answer, tuple(found), step.looked)
            outcome.steps = [*ours.steps[: ours.steps.index(one)], outcome.failure] if one else [*ours.steps, step]
            break
    return outcome


def _differing(one: Step | None, other: Step | None, here: _Side, there: _Side) -> Iterator[Difference]:
    if one is None or other is None or one.operation != other.operation:
        yield Difference("", "the same to be asked for", "another order, after answers that differ")
        return
    if one.status != other.status:
        yield Difference(
            "", f"status {one.status} {shown(one.answer[:200])}", f"{other.status} {shown(other.answer[:200])}"
        )
        return
    if one.status is None or one.status >= 400:
        return
    mine, yours = (side.comparable(step) for side, step in ((here, one), (there, other)))
    if not alike(mine, yours):
        yield from _where(mine, yours, "")


def _where(mine: Any, yours: Any, where: str) -> Iterator[Difference]:
    """Yield the places at which two JSON values differ."""
    if isinstance(mine, Mapping) and isinstance(yours, Mapping):
        for name in sorted(mine.keys() | yours.keys()):
            yield from _where(mine.get(name, "(nothing)"), yours.get(name, "(nothing)"), f"{where}.{name}".lstrip("."))
    elif isinstance(mine, list) and isinstance(yours, list) and len(mine) == len(yours):
        for number, (left, right) in enumerate(zip(mine, yours, strict=True)):
            yield from _where(left, right, f"{where}[{number}]")
    else:
        yield from Exactly(mine).differences(yours, where, _NEVER)


_NEVER: Seen = Seen.__new__(Seen)


@dataclass
class _Side:
    """One of the servers, with the uuids that it has made up, numbered as they came. prefix: of the names there.

    Lists may have what an earlier sequence has made, whose names begin with another number.
    """

    prefix: str
    uuids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number = re.search(r"\d+(b?)$", self.prefix)
        every = re.escape(self.prefix[: number.start()]) + rf"\d+{number[1]}" if number else re.escape(self.prefix)
        self._names = re.compile(every)

    def comparable(self, step: Step) -> Any:
        """Return what of an answer the other server's must have, too."""
        try:
            body = json.loads(step.answer)
        except ValueError:
            body = step.answer.strip()
        return self._plain(step.operation.comparable(body))

    def _plain(self, value: Any, name: str = "") -> Any:
        if name in _OWN and not isinstance(value, Mapping | list):
            return f"({name})"
        if isinstance(value, str):
            if _UUID.fullmatch(value):
                return self.uuids.setdefault(value, f"(uuid {len(self.uuids) + 1})")
            is_time = name.endswith(("_at", "Date")) and time_of(value)
            return "(a time)" if is_time else self._names.sub("", value)
        if isinstance(value, Mapping):
            return {key: self._plain(one, key) for key, one in value.items()}
        return [self._plain(one) for one in value] if isinstance(value, list) else value
