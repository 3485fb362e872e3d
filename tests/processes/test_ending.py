"""Processes are ended politely, then not; folders outlive nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from zep_conformance.processes.ending import await_end, end, family_of, is_alive, kill_all
from zep_conformance.processes.folders import owned_folder

STUBBORN = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); "
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


def started(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_who_listens_is_ended_politely() -> None:
    process = started(WAITS)
    end(process, limit=30)
    assert process.returncode == -signal.SIGTERM


def test_who_does_not_is_killed() -> None:
    process = started(STUBBORN + "sys.stdin.read()")
    end(process, limit=0.1)
    assert process.returncode == -signal.SIGKILL


def test_who_has_ended_is_sent_nothing() -> None:
    process = started(WAITS)
    process.communicate()
    end(process, limit=0)
    assert process.returncode == 0


def test_a_family_is_killed_whole() -> None:
    code = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {WAITS!r}], stdin=subprocess.PIPE)"
    process = started(f"{code}; c.wait()")
    family = family_of(process.pid)
    assert len(family) == 2
    kill_all(family)
    assert not any(is_alive(one) for one in family)
    process.wait()
    assert family_of(process.pid) == []


def test_who_lives_on_is_not_gone() -> None:
    assert not await_end([psutil.Process()], 0.05)


def test_folders_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    code = (
        "import os, pathlib\nfrom zep_conformance.processes.folders import owned_folder\n"
        f"with owned_folder('it-', pathlib.Path({str(tmp_path)!r})): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = tmp_path.iterdir()
    with owned_folder("it-", tmp_path) as one, owned_folder("it-", tmp_path) as other:
        assert {one, other} == set(tmp_path.iterdir())
        assert left not in (one, other)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), owned_folder("it-", tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
