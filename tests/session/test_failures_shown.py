"""What a run shows of failures of every kind: a screenful each, with a command that a shell takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.runs import report_in, run
from zep_conformance.report.differences import MOST
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


COMPARED = """
import pytest

MESSAGES = [{"role": "human", "content": f"message {n}", "metadata": {"n": n}} for n in range(500)]
OTHERS = [one | {"metadata": {"n": one["metadata"]["n"] + 1}} for one in MESSAGES]
TEXT = "a line of it, of which there are many\\n" * 2700
LINE = "x" * 70_000


def compare(name):
    if "new_timestamp" in name:
        assert OTHERS == MESSAGES, "the memory is another: 100% of it"
    if "session_alone" in name:
        assert {"a": {"b": {"c": TEXT[:50_000] + "!" + TEXT[50_000:]}}} == {"a": {"b": {"c": TEXT}}}
    if "streamed_prediction" in name:
        assert TEXT[:99_000] + "?" == TEXT[:99_001]
    if "two_sessions_do_not_mix" in name:
        assert {"said": LINE + "y" + LINE} == {"said": LINE + "z" + LINE}
    if "different_sessions" in name:
        assert set(range(50)) <= set(range(25, 60))


def pytest_bdd_after_step(request, step):
    if step.name and step is request.node.stash[LAST]:
        compare(request.node.name)


LAST = pytest.StashKey()


def pytest_bdd_before_scenario(request, scenario):
    request.node.stash[LAST] = list(scenario.steps)[-1]
"""


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)]
)
def test_comparisons_are_told_by_path_and_never_cut_by_pytest(tmp_path: Path, workers: tuple[str, ...]) -> None:
    # pytest looks into a module that is registered for rewriting only.
    planted = 'import pytest\npytest.register_assert_rewrite("compared")\nfrom compared import *\n'
    (tmp_path / "planted.py").write_text(planted)
    (tmp_path / "compared.py").write_text(COMPARED)
    chosen = "new_timestamp or two_sessions_do_not_mix or session_alone or streamed_prediction_remembers"
    options = ("--target", "embedded", "-p", "planted", "-k", chosen, "--seed", "7", "-q", *workers)
    finished = run(tmp_path, *options, PYTHONPATH=str(tmp_path))
    assert finished.returncode == 1, finished.stdout + finished.stderr
    screens = re.split(r"^(?=✗ )", finished.stdout.partition("\n-------")[0], flags=re.MULTILINE)[1:]
    assert len(screens) >= 4 and "truncated" not in finished.stdout and "Use -v" not in finished.stdout
    for screen in screens:
        lines = screen.rstrip("\n").splitlines()
        assert len(lines) <= LINES, screen
        assert [line for line in lines if len(line) > COLUMNS and not line.startswith("the rest: ")] == [], screen
    by_path = ("[0].metadata.n: 1 came, 0 was expected", "a.b.c[50000]: ", "[99000]: ", "said[70000]: ")
    for path in by_path:
        assert re.search(rf"^ +{re.escape(path)}[^✗]* came,\s", finished.stdout, re.MULTILINE), (path, finished.stdout)
    complaints = [one["complaint"] for one in report_in(tmp_path)["evidence"]]
    (memory,) = [one for one in complaints if "the memory is another: 100% of it" in one]
    assert memory.count(" was expected") == MOST and f"and {500 - MOST} more" in memory
    assert not any("truncated" in one for one in complaints)


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
