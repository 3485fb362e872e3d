"""Runs of the suite in processes of their own: whole ones, and ones that are watched, interrupted and killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import psutil

from zep_conformance.cli.main import main
from zep_conformance.clients.waiting import eventually
from zep_conformance.mutation.forking import begin, forked
from zep_conformance.report import document as reports
from zep_conformance.report.folder import runs as kept_runs

Process = subprocess.Popen[bytes]
WITHOUT = ("-p", "no:cacheprovider")
"""The plugin of pytest that these runs do without."""
LIMIT = 170
"""Seconds for what is to end by itself: a little less than a test has, however slow the machine is."""
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS", "ZEP_URL", "ZEP_TOKEN")
}


def run(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the suite in `folder` with these options and variables, and return how it ended. It has `LIMIT` seconds."""
    return command("run", *WITHOUT, *options, folder=folder, variables={**ENVIRONMENT, **variables, "COLUMNS": "80"})


def command(
    *words: str, folder: Path, variables: Mapping[str, str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `zep-conformance` with these words, and return how it ended. It has `LIMIT` seconds.

    Its process is forked from one in which all is imported already, which takes a third of the time: what is
    to be imported from elsewhere needs a process of its own. folder: where it runs. variables: all that it has. given:
    its standard input.
    """
    with tempfile.TemporaryDirectory(prefix="command-") as kept:
        output, errors, read = (Path(kept, name) for name in ("output", "errors", "given"))
        read.write_text(given)
        process = forked(_be_the_command, words, dict(variables), folder, output, errors, read)
        process.join(LIMIT)
        if process.exitcode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            raise subprocess.TimeoutExpired(words, LIMIT, output.read_bytes(), errors.read_bytes())
        return subprocess.CompletedProcess(words, process.exitcode, output.read_text(), errors.read_text())


def _be_the_command(
    words: Sequence[str], variables: dict[str, str], folder: Path, output: Path, errors: Path, given: Path
) -> None:
    """Be `zep-conformance` with these words, in a process of its own."""
    begin(variables, folder=folder, output=output, errors=errors, given=given)
    sys.argv = ["zep-conformance", *words]
    sys.path[:0] = [place for place in variables.get("PYTHONPATH", "").split(os.pathsep) if place]
    sys.exit(main(list(words)))


def replay(reports: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Judge the run in `reports` again. It has `LIMIT` seconds."""
    command = [sys.executable, "-m", "zep_conformance", "replay", str(reports), *words]
    known = {**ENVIRONMENT, **variables, "COLUMNS": "80"}
    return subprocess.run(command, cwd=reports, env=known, capture_output=True, text=True, timeout=LIMIT)


def only_run_in(folder: Path) -> Path:
    """Return where the only run in `folder` has its reports."""
    (found,) = kept_runs(folder / "reports")
    return found


def report_in(folder: Path) -> dict[str, Any]:
    """Return the report of a run in `folder`, which must fit its schema."""
    found: dict[str, Any] = json.loads((folder / "reports" / "conformance.json").read_text())
    jsonschema.validate(found, json.loads(reports.SCHEMA.read_text()), cls=jsonschema.Draft202012Validator)
    return found


def environment(folder: Path, **changed: str) -> dict[str, str]:
    """Return our environment with `folder`/tmp, which is made, as temporary folder, so that what is left there is ours.

    changed: variables that differ beside that.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(folder / "tmp"), "CI": "", **changed}


def as_from_a_terminal() -> None:
    """Let Ctrl-C work, though a pipeline may have started us in the background, where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Process:
    """Start a command in `folder`, with its output in `folder`/output. Returns the leader of its process group."""
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            command, cwd=folder, env=dict(variables), stdout=output, stderr=output,
            start_new_session=True, preexec_fn=as_from_a_terminal,
        )  # fmt: skip


@contextlib.contextmanager
def killed_later() -> Iterator[list[Process]]:
    """Kill the process groups of those in the list that are still running at the end."""
    started: list[Process] = []
    yield started
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def output_of(folder: Path) -> str:
    """Return what the run in `folder` has written so far."""
    return (folder / "output").read_text()


def some_scenarios_ran(folder: Path, count: int = 5, limit: float = LIMIT) -> None:
    """Wait until `count` scenarios of a verbose run have passed. Raises AssertionError after `limit` seconds."""

    def ran() -> None:
        assert output_of(folder).count("PASSED") >= count

    eventually(ran, limit)


def our_processes(folder: Path) -> list[str]:
    """Return the command lines of the processes whose temporary folder is that of `environment`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.environ().get("TMPDIR") == str(folder / "tmp"):
                found.append(" ".join(process.cmdline()))
    return found


def nothing_left(folder: Path) -> None:
    """Wait until neither a process nor a temporary folder is left. Raises AssertionError after a minute."""

    def gone() -> None:
        assert our_processes(folder) == []
        assert list((folder / "tmp").glob("zep-conformance-*")) == []

    eventually(gone, 60)
