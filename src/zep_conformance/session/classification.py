"""Outcomes: what a scenario's end means, and what is shown of a failure, with the command that runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from zep_conformance import suite
from zep_conformance.errors import CannotTell, LimitReached
from zep_conformance.facts.deviations import Deviation
from zep_conformance.facts.requirements import Requirement
from zep_conformance.report import longrepr
from zep_conformance.report.evidence import COMPLAINT, Evidence, Step, newest
from zep_conformance.report.outcomes import Record
from zep_conformance.report.transcript import cut
from zep_conformance.session.run import RUN, Run
from zep_conformance.session.scenarios import place, steps, title
from zep_conformance.settings import SETTINGS, UPGRADES, Settings, names_in

MEASURED: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
"""What a scenario has measured, by name; milliseconds."""
DISTURBS: pytest.StashKey[bool] = pytest.StashKey()
"""Whether a scenario disturbs others that run at the same time on the same parts."""
SAMPLES: pytest.StashKey[Mapping[str, Sequence[float]]] = pytest.StashKey()
"""The single latencies that those figures are of, by the same names."""
STEPS: pytest.StashKey[list[Step]] = pytest.StashKey()
"""The steps of a scenario, with how far it got."""
_EVIDENCE: pytest.StashKey[Evidence] = pytest.StashKey()
"""What tells of a failed scenario."""
_COMPLAINT: pytest.StashKey[str] = pytest.StashKey()
"""What a failed scenario complains of, whole."""
STARTED: pytest.StashKey[datetime] = pytest.StashKey()
"""When a scenario began."""
RECORD = "conformance_record"
"""The one attribute of pytest's reports that is ours: a scenario's Record, or what `Record.as_json` gave on its way."""
LAST_WORDS = 3
"""Lines of the log of a part that has ended by itself."""
REPEATED: pytest.StashKey[str] = pytest.StashKey()
"""Why a scenario is carried out once more."""


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """Gives each report of pytest its record, and each failure its evidence."""

    run: Run
    requirements: Mapping[str, Requirement]
    deviations: Mapping[str, Deviation]

    def requirements_of(self, item: pytest.Item) -> list[Requirement]:
        """Return the requirements that a scenario is tagged with, in the order of the documentation."""
        tags = {mark.name for mark in item.iter_markers()}
        return [one for name, one in self.requirements.items() if name in tags]

    def needs_of(self, item: pytest.Item) -> set[str]:
        """Return the capabilities without which a scenario is skipped."""
        needs = {need for one in self.requirements_of(item) for need in one.needs}
        needs |= {mark.name.removeprefix("needs-") for mark in item.iter_markers() if mark.name.startswith("needs-")}
        return needs if item.get_closest_marker("reads-only") else needs | {"write"}

    def _deviation_of(self, item: pytest.Item) -> Deviation | None:
        """Return the deviation that a scenario is tagged with; of several the one that has most parts to it."""
        found = self.run.deployment
        versions = found.deviating_versions()
        if UPGRADES & self.needs_of(item):
            versions |= {part: version for part, version in self.run.became.items() if part in versions}
        tagged = (self.deviations[mark.name] for mark in item.iter_markers() if mark.name in self.deviations)
        possible = [one for one in tagged if one.id not in found.ruled_out and one.applies(versions)]
        return max(possible, key=lambda one: len(one.versions), default=None)

    def _anywhere(self) -> list[Deviation]:
        """Return the deviations of these versions that any scenario may fail with."""
        versions = self.run.deployment.deviating_versions()
        return [one for one in self.deviations.values() if one.anywhere and one.applies(versions)]

    def freeze(self) -> Deviation | None:
        """Return the deviation that a frozen Zep of this version is known by; None where it is none."""
        from zep_conformance.clients.freezing import Frozen

        seen, versions = str(Frozen(self.run.freezes.patience)), self.run.deployment.deviating_versions()
        return next(
            (one for one in self.deviations.values() if one.expect.search(seen) and one.applies(versions)), None
        )

    def is_to_be_repeated(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> bool:
        """Return whether a scenario is to be carried out once more: it failed while Zep was frozen, a known deviation.

        It is about something else, and nobody else waits for that Zep. Nothing is carried out a third time, and nothing
        once more where Zep freezes again and again.
        """
        if not report.failed or self.run.is_again or item.session.shouldstop or self.run.shares_zep:
            return False
        if self._freezes_often():
            return False
        if call.excinfo is not None and self._limit_reached(call.excinfo.value) is not None:
            return False
        freeze = self.freeze()
        return freeze is not None and not item.get_closest_marker(freeze.id) and self.run.freezes.met()

    def _freezes_often(self) -> bool:
        """Return whether Zep froze in what was carried out once more, or in many scenarios, unless that is accepted."""
        freeze = self.freeze()
        if freeze is None or freeze.id in names_in(self.run.settings.accept):
            return False
        return self.run.freezes.met() and (self.run.is_again or self.run.freezes.are_many)

    def classify(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Give a report of a scenario its record, and a failure its evidence in place of the traceback."""
        deviation = self._deviation_of(item) if report.when == "call" else None
        outcome: str = report.outcome
        reason, fixed = "", False
        shown: str | None = None
        if report.skipped:
            reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        elif report.failed and call.excinfo is not None:
            outcome, reason, shown = self._failed(item, call, report, deviation)
        elif deviation is not None and deviation.intermittent:
            outcome, reason, shown = *_as_deviation(report, deviation), deviation.id
        elif deviation is not None and not deviation.mended_by:
            # A pass of one that a setting mends says no more than that it is set.
            reason, fixed, shown = f"{deviation.id} is fixed here: {deviation.what}", True, deviation.id
        measured: dict[str, Any] = item.stash.get(MEASURED, {})
        feature, line = place(item)
        record = Record(
            name=title(item),
            feature=feature,
            line=line,
            started=item.stash[STARTED].isoformat(timespec="milliseconds") if STARTED in item.stash else "",
            steps=tuple(self._steps(item)),
            nodeid=item.nodeid,
            requirements=tuple(one.id for one in self._judged_by(item, outcome)),
            outcome=outcome,
            duration=report.duration,
            reason=self.run.redactor(reason),
            deviation=shown,
            fixed=fixed,
            repeated=item.stash.get(REPEATED, ""),
            measurements=measured,
            samples=item.stash.get(SAMPLES, {}),
            evidence=self._evidence(item) if _COMPLAINT in item.stash else None,
        )
        setattr(report, RECORD, record)

    def _judged_by(self, item: pytest.Item, outcome: str) -> Iterator[Requirement]:
        """Yield the requirements that an outcome is one of.

        Where Zep freezes again and again it is not what the scenario is about that fails.
        """
        freeze = self.freeze() if outcome == "failed" and self._freezes_often() else None
        if freeze is not None and not item.get_closest_marker(freeze.id):
            yield self.requirements[freeze.requirement]
        else:
            yield from self.requirements_of(item)

    def _failed(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, deviation: Deviation | None
    ) -> tuple[str, str, str | None]:
        """Return outcome and reason of a failure, and the deviation that it shows; change the report accordingly."""
        from zep_conformance.clients.freezing import Frozen
        from zep_conformance.clients.zep import FAILURES

        assert call.excinfo is not None
        error = call.excinfo.value
        hidden = self.run.redactor
        limit = self._limit_reached(error)
        if limit is not None:
            # What is forbidden once is forbidden for all that follows.
            self._end(item, str(limit))
            report.longrepr = str(limit)
            if limit.code == "read-only":
                return "error", str(limit), None
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, str(limit))
            return "not run", str(limit), None
        if isinstance(error, Frozen) and item.get_closest_marker("comes-first"):
            self._end(item, "Zep freezes at turns of a chat: nothing else was asked")
        elif self.run.shares_zep and (isinstance(error, Frozen) or self.run.freezes.met()):
            self._end(item, "Zep is frozen, and others use it: nothing else was asked")
        elif self._freezes_often():
            self._end(item, "Zep freezes again and again: nothing else was asked")
        dead = self._stop_for_the_dead(item)
        item.stash[_COMPLAINT] = dead + longrepr.complaint(error)
        if report.when != "call" or not longrepr.server_fault(error, FAILURES):
            # Not an expectation that was not met: the harness broke. Its traceback is the evidence, unless it says why.
            report.longrepr = hidden(str(error if isinstance(error, CannotTell) else report.longrepr))
            item.stash[_COMPLAINT] = str(report.longrepr)
            return "error", f"{type(error).__name__}: {error}", None
        found = dead + longrepr.complaint(error)
        if self.run.freezes.met() and not isinstance(error, Frozen):
            found += f"\n{Frozen(self.run.freezes.patience)}"
            deviation = self.freeze()
        known = [deviation] if deviation is not None else []
        shown = next((one for one in [*known, *self._anywhere()] if one.expect.search(found)), None)
        if shown is not None and (not shown.mended_by or shown.id in names_in(self.run.settings.accept)):
            return *_as_deviation(report, shown), shown.id
        if shown is not None:
            found += f"\n{shown.id}, known of this version, and a setting mends it: {shown.mended_by}."
            found += f"\nTo accept it as it is: --accept {shown.id}"
        item.stash[_COMPLAINT] = found
        shown_below = self._evidence(item)
        if self.run.trouble is not None:
            # The target itself is in trouble: whether the deployment is at fault can't be told any more.
            self._end(item, self.run.trouble.what)
            report.longrepr = hidden(str(self.run.trouble))
            return "error", self.run.trouble.what, None
        evidence = longrepr.Failure(
            requirements=tuple(self._judged_by(item, "failed")),
            scenario="{} ({}:{})".format(title(item).partition(" [")[0], *place(item)),
            step=shown_below.failed_step,
            complaint=found,
            exchanges=self.run.transcript.shown(),
            logs=tuple(shown_below.logs.items()),
            rerun=shown_below.rerun,
            attached=shown_below.attached,
        )
        path, line = longrepr.crash_site(call.excinfo)
        report.longrepr = longrepr.FailureRepr(hidden(str(evidence)), hidden(evidence.short), path, line)
        return "failed", evidence.short, shown.id if shown is not None else None

    def _evidence(self, item: pytest.Item) -> Evidence:
        """Return what tells of a scenario that something is wrong with; made once, at its end."""
        if _EVIDENCE not in item.stash:
            hidden, run = self.run.redactor, self.run
            exchanges, left_out = run.transcript.as_json()
            item.stash[_EVIDENCE] = Evidence(
                complaint=cut(hidden(item.stash[_COMPLAINT]), COMPLAINT),
                steps=tuple(self._steps(item)),
                exchanges=tuple(exchanges),
                left_out=left_out,
                logs={part: newest(hidden(log)) for part, log in run.logs().items()},
                attached=tuple(hidden(path) for path in item.stash.get(longrepr.ATTACHED, ())),
                rerun=hidden(rerun_command(item)),
                seed=run.seed,
            )
        return item.stash[_EVIDENCE]

    def _steps(self, item: pytest.Item) -> Iterator[dict[str, Any]]:
        found = item.stash.get(STEPS, None) or steps(item)
        is_clean = self.run.redactor.all_clean([step.text for step in found])
        for step in found:
            yield step.as_json() if is_clean else step.as_json() | {"text": self.run.redactor(step.text)}

    def _limit_reached(self, error: BaseException) -> LimitReached | None:
        """Return the limit that a failure comes of: an answer that the time limit cut off is nobody's fault."""
        if isinstance(error, LimitReached):
            return error
        try:
            self.run.limits.check_time()
        except LimitReached as over:
            return over
        return None

    def _end(self, item: pytest.Item, why: str) -> None:
        """Let this scenario be the last one."""
        self.run.ending = self.run.ending or why
        item.session.shouldstop = why

    def _stop_for_the_dead(self, item: pytest.Item) -> str:
        """Return a complaint of parts that ended by themselves; without them nothing that follows means anything."""
        told = {part: f"{part} {how}, and nobody had asked it to" for part, how in self.run.ended().items()}
        if told:
            self._end(item, "\n".join(told.values()))
        return "".join(f"{line}{self._last_words(part)}\n" for part, line in told.items())

    def _last_words(self, part: str) -> str:
        last = self.run.log(part).strip().splitlines()[-LAST_WORDS:]
        return "\n  ".join(["; its log ends:", *last]) if last else ""


