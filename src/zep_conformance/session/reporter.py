"""What a run says while it goes on: pytest's terminal reporter with scenarios and features in place of files and tests.

It takes the place of pytest's where features of this suite are run, and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

import pytest
from _pytest.terminal import TerminalReporter

from zep_conformance.report import progress, terminal
from zep_conformance.report.folder import REPORT
from zep_conformance.report.live import LiveLine, composed
from zep_conformance.report.outcomes import Record
from zep_conformance.report.progress import Progress
from zep_conformance.session import scenarios
from zep_conformance.session.classification import record_of
from zep_conformance.session.run import RUN, Run

COLLECTED = "conformance_collected"
"""The attribute of a worker's first report that says what `collected` returned."""
_COLOURS = {"passed": "green", "failed": "red", "error": "red", "fixed": "green"}
_SUMMARIES = {
    "f": ("failed",), "E": ("error",), "s": ("skipped", "not run"), "x": ("deviation", "xfailed"),
    "X": ("fixed", "xpassed"), "p": ("passed",),
}  # fmt: skip
"""The outcomes that `-r` with a letter lists."""


class Replacement:
    """Has pytest's reporter replaced as soon as it is there."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Take the place of pytest's own reporter, but of nobody else's."""
        run = config.stash.get(RUN, None)
        before = config.pluginmanager.get_plugin("terminalreporter")
        if run is not None and type(before) is TerminalReporter:
            config.pluginmanager.unregister(before)
            config.pluginmanager.register(Reporter(config, run, before), "terminalreporter")


@dataclass
class _Ending:
    """What is known of a scenario so far. seconds: of all its phases."""

    outcome: str = "passed"
    seconds: float = 0.0
    record: Record | None = None


