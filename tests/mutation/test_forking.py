"""A run of the suite that is forked: a process of its own, with servers of its own, that can be interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from zep_conformance.clients.waiting import eventually
from zep_conformance.mutation.forking import SuiteProcess, ours
from zep_conformance.processes.ending import is_alive


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., SuiteProcess]]:
    """Start runs with these options; they are ended, if they have not been."""
    started: list[SuiteProcess] = []

    def start(*options: str) -> SuiteProcess:
        reports = ["--reports", str(tmp_path / "reports"), "--target", "embedded", "--formats", "badge", *options]
        environment = ours(os.environ) | {"TMPDIR": str(tmp_path)}
        started.append(SuiteProcess(reports, environment=environment, log=tmp_path / "log"))
        return started[-1]

    yield start
    for process in started:
        process.end(60)


def test_what_is_interrupted_ends_with_all_that_it_started(tmp_path: Path, start) -> None:
    process = start("-vv")  # a line a scenario: one v is for the -q that each of these has

    def ran() -> None:
        assert "PASSED" in (tmp_path / "log").read_text()

    eventually(ran, 120)
    run = psutil.Process(process.pid)
    everything = [run, *run.children(recursive=True)]
    assert len(everything) > len(("run", "supervisor", "postgres", "nlp", "model", "zep", "langflux"))
    process.end(60)
    assert process.wait(0) == 2
    assert [one for one in everything if is_alive(one)] == []
    assert "could not tell" in (tmp_path / "log").read_text()
    assert list(tmp_path.glob("zep-conformance-*")) == []


def test_what_is_wrong_with_a_run_is_in_its_log(tmp_path: Path, start) -> None:
    process = start("--mutations", "zep:no-such-mutation", "-m", "STORE-4")
    assert process.wait(120) == 2
    assert "there is no 'zep:no-such-mutation'" in (tmp_path / "log").read_text()


def test_a_variable_that_would_change_what_is_tested_is_left_out() -> None:
    given = {"PATH": "/bin", "ZEP_URL": "http://zep", "LANGFLUX_API_KEY": "", "PYTEST_ADDOPTS": "-x"}
    assert ours(given) == {"PATH": "/bin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