def _as_deviation(report: pytest.TestReport, deviation: Deviation) -> tuple[str, str]:
    """Make a report that of a known deviation; return outcome and reason."""
    report.outcome = "skipped"
    report.wasxfail = f"{deviation.id}: {deviation.what}"
    if deviation.intermittent:
        report.wasxfail += " (now and then)"
    return "deviation", report.wasxfail


def record_of(report: pytest.TestReport) -> Record | None:
    """Return the record that a report of a scenario was given."""
    return getattr(report, RECORD, None)


def rerun_command(item: pytest.Item) -> str:
    """Return the command that runs a scenario again, or just that example of an outline: as a shell takes it.

    Its test is named by its place in the suite, where `zep-conformance run` finds it from any folder.
    """
    run = item.config.stash[RUN]
    test = f"{item.path.relative_to(suite.root()).as_posix()}::{item.nodeid.partition('::')[2]}"
    words = ["zep-conformance", "run", shlex.quote(test)]
    return " ".join([*words, *given_again(run.settings, target=run.target_name, seed=run.seed, hidden=run.redactor)])


def given_again(settings: Settings, *, target: str, seed: int, hidden: Callable[[str], str]) -> list[str]:
    """Return the options, quoted for a shell, that give each setting which differs from its default.

    target: what `auto` chose, where it did. hidden: takes secrets out of a text; what has one is given by its variable.
    """
    words = ["--target", shlex.quote(target), "--seed", str(seed)]
    for field, setting in SETTINGS.items():
        if field in ("target", "seed", "failed") or not settings.is_given(field):
            continue
        text = str(getattr(settings, field))
        if setting.is_flag:
            words.append(setting.option)
        elif setting.is_secret or hidden(text) != text:
            words.append(f'{setting.option}="${setting.variable}"')  # one word: it may begin with a dash
        elif text.startswith(("-", "@")):  # pytest takes @FILE for options in a file
            words.append(shlex.quote(f"{setting.option}={text}"))
        else:
            words += [setting.option, shlex.quote(text)]
    return words
