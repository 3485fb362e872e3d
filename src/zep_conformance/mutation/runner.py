"""Proves that every check can fail: breaks what it checks in one way after the other, and looks who notices.

    python -m zep_conformance.mutation.runner                            every defect, two at a time, in a few minutes
    python -m zep_conformance.mutation.runner --only zep:lastn-ignored   one of them
    python -m zep_conformance.mutation.runner --list                     all departures, as docs/departures.md has them

For each defect, of the embedded servers or of the deployment files that come with the suite, the scenarios of the
requirements that it breaks are run against what has it. The defect is
noticed when one of them fails: not when one is merely skipped or spoilt. The unbroken servers are run once with
everything: there nothing may fail. A scenario that no defect made fail is listed; it may not be able to.

Exit code 0: every defect was noticed, 1: not so, 2: it could not be told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
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

from zep_conformance import suite
from zep_conformance.facts.departures import Departure
from zep_conformance.mutation.catalogue import CATALOGUE, full_name, list_departures

TOGETHER = {
    "zep:unescaped-slash-404": "langflux:unescaped-session-id",
    "langflux:unescaped-session-id": "zep:unescaped-slash-404",
}
"""Departures that show only together: a client that does not escape, and a server that minds."""

WAIT_LIMIT = 3
"""Seconds that a run waits for what may come later: what is broken never comes."""
LATENCY_BUDGET = 250
"""Milliseconds: below what slow servers take, far above what the others do while two runs share a machine."""
EMBEDDED = (
    *("--target", "embedded"),
    *("--wait-limit", str(WAIT_LIMIT), "--latency-budget", str(LATENCY_BUDGET)),
)
SEED = 20
RUN_LIMIT = 90.0
"""Seconds for one run; a run of every scenario has three times that."""
STOP_LIMIT = 15.0
"""Seconds that an interrupted run has to stop its servers before it is killed (they stop then, too)."""
WIDTH = 80
_PLUGINS = ("pytest_bdd.plugin", "pytest_timeout", "zep_conformance.session.plugin")
_NOT_OURS = ("ZEP_", "LANGFLUX_", "MODEL_URL", "PYTEST_")  # variables that would change what is tested


def judged() -> list[Departure]:
    """What must be noticed: every planted defect, and of the recorded departures those known as a deviation."""
    found = [departure for departure in CATALOGUE if not departure.recorded or departure.deviation]
    # DEV-1 takes the longest by far: begun first, it is over by the end.
    return sorted(found, key=lambda departure: departure.deviation != "DEV-1")


# -- running ------------------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """What came of one run. defect: None for the unbroken servers.

    scenarios: by node id, {"name", "feature", "outcome", "requirements"}. trouble: why the run can't be judged.
    """

    defect: Departure | None
    seconds: float = 0.0
    exit_code: int | None = None
    trouble: str = ""
    scenarios: dict[str, dict[str, Any]] = field(default_factory=dict)

    def _with(self, outcome: str) -> list[str]:
        return [nodeid for nodeid, found in self.scenarios.items() if found["outcome"] == outcome]

    @property
    def failed(self) -> list[str]:
        """The scenarios that failed, by node id."""
        return self._with("failed")

    @property
    def noticed_by(self) -> list[str]:
        """The scenarios that failed and check a requirement that the defect breaks."""
        broken = set(self.defect.breaks) if self.defect else set()
        return [nodeid for nodeid in self.failed if broken & set(self.scenarios[nodeid]["requirements"])]

    @property
    def passed(self) -> bool:
        """The defect was noticed; of the unbroken servers: nothing failed."""
        if self.trouble:
            return False
        return self.exit_code == 0 if self.defect is None else self.exit_code == 1 and bool(self.noticed_by)

    @property
    def why(self) -> str:
        """Why it did not pass, in a few words."""
        errors = self._with("error")
        if self.trouble:
            return self.trouble
        if self.defect is None:
            return f"exit code {self.exit_code}: {len(self.failed)} failed, {len(errors)} errors"
        return f"nothing failed, and {len(errors)} errors" if errors else "nothing failed"

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "defect": full_name(self.defect) if self.defect else None,
            "breaks": list(self.defect.breaks) if self.defect else [],
            "about": self.defect.about if self.defect else "the unbroken servers",
            "passed": self.passed,
            "noticed_by": sorted(self._title(nodeid) for nodeid in self.noticed_by),
            "errors": sorted(self._title(nodeid) for nodeid in self._with("error")),
            "why": "" if self.passed else self.why,
            "seconds": round(self.seconds, 2),
        }

    def _title(self, nodeid: str) -> str:
        return str(self.scenarios[nodeid]["name"])


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
    ) -> None:
        """target, variables: the options, and the environment's variables, that say what is tested.

        scope: marks of what runs unbroken, "" for everything.
        """
        self._folder, self._everything = folder, everything
        self._target, self._variables, self._scope = target, dict(variables or {}), scope
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, defect: Departure | None) -> Verdict:
        """One run, tried again if it could not tell (a port was taken). Never raises for what goes wrong in it."""
        verdict = self._run(defect)
        return self._run(defect) if verdict.exit_code == 2 else verdict

    def _run(self, defect: Departure | None) -> Verdict:
        verdict = Verdict(defect)
        reports = self._folder / (full_name(defect).replace(":", "-") if defect else "unbroken")
        everything = self._everything or defect is None
        started = time.monotonic()
        path = self._folder / f"{reports.name}.log"
        with path.open("wb") as log, self._process(defect, reports, log) as process:
            try:
                verdict.exit_code = process.wait(RUN_LIMIT * (3 if everything else 1))
            except subprocess.TimeoutExpired:
                verdict.trouble = f"stopped after {time.monotonic() - started:.0f} s"
        verdict.seconds = time.monotonic() - started
        try:
            _read(json.loads((reports / "conformance.json").read_text(encoding="utf-8")), verdict)
        except (OSError, ValueError):
            verdict.trouble = verdict.trouble or f"no report (exit code {verdict.exit_code}): {_last_line(path)}"
        return verdict

    @contextlib.contextmanager
    def _process(self, defect: Departure | None, reports: Path, log: Any) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "pytest", str(suite.root() / "features"), "-q", "-p", "no:cacheprovider"]
        command += [word for plugin in _PLUGINS for word in ("-p", plugin)]
        command += ["--reports", str(reports), "--seed", str(SEED), *self._target]
        scope = self._scope
        if defect is not None:
            names = [full_name(defect), TOGETHER.get(full_name(defect), "")]
            command += ["--departures", ",".join(filter(None, names))]
            scope = "" if self._everything else " or ".join(defect.breaks)
        command += ["-m", scope] if scope else []
        environment = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_OURS)}
        environment |= self._variables
        environment["TMPDIR"] = str(self._folder)  # what a killed run leaves goes with the folder
        # Every plugin that happens to be installed would be imported again in each run.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                command,
                cwd=suite.root(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it
            )
            self._running.add(process)
        try:
            yield process
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """Interrupt what runs; each run's own thread waits for its end."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.send_signal(signal.SIGINT)


