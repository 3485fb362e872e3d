"""The pytest plugin: options, target, outcomes and reports of a conformance run.

It sleeps unless features of this suite are among what pytest is asked to run.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from zep_conformance import __version__, suite
from zep_conformance.clients.families import remark
from zep_conformance.errors import CannotTell
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import TAG, load_requirements
from zep_conformance.processes import interruption
from zep_conformance.redaction import output
from zep_conformance.report import document, terminal
from zep_conformance.report.events import Event, PartsReady, RunBegan, RunEnded, ScenarioBegan, ScenarioEnded, StepEnded
from zep_conformance.report.evidence import NOT_RUN
from zep_conformance.report.folder import JUNIT, REPORT, RunFolder
from zep_conformance.report.observations import Known, Observations
from zep_conformance.report.outcomes import Record
from zep_conformance.report.reading import Report
from zep_conformance.report.screenful import screenfuls
from zep_conformance.report.writers import NO_REPORT, Reports, asked_for
from zep_conformance.report.writers.ndjson import Events
from zep_conformance.session import reporter
from zep_conformance.session.again import Again, taken_up
from zep_conformance.session.baseline import read_baseline
from zep_conformance.session.classification import DISTURBS, RECORD, REPEATED, STARTED, STEPS, Classifier, record_of
from zep_conformance.session.comparisons import told_by_path
from zep_conformance.session.exchanging import EXCHANGING, Exchanging
from zep_conformance.session.run import RUN, Run
from zep_conformance.session.scenarios import place as place_of
from zep_conformance.session.scenarios import steps, text, title
from zep_conformance.session.turns import Turns
from zep_conformance.session.verdict import Gate, conclude
from zep_conformance.settings import CAPABILITIES, GROUPS, SETTINGS, UPGRADES, names_in, required_ids
from zep_conformance.settings.sources import default_settings, read_settings

_JUNIT: pytest.StashKey[str] = pytest.StashKey()
"""Where JUnit's report goes, where somebody said where to."""
REPLAY: pytest.StashKey[Callable[[pytest.Config], object]] = pytest.StashKey()
"""Makes the plugin of a replay, where a recording is to answer in place of a target."""
_Report = pytest.CollectReport | pytest.TestReport | None
_REACHED: pytest.StashKey[int] = pytest.StashKey()
"""Which step a scenario is at, from 0."""
_BEGAN: pytest.StashKey[float] = pytest.StashKey()
"""When that step began."""
_SO_FAR = "conformance_so_far"
"""The attribute of a worker's first report with what it has found out: an interrupted one sends nothing at the end."""
_PUT_OFF = "put off"
"""The phase that a report is of which says nothing, see `_put_off`."""
UPGRADE_LIMIT = 900
"""Seconds that one scenario of an upgrade may take: parts are filled, stopped and started in it."""
_DISTURBING = {"control", "network", "load", *UPGRADES}
"""What it needs, if so."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add an option for each setting, in the groups that `zep-conformance run --help` has."""
    pluginmanager.register(reporter.Replacement(), "zep-conformance-terminal")
    groups = {title: parser.getgroup(title, f"zep-conformance: {title}") for title in GROUPS}
    for name, setting in SETTINGS.items():
        how: dict[str, Any] = {"action": "store_true"} if setting.is_flag else {"metavar": "…"}
        groups[setting.group].addoption(setting.option, dest=f"zc_{name}", default=None, help=setting.help, **how)


