"""What happens in a run, as one stream of events: whatever is written of a run is written by who hears them.

    RunBegan                        at once
    PartsReady                      what is tested is known (from pytest-xdist's workers: at the end)
    ScenarioBegan                   for each scenario that is begun; twice, where one is carried out once more
    StepEnded                       for each of its steps that was begun (from a worker: all of them when it ended)
    ScenarioEnded                   with its record
    RunEnded                        with the document, always and however the run ended; once more if what the run
                                    came to changes after all

Texts of an event may hold secrets until `clean` was called; what a writer is told is clean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.outcomes import Record


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. kind: what it is called in data. at: when it was."""

    kind: ClassVar[str]
    at: datetime = field(default_factory=_now)

    @property
    def moment(self) -> str:
        """Return when it was, as data."""
        return self.at.isoformat(timespec="milliseconds")

    def clean(self, redactor: Redactor) -> Self:
        """Return the event without secrets."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "at"}
        return replace(self, **redactor.everywhere(values))

    def as_json(self) -> dict[str, Any]:
        """Return it as data."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "at"}
        return {"event": self.kind, "at": self.moment, **values}


@dataclass(frozen=True, kw_only=True)
class RunBegan(Event):
    """The run began. version: of this program. target: as far as it is known."""

    kind = "run began"
    version: str
    target: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class PartsReady(Event):
    """The parts under test are known. parts, capabilities: as the document has them."""

    kind = "parts ready"
    parts: Mapping[str, Any]
    capabilities: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ScenarioBegan(Event):
    """A scenario began. nodeid: pytest's name of it. name: its own, as far as it is known (not from a worker)."""

    kind = "scenario began"
    nodeid: str
    name: str


@dataclass(frozen=True, kw_only=True)
class StepEnded(Event):
    """A step of a scenario ended. step: as `evidence.Step.as_json` gives it."""

    kind = "step ended"
    nodeid: str
    step: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ScenarioEnded(Event):
    """A scenario ended, or was skipped."""

    kind = "scenario ended"
    record: Record

    def clean(self, redactor: Redactor) -> Self:
        """Return the event without secrets."""
        return replace(self, record=Record.from_json(redactor.everywhere(self.record.as_json())))

    def as_json(self) -> dict[str, Any]:
        """Return it as data."""
        return super().as_json() | {"record": self.record.as_json()}


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """The run ended. document: as `document.document` gives it. folder: where the reports go.

    elsewhere: where those go that somebody has given another path, by file. exchanges: of each scenario,
    by its node id, clean, as `exchanges.Packer` makes them.
    """

    kind = "run ended"
    document: Mapping[str, Any]
    folder: Path
    elsewhere: Mapping[str, Path] = field(default_factory=dict)
    exchanges: Mapping[str, bytes] = field(default_factory=dict)

    def path_of(self, file: str) -> Path:
        """Return where a report goes."""
        return self.elsewhere.get(file, self.folder / file)

    def clean(self, redactor: Redactor) -> Self:
        """Return the event without secrets."""
        exchanges = {redactor(nodeid): packed for nodeid, packed in self.exchanges.items()}
        return replace(self, document=redactor.everywhere(dict(self.document)), exchanges=exchanges)

    def as_json(self) -> dict[str, Any]:
        """Return it as data: what it came to; all the rest is in the document."""
        told = {name: self.document.get(name) for name in ("verdict", "exit_code", "duration", "outcomes", "trouble")}
        return {"event": self.kind, "at": self.moment, "folder": str(self.folder)} | told


Listener = Callable[[Event], None]
"""Who is told of each event."""