def _end(process: subprocess.Popen[bytes]) -> None:
    """See that a process is over: interrupted as by Ctrl-C, and killed if that does not help."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_line(log: Path) -> str:
    return next(iter(reversed(log.read_text(errors="replace").split("\n")[:-1])), "it said nothing")


def _read(report: dict[str, Any], verdict: Verdict) -> None:
    """Take from a run's report what is judged."""
    verdict.trouble = verdict.trouble or str(report["trouble"] or "").partition("\n")[0]
    for requirement in report["requirements"]:
        for found in requirement["scenarios"]:
            known = verdict.scenarios.setdefault(found["nodeid"], {**found, "requirements": []})
            known["requirements"].append(requirement["id"])


def run_all(defects: Sequence[Departure], runner: Runner, jobs: int) -> Iterator[Verdict]:
    """The verdicts as they come: of the unbroken servers and of each defect. Leaves nothing running."""
    with ThreadPoolExecutor(jobs) as pool:
        waiting: set[Future[Verdict]] = {
            pool.submit(runner.run, defect) for defect in (*defects[:1], None, *defects[1:])
        }
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            raise


# -- reporting ----------------------------------------------------------------------------------------------------


def never_failed(verdicts: Iterable[Verdict]) -> list[str]:
    """The scenarios, as `feature: name`, that passed on the unbroken servers and failed on none."""
    seen = list(verdicts)
    failed = {nodeid for verdict in seen if verdict.defect for nodeid in verdict.failed}
    unbroken = next(verdict for verdict in seen if verdict.defect is None)
    return sorted(
        f"{found['feature'].partition(':')[0]}: {found['name']}"
        for nodeid, found in unbroken.scenarios.items()
        if found["outcome"] != "skipped" and nodeid not in failed
    )


