"""What a run shows of failures of every kind: a screenful each, with a command that a shell takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.runs import report_in, run
from zep_conformance.report.screenful import LINES
from zep_conformance.report.shell import COLUMNS

PLANTED = """
import httpx
import pytest
from zep_conformance.report.longrepr import ATTACHED

LONG = "y" * 100_000


def error_of(name):
    if "new_timestamp" in name:
        return AssertionError("expected 'x', it is '" + LONG + "'")
    if "two_sessions_do_not_mix" in name:
        return httpx.ReadTimeout("timed out", request=httpx.Request("GET", "http://127.0.0.1:9/" + "a" * 300))
    if "session_alone" in name:
        return KeyError("unexpected " + "word " * 400)
    if "streamed_prediction" in name:
        return AssertionError("the stream ended early: " + "piece " * 4000)
    return None


def pytest_runtest_setup(item):
    if "come_back_unchanged" in item.name:
        raise RuntimeError("no setup " + "z" * 5000)


def pytest_bdd_after_step(request, step):
    error = error_of(request.node.name)
    if error is not None and step is request.node.stash[LAST]:
        if "new_timestamp" in request.node.name:
            request.node.stash[ATTACHED] = ("reports/page/" + "p" * 90 + ".png",)
        raise error


LAST = pytest.StashKey()


def pytest_bdd_before_scenario(request, scenario):
    request.node.stash[LAST] = list(scenario.steps)[-1]
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a run showed in which each kind of failure was planted, and the folder that it ran in."""
    folder = tmp_path_factory.mktemp("failures")
    (folder / "planted.py").write_text(PLANTED)
    chosen = "new_timestamp or two_sessions_do_not_mix or session_alone or streamed_prediction or come_back_unchanged"
    options = ("--target", "embedded", "-p", "planted", "-k", f"{chosen} or good", "--seed", "7")
    finished = run(folder, *options, "--mutations", "zep:garbage-token-accepted", PYTHONPATH=str(folder))
    assert finished.returncode == 1, finished.stdout + finished.stderr
    return folder, finished.stdout


def test_each_kind_is_a_screenful_with_its_command_whole(shown: tuple[Path, str]) -> None:
    folder, output = shown
    screens = re.split(r"^(?=✗ )", output.partition("\n-------")[0], flags=re.MULTILINE)[1:]
    kinds = ("expected 'x', it is 'yyy", "ReadTimeout: timed out", "KeyError", "the stream ended early",
             "RuntimeError: no setup", "expected 401, it is 200")  # fmt: skip
    assert [kind for kind in kinds if not any(kind in screen for screen in screens)] == [], output
    reruns = [shlex.split(one["rerun"]) for one in report_in(folder)["evidence"]]
    for screen in screens:
        lines = screen.rstrip("\n").splitlines()
        assert len(lines) <= LINES, screen
        assert [line for line in lines if len(line) > COLUMNS and not line.startswith("the rest: ")] == [], screen
        again = screen.partition("\nagain:\n")[2].partition("\nthe rest: ")[0]
        assert shlex.split(again.replace("\\\n", "")) in reruns, screen
        assert "the suite itself broke" in screen or "failed at: " in screen, screen


def test_what_was_asked_last_is_shown_of_what_the_deployment_did(shown: tuple[Path, str]) -> None:
    screens = re.split(r"^(?=✗ )", shown[1], flags=re.MULTILINE)[1:]
    (stream,) = [screen for screen in screens if "the stream ended early" in screen]
    assert re.search(r"^curl ", stream, re.MULTILINE) and "→ 200" in stream
