"""The evidence of a scenario that says something is wrong: as data, for every report that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

COMPLAINT, LOG = 100_000, 4000
"""Characters of a complaint and of a part's log that are kept: of the first its beginning, of the second its end."""
NOT_RUN = "not run"
"""The outcome of a step that was not reached."""


@dataclass(kw_only=True)
class Step:
    """One step of a scenario. text: as it is written, its keyword first. line: in the feature.

    outcome: passed, failed or not run. duration: seconds.
    """

    text: str
    keyword: str
    line: int
    outcome: str = NOT_RUN
    duration: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        return asdict(self) | {"duration": round(self.duration, 4)}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What tells of a scenario that failed, deviated or broke. No secrets are in it.

    complaint: what was expected and what came. steps, exchanges: as JSON, oldest first; left_out: how many earlier
    exchanges are not among them. logs: what each part that was asked has written since the scenario began. attached:
    paths of what else there is. rerun: the command that carries just this out again. seed: of its people and texts.
    """

    complaint: str
    steps: tuple[Mapping[str, Any], ...]
    exchanges: tuple[Mapping[str, Any], ...]
    left_out: int
    logs: Mapping[str, str]
    attached: tuple[str, ...]
    rerun: str
    seed: int

    @property
    def failed_step(self) -> str:
        """Return the step that it ended at, with its line; "" where it got to none."""
        reached = [step for step in self.steps if step["outcome"] != NOT_RUN]
        return f"{reached[-1]['text']} (line {reached[-1]['line']})" if reached else ""

    def as_json(self) -> dict[str, Any]:
        """Return it for the report, or for another process."""
        return asdict(self) | {
            "steps": list(self.steps),
            "exchanges": list(self.exchanges),
            "attached": list(self.attached),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Evidence:
        """Return the evidence that `as_json` gave."""
        tuples = {name: tuple(found[name]) for name in ("steps", "exchanges", "attached")}
        return cls(**{**found, **tuples})


def newest(log: str, most: int = LOG) -> str:
    """Return the end of a log, in whole lines; how much is left out is said before it."""
    if len(log) <= most:
        return log
    end = log[-most:]
    end = end.partition("\n")[2] or end
    return f"({len(log) - len(end)} characters before this are left out)\n{end}"
