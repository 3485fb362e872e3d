"""The browser of a run: gone at the end, whatever that is, with everything that it has put on the disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from zep_conformance.clients.page import chromium
from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell

pytestmark = pytest.mark.skipif(chromium.find() is None, reason="no Chromium: apt-get install chromium")

SCRIPT = """
import sys, time
from zep_conformance.clients.page import chromium
browser = chromium.Chromium(chromium.find())
try:
    browser.start().new_page()
    print(browser.folder, flush=True)
    time.sleep(60)
finally:
    browser.stop()
"""


@pytest.fixture
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own with a short path, which a browser needs."""
    folder = Path(f"/tmp/zc-{os.getpid()}")
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def in_folder(folder: Path) -> list[str]:
    """Command lines of the processes whose temporary folder is in there."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR", "").startswith(str(folder)):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


@pytest.mark.parametrize(
    ("number", "group"),
    [(signal.SIGINT, True), (signal.SIGKILL, False), (signal.SIGKILL, True)],
    ids=["Ctrl-C", "kill -9", "kill -9 of everything"],
)
def test_the_browser_is_gone_whatever_ends_the_run(short_folder: Path, number: signal.Signals, group: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert folder.parent == short_folder
    assert len(in_folder(short_folder)) > 2, "the browser is under way"
    os.killpg(process.pid, number) if group else process.send_signal(number)
    process.wait(120)

    def gone() -> None:
        assert in_folder(short_folder) == []

    eventually(gone, 60)
    # What nobody could remove, the next run does.
    with chromium._folder() as mine:
        assert list(short_folder.iterdir()) == [mine]
    assert list(short_folder.iterdir()) == []


def test_the_folder_of_a_run_that_lives_is_left_alone(short_folder: Path) -> None:
    with chromium._folder() as mine, chromium._folder() as other:
        assert {mine, other} == set(short_folder.iterdir())


def test_a_browser_that_does_not_start_says_why(tmp_path: Path, short_folder: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'error while loading shared libraries: libnss3.so' >&2\nexit 127\n")
    program.chmod(0o755)
    with pytest.raises(CannotTell, match=r"does not start: error while loading shared libraries: libnss3\.so"):
        chromium.Chromium(str(program)).start()
    assert list(short_folder.iterdir()) == []
