"""What a run found out about its target: kept by each process of it, sent by workers, merged, and reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

PHASES = ("pull", "build", "create", "start", "ready")
"""What a part goes through, in this order; a target has some of them."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """One phase of one part. began, ended: seconds since the start of the run."""

    part: str
    phase: str
    began: float
    ended: float

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        return asdict(self) | {"began": round(self.began, 3), "ended": round(self.ended, 3)}


class Timeline:
    """Collects the phases of parts that start side by side."""

    def __init__(self) -> None:
        self._zero = time.monotonic()
        self._lock = threading.Lock()
        self._spans: list[Span] = []

    @contextmanager
    def phase(self, part: str, phase: str) -> Iterator[None]:
        """Everything inside is this phase of the part, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(part, phase, began=began, ended=time.monotonic())

    def add(self, part: str, phase: str, *, began: float, ended: float) -> None:
        """Add a phase, which another process may have seen. began, ended: by time.monotonic(), whose zero all share."""
        with self._lock:
            self._spans.append(Span(part=part, phase=phase, began=began - self._zero, ended=ended - self._zero))

    def spans(self) -> list[Span]:
        """Return all phases so far, by their beginning."""
        with self._lock:
            return sorted(self._spans, key=lambda span: (span.began, span.part))


@dataclass(frozen=True, kw_only=True)
class TargetSeen:
    """A target that came up. name: with the path, as it was given. deployed: False for the suite's own servers.

    timeline: what was done to start each part, by the process that started it.
    """

    name: str
    deployed: bool
    timeline: tuple[Span, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PartSeen:
    """One part under test, "" for what is not known of it. digest: of its image. program: where it is no container.

    embedded: whether it says that it is one of the suite's own.
    """

    version: str = "unknown"
    url: str = ""
    image: str = ""
    digest: str = ""
    program: str = ""
    embedded: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what is known of it."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, kw_only=True)
class Known:
    """A scenario of the suite, whether it ran or not. selected: False where -k, -m or a name left it out.

    feature: the path of its file. line: in that, 0 where it is not known.
    """

    name: str
    requirements: tuple[str, ...]
    selected: bool
    feature: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Observations:
    """What one process of a run found out, or all of them together; no secrets are in it.

    troubles: what kept it from telling anything. target: None where none came up. parts: by name. capabilities: None
    where one is offered, else why not. left_behind: what could not be removed. requests: how many scenarios have sent.
    scenarios: all that the suite has, by node id. ended: why it ended before all of them had their turn, if it did.
    recorded: what a replay needs beside the exchanges, of each process.
    remarks: what is to be known of the parts, a line each.
    environment: what the suite itself ran on.
    """

    troubles: tuple[str, ...] = ()
    target: TargetSeen | None = None
    parts: Mapping[str, PartSeen] = field(default_factory=dict)
    capabilities: Mapping[str, str | None] = field(default_factory=dict)
    left_behind: tuple[str, ...] = ()
    requests: int = 0
    scenarios: Mapping[str, Known] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    recorded: tuple[Mapping[str, Any], ...] = ()
    remarks: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def trouble(self) -> str | None:
        """Everything that kept the run from telling anything; None where nothing did."""
        return "\n".join(self.troubles) or None

    def merged(self, other: Observations) -> Observations:
        """Return these observations with those of another process of the run.

        What both have seen is as this one saw it; what each has done or left behind is added up.
        """
        return Observations(
            troubles=tuple(dict.fromkeys(self.troubles + other.troubles)),
            target=self.target or other.target,
            parts={**other.parts, **self.parts},
            capabilities={**other.capabilities, **self.capabilities},
            left_behind=self.left_behind + other.left_behind,
            requests=self.requests + other.requests,
            scenarios={**other.scenarios, **self.scenarios},
            ended=tuple(dict.fromkeys(self.ended + other.ended)),
            recorded=self.recorded + other.recorded,
            remarks=tuple(dict.fromkeys(self.remarks + other.remarks)),
            environment={**other.environment, **self.environment},
        )

    def so_far(self) -> Observations:
        """Return what stays as it is while the run goes on: merged with all of it later, that changes nothing."""
        return replace(self, troubles=(), left_behind=(), requests=0, ended=(), recorded=())

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON, to be sent to another process."""
        sent: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return sent

    @classmethod
    def from_json(cls, sent: Mapping[str, Any]) -> Observations:
        """Return the observations that `as_json` gave. Raises ValueError for anything else."""
        return _adapter().validate_python(sent)


@cache
def _adapter() -> TypeAdapter[Observations]:
    return TypeAdapter(Observations)
