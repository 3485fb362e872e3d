"""The evidence of a scenario that says something is wrong: as data, for every report that shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

COMPLAINT, LOG = 100_000, 4000
"""Characters of a complaint and of a part's log that are kept: of the first its beginning, of the second its end."""
LAST, UNANSWERED = "the last request", "the last request without an answer"
POINTED_AT = "one of the requests"
"""What the exchange is that tells most."""
_NO_ANSWER = re.compile(r"no answer|has not answered|Timeout:|(?:Connect|Read|Write|Protocol)Error:")
"""What a complaint says where an answer did not come."""
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
        return {
            "text": self.text,
            "keyword": self.keyword,
            "line": self.line,
            "outcome": self.outcome,
            "duration": round(self.duration, 4),
        }


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


def telling(exchanges: Sequence[Mapping[str, Any]], complaint: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return what the exchange is that tells most of a complaint, in words, and it; None where there is none.

    It is the last one; of a complaint that there was no answer the last without one, which others may have followed.
    exchanges: as `Exchange.as_json` gives them, oldest first.
    """
    if not exchanges:
        return None
    last = exchanges[-1]
    if last.get("by"):
        return POINTED_AT, last
    unanswered = [one for one in exchanges if not one["status"]]
    if unanswered and _NO_ANSWER.search(complaint):
        return UNANSWERED, unanswered[-1]
    return LAST, last


def newest(log: str, most: int = LOG) -> str:
    """Return the end of a log, in whole lines; how much is left out is said before it."""
    if len(log) <= most:
        return log
    end = log[-most:]
    end = end.partition("\n")[2] or end
    return f"({len(log) - len(end)} characters before this are left out)\n{end}"
