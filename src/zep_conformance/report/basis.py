"""What a verdict rests on: of each requirement whether it was checked, and what was left out of it, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from zep_conformance.facts.requirements import Requirement
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import TELLING, Record, worst

NOT_SELECTED = "not selected"
NO_SCENARIO = "the suite has no scenario of it"
BROKEN = "the suite itself broke"
NOT_BEGUN = "the run could not begin"
NO_CAPABILITY = "no capability "
"""What the reason of a scenario begins with that was skipped."""
_WHOLE, _IN_PART, _NOT = "checked", "in part", "not checked"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was looked at of one requirement.

    outcome: of its scenarios, the worst. ran: how many say something. left_out: how many do not, by the reason.
    otherwise: why it was not checked where no scenario was even known.
    """

    requirement: Requirement
    outcome: str
    ran: int
    left_out: Mapping[str, int]
    otherwise: str = NO_SCENARIO

    @property
    def state(self) -> str:
        """Return whether it was checked: "checked", "in part" or "not checked"."""
        return _NOT if not self.ran else _IN_PART if self.left_out else _WHOLE

    @property
    def why(self) -> str:
        """Return why most of what was left out of it was; "" where nothing was."""
        return "" if self.state == _WHOLE else max(self.left_out, key=self._weight, default=self.otherwise)

    def _weight(self, reason: str) -> tuple[bool, int]:
        # What could have been asked is told before what could not be.
        return not reason.startswith(NO_CAPABILITY), self.left_out[reason]

    @property
    def is_met(self) -> bool:
        """Return whether --require is content: it was checked, but for what the target lacks a capability for."""
        return bool(self.ran) and all(reason.startswith(NO_CAPABILITY) for reason in self.left_out)

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        left_out = [{"why": why, "scenarios": count} for why, count in sorted(self.left_out.items())]
        if not self.ran and not self.left_out:
            left_out = [{"why": self.otherwise, "scenarios": 0}]
        return {"checked": self.state, "left_out": left_out}


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What was looked at of all requirements, in the order in which they are documented."""

    requirements: Sequence[Checked]

    @classmethod
    def of(
        cls, records: Iterable[Record], observations: Observations, requirements: Mapping[str, Requirement]
    ) -> Basis:
        """Return what these records are the basis of, which include those of scenarios that were not run."""
        by_id: dict[str, list[Record]] = {identifier: [] for identifier in requirements}
        left_out: dict[str, Counter[str]] = {identifier: Counter() for identifier in requirements}
        for record in records:
            for identifier in record.requirements:
                by_id[identifier].append(record)
                if record.outcome not in TELLING:
                    left_out[identifier][BROKEN if record.outcome == "error" else record.reason] += 1
        for scenario in observations.scenarios.values():
            for identifier in () if scenario.selected else scenario.requirements:
                left_out[identifier][NOT_SELECTED] += 1
        return cls(
            requirements=[
                Checked(
                    requirement=requirement,
                    outcome=worst(record.outcome for record in by_id[identifier]),
                    ran=sum(record.outcome in TELLING for record in by_id[identifier]),
                    left_out=left_out[identifier],
                    otherwise=NOT_BEGUN if observations.troubles else NO_SCENARIO,
                )
                for identifier, requirement in requirements.items()
            ]
        )

    @property
    def is_whole(self) -> bool:
        """Return whether every requirement was checked, and nothing left out of one."""
        return all(one.state == _WHOLE for one in self.requirements)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was checked at all."""
        return not any(one.ran for one in self.requirements)

    def unchecked(self, level: str = "MUST") -> list[Checked]:
        """Return the requirements of a level that were not checked at all."""
        return [one for one in self.requirements if one.state == _NOT and one.requirement.level == level]

    def unmet(self, required: Collection[str]) -> list[Checked]:
        """Return those that --require names and is not content with."""
        return [one for one in self.requirements if one.requirement.id in required and not one.is_met]

    def __str__(self) -> str:
        """Return it in words: "42 of 48 requirements checked (3 in part), 4 MUST not; 2 deviate"."""
        count = Counter(one.state for one in self.requirements)
        in_part = f" ({count[_IN_PART]} in part)" if count[_IN_PART] else ""
        not_checked = f", {len(must)} MUST not" if (must := self.unchecked()) else ""
        failed = f"{wrong} failed" if (wrong := self._with("failed")) else ""
        deviate = f"{known} deviate{'s' * (known == 1)}" if (known := self._with("deviation")) else ""
        found = "".join(f"; {one}" for one in (", ".join(filter(None, (failed, deviate))),) if one)
        checked = count[_WHOLE] + count[_IN_PART]
        return f"{checked} of {len(self.requirements)} requirements checked{in_part}{not_checked}{found}"

    def _with(self, outcome: str) -> int:
        return sum(one.outcome == outcome for one in self.requirements)

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        states = [(one.requirement.level, one.state) for one in self.requirements]
        return {
            "words": str(self),
            "requirements": len(states),
            "checked": sum(state != _NOT for _, state in states),
            "in_part": sum(state == _IN_PART for _, state in states),
            "must": sum(level == "MUST" for level, _ in states),
            "must_checked": sum(level == "MUST" and state != _NOT for level, state in states),
            "must_unchecked": [{"id": one.requirement.id, "why": one.why} for one in self.unchecked()],
        }


def by_reason(found: Iterable[Checked]) -> Iterator[tuple[str, str]]:
    """Yield each reason why requirements were not checked, and their ids in words; the commonest reason first."""
    reasons: dict[str, list[str]] = {}
    for one in found:
        reasons.setdefault(one.why, []).append(one.requirement.id)
    for reason, ids in sorted(reasons.items(), key=lambda item: -len(item[1])):
        yield reason, ids_in_words(ids)


def ids_in_words(ids: Iterable[str]) -> str:
    """Return ids of requirements in words, those that follow each other as one: "API-1 to API-4, UI-2"."""
    words = []
    numbered = [(name, int(number)) for name, _, number in (one.rpartition("-") for one in ids)]
    for _, run in groupby(enumerate(numbered), key=lambda item: (item[1][0], item[1][1] - item[0])):
        row = [f"{name}-{number}" for _, (name, number) in run]
        words += row if len(row) < 3 else [f"{row[0]} to {row[-1]}"]
    return ", ".join(words)
