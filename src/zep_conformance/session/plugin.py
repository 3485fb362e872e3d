"""The pytest plugin: options, target, outcomes and reports of a conformance run.

It sleeps unless features of this suite are among what pytest is asked to run.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from zep_conformance import __version__, suite
from zep_conformance.clients.families import remark
from zep_conformance.errors import CannotTell
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import TAG, load_requirements
from zep_conformance.redaction import output
from zep_conformance.report import document as reports
from zep_conformance.report import outcomes, terminal
from zep_conformance.session.baseline import Baseline
from zep_conformance.session.baseline import read as read_baseline
from zep_conformance.session.classification import STEP, TITLE, Judge
from zep_conformance.session.gate import Gate
from zep_conformance.session.run import RUN, Run
from zep_conformance.session.turns import Turns
from zep_conformance.settings import CAPABILITIES, Settings, defaults, option, read

_ALONE: pytest.StashKey[bool] = pytest.StashKey()
"""Whether a scenario disturbs others that run at the same time on the same parts."""
_DISTURBING = {"control", "network"}
"""What it needs, if so."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option for each setting."""
    group = parser.getgroup("zep-conformance", "zep-conformance: what to test")
    for name, field in Settings.model_fields.items():
        text = f"{field.description} [${field.validation_alias}]"
        if field.annotation is bool:
            group.addoption(option(name), dest=f"zc_{name}", action="store_true", default=None, help=text)
        else:
            group.addoption(option(name), dest=f"zc_{name}", metavar="…", default=None, help=text)


def _asked_for_features(config: pytest.Config) -> bool:
    """Whether what pytest is to run includes features of this suite."""
    features = suite.root() / "features"
    paths = [(config.invocation_params.dir / arg.split("::")[0]).resolve() for arg in config.args]
    return any(path == features or features in path.parents or path in features.parents for path in paths)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings; register tags as markers; put JUnit's report beside ours."""
    for identifier, requirement in load_requirements().items():
        config.addinivalue_line("markers", f"{identifier}: {requirement.text}")
    for identifier, deviation in load_deviations().items():
        config.addinivalue_line("markers", f"{identifier}: {deviation.what}")
    config.addinivalue_line("markers", "reads-only: the scenario writes nothing, so that --read-only runs it")
    for capability in CAPABILITIES:
        config.addinivalue_line("markers", f"needs-{capability}: the target must offer {capability}")
    if config.option.collectonly or not _asked_for_features(config):
        return
    given = {name: getattr(config.option, f"zc_{name}") for name in Settings.model_fields}
    baseline = None
    try:
        settings = read(given)
        baseline = read_baseline(settings.baseline) if settings.baseline else None
        run = Run.of(settings)
    except CannotTell as error:
        run = Run.of(defaults(given))
        run.trouble = error
    if hasattr(config, "workerinput"):
        run.seed = config.workerinput["zc_seed"]
    config.stash[RUN] = run
    config.pluginmanager.register(Conformance(config, run, baseline), "zep-conformance-run")
    if config.option.xmlpath is None and not hasattr(config, "workerinput"):
        config.option.xmlpath = str(run.settings.reports / "junit.xml")