def kill_table(verdicts: Sequence[Verdict], untouched: Sequence[str] | None) -> str:
    """The Markdown report. untouched: scenarios never seen to fail, None where that was not looked at."""
    lines = [
        "# Which scenario notices which defect",
        "",
        "| defect | breaks | noticed by | seconds |",
        "|---|---|---|---|",
    ]
    for found in (verdict.as_json() for verdict in verdicts if verdict.defect):
        by = "; ".join(found["noticed_by"]).replace("|", "\\|") or f"**not noticed**: {found['why']}"
        lines.append(f"| `{found['defect']}` | {', '.join(found['breaks'])} | {by} | {found['seconds']:.1f} |")
    if untouched is not None:
        lines += ["", "## Never seen to fail", "", *(f"- {one}" for one in untouched or ["(none)"])]
    return "\n".join(lines) + "\n"


def _say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _item(text: str) -> None:
    _say(textwrap.shorten(text, WIDTH - 2, placeholder=" …").join(("  ", "")))


def _summary(verdicts: Sequence[Verdict], untouched: Sequence[str] | None, seconds: float, table: Path) -> None:
    """What it all means, in lines of at most 80 columns."""
    for verdict in verdicts:
        if not verdict.passed:
            name = f"{full_name(verdict.defect)} ({', '.join(verdict.defect.breaks)})" if verdict.defect else "unbroken"
            _item(f"not noticed: {name}: {verdict.why}" if verdict.defect else f"{name}: {verdict.why}")
    if untouched is not None:
        _say(f"scenarios that were never seen to fail: {len(untouched) or 'none'}")
        for one in untouched:
            _item(one)
    _say(f"{len(verdicts) - 1} defects and the unbroken servers in {seconds:.0f} s; table: {table}")
    noticed = sum(verdict.passed for verdict in verdicts if verdict.defect)
    _say(f"{noticed} passed, {sum(not verdict.passed for verdict in verdicts)} failed")


def _chosen(only: Sequence[str]) -> list[Departure]:
    """The departures named, with or without their part. Raises ValueError for a name that there is not."""
    unknown = [name for name in only if not any(name in (one.name, full_name(one)) for one in CATALOGUE)]
    if unknown:
        raise ValueError(f"there is no departure {', '.join(unknown)}; docs/departures.md lists them")
    chosen = [one for one in CATALOGUE if one.name in only or full_name(one) in only]
    silent = [full_name(one) for one in chosen if not one.breaks]
    if silent:
        raise ValueError(f"{', '.join(silent)} breaks no requirement: nothing could notice")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m zep_conformance.mutation.runner", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (default 2)")
    parser.add_argument("--all-scenarios", action="store_true", help="run everything, not only what a defect breaks")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this defect (may be repeated)")
    parser.add_argument("--report", type=Path, default=Path("reports/mutants.json"), help="the table, as JSON and .md")
    parser.add_argument("--list", action="store_true", help="print every departure as Markdown and stop")
    given = parser.parse_args(arguments)
    if given.list:
        sys.stdout.write(list_departures())
        return 0
    try:
        defects = _chosen(given.only) if given.only else judged()
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="zep-conformance-mutants-", ignore_cleanup_errors=True) as folder:
        runner = Runner(Path(folder), everything=given.all_scenarios)
        verdicts = judge(defects, runner, given.jobs, given.report, whole=not given.only)
    return 2 if verdicts is None else 0 if all(verdict.passed for verdict in verdicts) else 1


def judge(
    defects: Sequence[Departure], runner: Runner, jobs: int, report: Path, *, whole: bool
) -> list[Verdict] | None:
    """Run every defect, write the report and say what came out; None when that was interrupted.

    whole: whether these are all defects, so that a scenario which none made fail is worth a word.
    """
    started, verdicts = time.monotonic(), list[Verdict]()
    try:
        for verdict in run_all(defects, runner, max(1, jobs)):
            verdicts.append(verdict)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{len(verdicts)} of {len(defects) + 1} ")
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted: nothing is left running\n")
        return None
    verdicts.sort(key=lambda one: (one.defect is not None, defects.index(one.defect) if one.defect else 0))
    untouched = never_failed(verdicts) if whole else None
    seconds, table = time.monotonic() - started, report.with_suffix(".md")
    report.parent.mkdir(parents=True, exist_ok=True)
    document = {"seconds": round(seconds, 1), "never_failed": untouched, "runs": [one.as_json() for one in verdicts]}
    report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    table.write_text(kill_table(verdicts, untouched), encoding="utf-8")
    _summary(verdicts, untouched, seconds, table)
    return verdicts


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped job leaves nothing running, either
    sys.exit(main())
