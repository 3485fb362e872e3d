"""How far a run has come: which scenarios have ended, of which features, and how long the others may take."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zep_conformance.report.document import scenarios_in
from zep_conformance.report.outcomes import WORST_FIRST

KNOWN = 0.5
"""The part of the scenarios to come whose duration must be known for an estimate."""
MINIMUM = 20
"""Characters of a feature's title that are shown, however narrow the terminal is."""
_ORDER = ("passed", *(outcome for outcome in WORST_FIRST if outcome != "passed"))


@dataclass(kw_only=True)
class Tally:
    """What came of the scenarios of a feature. left: how many have not ended. seconds: of those that have."""

    feature: str
    left: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def line(self, columns: int) -> str:
        """Return it in a line of at most so many columns: what gives way is the title."""
        counted = [f"{self.outcomes[one]} {one}" for one in _ORDER if self.outcomes[one]]
        counted += [f"{self.left} not begun"] if self.left else []
        told = f": {', '.join(counted)} in {self.seconds:.1f} s"
        room = max(columns - len(told), MINIMUM)
        return f"{self.feature if len(self.feature) <= room else f'{self.feature[: room - 1].rstrip()}…'}{told}"


class Progress:
    """Counts scenarios that end. before: how long each took in an earlier run, by node id; seconds."""

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        self.before = dict(before or {})
        self._tallies: dict[str, Tally] = {}
        self._features: dict[str, str] = {}
        self._ended: set[str] = set()

    def expect(self, features: Mapping[str, str]) -> None:
        """Take these scenarios for all that are to be run. features: the title of the feature of each, by node id."""
        for nodeid, feature in features.items():
            if nodeid not in self._features:
                self._features[nodeid] = feature
                self._tally(feature).left += nodeid not in self._ended

    def _tally(self, feature: str) -> Tally:
        return self._tallies.setdefault(feature, Tally(feature=feature))

    @property
    def count(self) -> tuple[int, int]:
        """How many scenarios have ended, and of how many."""
        return len(self._ended), max(len(self._features), len(self._ended))

    def end(self, nodeid: str, outcome: str, seconds: float) -> Tally | None:
        """Note that a scenario ended. Return what came of its feature, where that was the last one of it."""
        if nodeid in self._ended:
            return None
        self._ended.add(nodeid)
        feature = self._features.get(nodeid)
        if feature is None:
            return None
        tally = self._tally(feature)
        tally.left -= 1
        tally.outcomes[outcome] += 1
        tally.seconds += seconds
        return tally if not tally.left else None

    def unfinished(self) -> Iterator[Tally]:
        """Yield what has come of the features that were begun and have not ended."""
        return (tally for tally in self._tallies.values() if tally.left and tally.outcomes)

    def time_left(self, workers: int = 1) -> float | None:
        """Return the seconds that the rest may take; None where too little is known of it."""
        to_come = [nodeid for nodeid in self._features if nodeid not in self._ended]
        known = [self.before[nodeid] for nodeid in to_come if nodeid in self.before]
        if not to_come or len(known) < KNOWN * len(to_come):
            return None
        return sum(known) / len(known) * len(to_come) / workers


def durations(report: Path, target: str) -> dict[str, float]:
    """Return how long each scenario took in the run of a report, by node id; seconds.

    Empty where there is no such report, or it is of another target.
    """
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        if found["target"]["name"] != target:
            return {}
        return {str(one["nodeid"]): float(one["duration"]) for one in scenarios_in(found)}
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return {}


def in_words(seconds: float) -> str:
    """Return a length of time as people say it: 9 s, 40 s, 3 min."""
    if seconds < 10:
        return f"{seconds:.0f} s"
    return f"{seconds / 10:.0f}0 s" if seconds < 95 else f"{seconds / 60:.0f} min"
