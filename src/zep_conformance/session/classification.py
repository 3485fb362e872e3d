"""Outcomes: what a scenario's end means, and what is shown of a failure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from zep_conformance import suite
from zep_conformance.errors import LimitReached
from zep_conformance.facts.deviations import Deviation
from zep_conformance.facts.requirements import Requirement
from zep_conformance.report import failure, outcomes
from zep_conformance.session.run import Run
from zep_conformance.settings import option

MEASURED: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
"""What a scenario has measured, by name; milliseconds."""
STEP: pytest.StashKey[str] = pytest.StashKey()
"""The step that a scenario is at."""
TITLE: pytest.StashKey[tuple[str, str]] = pytest.StashKey()
"""A scenario's name, and where it stands."""
_SAME_PARTS = (
    "zep_url", "langflux_url", "zep_url_from_langflux", "model_url", "deployment_files", "departures",
    "zep_binary", "postgres_dsn", "langflux_command", "langflux_version",
)  # fmt: skip
"""The settings that say which parts are tested."""
LOGGED = ("zep", "zep-secured", "langflux")
"""The parts whose logs a failure shows."""


@dataclass(frozen=True)
class Judge:
    """Gives each report of pytest its record, and each failure its evidence."""

    run: Run
    requirements: Mapping[str, Requirement]
    deviations: Mapping[str, Deviation]

    def requirements_of(self, item: pytest.Item) -> list[Requirement]:
        """The requirements that a scenario is tagged with."""
        return [self.requirements[mark.name] for mark in item.iter_markers() if mark.name in self.requirements]

    def _deviation_of(self, item: pytest.Item) -> Deviation | None:
        for mark in item.iter_markers():
            deviation = self.deviations.get(mark.name)
            if deviation is None or deviation.id in self.run.deployment.ruled_out:
                continue
            if deviation.applies(self._deviating_versions()):
                return deviation
        return None

    def _deviating_versions(self) -> dict[str, str]:
        """The versions of the parts that may deviate: not those of servers that keep every requirement."""
        found = self.run.deployment
        parts = {"zep": found.zep, "langflux": found.langflux}
        return {name: part.version for name, part in parts.items() if part and not part.documented}

    def judge(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Give a report its record, and a failure its evidence."""
        deviation = self._deviation_of(item) if report.when == "call" else None
        outcome: str = report.outcome
        reason, mended = "", False
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            reason = reason.removeprefix("Skipped: ")
        elif report.failed and call.excinfo is not None:
            outcome, reason = self._failed(item, call, report, deviation)
        elif deviation is not None:
            reason, mended = f"{deviation.id} is mended here: {deviation.what}", True
            report.zc_mended = reason  # type: ignore[attr-defined]
        title, feature = item.stash.get(TITLE, (_title(item), ""))
        measured: dict[str, Any] = item.stash.get(MEASURED, {})
        record = outcomes.Record(
            name=title + (f" [{item.name.partition('[')[2]}" if "[" in item.name else ""),
            feature=feature,
            nodeid=item.nodeid,
            requirements=tuple(requirement.id for requirement in self.requirements_of(item)),
            outcome=outcome,
            duration=report.duration,
            reason=self.run.redactor(reason),
            deviation=deviation.id if deviation and (mended or outcome == "deviation") else None,
            mended=mended,
            measurements=measured,
        )
        report.zc_record = record.as_json()  # type: ignore[attr-defined]

    def _failed(
        self,
        item: pytest.Item,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
        deviation: Deviation | None,
    ) -> tuple[str, str]:
        """Outcome and reason of a failure; changes the report accordingly."""
        from zep_conformance.clients.zep import FAILURES

        assert call.excinfo is not None
        error = call.excinfo.value
        hidden = self.run.redactor
        if isinstance(error, LimitReached):
            # What is forbidden once is forbidden for all that follows.
            item.session.shouldstop = str(error)
            report.longrepr = str(error)
            report.zc_error = True  # type: ignore[attr-defined]
            return "error", str(error)
        dead = self._stop_for_the_dead(item)
        if report.when != "call" or not failure.server_fault(error, FAILURES):
            # Not an expectation that was not met: the harness broke. Its traceback is the evidence.
            report.longrepr = hidden(str(report.longrepr))
            report.zc_error = True  # type: ignore[attr-defined]
            return "error", f"{type(error).__name__}: {error}"
        found = dead + failure.complaint(error)
        if deviation is not None and deviation.expect.search(found):
            report.outcome = "skipped"
            report.wasxfail = f"{deviation.id}: {deviation.what}"
            return "deviation", report.wasxfail
        title, feature = item.stash.get(TITLE, (_title(item), ""))
        target = self.run.target
        evidence = failure.Failure(
            tuple(self.requirements_of(item)),
            f"{title} ({feature})",
            item.stash.get(STEP, "?"),
            found,
            self.run.transcript.shown(),
            tuple((part, target.log(part)) for part in LOGGED) if target else (),
            self._rerun(item),
            item.stash.get(failure.ATTACHED, ()),
        )
        path, line = failure.crash_site(call.excinfo)
        report.longrepr = failure.FailureRepr(hidden(str(evidence)), hidden(evidence.short), path, line)
        return "failed", evidence.short

    def _stop_for_the_dead(self, item: pytest.Item) -> str:
        """What is to be said of parts that ended by themselves; without them nothing that follows tells anything."""
        ended = self.run.target.ended() if self.run.target is not None else {}
        said = "".join(f"{part} {how}, and nobody had asked it to\n" for part, how in ended.items())
        if said:
            item.session.shouldstop = said.strip()
        return said

    def _rerun(self, item: pytest.Item) -> str:
        settings = self.run.settings
        which = ["pytest", f"'{item.nodeid}'"]
        if suite.is_installed():
            which = ["zep-conformance", "run", "-k", item.name.partition("[")[0]]
        words = [*which, "--target", self.run.target_name, "--seed", str(self.run.seed)]
        for name in _SAME_PARTS:
            value = getattr(settings, name)
            if value:
                words += [option(name), shlex.quote(self.run.redactor(str(value)))]
        return " ".join(words) + ("" if settings.manner == "documented" else f" --manner {settings.manner}")


def _title(item: pytest.Item) -> str:
    """A scenario's name before it has run: pytest-bdd puts it after the feature's file in the docstring."""
    text = getattr(getattr(item, "function", None), "__doc__", None) or item.name
    return text.rpartition(": ")[2]
