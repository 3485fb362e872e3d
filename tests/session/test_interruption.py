"""Whatever ends a run: nothing is left running, in the target or on the disk."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.enrichment import Patience
from fixtures.faults import Faults
from tests.support import runs
from tests.support.runs import nothing_left, only_run_in, output_of, some_scenarios_ran
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import FAILURES, Zep
from zep_conformance.settings import Settings
from zep_conformance.targets.embedded.target import EmbeddedTarget
from zep_conformance.targets.supervised import Supervisor

RUN = [sys.executable, "-m", "zep_conformance", "run", "-v", "-p", "no:cacheprovider"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., runs.Process]]:
    """Start commands in a process group of their own, as a terminal does."""
    variables = runs.environment(tmp_path)
    with runs.killed_later() as started:

        def start(*command: str) -> runs.Process:
            started.append(runs.start(command, tmp_path, variables))
            return started[-1]

        yield start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a cancelled pipeline"])
def test_an_interrupted_run_removes_what_it_made(tmp_path: Path, running, number: signal.Signals) -> None:
    before = tmp_path / "reports" / "conformance.json"
    before.parent.mkdir()
    before.write_text('{"verdict": "conforms"}')
    process = running(*RUN)
    some_scenarios_ran(tmp_path)
    os.killpg(process.pid, number)
    assert process.wait(120) == 2
    assert "left behind" not in output_of(tmp_path)
    assert "could not tell: " in output_of(tmp_path)
    assert before.read_text() == '{"verdict": "conforms"}'
    found = json.loads((only_run_in(tmp_path) / "conformance.json").read_text())
    assert found["outcomes"]["passed"] >= 5 and found["outcomes"]["not run"] > 100
    nothing_left(tmp_path)


def test_a_killed_run_leaves_nothing_running(tmp_path: Path, running) -> None:
    process = running(*RUN)
    some_scenarios_ran(tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    nothing_left(tmp_path)


def test_an_interrupted_remote_run_leaves_nothing_in_the_target(tmp_path: Path, running, served) -> None:
    urls = served("--recorded-behaviours", "none")
    process = running(
        *RUN, "--target", "remote", "--zep-url", urls["zep"], "--langflux-url", urls["langflux"],
        "--model-url", urls["model"], f"--langflux-api-key={urls['langflux_api_key']}",
    )  # fmt: skip
    some_scenarios_ran(tmp_path, 40)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(120) == 2
    assert httpx.get(f"{urls['zep']}/api/v1/sessions").json() == []
    with httpx.Client(base_url=urls["langflux"], headers={"x-request-from": "internal"}) as langflux:
        assert langflux.get("/api/v1/chatflows").json() == []
        assert langflux.get("/api/v1/credentials").json() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a cancelled pipeline"])
def test_interrupted_exploring_leaves_nothing_in_the_target(tmp_path: Path, running, served, number) -> None:
    urls = served("--recorded-behaviours", "none")
    explore = [sys.executable, "-m", "zep_conformance", "explore", "--for", "10m", "--target", "remote"]
    process = running(*explore, "--zep-url", urls["zep"], "--reports", str(tmp_path / "reports"))

    def sessions() -> list[object]:
        found: list[object] = httpx.get(f"{urls['zep']}/api/v1/sessions").json()
        return found

    def some() -> None:
        assert sessions(), "it has made no session"

    eventually(some, 120)
    os.killpg(process.pid, number)
    assert process.wait(120) == 2
    assert "interrupted" in output_of(tmp_path)
    assert sessions() == []
    nothing_left(tmp_path)


def test_serve_stops_cleanly(tmp_path: Path, running) -> None:
    process = running(
        sys.executable, "-m", "zep_conformance", "serve",
        "--zep-port", "0", "--langflux-port", "0", "--model-port", "0", "--nlp-port", "0",
    )  # fmt: skip

    def ready() -> dict[str, str]:
        assert output_of(tmp_path).endswith("\n")
        urls: dict[str, str] = json.loads(output_of(tmp_path))
        return urls

    urls = eventually(ready, 90)
    assert httpx.get(f"{urls['zep']}/healthz").text == "."
    process.send_signal(signal.SIGTERM)
    assert process.wait(90) == 0
    nothing_left(tmp_path)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{urls['zep']}/healthz")


class TestCtrlCWhileAPartIsStopped:
    """A part that a scenario was stopping is up again before what the run made is removed."""

    @pytest.fixture
    def target(self) -> Iterator[EmbeddedTarget]:
        target = EmbeddedTarget(Settings())
        target.start()
        try:
            target.deployment(lambda _line: None)
            yield target
        finally:
            target.stop()

    def test_the_part_is_brought_back(self, target: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
        faults = Faults(target.control, Patience(1.0))
        read = Supervisor._read

        def interrupted(_: Supervisor) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Supervisor, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            faults.down("zep")
        monkeypatch.setattr(Supervisor, "_read", read)
        faults.restore()
        assert httpx.get(f"{target._urls['zep']}/healthz").status_code == 200
        # The answer to the interrupted command is nobody else's.
        assert target.ended() == {}

    def test_whatever_is_asked_of_a_zep_that_is_down_fails_in_a_known_way(self, target: EmbeddedTarget) -> None:
        zep = Zep(target._urls["zep"])
        assert zep.client  # which asks for its health
        target.control.stop("zep")
        for ask in (zep.delete_user, zep.session, zep.clear, zep.memory, zep.messages):
            with pytest.raises(FAILURES):
                ask("somebody")
        zep.close()
