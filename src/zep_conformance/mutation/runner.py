"""Proves that every check can fail: plants one mutation after the other, and looks which scenario notices.

For each mutation of the embedded servers, or of the deployment files that come with the suite, and for each recorded
behaviour that is known as a deviation, the scenarios of the requirements that it breaks are run on what has it. It is
noticed when one of them fails: not when one is merely skipped or in error. What has none is run once with everything:
there nothing may fail. A scenario that no mutation made fail is listed; it may not be able to.

Mutations of LangFlux's page are planted on its way to the browser; without one only the page's scenarios are run.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell, needed
from zep_conformance.facts.mutations import Mutation
from zep_conformance.facts.servers import CORES, EMBEDDED_FREEZE
from zep_conformance.mutation.asked import unknown_name
from zep_conformance.mutation.catalogue import PAGE, RECORDED_BEHAVIOURS, WITHOUT_PAGE, Planted
from zep_conformance.mutation.forking import SuiteProcess, ours
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import choose

TOGETHER = {
    "zep:unescaped-slash-404": "langflux:unescaped-session-id",
    "langflux:unescaped-session-id": "zep:unescaped-slash-404",
}
"""Recorded behaviours that show only together: a client that does not escape, and a server that minds."""

UNDER = {"zep:freezes-on-few-cores": {CORES: "1", EMBEDDED_FREEZE: "8"}}
"""The variables of the parts with which a recorded behaviour shows."""

WAIT_LIMIT = 3
"""Seconds that a run waits for what may come later: what a mutation keeps from coming never comes."""
PAGE_WAIT_LIMIT = 20
"""The same for anything in the page."""
LATENCY_BUDGET = 250
"""Milliseconds: below what slow servers take, far above what the others do while two runs share a machine."""
EMBEDDED = (*("--target", "embedded"), *("--wait-limit", str(WAIT_LIMIT), "--latency-budget", str(LATENCY_BUDGET)))
SEED = 20
RUN_LIMIT = 180.0
"""Seconds for one run; a run of every scenario has three times that."""
STOP_LIMIT = 15.0
"""Seconds that an interrupted run has to stop its servers before it is killed (they stop then, too)."""
WIDTH = 80


def to_be_noticed() -> list[Planted]:
    """Return what a scenario must notice: every mutation, and the recorded behaviours known as a deviation."""
    known = [one for one in RECORDED_BEHAVIOURS if one.deviation]
    # DEV-1 takes the longest by far: begun first, it is over by the end.
    known.sort(key=lambda one: one.deviation != "DEV-1")
    return [*known, *WITHOUT_PAGE]


@dataclass
class SeenScenario:
    """What a run's report says of one scenario. requirements: those that it checks, by id."""

    name: str
    feature: str
    outcome: str
    requirements: list[str] = field(default_factory=list)


@dataclass
class Trial:
    """What came of one run. planted: None for what has no mutation.

    seconds: what it took. scenarios: by node id. trouble: why nothing can be told from it, empty where it can.
    """

    planted: Planted | None
    seconds: float = 0.0
    exit_code: int | None = None
    trouble: str = ""
    scenarios: dict[str, SeenScenario] = field(default_factory=dict)

    def _with(self, outcome: str) -> list[str]:
        return [nodeid for nodeid, seen in self.scenarios.items() if seen.outcome == outcome]

    @property
    def failed(self) -> list[str]:
        """The scenarios that failed, by node id."""
        return self._with("failed")

    @property
    def noticed_by(self) -> list[str]:
        """The scenarios that failed and check a requirement that the mutation breaks, by node id."""
        broken = set(self.planted.breaks) if self.planted else set()
        return [nodeid for nodeid in self.failed if broken & set(self.scenarios[nodeid].requirements)]

    @property
    def passed(self) -> bool:
        """Whether the mutation was noticed; without one, whether nothing failed."""
        if self.trouble:
            return False
        return self.exit_code == 0 if self.planted is None else self.exit_code == 1 and bool(self.noticed_by)

    @property
    def why(self) -> str:
        """Why it did not pass, in a few words."""
        errors = self._with("error")
        if self.trouble:
            return self.trouble
        if self.planted is None:
            return f"exit code {self.exit_code}: {len(self.failed)} failed, {len(errors)} errors"
        return f"nothing failed, and {len(errors)} errors" if errors else "nothing failed"

    def as_json(self) -> dict[str, Any]:
        """Return it for the report."""
        return {
            "mutation": self.planted.full_name if self.planted else None,
            "breaks": list(self.planted.breaks) if self.planted else [],
            "about": self.planted.about if self.planted else "without a mutation",
            "passed": self.passed,
            "noticed_by": sorted(self.scenarios[nodeid].name for nodeid in self.noticed_by),
            "errors": sorted(self.scenarios[nodeid].name for nodeid in self._with("error")),
            "why": "" if self.passed else self.why,
            "seconds": round(self.seconds, 2),
        }


