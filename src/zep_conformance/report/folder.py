"""Where reports go: each run has a folder of its own, and the last that could tell is `latest`.

    reports/
      2026-11-26T23-17-19Z-b817fafd/    one run, by when it began (UTC) and by what the names of all it made end with
        conformance.json, junit.xml, summary.md, index.html, logs/, page/ …
      latest                            a link to the last run that could tell (a file with its name, without links)
      conformance.json, junit.xml …     copies of its reports, at paths that stay the same for a pipeline

Runs at the same time keep out of each other's way: each holds its folder until it is over, and whoever changes `latest`
or removes old runs holds the folder of all of them. Both are locks of the operating system's, which end with the
process; a file system that has none is used without.
"""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from zep_conformance.report.outcomes import COULD_NOT_TELL

REPORT, SUMMARY, JUNIT, INDEX = "conformance.json", "summary.md", "junit.xml", "index.html"
LOGS, PAGE = "logs", "page"
"""What is in a folder of reports."""
EXCHANGES = "exchanges.ndjson.gz"
"""And too large to be beside the runs as well."""
LATEST = "latest"
"""What leads to the last run that could tell, in the folder of all runs."""
FILES = ".files.json"
"""What a run has written, in its folder: nothing else there is removed with it, nor handed to anybody."""
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[0-9a-z]{1,16}")
_ONLY_THERE = (".gz",)
"""Kinds of files that are too large to be beside the runs as well."""


class RunFolder:
    """Where one run's reports go. reports: the folder of all runs. name: of its own folder in it."""

    def __init__(self, reports: Path, name: str) -> None:
        self.reports, self.path = reports, reports / name
        self.is_latest = False
        self._unpublished = ""
        self._held: int | None = None

    @classmethod
    def of(cls, reports: Path, *, started: datetime, prefix: str) -> RunFolder:
        """Return the folder of a run by when it began, and by the prefix of everything that it makes."""
        when = started.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        return cls(reports, f"{when}-{prefix.rpartition('-')[2]}")

    def hold(self) -> None:
        """Make the folder, and keep others from taking it for one of a run that is over.

        A folder that can't be made is complained of when something is to be written there.
        """
        with contextlib.suppress(OSError):
            self.reports.mkdir(parents=True, exist_ok=True)
            with _locked(self.reports):
                write(self.path / FILES, "[]\n")
                self._held = _lock(self.path, wait=False)

    def publish(self, *, is_whole: bool) -> bool:
        """Make this the latest run, and copy its reports to beside the runs; return whether it is, see `standing`.

        is_whole: whether the run came to a verdict, and was not interrupted. One that did not is the latest only where
        no other could tell.
        """
        try:
            return self._published(is_whole)
        except OSError as error:
            self._unpublished = error.strerror or str(error)
            return False

    def _published(self, is_whole: bool) -> bool:
        with _locked(self.reports):
            before = latest(self.reports)
            told = [self.reports / REPORT, *([before / REPORT] if before is not None else [])]
            if not (is_whole or self.is_latest) and any(map(_tells, told)):
                return False
            self.is_latest = True
            _point(self.reports / LATEST, self.path.name)
            _copy(self.path, self.reports, instead_of=before)
            return True

    def close(self, *, keep: int) -> None:
        """Say what the run has written, and let the oldest runs go, so that so many are kept.

        The latest stays, and what is still being written, and each file that no run wrote. Where nothing can be
        written nothing is removed.
        """
        with contextlib.suppress(OSError), _locked(self.reports):
            if self.path.is_dir():
                written = sorted(path.relative_to(self.path).as_posix() for path in _files(self.path))
                if written:
                    write(self.path / FILES, json.dumps(written, indent=1) + "\n")
                else:
                    _remove(self.path)
            _prune(self.reports, keep, spared=self.path)
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @property
    def standing(self) -> str:
        """Return in words what `latest` is: this run, or another."""
        if self._unpublished:
            return f"not {LATEST}: {self._unpublished}"
        return LATEST if self.is_latest else f"{LATEST} is an earlier run still"


