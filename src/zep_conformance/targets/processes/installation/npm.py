"""Running npm: watched, with the last words of one that failed, and ended with whoever asked for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zep_conformance.errors import CannotTell
from zep_conformance.processes.guard import guarded

LOOK = 0.5
"""Seconds between two looks at how far it is."""
LAST_WORDS = 12
"""Lines of npm's output that a failure shows."""


@dataclass(frozen=True)
class Progress:
    """How far an installation is. done, total: packages that are there, and all; total is 0 where nobody knows."""

    stage: str
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


def run(command: list[str], folder: Path, progress: Callable[[], Progress], on_progress: OnProgress) -> None:
    """Run npm in `folder` and report how far it is; when this is interrupted, npm is ended first.

    Raises CannotTell with its last words when it fails.
    """
    with (folder / "npm.log").open("w+b") as log:
        process = subprocess.Popen(
            guarded(command),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # what ends us must not end the guard
        )
        try:
            while True:
                on_progress(progress())
                try:
                    code = process.wait(LOOK)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            # Closing its input is how the guard is told; it returns when npm is gone.
            process.communicate()
        if code != 0:
            raise CannotTell(f"{' '.join(['npm', *command[1:]])} failed ({code}):\n{_last_words(log)}", _advice(log))


def packages(folder: Path) -> Callable[[], Progress]:
    """Counts the packages of the lock in `folder` that have arrived, whatever npm says of itself."""
    entries = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    # Those for other systems never arrive.
    expected = [folder / name / "package.json" for name, entry in entries.items() if name and not entry.get("optional")]
    waiting = set(expected)

    def progress() -> Progress:
        waiting.difference_update([path for path in waiting if path.exists()])
        return Progress("packages", len(expected) - len(waiting), len(expected))

    return progress


def _text(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")


def _last_words(log: IO[bytes]) -> str:
    lines = [line.rstrip() for line in _text(log).splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-LAST_WORDS:]) or "    (it said nothing)"


def _advice(log: IO[bytes]) -> str:
    """The likely cause of a failure, from what npm wrote."""
    text = _text(log)
    for signs, advice in _CAUSES:
        if any(sign in text for sign in signs):
            return f"{advice} What was begun is removed; the same command starts again, from npm's cache."
    return "What was begun is removed; the same command starts again, with what npm has in its cache."


_CAUSES = (
    (("ENOSPC", "EDQUOT"), "The disk is full: make room, or name another folder in $ZEP_CONFORMANCE_CACHE."),
    (("EINTEGRITY",), "A package is not what the lock says it is: clear npm's cache (npm cache clean --force)."),
    (
        ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "UND_ERR", "network"),
        "The npm registry could not be reached: see `npm config get registry` and the proxy's settings.",
    ),
    (("E401", "E403", "ENEEDAUTH"), "The npm registry refuses: see `npm config get registry` and its login."),
    (("E404", "ETARGET"), "The npm registry lacks a package: see `npm config get registry`."),
    (
        ("gyp ERR!", "node-gyp"),
        "sqlite3 could not be compiled: it needs make, a C++ compiler and python3 "
        "(Debian and Ubuntu: apt-get install build-essential python3).",
    ),
)