class Runner:
    """Runs the suite in processes of its own. `stop` ends them all, and keeps further ones from starting."""

    def __init__(
        self,
        folder: Path,
        *,
        everything: bool,
        target: Sequence[str] = EMBEDDED,
        variables: Mapping[str, str] | None = None,
        scope: str = "",
        until_noticed: bool = False,
    ) -> None:
        """Prepare runs whose reports and logs go into a folder.

        everything: run all scenarios on each mutation, not only those of what it breaks. target, variables: the
        options, and the environment's variables, that say what is tested. scope: marks of what runs without a mutation,
        "" for everything. until_noticed: end a mutation's run with the first scenario that fails.
        """
        self._folder, self._everything, self._until_noticed = folder, everything, until_noticed
        self._target, self._variables, self._scope = target, dict(variables or {}), scope
        self._running: set[SuiteProcess] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, planted: Planted | None) -> Trial:
        """Run once, and again if it could not tell (a port was taken). Never raises for what goes wrong in it."""
        trial = self._run(planted)
        return self._run(planted) if trial.exit_code == 2 else trial

    def _run(self, planted: Planted | None) -> Trial:
        trial = Trial(planted)
        reports = self._folder / (planted.full_name.replace(":", "-") if planted else "unchanged")
        everything = self._everything or planted is None
        started = time.monotonic()
        path = self._folder / f"{reports.name}.log"
        with self._process(planted, reports, path) as process:
            trial.exit_code = process.wait(RUN_LIMIT * (3 if everything else 1))
            if trial.exit_code is None:
                trial.trouble = f"stopped after {time.monotonic() - started:.0f} s"
        trial.seconds = time.monotonic() - started
        try:
            _take(json.loads((reports / "conformance.json").read_text(encoding="utf-8")), trial)
        except (OSError, ValueError):
            trial.trouble = trial.trouble or f"no report (exit code {trial.exit_code}): {_last_line(path)}"
        return trial

    @contextlib.contextmanager
    def _process(self, planted: Planted | None, reports: Path, log: Path) -> Iterator[SuiteProcess]:
        # Of the reports only the document is read.
        options = ["--reports", str(reports), "--formats", "badge", "--seed", str(SEED), *self._target]
        scope = self._scope
        if planted is not None:
            names = [planted.full_name, TOGETHER.get(planted.full_name, "")]
            option = "--mutations" if isinstance(planted, Mutation) else "--recorded-behaviours"
            options += [option, ",".join(filter(None, names))]
            scope = "" if self._everything else scope_of([planted])
            options += ["--maxfail", "1"] if self._until_noticed else []
        options += ["-m", scope] if scope else []
        environment = ours(os.environ) | self._variables
        environment |= UNDER.get(planted.full_name, {}) if planted is not None else {}
        environment["TMPDIR"] = str(self._folder)  # what a killed run leaves goes with the folder
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            process = SuiteProcess(options, environment=environment, log=log)
            self._running.add(process)
        try:
            yield process
        finally:
            process.end(STOP_LIMIT)
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """Interrupt what runs; each run's own thread waits for its end."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.interrupt()


def scope_of(mutations: Sequence[Planted]) -> str:
    """Return the marks of the scenarios of all that these break."""
    return " or ".join(sorted({requirement for one in mutations for requirement in one.breaks}))


def _last_line(log: Path) -> str:
    return next(iter(reversed(log.read_text(errors="replace").split("\n")[:-1])), "it wrote nothing")


def _take(report: dict[str, Any], trial: Trial) -> None:
    """Take from a run's report what matters here."""
    trial.trouble = trial.trouble or str(report["trouble"] or "").partition("\n")[0]
    for requirement in report["requirements"]:
        for found in requirement["scenarios"]:
            seen = SeenScenario(found["name"], found["feature"], found["outcome"])
            trial.scenarios.setdefault(found["nodeid"], seen).requirements.append(requirement["id"])


