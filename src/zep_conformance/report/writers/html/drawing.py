"""What is drawn: where things stand, in percent of the width, so that a drawing fits every screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zep_conformance.report.observations import PHASES

_STEPS = (1.0, 2.0, 5.0, 10.0)
_TICKS = 5
_WIDE = 30.0
"""How much larger the largest value may be than the smallest, until a scale goes by powers of ten."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A scale. ticks: values with where they stand. low, high: its ends. logarithmic: by powers of ten, else from 0."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, values: Iterable[float]) -> Axis:
        """Return one that has room for all of these values, none of which is less than 0."""
        found = [value for value in values if math.isfinite(value) and value >= 0] or [1.0]
        smallest, largest = min((one for one in found if one > 0), default=1.0), max(*found, 1e-6)
        if largest / smallest <= _WIDE:
            return cls(low=0.0, high=largest * 1.05, logarithmic=False)
        return cls(low=smallest * 0.8, high=largest * 1.25, logarithmic=True)

    def at(self, value: float) -> float:
        """Return where a value stands, in percent; what is beyond an end stands at it."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return round(share * 100, 2)

    @property
    def ticks(self) -> list[tuple[float, float]]:
        """Return round values between the ends, each with where it stands."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1.0,) if len(powers) > _TICKS else (1.0, 3.0)
            values = [step * 10.0**power for power in powers for step in steps]
        else:
            rough = self.high / _TICKS
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(step * power for step in _STEPS if step * power >= rough)
            values = [number * step for number in range(int(self.high / step) + 1)]
        return [(value, self.at(value)) for value in values if self.low <= value <= self.high]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How one thing that was measured is distributed. figures: milliseconds by name, and `count`.

    whisker, box: from where to where most are, and half of all, in percent; None where that is not known. points: the
    single values that are drawn, with what each is.
    """

    name: str
    about: str
    figures: Mapping[str, float]
    whisker: tuple[float, float] | None
    box: tuple[float, float] | None
    points: Sequence[tuple[str, float, float]]


def spread(name: str, about: str, figures: Mapping[str, float], axis: Axis) -> Spread:
    """Return where a distribution's marks stand. about: which scenario measured it."""

    def between(low: str, high: str) -> tuple[float, float] | None:
        if low not in figures or high not in figures:
            return None
        begin = axis.at(figures[low])
        return begin, round(axis.at(figures[high]) - begin, 2)

    points = [(one, figures[one], axis.at(figures[one])) for one in ("p50", "p95", "p99", "max") if one in figures]
    whisker = between("min", "max") or between("p50", "max")
    return Spread(
        name=name, about=about, figures=figures, whisker=whisker, box=between("p25", "p75"), points=points
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One phase of a part. at, width: in percent. began, ended: seconds."""

    phase: str
    at: float
    width: float
    began: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """How the parts came up: each with its phases, in the order in which they began."""

    axis: Axis
    parts: Mapping[str, Sequence[Bar]]

    @property
    def phases(self) -> list[str]:
        """Return the phases that there are, in the order in which a part goes through them."""
        found = {bar.phase for bars in self.parts.values() for bar in bars}
        return [phase for phase in PHASES if phase in found]


def timeline(spans: Sequence[Mapping[str, Any]]) -> Timeline | None:
    """Return what the phases of starting parts look like; None where there are none."""
    if not spans:
        return None
    axis = Axis(low=0.0, high=max(*(span["ended"] for span in spans), 0.1) * 1.02, logarithmic=False)
    parts: dict[str, list[Bar]] = {}
    for span in spans:
        at = axis.at(span["began"])
        width = max(round(axis.at(span["ended"]) - at, 2), 0.4)
        bar = Bar(phase=span["phase"], at=at, width=width, began=span["began"], ended=span["ended"])
        parts.setdefault(span["part"], []).append(bar)
    return Timeline(axis=axis, parts=parts)
