"""What every program of this target has around it: its variables, its folder, room on the disk, its answers."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from zep_conformance.errors import CannotTell

ASK_LIMIT = 20.0
"""Seconds that a program may take to say something of itself."""
ROOM = 0.5
"""Gigabytes that the state of a run may take: PostgreSQL's files are most of it."""
_OURS = ("ZEP_", "LANGFLUX_", "FLOWISE_", "MODEL_URL", "OPENAI_", "POSTGRES_DSN", "PG", "DATABASE_")


def variables(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return this process's variables, without those that would configure a part, or are secrets of a run."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_OURS)}
    # The parts speak to each other on this machine: no proxy is to be between them.
    return kept | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def answer_of(command: list[str]) -> str:
    """Return what a program that is asked something prints, "" where it does not work."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=ASK_LIMIT, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def check_room() -> None:
    """Check that the state has room. Raises CannotTell with how much there is, and where."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / 1e9
    if free < ROOM:
        what = f"the state of a run takes up to {ROOM:g} GB, and the disk of {folder} has {free:.2f} GB free"
        advice = "Make room there, or name a folder on another disk: export TMPDIR=/path/to/it"
        raise CannotTell(what, advice, code="disk-full")


def subfolder(folder: Path, name: str) -> Path:
    """Return a new folder for one part's state, closed to others."""
    made = folder / name
    made.mkdir(mode=0o700)
    return made


def is_open_to_all(path: Path) -> bool:
    """Tell whether any user of this machine can get to a path, as far as its folders go."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