def run_all(mutations: Sequence[Planted | None], runner: Runner, jobs: int) -> Iterator[Trial]:
    """Yield the trials as they end, one a mutation (None: without any). Leaves nothing running."""
    with ThreadPoolExecutor(jobs) as pool:
        waiting: set[Future[Trial]] = {pool.submit(runner.run, one) for one in mutations}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            raise


def never_failed(trials: Iterable[Trial]) -> list[str]:
    """Return the scenarios, as `feature: name`, that passed without a mutation and failed with none."""
    all_trials = list(trials)
    failed = {nodeid for trial in all_trials if trial.planted for nodeid in trial.failed}
    unchanged = next(trial for trial in all_trials if trial.planted is None)
    return sorted(
        f"{seen.feature.partition(':')[0]}: {seen.name}"
        for nodeid, seen in unchanged.scenarios.items()
        if seen.outcome != "skipped" and nodeid not in failed
    )


def kill_table(trials: Sequence[Trial], untouched: Sequence[str] | None) -> str:
    """Return the Markdown report. untouched: scenarios never seen to fail, None where that was not looked at."""
    lines = [
        "# Which scenario notices which mutation",
        "",
        "| mutation | breaks | noticed by | seconds |",
        "|---|---|---|---|",
    ]
    for found in (trial.as_json() for trial in trials if trial.planted):
        by = "; ".join(found["noticed_by"]).replace("|", "\\|") or f"**not noticed**: {found['why']}"
        lines.append(f"| `{found['mutation']}` | {', '.join(found['breaks'])} | {by} | {found['seconds']:.1f} |")
    if untouched is not None:
        lines += ["", "## Never seen to fail", "", *(f"- {one}" for one in untouched or ["(none)"])]
    return "\n".join(lines) + "\n"


def _say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _item(text: str) -> None:
    _say(textwrap.shorten(text, WIDTH - 2, placeholder=" …").join(("  ", "")))


def _summary(trials: Sequence[Trial], untouched: Sequence[str] | None, seconds: float, table: Path) -> None:
    """Write what it all means, in lines of at most 80 columns."""
    for trial in trials:
        if not trial.passed:
            if trial.planted:
                _item(f"not noticed: {trial.planted.full_name} ({', '.join(trial.planted.breaks)}): {trial.why}")
            else:
                _item(f"without a mutation: {trial.why}")
    if untouched is not None:
        _say(f"scenarios that were never seen to fail: {len(untouched) or 'none'}")
        for one in untouched:
            _item(one)
    planted = [trial for trial in trials if trial.planted]
    besides = " and a run without" if len(planted) < len(trials) else ""
    _say(f"{len(planted)} mutations{besides} in {seconds:.0f} s; table: {table}")
    noticed = sum(trial.passed for trial in planted)
    _say(f"{noticed} passed, {sum(not trial.passed for trial in trials)} failed")


def chosen(only: Sequence[str], among: Sequence[Planted]) -> list[Planted]:
    """Return those that are named, with or without their part, in the order of `among`.

    Raises CannotTell for a name that there is not, or of what breaks no requirement, so that nothing could notice.
    """
    known = [name for one in among for name in (one.full_name, one.name)]
    for name in only:
        if name not in known:
            raise unknown_name(name, known, given="--only")
    found = [one for one in among if one.name in only or one.full_name in only]
    silent = [one.full_name for one in found if not one.breaks]
    if silent:
        what = f"--only: {', '.join(silent)} breaks no requirement: nothing could notice"
        raise CannotTell(what, "Leave it out.", code="mutation-unknown")
    return found


def share_of(mutations: Sequence[Planted], number: int, shares: int) -> list[Planted]:
    """Return the `number`-th (from 1) of so many shares of mutations, dealt out in turn, so that all parts are in each.

    Raises CannotTell where there is no such share.
    """
    if not 1 <= number <= shares:
        what = f"--share {number}/{shares}: there is no such share"
        raise CannotTell(what, f"The shares are 1/{shares} to {shares}/{shares}.", code="usage-wrong")
    return list(mutations[number - 1 :: shares])


