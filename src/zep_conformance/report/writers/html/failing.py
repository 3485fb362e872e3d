"""What failed, as the page shows it: by cause, each with what was expected and what came."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.facts.requirements import SOURCES
from zep_conformance.report.causes import cause_of
from zep_conformance.report.differences import COUNT, alike, told
from zep_conformance.report.evidence import telling
from zep_conformance.report.outcomes import WORST_FIRST
from zep_conformance.report.screenful import worth_reading

_PNG = b"\x89PNG\r\n\x1a\n"
PICTURE, PICTURES = 200_000, 250_000
"""Bytes of a screenshot that the page carries, and of all of them."""

Requirement = Mapping[str, Any]
"""One of the report's requirements."""
Piece = tuple[str, str, str]
"""A text in three pieces, of which the middle one is what another text has not."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where what came is not what was expected, and both, with what differs in them."""

    path: str
    came: Piece
    expected: Piece


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What a failure complains of. title: its first line. blocks: lines of words, or a list of differences."""

    title: str
    blocks: Sequence[str | Sequence[Difference]]


def complaint(text: str) -> Complaint:
    """Return a complaint in words, with the differences in it by their paths."""
    title, *rest = worth_reading(text) or ["(no words)"]
    blocks: list[str | list[Difference]] = []
    words: list[str] = []
    for line in [title, *rest] if COUNT.match(title) else rest:
        found = told(line)
        if found is None:
            words += [] if COUNT.match(line.strip()) else [line]
            continue
        blocks, words = [*blocks, *_text(words)], []
        if not blocks or isinstance(blocks[-1], str):
            blocks.append([])
        came, expected = _apart(found.came, found.expected)
        assert isinstance(blocks[-1], list)
        blocks[-1].append(Difference(path=found.path, came=came, expected=expected))
    return Complaint(title=title.removeprefix("assert "), blocks=[*blocks, *_text(words)])


def _text(lines: Sequence[str]) -> list[str]:
    return ["\n".join(lines)] if lines else []


def _apart(one: str, other: str) -> tuple[Piece, Piece]:
    """Return two texts, each in the beginning that both have, what differs, and the end that both have."""
    begin = alike(one, other)
    end = alike(one[begin:][::-1], other[begin:][::-1])

    def pieces(text: str) -> Piece:
        return text[:begin], text[begin : len(text) - end], text[len(text) - end :]

    return pieces(one), pieces(other)


@dataclass(kw_only=True)
class Scenario:
    """A scenario, once, however many requirements it checks. number: its place among all.

    evidence: what tells of it, None where nothing is wrong. remark: why it does not fail the run, if it does not.
    part: where the page carries its evidence, None where it stands in the page itself.
    """

    number: int
    found: Mapping[str, Any]
    requirements: list[Requirement] = field(default_factory=list)
    evidence: Mapping[str, Any] | None = None
    remark: str = ""
    part: int | None = None

    @property
    def name(self) -> str:
        """Return its name, with the example of an outline that it is."""
        return str(self.found["name"])

    @property
    def outcome(self) -> str:
        """Return its outcome."""
        return str(self.found["outcome"])

    @property
    def complaint(self) -> Complaint:
        """Return what it complains of; where the suite itself broke, that, and then where it did."""
        reason = self.found["reason"]
        if self.outcome == "error" and self.evidence and reason:
            title, *rest = reason.splitlines()
            return Complaint(title=title, blocks=_text([*rest, *self.evidence["complaint"].splitlines()]))
        return complaint(self.evidence["complaint"] if self.evidence else reason)

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """Return its steps, as far as they are known."""
        return (self.evidence or {}).get("steps") or self.found.get("steps") or []

    @property
    def failed_step(self) -> str:
        """Return the step that it ended at; "" where it got to none."""
        reached = [step for step in self.steps if step["outcome"] != "not run"]
        return f"{reached[-1]['text']} (line {reached[-1]['line']})" if reached else ""

    @property
    def exchanges(self) -> Sequence[Mapping[str, Any]]:
        """Return what was asked and answered, oldest first."""
        return (self.evidence or {}).get("exchanges") or []

    @property
    def telling(self) -> tuple[str, Mapping[str, Any]] | None:
        """Return the exchange that tells most, and what it is, in words; None where there is none."""
        return telling(self.exchanges, (self.evidence or {}).get("complaint", ""))

    @property
    def what_else(self) -> str:
        """Return in words what its evidence has beside what is shown at once."""
        evidence = self.evidence or {}
        asked = len(self.exchanges) + evidence.get("left_out", 0)
        counted = [
            (len(self.steps), "step"), (asked, "request"), (len(evidence.get("logs") or {}), "log"),
            (len(evidence.get("attached") or ()), "attachment"),
        ]  # fmt: skip
        return ", ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counted if count)

    def source_of(self, requirement: Requirement) -> str:
        """Return where a requirement is documented."""
        return SOURCES.get(requirement["source"], str(requirement["source"]))


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Scenarios that failed alike. first: the one that is shown; others: the rest. whole: whether it is in the page."""

    number: int
    first: Scenario
    others: Sequence[Scenario]

    @property
    def scenarios(self) -> Sequence[Scenario]:
        """Return all of them."""
        return [self.first, *self.others]

    @property
    def requirements(self) -> list[Requirement]:
        """Return what they check, each once."""
        found = {one["id"]: one for scenario in self.scenarios for one in scenario.requirements}
        return list(found.values())

    @property
    def by_requirement(self) -> list[tuple[Requirement, list[Scenario]]]:
        """Return the others by the first requirement that they check."""
        found: dict[str, tuple[Requirement, list[Scenario]]] = {}
        for scenario in self.others:
            for requirement in scenario.requirements[:1]:
                found.setdefault(requirement["id"], (requirement, []))[1].append(scenario)
        return list(found.values())