class Reporter(TerminalReporter):  # type: ignore[misc]  # pytest calls it final, though others replace it like this
    """Says how a run goes: a line a feature; with -v one a scenario; with -q none; in a terminal what is done now."""

    def __init__(self, config: pytest.Config, run: Run, before: TerminalReporter) -> None:
        super().__init__(config, sys.stdout)
        # pytest-xdist goes on writing to the one before: whatever is done to what is written is done to that, too.
        self._tw = before._tw
        self.stats = before.stats
        self._show_progress_info = False
        self._run = run
        self._progress = Progress()
        self._titles: dict[str, str] = {}
        self._endings: dict[str, _Ending] = {}
        self._live: LiveLine | None = None
        self._begun: pytest.Session | None = None
        self._closing = contextlib.ExitStack()

    # -- how much is said ---------------------------------------------------------------------------------------------

    @property
    def verbosity(self) -> int:
        """How much is asked for, from -1: the last line is there however little is."""
        return max(super().verbosity, -1)

    @property
    def showheader(self) -> bool:
        """Whether pytest says what it is, and on what it runs."""
        return self.verbosity > 1

    @property
    def _workers(self) -> int:
        return len(getattr(self.config.option, "tx", None) or ()) or 1

    def _can_rewrite(self) -> bool:
        """Whether the output is a terminal that somebody watches, and in which a line can be rewritten."""
        option = self.config.option
        is_watched = self.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        return is_watched and option.capture != "no" and not option.usepdb

    # -- the beginning ------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what is about to be tested."""
        self._begun = session
        super().pytest_sessionstart(session)
        if not self.showheader and not self.no_header:
            conformance: Any = self.config.pluginmanager.get_plugin("zep-conformance-run")
            for line in conformance.pytest_report_header():
                self.write_line(line)
        self._run.activity.at(f"the start of target {self._run.target_name}")
        if self.verbosity >= 0 and (shown := _handle()) is not None:
            self._closing.callback(shown.close)
            self._watch(shown)

    def _watch(self, shown: TextIO) -> None:
        """Show what is being done in a live line; where none can be, say it when nothing else was said for long."""
        activity, hidden = self._run.activity, self._run.redactor
        if self._can_rewrite():
            self._progress.before = progress.durations(self._run.settings.reports / REPORT, self._run.target_name)
            self._live = live = LiveLine(shown)
            _make_room(self._tw, live)
            activity.watch(lambda: live.show(self._line))
            return

        def say() -> None:
            if line := activity.due():
                shown.writelines(f"{part}\n" for part in terminal.wrapped([hidden(line)], self._tw.fullwidth))
                shown.flush()

        activity.watch(say)

    def _line(self, columns: int) -> str:
        """Return what the live line says now."""
        doing, hidden = self._run.activity.doing, self._run.redactor
        if doing is None:
            return ""
        ended, all_of_them = self._progress.count
        left = self._progress.time_left(self._workers)
        what = hidden(self._titles.get(doing.what, doing.what))
        beside = f"and {doing.beside} more" if doing.beside else ""
        step = "  ".join(filter(None, (hidden(doing.step), hidden(doing.awaited), beside)))
        after = [progress.in_words(doing.seconds)] if doing.seconds >= 1 else []
        after += [f"about {progress.in_words(left)} left"] if left is not None and left >= 1 else []
        return composed(f"{ended}/{all_of_them}" if all_of_them else "", what, step, ", ".join(after), columns)

    def pytest_collection(self) -> None:
        """Say nothing of what takes no time, unless pytest's own words are asked for."""
        if self.verbosity > 1:
            super().pytest_collection()

    def report_collect(self, final: bool = False) -> None:
        """Say how many scenarios are run, and of how many."""
        if self.verbosity > 1:
            super().report_collect(final)
        elif final and self._begun is not None:
            count, others = len(self._begun.items), len(self.stats.get("deselected", []))
            if count and self.verbosity >= 0:
                self.write_line(f"scenarios: {count}{f' of {count + others}' if others else ''}")
            elif others and not count and self._run.trouble is None:
                self._write_wrapped([f"scenarios: none of {others} is selected by {self._selection()}"])

    def _selection(self) -> str:
        """Return the options that select scenarios, as they were given."""
        option = self.config.option
        words = [
            f"{name} {shlex.quote(given)}" for name, given in (("-k", option.keyword), ("-m", option.markexpr)) if given
        ]
        words += ["--lf"] if getattr(option, "lf", False) else []
        return " ".join(words) + (" (-k takes words of their names: -k 'new and timestamp')" if option.keyword else "")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what the scenarios are called, and of which features they are."""
        self._run.activity.over()
        super().pytest_collection_finish(session)
        self._take(collected(session.items))
        if session.items and self.verbosity >= 0:
            self.write_line("")

    def _take(self, found: Mapping[str, Any]) -> None:
        """Take what there is to run; say what is tested, where a worker is the first to know."""
        if found["tested"] and not self._titles:
            self._write_wrapped([f"scenarios: {len(found['names'])}", *found["tested"]])
            self.write_line("")
        self._titles |= {nodeid: scenario for nodeid, (_, scenario) in found["names"].items()}
        self._progress.expect({nodeid: feature for nodeid, (feature, _) in found["names"].items()})

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Keep pytest-xdist from counting its workers up."""
        workers = self.config.pluginmanager.get_plugin("terminaldistreporter")
        if workers is not None and self.verbosity < 2:
            workers.ensure_show_status = workers.setstatus = lambda *_, **__: None

    # -- scenarios ----------------------------------------------------------------------------------------------------

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:  # noqa: ARG002
        """Note which scenario begins."""
        self._run.activity.at(self._titles.get(nodeid, nodeid), of=nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note that it is over."""
        self._run.activity.over(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count an outcome; say what came of the scenario when it is over, or of its feature."""
        category, _, _ = self.config.hook.pytest_report_teststatus(report=report, config=self.config)
        self._add_stats(category, [report])
        if hasattr(report, COLLECTED):
            self._take(getattr(report, COLLECTED))
        ending = self._endings.setdefault(report.nodeid, _Ending())
        ending.seconds += report.duration
        record = record_of(report)
        if record is not None and (report.when == "call" or not report.passed):
            ending.record = record
        if category and (report.when == "call" or not report.passed):
            ending.outcome = category
        if report.when not in ("setup", "call", "put off"):
            self._say_end(report.nodeid, ending)

    def _say_end(self, nodeid: str, ending: _Ending) -> None:
        """Say what came of a scenario, and of its feature, if it was the last one of that."""
        outcome = ending.outcome if ending.record is None else ending.record.outcome
        tally = self._progress.end(nodeid, outcome, ending.seconds)
        is_wrong = outcome in ("failed", "error")
        if self.verbosity > 0 or (is_wrong and self.verbosity == 0):
            self._write_scenario(ending.outcome, f"{self._name(nodeid, ending.record)} {ending.seconds:.2f} s")
            if self.verbosity > 1:
                reason = ending.record.reason if ending.record is not None else ""
                self._write_wrapped([*filter(None, (f"    {reason}" if reason else "", f"    {nodeid}"))])
        if tally is not None and self.verbosity == 0:
            self._write_tally(tally)

    def _name(self, nodeid: str, record: Record | None) -> str:
        """Return what people know a scenario by."""
        if record is None:
            return self._titles.get(nodeid, nodeid)
        return f"{record.name} ({', '.join(record.requirements)})" if record.requirements else record.name

    def _write_scenario(self, outcome: str, text: str) -> None:
        first, *others = self._wrapped([f"{outcome.upper():<9} {text}"])
        self.ensure_newline()
        self.write(first[: len(outcome)], **{_COLOURS.get(outcome, "yellow"): True})
        self.write_line(first[len(outcome) :])
        for line in others:
            self.write_line(line)

    def _write_tally(self, tally: progress.Tally) -> None:
        colour = "red" if tally.outcomes.keys() & {"failed", "error"} else "green" if tally.outcomes["passed"] else ""
        self.write_line(tally.line(self._tw.fullwidth), **{colour: True} if colour else {})

    def _wrapped(self, lines: Iterable[str]) -> list[str]:
        return [*terminal.wrapped(map(self._run.redactor, lines), self._tw.fullwidth)]

    def _write_wrapped(self, lines: Iterable[str]) -> None:
        for line in self._wrapped(lines):
            self.write_line(line)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Say at the end what has come of the features that did not get to theirs."""
        try:
            return (yield)
        finally:
            if self.verbosity == 0:
                for tally in self._progress.unfinished():
                    self._write_tally(tally)

    def pytest_enter_pdb(self) -> None:
        """Leave the terminal to whoever debugs."""
        self._run.activity.stop()
        if self._live is not None:
            self._live.hide()

    # -- the end ------------------------------------------------------------------------------------------------------

    def short_test_summary(self) -> None:
        """List the scenarios whose outcomes `-r` asks for."""
        listed = [
            (category, report)
            for char in self.reportchars
            for category in _SUMMARIES.get(char, ())
            for report in self.stats.get(category, [])
        ]
        if listed:
            self.write_sep("=", "scenarios", bold=True)
        for category, report in listed:
            record = record_of(report)
            reason = f": {record.reason}" if record is not None and record.reason else ""
            self._write_scenario(category, f"{self._name(report.nodeid, record)}{reason}")

    def _report_keyboardinterrupt(self) -> None:
        """Say that somebody interrupted the run: where in the code he did tells nobody anything."""
        memo = self._keyboardinterrupt_memo
        crash = getattr(memo, "reprcrash", None)
        if self.config.option.fulltrace or crash is None or "KeyboardInterrupt" not in crash.message:
            super()._report_keyboardinterrupt()
        else:
            self.write_sep("!", "interrupted")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Leave a clean terminal."""
        super().pytest_unconfigure()
        self._run.activity.stop()
        if self._live is not None:
            self._live.hide()
            self._live = None
        self._closing.close()


def collected(items: Iterable[pytest.Item], tested: Iterable[str] = ()) -> dict[str, Any]:
    """Return what there is to run, as JSON: what scenarios are called, by node id, and of which features they are.

    tested: lines that say which parts there are, where nobody has said so.
    """
    names = {item.nodeid: [scenarios.feature(item), scenarios.title(item)] for item in items}
    return {"names": names, "tested": list(tested)}


def _handle() -> TextIO | None:
    """Return a handle of its own on the output as it is now, before pytest captures it; None where there is none."""
    try:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None


def _make_room(writer: Any, live: LiveLine) -> None:
    """From now on take the live line away before anything is written."""
    write = writer.write

    def write_aside(msg: str, *, flush: bool = False, **markup: bool) -> None:  # noqa: ARG001
        with live.aside(msg):
            write(msg, flush=True, **markup)

    writer.write = write_aside
