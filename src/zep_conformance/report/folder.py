"""Where reports go: never over those of a run that could tell more."""

from __future__ import annotations

import contextlib
import json
import secrets
from pathlib import Path

from zep_conformance.report.outcomes import COULD_NOT_TELL

REPORT, SUMMARY, JUNIT, LOGS = "conformance.json", "summary.md", "junit.xml", "logs"
"""What is in a folder of reports."""
INCOMPLETE = "incomplete"
"""The folder, in that of the reports, for those of a run that would else replace better ones."""


def place(folder: Path, *, is_whole: bool) -> Path:
    """Return where a run's reports go: beside those of an earlier run that could tell, where this one could not.

    is_whole: whether the run came to a verdict, and was not interrupted. What an earlier one that could not left beside
    the reports goes, when they are replaced.
    """
    if not is_whole:
        return folder / INCOMPLETE if _tells(folder / REPORT) else folder
    older = folder / INCOMPLETE
    for path in (older / REPORT, older / SUMMARY, older / JUNIT, *(older / LOGS).glob("*.log")):
        path.unlink(missing_ok=True)
    for empty in (older / LOGS, older):
        with contextlib.suppress(OSError):  # there is none, or somebody else's files are in it
            empty.rmdir()
    return folder


def _tells(report: Path) -> bool:
    """Return whether there is a report of a run that came to a verdict."""
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("verdict") not in (None, COULD_NOT_TELL)


def write(path: Path, text: str) -> None:
    """Write a file, all of it or none of it; whoever reads meanwhile reads the one before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
