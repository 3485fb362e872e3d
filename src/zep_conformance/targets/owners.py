"""Whose a thing in a Docker engine is: what a run left there that no longer lives is removed by the next run.

A run labels what it makes with `mark()`: this machine, its process, and when that began, so that a number that is
given to another process later on is not taken for it.
"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

LABEL = "org.zep-conformance.compose"
"""The label that says which process made a thing."""
_STARTED = 19
"""Which of the fields behind the command's name says when a process began (proc(5): /proc/[pid]/stat, the 22nd)."""


def mark() -> str:
    """The label's value for what this process makes."""
    return f"{socket.gethostname()}/{os.getpid()}/{_began(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether the process that made a thing has ended. Of other machines' processes that can't be told: False."""
    host, _, process = owner.partition("/")
    number, _, began = process.partition("/")
    if host != socket.gethostname() or not number.isdecimal():
        return False
    return _began(int(number)) != began


def _began(process: int) -> str:
    """When a process began, in units of the machine's own; "" when there is none of that number."""
    stat = Path(f"/proc/{process}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[_STARTED]
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(process)], capture_output=True, text=True, check=False)
    return "-".join(found.stdout.split())
