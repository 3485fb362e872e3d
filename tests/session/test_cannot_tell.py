"""A target that can't tell at any moment: what it says is kept, nothing breaks, and the exit code is 2."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import runs
from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import Target, choose, names

SAID = "the engine went away\n  Start it again. [engine-missing]"
PLUGIN = """
import os

from zep_conformance.errors import CannotTell
from zep_conformance.targets.embedded.target import EmbeddedTarget


def cannot(self, *arguments, **options):
    raise CannotTell("the engine went away", "Start it again.", code="engine-missing")


for moment in os.environ["MOMENTS"].split():
    setattr(EmbeddedTarget, moment, property(cannot) if moment == "control" else cannot)
EmbeddedTarget.shared = bool(os.environ.get("SHARED"))
"""
A_SCENARIO = ("-k", "carries_a_uuid")
STOPS = ("-k", "nobody_listens_on_is_told")
FAILS = ("--mutations", "zep:metadata-dropped", *A_SCENARIO)
MOMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "it begins": ("start", A_SCENARIO),
    "it is waited for": ("deployment", A_SCENARIO),
    "it is asked which parts have ended, after a failure": ("ended", FAILS),
    "it is asked for a log, after a failure": ("log", FAILS),
    "a part is to be stopped": ("control", STOPS),
    "the doctor is to look at a part": ("diagnose", STOPS),
    "it is asked for logs, at the end": ("log", A_SCENARIO),
    "it is stopped": ("stop", A_SCENARIO),
    "it is handed over to a worker": ("handover", ("-n", "1", *A_SCENARIO)),
    "a worker takes it": ("attach", ("-n", "1", *A_SCENARIO)),
}


@pytest.mark.parametrize(("moments", "options"), MOMENTS.values(), ids=MOMENTS)
def test_it_is_said_and_the_exit_code_is_2(moments: str, options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "moments.py").write_text(PLUGIN)
    variables = runs.environment(tmp_path, COLUMNS="80", PYTHONPATH=str(tmp_path), MOMENTS=moments)
    variables |= {"SHARED": "1"} if "-n" in options else {}
    ended = subprocess.run(
        [sys.executable, "-m", "zep_conformance", "run", "-p", "moments", "--target", "embedded", *options],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=170,
    )
    written = ended.stdout + ended.stderr
    assert ended.returncode == 2, written
    assert "Traceback" not in written and "INTERNALERROR" not in written
    is_of_a_scenario = moments in ("control", "diagnose")
    assert (textwrap.indent(SAID, "  ") if is_of_a_scenario else SAID) in written
    report = json.loads((tmp_path / "reports" / "conformance.json").read_text())
    assert report["exit_code"] == 2
    if not is_of_a_scenario:  # one broke, which says no more than that
        assert report["trouble"] == SAID


@pytest.mark.parametrize("name", names())
def test_a_target_that_did_not_begin_can_be_stopped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    settings = {"compose": {"target": "compose:nowhere"}, "processes": {"target": "processes", "zep_binary": "/none"}}
    read = read_settings(settings.get(name, {"target": name}))
    target = choose(read, str(read.target))
    if name != "embedded":
        with pytest.raises(CannotTell):
            _come_up(target)
    target.stop()


def _come_up(target: Target) -> None:
    """Start a target, and wait for it."""
    target.start()
    target.deployment(print)
