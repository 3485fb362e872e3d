"""What a run found out about its target: kept by each process of it, sent by workers, merged, and reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from zep_conformance.report.timeline import Span


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
    """One part under test, "" for what is not known of it. digest: of its image. program: where it is no container."""

    version: str = "unknown"
    url: str = ""
    image: str = ""
    digest: str = ""
    program: str = ""

    def as_json(self) -> dict[str, str]:
        """Return what is known of it."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, kw_only=True)
class Observations:
    """What one process of a run found out, or all of them together; no secrets are in it.

    troubles: what kept it from telling anything. target: None where none came up. parts: by name. capabilities: None
    where one is offered, else why not. left_behind: what could not be removed. requests: how many scenarios have sent.
    """

    troubles: tuple[str, ...] = ()
    target: TargetSeen | None = None
    parts: Mapping[str, PartSeen] = field(default_factory=dict)
    capabilities: Mapping[str, str | None] = field(default_factory=dict)
    left_behind: tuple[str, ...] = ()
    requests: int = 0

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
        )

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON, to be sent to another process."""
        target = self.target
        return {
            "troubles": list(self.troubles),
            "target": {**asdict(target), "timeline": [asdict(span) for span in target.timeline]} if target else None,
            "parts": {name: part.as_json() for name, part in self.parts.items()},
            "capabilities": dict(self.capabilities),
            "left_behind": list(self.left_behind),
            "requests": self.requests,
        }

    @classmethod
    def from_json(cls, sent: Mapping[str, Any]) -> Observations:
        """Return the observations that `as_json` gave."""
        target = sent["target"]
        return cls(
            troubles=tuple(sent["troubles"]),
            target=TargetSeen(**{**target, "timeline": tuple(Span(**one) for one in target["timeline"])})
            if target
            else None,
            parts={name: PartSeen(**part) for name, part in sent["parts"].items()},
            capabilities=sent["capabilities"],
            left_behind=tuple(sent["left_behind"]),
            requests=sent["requests"],
        )
