"""Target `processes` as it runs: a part that dies, and what is left when a run ends, however it ends.

LangFlux is a stand-in here; `.ci/processes` does the same with the real one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support import runs, stand_ins
from tests.support.runs import nothing_left, output_of, some_scenarios_ran
from zep_conformance.clients.waiting import eventually

RUN = [sys.executable, "-m", "zep_conformance", "run", "--target", "processes", "-p", "no:cacheprovider"]
QUICK = ["-k", "restart or firewall or does_not_start or two_sessions or reads_back"]
"""Some scenarios that stop parts, and some that don't."""
HANGS = "import time\ntime.sleep(600)"
HAS_CHILDREN = """
import subprocess
# One that stays in the group, and one that has left it.
subprocess.Popen(["sleep", "600"])
subprocess.Popen(["sleep", "600"], start_new_session=True)
"""

DIES_WHEN_TOLD = """
import threading
def end():
    if (Path(os.environ["TMPDIR"]) / "now").exists():
        print("I have had enough", flush=True)
        os._exit(7)
    threading.Timer(0.05, end).start()
end()
"""

Start = Callable[..., runs.Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a run, with a `flowise` first on its PATH. before: what its LangFlux does first. further: variables."""
    variables = runs.environment(tmp_path, PATH=stand_ins.on_path(tmp_path / "bin"))
    with runs.killed_later() as started:

        def run(*options: str, before: str = "", **further: str) -> runs.Process:
            stand_ins.langflux(tmp_path / "bin" / "flowise", before)
            started.append(runs.start([*RUN, *options], tmp_path, {**variables, **further}))
            return started[-1]

        yield run


def supervisor_of(tmp_path: Path) -> psutil.Process:
    """The supervisor of the test's run."""

    def found() -> psutil.Process:
        for process in psutil.process_iter(["cmdline"]):
            if "zep_conformance.processes.supervisor" in (process.info["cmdline"] or []):
                try:
                    if process.environ().get("TMPDIR") == str(tmp_path / "tmp"):
                        return process
                except psutil.Error:
                    continue
        raise AssertionError("no supervisor")

    return eventually(found, 90)


def langflux_started(tmp_path: Path) -> None:
    def noted() -> None:
        assert (tmp_path / "tmp" / "starts").exists() or "begun" in output_of(tmp_path)

    eventually(noted, 90)


class TestARun:
    def test_says_how_it_starts_what_it_tests_and_leaves_nothing(self, tmp_path: Path, start: Start) -> None:
        assert start(*QUICK, "-v", before='print("I was started", flush=True)').wait(120) == 0, output_of(tmp_path)
        output = output_of(tmp_path)
        assert "langflux is ready after" in output
        assert "conforms as far as asked: " in output
        report = json.loads((tmp_path / "reports" / "conformance.json").read_text())
        assert report["target"]["deployed"] is True
        assert [span["part"] for span in report["target"]["timeline"]] == ["langflux"]
        assert report["parts"]["langflux"]["program"] == str(tmp_path / "bin" / "flowise")
        assert report["parts"]["zep"]["program"] == "embedded"
        assert "I was started" in (tmp_path / "reports" / "latest" / "logs" / "langflux.log").read_text()
        nothing_left(tmp_path)

    def test_workers_share_one_set_of_parts_and_stop_them_in_turns(self, tmp_path: Path, start: Start) -> None:
        assert start(*QUICK, "-n", "2").wait(120) == 0, output_of(tmp_path)
        assert len((tmp_path / "tmp" / "starts").read_text().split()) == 1
        nothing_left(tmp_path)

    def test_a_langflux_of_accounts_is_registered_in_and_asked_with_a_key(self, tmp_path: Path, start: Start) -> None:
        program = stand_ins.langflux_three(tmp_path / "three")
        options = ["--langflux-command", str(program), "--without", "ui", "-k", "session_id_of_the_request"]
        assert start(*options).wait(120) == 0, output_of(tmp_path)
        report = json.loads((tmp_path / "reports" / "conformance.json").read_text())
        assert report["outcomes"]["passed"] == 1
        assert report["parts"]["langflux"]["version"] == "3.0.13"
        assert report["left_behind"] == []
        nothing_left(tmp_path)

    def test_a_langflux_that_ends_is_named_at_once_with_its_last_words(self, tmp_path: Path, start: Start) -> None:
        began = time.monotonic()
        process = start(before='sys.exit("Error: listen EADDRINUSE: address already in use")')
        assert process.wait(120) == 2
        assert time.monotonic() - began < 30
        output = output_of(tmp_path)
        assert "langflux ended with exit code 1; its log ends:" in output
        assert "Error: listen EADDRINUSE" in output
        assert "Another program took its port: run this again." in output
        nothing_left(tmp_path)

    def test_one_that_ends_in_the_middle_is_named_and_ends_the_run(self, tmp_path: Path, start: Start) -> None:
        process = start("-v", before=DIES_WHEN_TOLD)
        some_scenarios_ran(tmp_path, limit=90)
        (tmp_path / "tmp" / "now").touch()
        assert process.wait(120) == 1
        output = output_of(tmp_path)
        assert "langflux ended with exit code 7, and nobody had asked it to" in output
        assert "I have had enough" in output, "its last words are shown"
        assert output.count("FAILED") < 5
        nothing_left(tmp_path)


class TestNothingIsStarted:
    """Where something is missing: exit code 2, two lines, and no folder made."""

    def test_without_the_zep_that_was_named(self, tmp_path: Path, start: Start) -> None:
        assert start("--zep-binary", str(tmp_path / "zep")).wait(120) == 2
        assert "--zep-binary: there is no" in output_of(tmp_path)
        assert not (tmp_path / "tmp" / "starts").exists()
        nothing_left(tmp_path)

    def test_without_the_zep_to_upgrade_to(self, tmp_path: Path, start: Start) -> None:
        (tmp_path / "zep").write_text("#!/bin/sh\n")
        (tmp_path / "zep").chmod(0o755)
        other = tmp_path / "other"
        assert start("--zep-binary", str(tmp_path / "zep"), "--to-zep", str(other)).wait(120) == 2
        assert "--to-zep: there is no" in output_of(tmp_path)
        nothing_left(tmp_path)

    def test_where_npm_fails_half_way(self, tmp_path: Path, start: Start) -> None:
        stand_ins.shell(tmp_path / "bin" / "node", "echo v20.11.1")
        stand_ins.shell(
            tmp_path / "bin" / "npm",
            '[ "$1" = --version ] && echo 10.1.0 && exit\nmkdir -p node_modules/x; echo npm ERR! code ENOSPC; exit 1',
        )
        assert (
            start(
                "--install-langflux", "--langflux-version", "2.2.8", ZEP_CONFORMANCE_CACHE=str(tmp_path / "cache")
            ).wait(120)
            == 2
        )
        output = output_of(tmp_path)
        assert "installing LangFlux 2.2.8 into" in output
        assert "npm ERR! code ENOSPC" in output
        assert "The disk is full: make room" in output
        # Beside the templates of the page that the run has written.
        assert [path.suffix for path in (tmp_path / "cache").iterdir() if path.name != "page"] == [".lock"]
        nothing_left(tmp_path)


class TestNothingIsLeft:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a cancelled pipeline"])
    def test_of_an_interrupted_run(self, tmp_path: Path, start: Start, number: signal.Signals) -> None:
        process = start("-v", before=HAS_CHILDREN)
        some_scenarios_ran(tmp_path, limit=90)
        os.killpg(process.pid, number)
        assert process.wait(120) == 2
        assert "left behind" not in output_of(tmp_path)
        nothing_left(tmp_path)

    @pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "with workers"])
    def test_of_a_killed_run(self, tmp_path: Path, start: Start, workers: list[str]) -> None:
        process = start("-v", *workers, before=HAS_CHILDREN)
        some_scenarios_ran(tmp_path, limit=90)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        nothing_left_but_turns(tmp_path)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
    def test_of_a_run_that_ends_while_it_starts(self, tmp_path: Path, start: Start, number: signal.Signals) -> None:
        begins = f"(Path(os.environ['TMPDIR']) / 'starts').touch()\n{HANGS}"
        process = start(before=begins)
        langflux_started(tmp_path)
        os.killpg(process.pid, number)
        process.wait(60)
        nothing_left(tmp_path)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has ended")
    def test_running_of_a_killed_supervisor(self, tmp_path: Path, start: Start) -> None:
        process = start("-v")
        supervisor = supervisor_of(tmp_path)
        some_scenarios_ran(tmp_path, limit=90)
        supervisor.kill()
        assert process.wait(120) != 0
        nothing_left(tmp_path)


def nothing_left_but_turns(tmp_path: Path) -> None:
    """As `nothing_left`; the file by which workers take turns is pytest's, which was killed."""
    for turns in (tmp_path / "tmp").glob("zep-conformance-turns-*"):
        shutil.rmtree(turns)
    nothing_left(tmp_path)