class Conformance:
    """The hooks of one conformance run."""

    def __init__(self, config: pytest.Config, run: Run, baseline: Baseline | None = None) -> None:
        self.config = config
        self.run = run
        self.requirements = load_requirements()
        self.judge = Judge(run, self.requirements, load_deviations())
        self.gate = Gate(
            run.settings.fail_on,
            run.settings.strict_deviations,
            frozenset(one.id for one in self.requirements.values() if one.level == "MUST"),
            baseline,
        )
        self.records: dict[str, outcomes.Record] = {}
        self.facts: dict[str, Any] = {}
        # With pytest-xdist each worker has its own target or its own connections; the controller only collects.
        self.is_worker = hasattr(config, "workerinput")
        self.is_controller = not self.is_worker and bool(getattr(config.option, "dist", "no") != "no")
        self._cleaning = ExitStack()
        self.turns = Turns()

    # -- start ------------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker the seed, and a target that all workers share."""
        node.workerinput["zc_seed"] = self.run.seed
        if self.run.target is not None and self.run.target.shared:
            self.run.ready(self._say)
            node.workerinput["zc_chosen"] = self.run.target.title
            node.workerinput["zc_target"] = self.run.handover() | {"turns": str(self.turns.path)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Begin to start the target, so that it comes up while pytest collects; nothing secret is shown from here."""
        # A pipeline that is cancelled sends SIGTERM: what was made is removed then as after Ctrl-C.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        self._cleaning = output.clean(self.config, self.run.redactor)
        self._cleaning.callback(signal.signal, signal.SIGTERM, before)
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

    def _say(self, line: str) -> None:
        """Tell people how the start goes."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self.is_worker:
            width = self.config.get_terminal_writer().fullwidth
            for part in terminal.wrapped([self.run.redactor(line)], width):
                reporter.write_line(part)

    def pytest_report_header(self) -> list[str]:
        """What is about to be tested, and the seed that makes it so again."""
        lines = [f"zep-conformance {__version__}, target {self.run.target_name}, seed {self.run.seed}"]
        if self.run.because:
            lines += terminal.wrapped([self.run.because], self.config.get_terminal_writer().fullwidth)
        if self.run.target_name == "embedded":
            lines.append(terminal.NOT_A_DEPLOYMENT)
        return lines

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Wait for the target, then skip the scenarios whose capabilities it does not offer."""
        self.run.ready(self._say)
        if self.run.trouble:
            items[:] = []
            return
        missing = self.run.deployment.missing
        for item in items:
            needs = {need for one in self.judge.requirements_of(item) for need in one.needs}
            needs |= {
                mark.name.removeprefix("needs-") for mark in item.iter_markers() if mark.name.startswith("needs-")
            }
            item.stash[_ALONE] = bool(needs & _DISTURBING)
            if item.get_closest_marker("reads-only") is None:
                needs.add("write")
            for need in sorted(needs):
                if need in missing:
                    item.add_marker(pytest.mark.skip(reason=f"no capability {need}: {missing[need]}"))
                    break
        # What stops parts comes last: what they were doing then may hold up whoever comes after it.
        items.sort(key=lambda item: item.stash[_ALONE])

    def pytest_report_collectionfinish(self) -> list[str]:
        """The parts and what can be asked of them."""
        if not self.run.is_ready:
            return []
        # With -q pytest leaves the header out: the caution must be seen all the same.
        header = self.pytest_report_header() if self.config.get_verbosity() < 0 else []
        lines = [*terminal.parts(self.run.deployment.versions(), self.run.capabilities())]
        if self.run.deployment.langflux and (word := remark(self.run.deployment.langflux.version)):
            lines.append(word)
        return [*header, *terminal.wrapped(lines, self.config.get_terminal_writer().fullwidth)]

    # -- scenarios --------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Where workers share parts, whoever stops one has them to itself."""
        with self.turns.taken(alone=item.stash.get(_ALONE, True)):
            return (yield)

    def pytest_bdd_before_scenario(self, request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
        """A new scenario: a new transcript."""
        request.node.stash[TITLE] = (scenario.name, f"{feature.rel_filename}:{scenario.line_number}")
        self.run.transcript.begin()

    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, step: Any) -> None:
        """Remember the step, for the failure's evidence."""
        request.node.stash[STEP] = f"{step.keyword.strip()} {step.name} (line {step.line_number})"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Decide the outcome; replace a failure's traceback by its evidence."""
        report = yield
        if any(TAG.fullmatch(mark.name) for mark in item.iter_markers()):
            self.judge.judge(item, call, report)
        output.clean_report(report, self.run.redactor)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Clean what is shown of an error while collecting."""
        report = yield
        output.clean_report(report, self.run.redactor)
        return report

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
        """Outcomes in this project's words."""
        if hasattr(report, "wasxfail") and report.skipped:
            return "deviation", "d", ("DEVIATION", {"yellow": True})
        if hasattr(report, "zc_mended") and report.passed:
            return "mended", "M", ("MENDED", {"green": True})
        if hasattr(report, "zc_error") and report.when == "call":
            return "error", "E", ("ERROR", {"red": True})
        return None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the record of a scenario: of its call, or of what kept it from being called or spoilt it after."""
        found = getattr(report, "zc_record", None)
        if found is None or (report.when != "call" and report.passed):
            return
        self.records[report.nodeid] = outcomes.Record.from_json(found)

    # -- end --------------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker found out about the target."""
        facts = getattr(node, "workeroutput", {}).get("zc_facts", {})
        self.facts = {**facts, **{key: value for key, value in self.facts.items() if value}} | {
            "requests": self.facts.get("requests", 0) + facts.get("requests", 0),
            "left_behind": [*self.facts.get("left_behind", []), *facts.get("left_behind", [])],
        }

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Set the exit code and write the report; stop what the target started."""
        if self.is_worker:
            self.config.workeroutput["zc_facts"] = self.run.facts()  # type: ignore[attr-defined]
            return
        self.run.tidy()
        if not self.is_controller:
            self.facts = self.run.facts()
        elif self.run.is_ready:  # the workers share the target of this process
            self.facts = {**self.facts, **{key: self.run.facts()[key] for key in ("target", "parts")}}
            self.facts["left_behind"] = [*self.facts.get("left_behind", []), *self.run.facts()["left_behind"]]
        settled = exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        )
        trouble = bool(self.facts.get("trouble") or self.run.trouble)
        self.judgement = self.gate.judge(self.records.values(), self.facts, trouble=trouble, settled=settled)
        if exitstatus != pytest.ExitCode.USAGE_ERROR:
            session.exitstatus = self.judgement.code
        if self.run.trouble and not self.facts.get("trouble"):
            self.facts["trouble"] = self.run.redactor(str(self.run.trouble))
        report = reports.document(
            self.records.values(),
            self.requirements,
            facts=self.facts,
            version=__version__,
            seed=self.run.seed,
            started=self.run.started,
            duration=time.monotonic() - self.run.clock,
            exit_code=self.judgement.code,
            verdict=self.judgement.verdict,
            gate=self.judgement.as_json(),
        )
        if self.config.option.xmlpath:
            output.clean_junit(Path(self.config.option.xmlpath), self.run.redactor)
        try:
            self.report: Path | None = reports.write(self.run.settings.reports, report, self.run.redactor)
        except OSError as error:
            self.report = None
            self.report_error = str(error)

    def pytest_unconfigure(self) -> None:
        """Whatever happened: nothing is left running."""
        self.run.stop()
        self.turns.close()
        self._cleaning.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What the run means, in a few lines."""
        if self.is_worker:
            return
        terminalreporter.section("conformance", sep="-")
        width = self.config.get_terminal_writer().fullwidth
        if self.facts.get("trouble"):
            for line in terminal.wrapped(self.facts["trouble"].splitlines(), width):
                terminalreporter.write_line(line, red=True)
        where = f"reports: {self.report.parent}/" if self.report else f"no report: {self.report_error}"
        for line in terminal.wrapped(
            terminal.conclusion(
                self.records.values(),
                self.facts,
                remarks=self.judgement.lines(),
                verdict=self.judgement.said,
                reports=where,
            ),
            width,
        ):
            terminalreporter.write_line(line)
