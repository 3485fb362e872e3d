"""What came of a replay: scenario by scenario, then and now; and what is said of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from zep_conformance.facts.requirements import Requirement
from zep_conformance.report.outcomes import TELLING, Record
from zep_conformance.report.screenful import screenfuls
from zep_conformance.session.recorded import RecordedRun

SHOWN = 3
"""Scenarios that are named of those that can't be told for one reason."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One scenario of a replay. then: its outcome in the run. now: None where that can't be told.

    why, what: what keeps one from telling, and of which request. fails: whether it fails the replay.
    """

    nodeid: str
    name: str
    then: str
    now: Record | None = None
    why: str = ""
    what: str = ""
    fails: bool = False

    @property
    def outcome(self) -> str:
        """How it comes out now."""
        return "can't tell" if self.now is None else self.now.outcome

    @property
    def differs(self) -> bool:
        """Whether it comes out otherwise than then."""
        return self.now is not None and self.now.outcome != self.then


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What came of a replay. judged: of each scenario that it carried out. again: the command of this replay.

    new: how many scenarios the run had not.
    """

    judged: list[Judged]
    again: str
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    new: int = 0

    @property
    def told(self) -> list[Judged]:
        """The scenarios that ran then, and could be judged now."""
        return [one for one in self.judged if one.now is not None and one.now.outcome != "skipped"]

    @property
    def exit_code(self) -> int:
        """0 where nothing fails, 1 where something does, 2 where nothing could be told or a step broke."""
        if any(one.fails for one in self.judged):
            return 1
        broke = any(one.outcome == "error" for one in self.judged)
        return 0 if not broke and any(one.outcome in TELLING for one in self.judged) else 2

    def failures(self) -> Iterator[str]:
        """Yield what failed or broke, in a screenful each."""
        wrong = [self._again(one.now) for one in self.judged if one.now is not None]
        for lines in screenfuls(wrong, self.requirements, rest="not kept, since a replay writes nothing"):
            yield from (*lines, "")

    def _again(self, record: Record) -> Record:
        """Return a record whose evidence has the command that judges just this again."""
        if record.evidence is None:
            return record
        rerun = f"{self.again} {shlex.quote(record.nodeid)}"
        return replace(record, evidence=replace(record.evidence, rerun=rerun))


def summary(recorded: RecordedRun, replayed: Replayed, *, verbose: bool) -> Iterator[str]:
    """Yield what is said of a replay, in lines of any length. verbose: also what became of each scenario."""
    if verbose:
        for one in replayed.judged:
            yield f"{one.outcome}: {one.name}{f' ({one.why})' if one.why else ''}"
    for one in (one for one in replayed.judged if one.differs):
        yield f"differs: {one.name}: {one.then} then, {one.outcome} now"
    reasons: dict[str, list[Judged]] = {}
    for one in replayed.judged:
        if one.now is None:
            reasons.setdefault(one.why, []).append(one)
    for why, some in sorted(reasons.items(), key=lambda each: -len(each[1])):
        yield f"can't tell ({_scenarios(len(some))}): {why}"
        for one in some[:SHOWN] if some[0].what else ():
            yield f"  {one.name}: {one.what}"
    skipped = sum(one.outcome == "skipped" for one in replayed.judged)
    if skipped:
        yield f"skipped, as then: {_scenarios(skipped)}"
    if replayed.new:
        yield f"not in that run: {_scenarios(replayed.new)}"
    document = recorded.document
    parts = ", ".join(f"{name} {part['version']}" for name, part in document["parts"].items() if "version" in part)
    of = f"{recorded.exchanges} exchanges with target {document['target']['name']} ({parts or 'no parts'})"
    yield f"the recording: {recorded.path}, of {document['started']}: {of}"
    told, untold = replayed.told, sum(one.now is None for one in replayed.judged)
    differ = sum(one.differs for one in told)
    failing = sum(one.fails for one in replayed.judged)
    counts = f"{len(told) - differ} the same, {differ} {'differs' if differ == 1 else 'differ'}, {untold} can't be told"
    fail = f"{failing} {'fails' if failing == 1 else 'fail'}"
    yield f"judged again: {counts}; {fail} (exit code {replayed.exit_code})"
    yield "Nothing was asked of any server: this says how that run is judged by the steps and rules of now."


def _scenarios(count: int) -> str:
    return f"{count} scenario{'s' if count != 1 else ''}"
