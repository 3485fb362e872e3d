"""How a supervisor is launched: as a program of its own, or forked from this process where that has imported it all.

Either way it is a process with a session of its own, so that Ctrl-C and a killed process group don't reach it: it stops
when its input is closed, or when whoever launched it is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Protocol

_POLL_INTERVAL = 0.01


class Launched(Protocol):
    """A supervisor that was launched. to, answers: its standard input and output."""

    to: IO[str]
    answers: IO[str]

    def close(self, limit: float) -> None:
        """Close its input, and return when it has ended; kill it if it has not after `limit` seconds."""


class Program:
    """A supervisor that is a program of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zep_conformance.processes.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.to: IO[str] = self._process.stdin
        self.answers: IO[str] = self._process.stdout

    def close(self, limit: float) -> None:
        """Close its input, and return when it has ended; kill it if it has not after `limit` seconds."""
        try:
            self._process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class Fork:
    """A supervisor that is a copy of this process."""

    def __init__(self) -> None:
        theirs, ours = os.pipe()
        answers, their_answers = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(ours)  # or its input would never end
            _supervise(theirs, their_answers)
        os.close(theirs)
        os.close(their_answers)
        self.to: IO[str] = os.fdopen(ours, "w")
        self.answers: IO[str] = os.fdopen(answers)

    def close(self, limit: float) -> None:
        """Close its input, and return when it has ended; kill it if it has not after `limit` seconds."""
        with contextlib.suppress(BrokenPipeError):
            self.to.close()
        deadline = time.monotonic() + limit
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(_POLL_INTERVAL)
        self.answers.close()


def _supervise(commands: int, answers: int) -> None:
    """Be the supervisor, in a process that was forked for it; never returns."""
    code = 1
    try:
        os.setsid()
        for place, handle in enumerate((commands, answers)):
            os.dup2(handle, place)
            os.close(handle)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
        from zep_conformance.processes.supervisor import main

        main()
        code = 0
    finally:
        os._exit(code)


_launch: Callable[[], Launched] = Program


def fork_from_here() -> None:
    """Fork further supervisors from this process, where that can be done: it has imported all that they need."""
    global _launch
    if sys.platform == "linux":
        _launch = Fork


def launch() -> Launched:
    """Launch a supervisor; it waits to be told what to start."""
    return _launch()