def scenarios_of(report: Mapping[str, Any], requirements: Iterable[Requirement]) -> dict[str, Scenario]:
    """Return each scenario of a report by its node id, in the order of these requirements."""
    evidence = {one["nodeid"]: one for one in report.get("evidence") or ()}
    gate = report.get("gate") or {}
    known = {one["nodeid"] for one in (gate.get("baseline") or {}).get("known", ())}
    remarks = dict.fromkeys(gate.get("uncounted") or (), f"does not count with --fail-on {gate.get('fail_on', '')}")
    remarks |= dict.fromkeys(known, "failed in the baseline, too")
    found: dict[str, Scenario] = {}
    for requirement in requirements:
        for one in requirement["scenarios"]:
            nodeid = one["nodeid"]
            if nodeid not in found:
                found[nodeid] = Scenario(
                    number=len(found), found=one, evidence=evidence.get(nodeid), remark=remarks.get(nodeid, "")
                )
            found[nodeid].requirements.append(requirement)
    return found


def causes(scenarios: Iterable[Scenario]) -> list[Cause]:
    """Return what failed or broke by its cause: failures before errors, the first requirement's first."""
    found: dict[tuple[int, str], list[Scenario]] = {}
    for one in scenarios:
        if one.outcome in ("failed", "error"):
            words = one.evidence["complaint"] if one.evidence else one.found["reason"]
            cause = cause_of(one.outcome, words, reason=one.found["reason"], deviation=one.found.get("deviation"))
            found.setdefault((WORST_FIRST.index(one.outcome), cause), []).append(one)
    in_order = sorted(found.items(), key=lambda item: item[0][0])
    return [
        Cause(number=number, first=alike[0], others=alike[1:]) for number, (_, alike) in enumerate(in_order, start=1)
    ]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A screenshot of a scenario. data: its URL, "" where the page does not carry it. why: if so, why not."""

    scenario: Scenario
    path: str
    data: str
    why: str = ""

    def is_of(self, scenario: Scenario) -> bool:
        """Return whether it is a scenario's."""
        return self.scenario.number == scenario.number


def pictures(scenarios: Iterable[Scenario]) -> Iterator[Picture]:
    """Yield the screenshots that scenarios have attached, as far as there is room for them."""
    room = PICTURES
    for scenario in scenarios:
        for path in (scenario.evidence or {}).get("attached") or ():
            if not path.endswith(".png") or path.startswith("no "):
                continue
            try:
                content = Path(path).read_bytes() if Path(path).stat().st_size <= PICTURE else b""
            except (OSError, ValueError):
                yield Picture(scenario=scenario, path=path, data="", why="it is not there any more")
                continue
            if not content.startswith(_PNG) or len(content) > room:
                yield Picture(scenario=scenario, path=path, data="", why="it is too large for this page")
                continue
            room -= len(content)
            data = f"data:image/png;base64,{base64.b64encode(content).decode()}"
            yield Picture(scenario=scenario, path=path, data=data)