def runs(reports: Path) -> list[Path]:
    """Return the folders of the runs that are kept, the oldest first; none where there is no such folder."""
    try:
        found = sorted(path for path in reports.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return []
    return [path for path in found if (path / FILES).is_file() and not path.is_symlink()]


def latest(reports: Path) -> Path | None:
    """Return the folder of the last run that could tell; None where there is none."""
    link = reports / LATEST
    try:
        name = os.readlink(link) if link.is_symlink() else link.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return reports / name if _NAME.fullmatch(name) and (reports / name).is_dir() else None


def written(run: Path) -> list[Path]:
    """Return the files that a run has written, and that are still there; nothing else of its folder, no links."""
    try:
        listed = json.loads((run / FILES).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    # Of a run that was killed no list was made.
    names = names or [path.relative_to(run).as_posix() for path in _files(run) if _is_known(path.relative_to(run))]
    return [path for path in map(run.joinpath, names) if _is_inside(path, run)]


def _is_known(path: Path) -> bool:
    return path.parts[0] in (LOGS, PAGE, "har") or str(path) in (REPORT, SUMMARY, JUNIT, INDEX, f".{JUNIT}")


def _is_inside(path: Path, run: Path) -> bool:
    """Whether a path that a list of files has is a file of that folder: the list may be anybody's."""
    names = PurePosixPath(os.path.relpath(path, run)).parts
    parents = [run.joinpath(*names[:count]) for count in range(1, len(names) + 1)]
    return ".." not in names and path.is_file() and not any(parent.is_symlink() for parent in parents)


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file in a folder but the list of them."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path != folder / FILES:
            yield path


def _prune(reports: Path, keep: int, *, spared: Path) -> None:
    kept, pointed = runs(reports), latest(reports)
    excess = len(kept) - max(keep, 1)
    for run in kept:
        if excess > 0 and run not in (spared, pointed) and not _is_held(run):
            _remove(run)
            excess -= 1


def _is_held(run: Path) -> bool:
    try:
        descriptor = _lock(run, wait=False)
    except OSError:
        return True
    os.close(descriptor)
    return False


def _remove(run: Path) -> None:
    """Remove what a run has written, and its folder unless something of somebody else's is in it."""
    for path in [*written(run), run / FILES]:
        path.unlink(missing_ok=True)
    for folder in sorted((path for path in run.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
    with contextlib.suppress(OSError):
        run.rmdir()


def _point(link: Path, name: str) -> None:
    """Let `latest` lead to a run. A folder of that name is somebody else's, and stays."""
    draft = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    try:
        try:
            draft.symlink_to(name)
        except OSError:  # the file system has no links
            draft.write_text(f"{name}\n", encoding="utf-8")
        with contextlib.suppress(IsADirectoryError):
            draft.replace(link)
    finally:
        draft.unlink(missing_ok=True)


def _copy(run: Path, to: Path, *, instead_of: Path | None) -> None:
    """Copy a run's reports to beside the runs, and remove there what the run before has left."""
    ours = [path for path in run.iterdir() if path.is_file() and not path.name.startswith(".")]
    ours = [path for path in ours if path.suffix not in _ONLY_THERE]
    names = {path.name for path in ours}
    for path in written(instead_of) if instead_of is not None and instead_of != run else ():
        copy = to / path.name
        is_left = path.parent == instead_of and path.name not in names and copy.is_file()
        if is_left and filecmp.cmp(path, copy, shallow=False):
            copy.unlink()
    for path in ours:
        draft = to / f".{path.name}.{secrets.token_hex(4)}"
        try:
            shutil.copyfile(path, draft)
            draft.replace(to / path.name)
        finally:
            draft.unlink(missing_ok=True)


def _tells(report: Path) -> bool:
    """Return whether there is a report of a run that came to a verdict."""
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("verdict") not in (None, COULD_NOT_TELL)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other runs from changing a folder meanwhile, where the file system can."""
    try:
        descriptor = _lock(folder, wait=True)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, *, wait: bool) -> int:
    """Lock a folder until what is returned is closed. Raises OSError where that can't be, or another has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write(path: Path, content: str | bytes) -> None:
    """Write a file, all of it or none of it; whoever reads meanwhile reads the one before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