def _asked_for_features(config: pytest.Config) -> bool:
    """Whether what pytest is to run includes features of this suite."""
    features = suite.root() / "features"
    paths = [(config.invocation_params.dir / arg.split("::")[0]).resolve() for arg in config.args]
    return any(path == features or features in path.parents or path in features.parents for path in paths)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings; register tags as markers; take over what pytest would write for JUnit."""
    for identifier, requirement in load_requirements().items():
        config.addinivalue_line("markers", f"{identifier}: {requirement.text}")
    for identifier, deviation in load_deviations().items():
        config.addinivalue_line("markers", f"{identifier}: {deviation.what}")
    config.addinivalue_line(
        "markers", "comes-first: the scenario says how all others will go, and is asked before them"
    )
    config.addinivalue_line("markers", "comes-last: the scenario may keep all that come after it waiting")
    config.addinivalue_line("markers", "reads-only: the scenario writes nothing, so that --read-only runs it")
    for capability in CAPABILITIES:
        config.addinivalue_line("markers", f"needs-{capability}: the target must offer {capability}")
    if config.option.collectonly or not _asked_for_features(config):
        return
    if REPLAY in config.stash:
        config.pluginmanager.register(config.stash[REPLAY](config), "zep-conformance-run")
        return
    given = {name: getattr(config.option, f"zc_{name}") for name in SETTINGS}
    baseline, again = None, None
    try:
        settings = read_settings(given)
        if settings.failed:
            found = taken_up(settings)
            settings, again = found.taken(settings), found
        baseline = read_baseline(settings.baseline) if settings.baseline else None
        run = Run.of(settings)
    except CannotTell as error:
        run = Run.of(default_settings(given))
        run.trouble = error
    if hasattr(config, "workerinput"):
        run.seed, run.prefix = config.workerinput["zc_seed"], config.workerinput["zc_prefix"]
        run.clock = config.workerinput["zc_clock"]
        run.folder = RunFolder(run.settings.reports, config.workerinput["zc_folder"])
    config.stash[RUN] = run
    config.stash[_JUNIT], config.option.xmlpath = config.option.xmlpath, None
    exchanging = config.stash[EXCHANGING] = Exchanging(run)
    config.pluginmanager.register(exchanging, "zep-conformance-exchanges")
    config.pluginmanager.register(Conformance(config, run, baseline, again), "zep-conformance-run")


def _put_off(report: pytest.TestReport) -> None:
    """Let a report of what is carried out once more say nothing: neither an outcome, nor that the scenario is over."""
    report.when, report.outcome, report.longrepr = _PUT_OFF, "passed", None  # type: ignore[assignment]
    report.sections.clear()


def _place(item: pytest.Item) -> int:
    """Return when it is a scenario's turn, the least first.

    What stops parts comes late: what they were doing then may hold up whoever comes after it.
    """
    if item.get_closest_marker("comes-first"):
        return 0
    return 3 if item.get_closest_marker("comes-last") else 2 if item.stash[DISTURBS] else 1


class Conformance:
    """The hooks of one conformance run."""

    def __init__(
        self, config: pytest.Config, run: Run, baseline: Report | None = None, again: Again | None = None
    ) -> None:
        self.config = config
        self.run, self.again = run, again
        self.requirements, deviations = load_requirements(), load_deviations()
        self.classifier = Classifier(run=run, requirements=self.requirements, deviations=deviations)
        self.gate = Gate(
            fail_on=run.settings.fail_on,
            strict_deviations=run.settings.strict_deviations,
            accepted=frozenset(names_in(run.settings.accept)),
            deviations=deviations,
            must=frozenset(name for name, one in self.requirements.items() if one.level == "MUST"),
            require=run.settings.require,
            required=required_ids(run.settings.require),
            baseline=baseline,
        )
        self.records: dict[str, Record] = {}
        self.of_workers = Observations()
        self.concluded: tuple[pytest.Session, int] | None = None
        # With pytest-xdist each worker has its own target or its own connections; the controller only collects.
        self.is_worker = hasattr(config, "workerinput")
        self.is_controller = not self.is_worker and bool(getattr(config.option, "dist", "no") != "no")
        self._cleaning = ExitStack()
        self.was_interrupted = False
        # Whoever asks pytest for tracebacks gets pytest's.
        self.shows_failures = config.option.tbstyle == "auto"
        self.turns = Turns()
        self.reports = Reports(
            run.redactor,
            writers=asked_for(run.settings.formats),
            beside=[Events(run.settings.events)] if run.settings.events else [],
        )
        self.parts_are_told = False
        self.has_named = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker the seed, and a target that all workers share."""
        node.workerinput["zc_seed"] = self.run.seed
        node.workerinput["zc_clock"] = self.run.clock
        node.workerinput["zc_folder"] = self.run.folder.path.name
        node.workerinput["zc_prefix"] = f"{self.run.prefix}{node.gateway.id}"
        if self.run.target is not None and self.run.target.shared:
            self.run.ready(self._say)
            node.workerinput["zc_chosen"] = self.run.target.title
            node.workerinput["zc_target"] = self.run.handover() | {"turns": str(self.turns.path)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Begin to start the target, so that it comes up while pytest collects; nothing secret is shown from here."""
        self._cleaning = output.clean(self.config, self.run.redactor)
        # A pipeline that is cancelled sends SIGTERM: what was made is removed then as after Ctrl-C.
        self._cleaning.enter_context(interruption.noted())
        if not self.is_worker:
            self.run.folder.hold()
        self.tell(RunBegan(version=__version__, target=self.run.target_name, seed=self.run.seed))
        if self.run.trouble is not None:
            return
        self.run.choose(os.environ, chosen=getattr(self.config, "workerinput", {}).get("zc_chosen"))
        handed = getattr(self.config, "workerinput", {}).get("zc_target")
        if handed is not None:
            self.turns = Turns(Path(handed["turns"]))
            self.run.attach(handed)
        elif not self.is_controller or (self.run.target is not None and self.run.target.shared):
            self.turns = Turns.made() if self.is_controller else Turns()
            self.run.start()

    def tell(self, event: Event) -> None:
        """Tell whoever writes of this run; a worker's controller does so from what the worker sends."""
        if not self.is_worker:
            self.reports(event)

    def _tell_parts(self, seen: Observations) -> None:
        """Tell what is tested, once, as soon as it is known."""
        if seen.parts and not self.parts_are_told:
            self.parts_are_told = True
            parts, offered = document.parts_of(seen), document.capabilities_of(seen)
            self.tell(PartsReady(parts=parts, capabilities=offered))

    def _say(self, line: str) -> None:
        """Show people how the start goes."""
        shown = self.config.pluginmanager.get_plugin("terminalreporter")
        if shown is not None and not self.is_worker:
            for part in self._wrapped([self.run.redactor(line)]):
                shown.write_line(part)

    def _wrapped(self, lines: Iterable[str]) -> list[str]:
        return [*terminal.wrapped(lines, self.config.get_terminal_writer().fullwidth)]

    def pytest_report_header(self) -> list[str]:
        """Say what is about to be tested, and the seed that makes it so again."""
        lines = [f"zep-conformance {__version__}, target {self.run.target_name}, seed {self.run.seed}"]
        unused = self.run.unused
        line = f"not used by target {self.run.target_name}: {', '.join(unused)}" if unused else ""
        lines += self._wrapped(filter(None, (*(self.again.lines() if self.again else ()), self.run.because, line)))
        if self.run.target_name == "embedded":
            lines.append(terminal.NOT_A_DEPLOYMENT)
        return lines

    def pytest_collection_finish(self) -> None:
        """Leave what is there by now out of every search for garbage, which begins here: it stays until the end."""
        gc.freeze()
        gc.enable()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Wait for the target, then skip the scenarios whose capabilities it does not offer."""
        if self.config.getoption("lf", False):
            # Where none of them has failed pytest runs them all: not what was asked for.
            failed = self.config.cache.get("cache/lastfailed", {}) if self.config.cache else {}
            self._select(items, failed)
        if self.again is not None:
            self._select(items, self.again.nodeids)
        self.run.ready(self._say)
        if self.again is not None and self.run.is_ready:
            self.run.heard(partial(self.again.check, self.run.observations()), None)
        if self.run.trouble:
            items[:] = []
            self.run.scenarios.clear()
            return
        self._tell_parts(self.run.observations())
        for item in items:
            if item.nodeid in self.run.scenarios:
                self.run.scenarios[item.nodeid] = replace(self.run.scenarios[item.nodeid], selected=True)
        missing = self.run.deployment.missing
        for item in items:
            needs = self.classifier.needs_of(item)
            item.stash[DISTURBS] = bool(needs & _DISTURBING)
            if self.run.settings.thorough or self.run.settings.rate:
                item.add_marker(pytest.mark.timeout(0))  # as long as it takes
            elif needs & UPGRADES:
                item.add_marker(pytest.mark.timeout(UPGRADE_LIMIT))
            lacking = next((need for need in sorted(needs) if need in missing), None)
            if lacking is not None:
                item.add_marker(pytest.mark.skip(reason=f"no capability {lacking}: {missing[lacking]}"))
        items.sort(key=_place)

    def _select(self, items: list[pytest.Item], nodeids: Iterable[str]) -> None:
        """Leave the items with these node ids, and no others."""
        self.config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in nodeids])
        items[:] = [item for item in items if item.nodeid in nodeids]

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which parts there are and what can be asked of them."""
        return self._wrapped(self._tested())

    def _tested(self) -> list[str]:
        """Return in lines which parts there are and what can be asked of them."""
        if not self.run.is_ready:
            return []
        lines = [*terminal.parts(self.run.deployment.versions(), self.run.capabilities())]
        if self.run.deployment.langflux and (word := remark(self.run.deployment.langflux.version)):
            lines.append(word)
        return [*lines, *(f"note: {self.run.redactor(line)}" for line in self.run.remarks)]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell which scenario begins: of workers' ones no more is known here."""
        short = nodeid.partition("::")[2]
        known = self.run.scenarios.get(nodeid)
        if known is not None or self.is_controller:
            self.tell(ScenarioBegan(nodeid=nodeid, name=known.name if known is not None else short))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Tell that a scenario is over, and what came of it: nothing yet, where it is to be carried out once more."""
        record = self.records.get(nodeid)
        if record is None:
            return
        if self.is_controller:
            for step in record.steps:
                if step["outcome"] != NOT_RUN:
                    self.tell(StepEnded(nodeid=nodeid, step=step))
        self.tell(ScenarioEnded(record=record))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin no scenario when the time is over; what is asked from here on is of the next one."""
        item.stash[STARTED] = datetime.now(UTC)
        self.run.begin()
        self.run.drawn.begin(item.nodeid)
        self.run.limits.check_time()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Wait for a turn: where workers share parts, whoever stops one has them to itself.

        What Zep froze in is carried out once more, under new names, when it is frozen no more.
        """
        interruption.raise_if_lost()
        if self.run.is_again:
            return (yield)
        with self.turns.taken(alone=item.stash.get(DISTURBS, True)), told_by_path(self.config):
            self.run.freezes.begin()
            result = yield
            if REPEATED in item.stash:
                freezes = self.run.freezes
                freezes.await_end()
                item.stash[REPEATED] += f"Zep was frozen for {freezes.seconds:.0f} s"
                freezes.begin()
                self.run.is_again = True
                try:
                    item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
                finally:
                    self.run.is_again = False
            return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Let no scenario pass that a Zep froze in which others use."""
        from zep_conformance.clients.freezing import Frozen  # imports httpx, while the target comes up

        result = yield
        if self.run.shares_zep and self.run.freezes.has_seen:
            raise Frozen(self.run.freezes.patience)
        return result

    def pytest_bdd_before_scenario(self, request: pytest.FixtureRequest) -> None:
        """Begin a new transcript with a new scenario."""
        request.node.stash[STEPS] = steps(request.node)
        request.node.stash[_REACHED] = 0
        self.run.begin()

    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, step: Any) -> None:
        """Remember the step, for the failure's evidence: it failed, unless it comes to its end."""
        reached = request.node.stash[STEPS][request.node.stash[_REACHED]]
        reached.text, reached.outcome = text(step), "failed"
        request.node.stash[_BEGAN] = time.perf_counter()
        self.run.activity.at(title(request.node), step=reached.text, of=request.node.nodeid)

    def pytest_bdd_after_step(self, request: pytest.FixtureRequest) -> None:
        """Note that the step came to its end."""
        self._ended(request, "passed")

    def pytest_bdd_step_error(self, request: pytest.FixtureRequest) -> None:
        """Note that the step did not."""
        self._ended(request, "failed")

    def _ended(self, request: pytest.FixtureRequest, outcome: str) -> None:
        stash = request.node.stash
        reached = stash[STEPS][stash[_REACHED]]
        reached.outcome, reached.duration = outcome, time.perf_counter() - stash[_BEGAN]
        stash[_REACHED] += 1
        self.tell(StepEnded(nodeid=request.node.nodeid, step=reached.as_json()))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Decide the outcome; replace a failure's traceback by its evidence."""
        report = yield
        if any(TAG.fullmatch(mark.name) for mark in item.iter_markers()):
            if self.classifier.is_to_be_repeated(item, call, report):
                known = self.classifier.freeze()
                item.stash[REPEATED] = f"{known.id}: " if known is not None else ""
            if REPEATED in item.stash and not self.run.is_again:
                _put_off(report)
            elif report.when == "call" or not report.passed:
                self.classifier.classify(item, call, report)
        output.clean_report(report, self.run.redactor)
        if self.is_worker and not self.has_named:
            # The controller collects nothing: this tells it what there is.
            self.has_named = True
            setattr(report, reporter.COLLECTED, reporter.collected(item.session.items, self._tested()))
            setattr(report, _SO_FAR, self.run.observations().so_far().as_json())
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Clean what is shown of an error while collecting; note every scenario, selected or not."""
        report = yield
        for item in report.result if report.passed else ():
            if isinstance(item, pytest.Item) and (found := self.classifier.requirements_of(item)):
                feature, line = place_of(item)
                self.run.scenarios[item.nodeid] = Known(
                    name=title(item),
                    requirements=tuple(one.id for one in found),
                    selected=False,
                    feature=feature,
                    line=line,
                )
        output.clean_report(report, self.run.redactor)
        return report

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
        """Say outcomes in this project's words."""
        if report.when == _PUT_OFF:
            return "", "", ""
        record = record_of(report)
        if record is None or (report.when != "call" and record.outcome != "not run"):
            return None
        outcome = "fixed" if record.fixed else record.outcome
        shown = {
            "deviation": ("d", "yellow"),
            "fixed": ("X", "green"),
            "error": ("E", "red"),
            "not run": ("n", "yellow"),
        }.get(outcome)
        return (outcome, shown[0], (outcome.upper(), {shown[1]: True})) if shown else None

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """Send a worker's record as JSON."""
        data = yield
        if data is not None and RECORD in data:
            data[RECORD] = data[RECORD].as_json()
        return data

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> Generator[None, _Report, _Report]:
        """Take a record that a worker has sent."""
        report = yield
        if report is not None and RECORD in data:
            setattr(report, RECORD, Record.from_json(data[RECORD]))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the record of a scenario: of its call, or of what kept it from being called, or broke after it."""
        record = record_of(report)
        if record is not None and (report.when == "call" or not report.passed):
            self.records[report.nodeid] = record
        if hasattr(report, _SO_FAR) and not self.is_worker:
            self.of_workers = self.of_workers.merged(Observations.from_json(getattr(report, _SO_FAR)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker found out about the target."""
        sent = getattr(node, "workeroutput", {}).get("zc_observations")
        if sent is not None:
            self.of_workers = self.of_workers.merged(Observations.from_json(sent))
            self._tell_parts(self.of_workers)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Conclude: set the exit code and write the reports."""
        plugins = self.config.pluginmanager
        if "hypothesis" not in sys.modules and plugins.has_plugin("hypothesispytest"):
            # To see whether it has something to say, the plugin would import all of Hypothesis.
            plugins.unregister(name="hypothesispytest")
        self.run.tidy()
        self.run.activity.stop()
        if session.shouldfail and not self.run.ending:
            self.run.ending = f"the run ended early: {session.shouldfail}"
        if self.is_worker:
            self.config.workeroutput["zc_observations"] = self.run.observations().as_json()  # type: ignore[attr-defined]
            return
        self._conclude(session, exitstatus)
        if self.shows_failures:
            self.config.option.tbstyle = "no"

    def _conclude(self, session: pytest.Session, exitstatus: int) -> None:
        """Set the exit code and write the reports."""
        self.concluded = session, exitstatus
        records, seen, merged = list(self.records.values()), self.run.observations().merged(self.of_workers), None
        exchanges = self.config.stash[EXCHANGING].all()
        if self.again is not None and records:
            ran = {*self.records}
            records, seen, merged = self.again.merged(records, seen)
            before, missing = self.again.exchanges({record.nodeid for record in records} - ran)
            exchanges = {**before, **exchanges}
            merged |= {"missing": missing} if missing else {}
        self.conclusion = conclude(
            records,
            seen,
            self.gate,
            requirements=self.requirements,
            exit_status=exitstatus,
            seed=self.run.seed,
            prefix=self.run.prefix,
            started=self.run.started,
            duration=time.monotonic() - self.run.clock,
            settings=self.run.settings.in_words(),
            merged=merged,
        )
        session.exitstatus = self.conclusion.exit_code
        junit = self.config.stash[_JUNIT]
        elsewhere = {JUNIT: Path(junit)} if junit else {}
        ended, folder = self.conclusion.report, self.run.folder.path
        self.tell(RunEnded(document=ended, folder=folder, elsewhere=elsewhere, exchanges=exchanges))
        broken = exitstatus == pytest.ExitCode.INTERNAL_ERROR
        self.run.folder.publish(is_whole=self.conclusion.is_whole(interrupted=self.was_interrupted or broken))

    def _where(self) -> str:
        """Return in words where the reports are."""
        where = self.reports.where()
        return where if where == NO_REPORT else f"{where} ({self.run.folder.standing})"

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that somebody ended the run, or why it ended itself."""
        if excinfo.type is KeyboardInterrupt or isinstance(excinfo.value, pytest.exit.Exception):
            self.was_interrupted = True
        else:
            # What a worker ended for ends the others, too: it has said so itself.
            is_said = self.run.redactor(str(excinfo.value)) in self.of_workers.ended
            self.run.ending = self.run.ending or ("" if is_said else f"the run ended early: {excinfo.value}")

    def pytest_unconfigure(self) -> None:
        """Leave nothing running, whatever happened. What can't be told by now changes the verdict all the same."""
        before = self.run.trouble
        self.run.stop()
        if self.run.trouble is not before and self.concluded is not None:
            self._conclude(*self.concluded)
            shown = self.config.pluginmanager.get_plugin("terminalreporter")
            if shown is not None:
                self._say_trouble(shown)
                for line in self._wrapped([f"{self.conclusion.verdict}; {self._where()}"]):
                    shown.write_line(line)
                shown.summary_stats()
        if not self.is_worker:
            self.run.folder.close(keep=self.run.settings.keep_runs)
        self.turns.close()
        self.reports.close()
        self._cleaning.close()

    def _show_failures(self, reporter: pytest.TerminalReporter) -> None:
        """Show what failed or broke; cleaned before lines are broken, which would else hide a secret from cleaning."""
        wrong = (record for record in self.conclusion.records if record.outcome in ("failed", "error"))
        clean = [Record.from_json(self.run.redactor.everywhere(record.as_json())) for record in wrong]
        for title_line, *lines in screenfuls(clean, self.requirements, rest=str(self.run.folder.path / REPORT)):
            reporter.write_line("")
            reporter.write_line(title_line, bold=True, red=True)
            for line in lines:
                reporter.write_line(line)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show each failure in a screenful, and say what the run means, in a few lines."""
        if self.is_worker:
            return
        if self.shows_failures:
            self.config.option.tbstyle = "auto"
            terminalreporter.summary_passes()
            self._show_failures(terminalreporter)
            terminalreporter.write_line("")
        terminalreporter.section("conformance", sep="-")
        self._say_trouble(terminalreporter)
        for line in self._wrapped([*self.reports.complaints(), *self.conclusion.lines(self._where())]):
            terminalreporter.write_line(line)

    def _say_trouble(self, reporter: pytest.TerminalReporter) -> None:
        """Say why nothing can be told, if so."""
        for line in self._wrapped((self.conclusion.observations.trouble or "").splitlines()):
            reporter.write_line(line, red=True)