def run_mutants(
    *,
    only: Sequence[str] = (),
    share: tuple[int, int] | None = None,
    jobs: int = 2,
    all_scenarios: bool = False,
    report: Path,
) -> int:
    """Plant every mutation that needs nothing but this project, or those named, and look who notices.

    only: names, with or without their part. share: see `share_of`; each run ends with the first scenario that notices,
    and there is none without a mutation. jobs: runs at the same time. all_scenarios: run everything on each, not only
    what it breaks. report: the table as JSON; as Markdown it is put beside it.

    Returns the exit code: 0 when every one was noticed, 1 when not, 2 when interrupted. Raises what `chosen` and
    `share_of` do.
    """
    mutations = chosen(only, [*RECORDED_BEHAVIOURS, *WITHOUT_PAGE]) if only else to_be_noticed()
    if share:
        mutations = share_of(mutations, *share)
    with _folder() as folder:
        scope = scope_of(mutations) if only and not all_scenarios else ""
        runner = Runner(folder, everything=all_scenarios, scope=scope, until_noticed=share is not None)
        among: list[Planted | None] = [*mutations] if share else [*mutations[:1], None, *mutations[1:]]
        trials = try_all(among, runner, jobs=jobs, report=report, whole=not only and not share)
    return 2 if trials is None else 0 if all(trial.passed for trial in trials) else 1


def run_page_mutants(*, only: Sequence[str] = (), jobs: int = 2, report: Path, options: Sequence[str] = ()) -> int:
    """Plant every mutation of the page, or those named, and look who notices.

    only, jobs, report: as of `run_mutants`. options: those of a run, for a LangFlux, a Zep and a model server that run
    already; without any, LangFlux is started as target `processes` does.

    Returns the exit code: 0 when every one was noticed, and every scenario of the page seen to fail, 1 when not, 2 when
    that could not be told. Raises CannotTell for a name that there is not, and where the page can't be driven.
    """
    mutations = chosen(only, PAGE) if only else PAGE
    with contextlib.nullcontext((options, dict(os.environ))) if options else _started() as given, _folder() as folder:
        target, variables = ["--wait-limit", str(PAGE_WAIT_LIMIT), *given[0]], given[1]
        runner = Runner(folder, everything=False, target=target, variables=variables, scope=scope_of(mutations))
        among = [*mutations[:1], None, *mutations[1:]]
        trials = try_all(among, runner, jobs=jobs, report=report, whole=not only)
    if trials is None or any(trial.exit_code == 2 for trial in trials):
        return 2
    untouched = not only and never_failed(trials)
    return 0 if all(trial.passed for trial in trials) and not untouched else 1


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder for the reports of all runs."""
    with tempfile.TemporaryDirectory(prefix="zep-conformance-mutants-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _started() -> Iterator[tuple[Sequence[str], dict[str, str]]]:
    """Start the real LangFlux before a secured embedded Zep, for all runs; yield options and variables that lead there.

    Raises CannotTell where it does not start, or its page can't be driven.
    """
    target = choose(read_settings({"target": "processes"}), "processes")
    try:
        target.start()
        found = target.deployment(lambda _: None)
        if "ui" in found.missing:
            raise CannotTell("the page can't be driven from here", found.missing["ui"], code="page-undrivable")
        zep, langflux = needed(found.secured, "a secured Zep"), needed(found.langflux, "a LangFlux")
        options = ["--target", "remote", "--zep-url", zep.url, "--langflux-url", langflux.url]
        options += ["--model-url", langflux.model_url]
        variables = {"ZEP_TOKEN": zep.token, "ZEP_AUTH_SECRET": found.secret, "LANGFLUX_API_KEY": langflux.api_key}
        if langflux.account is not None:
            variables |= {"LANGFLUX_USER": langflux.account.user, "LANGFLUX_PASSWORD": langflux.account.password}
        yield options, {name: value for name, value in variables.items() if value}
    finally:
        target.stop()


def try_all(
    mutations: Sequence[Planted | None], runner: Runner, *, jobs: int, report: Path, whole: bool
) -> list[Trial] | None:
    """Run every mutation (None: a run without any), write the report and say what came out.

    whole: whether these are all mutations, so that a scenario which none made fail is worth a word. Returns the trials,
    None when interrupted.
    """
    started, trials = time.monotonic(), list[Trial]()
    try:
        for trial in run_all(mutations, runner, max(1, jobs)):
            trials.append(trial)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{len(trials)} of {len(mutations)} ")
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted: nothing is left running\n")
        return None
    trials.sort(key=lambda one: (one.planted is not None, mutations.index(one.planted)))
    untouched = never_failed(trials) if whole else None
    seconds, table = time.monotonic() - started, report.with_suffix(".md")
    report.parent.mkdir(parents=True, exist_ok=True)
    document = {"seconds": round(seconds, 1), "never_failed": untouched, "runs": [one.as_json() for one in trials]}
    report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    table.write_text(kill_table(trials, untouched), encoding="utf-8")
    _summary(trials, untouched, seconds, table)
    return trials
