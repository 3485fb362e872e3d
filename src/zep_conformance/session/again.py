"""--failed: runs what failed in the latest run once more, and merges what comes out with what that run found.

The verdict then rests on both runs. So both must have been of the same: the same suite, target, seed, settings and
versions. Anything else is refused, before a request is sent where that is known before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zep_conformance import __version__
from zep_conformance.errors import CannotTell
from zep_conformance.report.comparing import circumstances
from zep_conformance.report.document import scenarios_in
from zep_conformance.report.evidence import Evidence
from zep_conformance.report.exchanges import packed
from zep_conformance.report.exchanges import read as read_exchanges
from zep_conformance.report.folder import EXCHANGES
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import Record
from zep_conformance.report.reading import Report, find, read
from zep_conformance.settings import Settings

AGAIN = ("failed", "error")
"""The outcomes of what is run once more."""
_FREE = (
    "target",
    "seed",
    "fail-on",
    "accept",
    "require",
    "baseline",
    "strict-deviations",
    "time-limit",
    "max-requests",
)
"""The settings that need not be the same: what is compared for itself, and what only says how it is judged."""


@dataclass(frozen=True)
class Again:
    """What is run once more. report: of the run that is completed. seed: of it."""

    report: Report
    seed: int

    @property
    def nodeids(self) -> frozenset[str]:
        """Return the node ids of what is run."""
        return frozenset(nodeid for nodeid, one in self.report.scenarios.items() if one.outcome in AGAIN)

    def taken(self, settings: Settings) -> Settings:
        """Return the settings with the target and the seed of that run. Raises CannotTell where others were given."""
        for name, then, now in (
            ("target", self.report.target, settings.target),
            ("seed", str(self.seed), str(settings.seed)),
        ):
            if name in settings.given and then != now:
                raise self._other(f"--{name} {then}", now)
        before, after = self.report.document.get("settings") or {}, settings.in_words()
        for name in sorted({*before, *after} - set(_FREE)):
            if before.get(name) != after.get(name):
                raise self._other(f"--{name} {before.get(name, 'not given')}", after.get(name, "not given"))
        version = self.report.document["tool"].get("version")
        if version != __version__:
            raise self._other(f"zep-conformance {version}", __version__)
        return settings.model_copy(update={"target": self.report.target, "seed": self.seed})

    def check(self, observations: Observations) -> None:
        """Check that the parts are what they were. Raises CannotTell where they are not."""
        target = observations.target.name if observations.target is not None else ""
        versions = {name: part.version for name, part in observations.parts.items()}
        for one in circumstances(self.report, target=target, parts=versions):
            raise CannotTell(
                f"--failed: not the same as in the run {self.report.name}: {one}", _ADVICE, code="runs-differ"
            )

    def _other(self, then: str, now: str) -> CannotTell:
        what = f"--failed: the run {self.report.name} had {then}, and this one: {now}"
        return CannotTell(what, _ADVICE, code="runs-differ")

    def merged(
        self, records: Collection[Record], observations: Observations
    ) -> tuple[list[Record], Observations, dict[str, Any]]:
        """Return the records of both runs, what was seen as if of one, and what the document says of it.

        What was run once more is as it is now, all the rest as it was.
        """
        ran = {record.nodeid for record in records}
        kept = [record for record in _records(self.report.document) if record.nodeid not in ran | self.nodeids]
        there = ran | {record.nodeid for record in kept}
        seen = {
            nodeid: replace(known, selected=known.selected or nodeid in there)
            for nodeid, known in observations.scenarios.items()
        }
        taken = {record.nodeid for record in kept}
        recorded = [*observations.recorded, *_recorded(self.report.document, taken)]
        about = {"run": self.report.name, "started": self.report.started, "again": sorted(ran)}
        return [*records, *kept], replace(observations, scenarios=seen, recorded=tuple(recorded)), about

    def exchanges(self, nodeids: Collection[str]) -> tuple[dict[str, bytes], str]:
        """Return the exchanges that that run had with these scenarios, by node id; and what is missing, in words.

        By "" those that made something once, in a scenario that is run again, for others that are not.
        """
        path = self.report.path.with_name(EXCHANGES)
        found: dict[str, list[Mapping[str, Any]]] = {}
        try:
            for one in read_exchanges(path):
                if one["nodeid"] in nodeids:
                    found.setdefault(one["nodeid"], []).append(one)
                elif shared := self._shared(one, nodeids):
                    found.setdefault("", []).append(shared)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            is_there = not isinstance(error, FileNotFoundError)
            why = f"it can't be read ({type(error).__name__})" if is_there else "there is none"
            return {}, f"no exchanges were taken over from it: {path}: {why}"
        return {nodeid: packed(some) for nodeid, some in found.items()}, ""

    def _shared(self, one: Mapping[str, Any], nodeids: Collection[str]) -> Mapping[str, Any] | None:
        """Return an exchange as one that made something for some of these scenarios; None where it did not."""
        from zep_conformance.clients.recorded import builds  # imports httpx, while the target comes up

        processes = self.report.document.get("recorded") or ()
        made_by = [
            process["prefix"]
            for process in processes
            if (one["nodeid"] in process["drawn"] or one.get("prefix") == process["prefix"])
            and any(nodeid in process["drawn"] for nodeid in nodeids)
        ]
        if not made_by or not builds(one["request"]["url"]):
            return None
        return {**one, "nodeid": None, "prefix": made_by[0]}

    def lines(self) -> Iterator[str]:
        """Yield what is taken from that run, in words."""
        count = len(self.nodeids)
        yield (
            f"--failed: {count} scenario{'s' * (count != 1)} of the run {self.report.name}, with its target "
            f"{self.report.target} and its seed {self.seed}"
        )


_ADVICE = "Two runs are merged only where they are of the same; run everything, or as that run was."


def taken_up(settings: Settings) -> Again:
    """Return what is to be run once more. Raises CannotTell where there is no run, or nothing failed in it."""
    report = read(find("latest", settings.reports), asked_by="--failed: ")
    seed = report.document.get("seed")
    if not isinstance(seed, int):
        raise CannotTell(f"--failed: {report.path} has no seed", "Run everything.", code="report-unreadable")
    found = Again(report, seed)
    if not found.nodeids:
        what = f"--failed: nothing failed in the run {report.name}, so that there is nothing to run"
        raise CannotTell(what, "`zep-conformance run` runs everything.", code="nothing-failed")
    return found


def _recorded(document: Mapping[str, Any], nodeids: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what a replay needs of these scenarios, of each process that carried some of them out."""
    for one in document.get("recorded") or ():
        drawn = {nodeid: drawn for nodeid, drawn in one["drawn"].items() if nodeid in nodeids}
        if drawn:
            yield {**one, "drawn": drawn}


def _records(document: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the records that a document was made of."""
    evidence = {one["nodeid"]: one for one in document.get("evidence") or ()}
    for one in scenarios_in(document):
        found = evidence.get(one["nodeid"])
        told = {name: value for name, value in (found or {}).items() if name != "nodeid"}
        yield Record(
            name=one["name"],
            feature=one["feature"],
            nodeid=one["nodeid"],
            requirements=tuple(one["requirements"]),
            outcome=one["outcome"],
            duration=one["duration"],
            line=one.get("line") or 0,
            started=one.get("started") or "",
            steps=tuple(one.get("steps") or ()),
            reason=one["reason"],
            deviation=one["deviation"],
            fixed=one["mended"],
            repeated=one.get("repeated") or "",
            measurements=one["measurements"],
            samples=one.get("samples") or {},
            evidence=None if found is None else Evidence.from_json(told),
        )
