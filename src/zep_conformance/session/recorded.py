"""The recording of a run: what its reports keep of its exchanges, so that it can be judged again (docs/reports.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zep_conformance.clients.recorded import RecordedAnswer, beginning
from zep_conformance.errors import CannotTell
from zep_conformance.report.exchanges import LONGEST, read
from zep_conformance.report.folder import EXCHANGES
from zep_conformance.report.reading import find
from zep_conformance.report.reading import read as read_report
from zep_conformance.session.drawn import ByScenario
from zep_conformance.settings import SETTINGS, Settings

_AGAIN = "Run it again with this version of zep-conformance: its reports have all that a replay needs."


@dataclass(frozen=True, kw_only=True)
class RecordedProcess:
    """What one process of a run did: the one that ran it, or a worker of pytest-xdist.

    given: settings, as `Settings.as_recorded` gives them. deployment: as `Deployment.as_json` gives it, but without
    secrets. shares_zep: whether others used its Zep. drawn: by each scenario that it carried out. exchanges: of each,
    in the order in which they were begun. shared: those that made something for them, in scenarios that are not here.
    left_out: how many exchanges of a scenario are not kept, since it had so many.
    """

    seed: int
    prefix: str
    started: datetime
    given: Mapping[str, Any]
    deployment: Mapping[str, Any]
    shares_zep: bool
    drawn: ByScenario
    exchanges: Mapping[str, list[RecordedAnswer]] = field(default_factory=dict)
    shared: Sequence[RecordedAnswer] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def settings(self, options: Mapping[str, Any]) -> Settings:
        """Return the settings of the run, but for those that options give. Raises CannotTell for a wrong one."""
        values = {**self.given, **options}
        try:
            found = Settings(**values)
        except ValidationError as error:
            first = error.errors()[0]
            wrong = SETTINGS[str(first["loc"][0])]
            what = f"{wrong.option}: {first['msg'].removeprefix('Value error, ')}"
            raise CannotTell(what, f"It is: {wrong.text}.", code="option-invalid") from None
        found._given.update({name: SETTINGS[name].option for name in values})
        return found

    def everything(self) -> Iterator[RecordedAnswer]:
        """Yield the exchanges of all its scenarios, and those that made something for them."""
        yield from self.shared
        for some in self.exchanges.values():
            yield from some


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """A run that was recorded. scenarios: as its document has them, by node id."""

    path: Path
    document: Mapping[str, Any]
    scenarios: Mapping[str, Mapping[str, Any]]
    processes: tuple[RecordedProcess, ...]

    @property
    def exchanges(self) -> int:
        """How many exchanges there are."""
        return sum(len(some) for one in self.processes for some in one.exchanges.values())


def read_run(given: str, reports: Path) -> RecordedRun:
    """Return the run whose report is meant, see `report.reading.find`. Raises CannotTell where it can't be replayed."""
    path = find(given, reports)
    document = read_report(path).document
    beside = path.with_name(EXCHANGES)
    scenarios = {one["nodeid"]: one for each in document["requirements"] for one in each["scenarios"]}
    if not document.get("recorded"):
        what = f"{path} has no recording: an older version wrote it, or no scenario was carried out"
        raise CannotTell(what, _AGAIN, code="replay-unreadable")
    try:
        exchanges, left_out = _exchanges(beside, scenarios, datetime.fromisoformat(document["started"]))
        found = tuple(_process(one, document, exchanges, left_out) for one in document["recorded"])
    except FileNotFoundError:
        what = f"there is no {beside}, which has what was asked and answered in that run"
        raise CannotTell(what, "Keep both files of a run together.", code="replay-unreadable") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"the recording beside {path} can't be read: {type(error).__name__}: {error}"
        raise CannotTell(what, _AGAIN, code="replay-unreadable") from None
    return RecordedRun(path=path, document=document, scenarios=scenarios, processes=found)


def _process(
    one: Mapping[str, Any],
    document: Mapping[str, Any],
    exchanges: Mapping[str, list[RecordedAnswer]],
    left_out: Mapping[str, int],
) -> RecordedProcess:
    return RecordedProcess(
        seed=document["seed"],
        prefix=one["prefix"],
        started=datetime.fromisoformat(document["started"]),
        given=one["settings"],
        deployment=one["deployment"],
        shares_zep=one["shares_zep"],
        drawn=one["drawn"],
        exchanges={nodeid: exchanges.get(nodeid, []) for nodeid in one["drawn"]},
        shared=exchanges.get(_made_by(one["prefix"]), []),
        left_out={nodeid: left_out[nodeid] for nodeid in one["drawn"] if nodeid in left_out},
    )


def _made_by(prefix: str) -> str:
    """Return by what name the exchanges are kept that made something for scenarios of a process."""
    return f"made by {prefix}"


def _exchanges(
    path: Path, scenarios: Mapping[str, Mapping[str, Any]], started: datetime
) -> tuple[dict[str, list[RecordedAnswer]], dict[str, int]]:
    """Return the exchanges of each scenario, by node id; and how many others of it are left out, where some are.

    Raises OSError, EOFError, ValueError, KeyError, TypeError.
    """
    found: dict[str, list[RecordedAnswer]] = {}
    left_out: dict[str, int] = {}
    for one in read(path):
        if one.get("left_out"):
            left_out[one["nodeid"]] = one["left_out"]
        if one["nodeid"] is None:
            found.setdefault(_made_by(one["prefix"]), []).append(_answer(one, started))
        elif one["nodeid"] in scenarios:
            began = datetime.fromisoformat(scenarios[one["nodeid"]]["started"]) + timedelta(seconds=one["started"])
            found.setdefault(one["nodeid"], []).append(_answer(one, began))
    for some in found.values():
        some.sort(key=lambda each: each.began)
    return found, left_out


def _answer(one: Mapping[str, Any], began: datetime) -> RecordedAnswer:
    asked, cut = one["request"], one.get("cut") or {}
    failure, _, text = one["error"].partition(": ")
    return RecordedAnswer(
        method=asked["method"],
        url=asked["url"],
        body=beginning(asked["body"], cut.get("body", 0), LONGEST["body"]),
        credentials=one.get("by") or next((value for name, value in asked["headers"] if name == "authorization"), ""),
        status=one["status"] or 0,
        headers=tuple((name, value) for name, value in one["headers"]),
        answer=text if failure else one["answer"],
        failure=failure,
        is_cut="answer" in cut,
        began=began,
        seconds=one["seconds"],
    )
