"""Runs a command for no longer than whoever asked for it lives: `python -m zep_conformance.processes.guard COMMAND…`.

The asker holds the guard's standard input. When that closes, however the asker ended (a kill -9 included), the
command and everything that it started is ended: first politely, then not. Ends with the command's exit code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from zep_conformance.processes.ending import signal_group

POLITE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


def guarded(command: list[str]) -> list[str]:
    """Return the command line that runs `command` under a guard. Its standard input is to be a pipe, kept open."""
    return [sys.executable, "-m", "zep_conformance.processes.guard", *command]


def main(command: list[str]) -> int:
    """Run the command in a process group of its own until it ends or our input does. Returns its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)

    def end(*_: int | FrameType | None) -> None:
        signal_group(child.pid, signal.SIGTERM)
        impatience = threading.Timer(POLITE, signal_group, (child.pid, signal.SIGKILL))
        impatience.daemon = True
        impatience.start()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end()

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the asker decides what Ctrl-C means
    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    signal_group(child.pid, signal.SIGKILL)  # what it started and left behind
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
