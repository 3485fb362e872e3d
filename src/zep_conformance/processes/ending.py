"""How processes are ended: politely, then not, with everything that they have started; and none outlives its asker."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from signal import Signals
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psutil

KILL_LIMIT = 5.0
"""Seconds after which a killed process is taken to be beyond reach."""
_POLL_INTERVAL = 0.02
_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
"""prctl(2): PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER. Linux alone has them; elsewhere nothing is done."""
# Loaded here, since between fork and exec as little as possible may happen.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with(parent: int, number: Signals) -> Callable[[], None]:
    """Return what a new process calls first so that it gets a signal when `parent`, which forks it now, ends."""

    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_SET_DEATH_SIGNAL, int(number), 0, 0, 0)
            if os.getppid() != parent:  # it ended in between
                os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that it can be found and ended."""
    if _LIBC is not None:
        _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def signal_group(leader: int, number: Signals) -> None:
    """Send a signal to a process group, if there still is one. leader: the process that the group is named by."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def end(process: subprocess.Popen[Any], *, politely: Signals = signal.SIGTERM, limit: float) -> None:
    """End a process of ours: send a signal, and kill it when it has not ended after `limit` seconds."""
    if process.poll() is None:
        process.send_signal(politely)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def family_of(leader: int) -> list[psutil.Process]:
    """Return a process and all that come of it; empty where it is gone."""
    import psutil

    try:
        parent = psutil.Process(leader)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def signal_all(processes: Iterable[psutil.Process], number: Signals) -> None:
    """Send a signal to each of these that is still there."""
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """Kill these, and wait until they are gone."""
    found = list(processes)
    signal_all(found, signal.SIGKILL)
    await_end(found, KILL_LIMIT)


def await_end(processes: Iterable[psutil.Process], limit: float) -> bool:
    """Wait until these are gone, at most `limit` seconds; returns whether they are."""
    deadline = time.monotonic() + limit
    waiting = list(processes)
    while any(is_alive(process) for process in waiting):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_INTERVAL)  # of a process that is not our child only Linux 5.3 and later would say when it ends
    return True


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process has not ended; one that nobody has buried yet has."""
    import psutil

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def end_descendants() -> None:
    """Kill every process that came of this one; the last thing to do, since nobody can wait for one afterwards."""
    kill_all(family_of(os.getpid())[1:])
    # Orphans that came to us are ours to bury: in a container nobody else may.
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
