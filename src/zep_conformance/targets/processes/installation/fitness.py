"""What must be there before an installation begins: a fitting Node.js, npm, and room on the disk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from zep_conformance.errors import CannotTell
from zep_conformance.targets.processes.installation.locks import Lock

GET_NODE = "Install Node.js 20 (https://nodejs.org; or: nvm install 20), and have it first on the PATH."
ASK_LIMIT = 20.0
"""Seconds that a program may take to say its version."""


def check_node(lock: Lock) -> str:
    """The path of a Node.js that this version runs on. Raises CannotTell: none, or one that does not fit."""
    needs = f"LangFlux {lock.version} runs on Node.js {lock.nodes}"
    node = shutil.which("node")
    if node is None:
        raise CannotTell(f"no node on the PATH: {needs}", GET_NODE)
    found = _version_of(node)
    if not lock.runs_on(found):
        raise CannotTell(f"{node} is Node.js {found or 'that says no version'}: {needs}", GET_NODE)
    return node


def check_npm() -> str:
    """The path of npm. Raises CannotTell where there is none that works."""
    npm = shutil.which("npm")
    if npm is None or not _version_of(npm):
        raise CannotTell(
            f"{npm} does not work" if npm else "no npm on the PATH",
            "npm comes with Node.js from https://nodejs.org; Debian and Ubuntu have it apart: apt-get install npm",
        )
    return npm


def check_disk(lock: Lock, folder: Path) -> None:
    """Check that there is room. Raises CannotTell with how much is missing, and where."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    # What npm fetches goes into its own cache, as a rule on the same disk.
    needed = lock.disk + lock.download
    if free < needed:
        raise CannotTell(
            f"LangFlux {lock.version} takes {needed:.1f} GB, and the disk of {there} has {free:.1f} GB free",
            "Make room there, or name a folder on another disk in $ZEP_CONFORMANCE_CACHE.",
        )


def check_writable(folder: Path) -> None:
    """Make the cache's folder. Raises CannotTell where that may not be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotTell(
            f"can't make the folder {folder}: {error.strerror}",
            "Name one that you may write to in $ZEP_CONFORMANCE_CACHE.",
        ) from None


def _version_of(program: str) -> str:
    """What a program says its version is; "" where it does not work."""
    try:
        ran = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=ASK_LIMIT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""
