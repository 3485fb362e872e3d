"""Turns: who disturbs others has the parts alone, and no file of it stays."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from zep_conformance.session.turns import Turns


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def enters(turns: Turns, *, alone: bool) -> threading.Event:
    """Set once another thread has had its turn."""
    entered = threading.Event()

    def enter() -> None:
        with turns.taken(alone=alone):
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    return entered


def test_who_disturbs_nobody_waits_for_nobody() -> None:
    turns = Turns.made()
    with turns.taken(alone=False):
        assert enters(turns, alone=False).wait(60)
    turns.close()


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_who_disturbs_others_is_alone(first: bool, second: bool) -> None:
    turns = Turns.made()
    with turns.taken(alone=first):
        entered = enters(Turns(turns.path), alone=second)
        assert not entered.wait(0.2)
    assert entered.wait(60)
    turns.close()


def test_without_a_file_nobody_waits() -> None:
    with Turns().taken(alone=True):
        assert enters(Turns(), alone=True).wait(60)


def test_nothing_is_left_not_even_of_a_killed_run(tmp_path: Path) -> None:
    code = "from zep_conformance.session.turns import Turns; import os; turns = Turns.made(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], env={"TMPDIR": str(tmp_path)}, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    turns, beside = Turns.made(), Turns.made()
    assert turns.path and beside.path
    assert {turns.path.parent, beside.path.parent} == set(tmp_path.iterdir())  # a live run's stays
    turns.close()
    beside.close()
    assert list(tmp_path.iterdir()) == []
