"""The real LangFlux (Flowise) from npm: installed once into a cache, by a committed lock, and how it is started.

    folder = installed("2.2.8") or install("2.2.8", print)
    subprocess.Popen(command("2.2.8", folder), env={**os.environ, **environment(state, 3000)})

A lock is a folder `fixtures/data/langflux-<version>/`: package.json and package-lock.json as npm wants them (without
download addresses, so that any registry will do), and about.toml with what was measured when it was installed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from zep_conformance import suite
from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import cause_of, last_lines
from zep_conformance.facts.servers import LANGFLUX_VERSION
from zep_conformance.processes.guard import guarded
from zep_conformance.settings.sources import cache
from zep_conformance.targets.processes import surroundings

DEFAULT = LANGFLUX_VERSION
"""The version that is installed where none is named: the one that the recordings were made with."""
COMPLETE = "complete"
"""The file whose presence says that an installation came to its end."""
LOCK_FILES = ("package-lock.json", "package.json")
"""What npm needs of a lock."""
GET_NODE = "Install Node.js 20 (https://nodejs.org; or: nvm install 20), and have it first on the PATH."
POLL_INTERVAL = 0.5
"""Seconds between two reports of how far it is."""


@dataclass(frozen=True)
class LockedVersion:
    """A version that can be installed. node: the Node.js versions it runs on, any of them.

    disk, download: gigabytes that it takes, and that npm fetches at most. minutes: what an installation took, from
    and to, on two cores; the upper one with a compiled sqlite3 and nothing in npm's cache.
    """

    version: str
    source: Path
    node: tuple[SpecifierSet, ...]
    disk: float
    download: float
    minutes: tuple[int, int]

    @property
    def folder(self) -> Path:
        """Where it is installed: in the cache, in a folder of its own for each content of the lock."""
        digest = hashlib.sha256(b"".join((self.source / name).read_bytes() for name in LOCK_FILES))
        return cache() / f"langflux-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def nodes(self) -> str:
        """The Node.js versions in words: "18 (from 18.15) or 20"."""
        return " or ".join(_in_words(each) for each in self.node)

    def runs_on(self, node: str) -> bool:
        """Tell whether it runs on this version of Node.js ("v20.11.1")."""
        try:
            return any(each.contains(Version(node.removeprefix("v"))) for each in self.node)
        except InvalidVersion:
            return False


def versions() -> list[str]:
    """Return the versions that there is a lock for, oldest first."""
    found = (path.parent.name.removeprefix("langflux-") for path in suite.data().glob("langflux-*/about.toml"))
    return sorted(found, key=Version)


def locked_version(version: str) -> LockedVersion:
    """Return the lock of a version. Raises CannotTell where there is none."""
    if version not in versions():
        what = f"no committed lock for LangFlux {version}"
        advice = f"There are locks for {', '.join(versions())}; any other can be given running, with --langflux-url."
        raise CannotTell(what, advice, code="langflux-lock-missing")
    source = suite.data() / f"langflux-{version}"
    about = tomllib.loads((source / "about.toml").read_text(encoding="utf-8"))
    return LockedVersion(
        version=version,
        source=source,
        node=tuple(SpecifierSet(each) for each in about["node"]),
        disk=float(about["disk"]),
        download=float(about["download"]),
        minutes=(about["minutes"][0], about["minutes"][1]),
    )


def _in_words(versions: SpecifierSet) -> str:
    """Return a range within one major version: ">=18.15,<19" is "18 (from 18.15)"."""
    lowest = next(each.version for each in versions if each.operator == ">=")
    major = lowest.partition(".")[0]
    return major if lowest == major else f"{major} (from {lowest})"


@dataclass(frozen=True)
class Progress:
    """How far an installation is. done, total: packages that are there, and all; total is 0 where nobody knows."""

    stage: str
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


def installed(version: str = DEFAULT) -> Path | None:
    """Return the folder that this version is installed in, if it is. Raises CannotTell without a lock for it."""
    folder = locked_version(version).folder
    return folder if (folder / COMPLETE).exists() else None


def install(version: str = DEFAULT, on_progress: OnProgress = lambda _: None) -> Path:
    """Install this version, if it is not yet; returns its folder. Some minutes, see `locked_version(version)`.

    on_progress: called twice a second with how far it is. Two that install the same at once: one waits.
    All or nothing: the folder appears when everything is in it, and what a failure or an interruption leaves is
    removed, at the latest by the next installation.

    Raises CannotTell, before anything is done where that can be known: no lock for the version, no fitting
    Node.js, no npm, no room; or npm failed, with its last words.
    """
    found = installed(version)
    if found is not None:
        return found
    wanted = locked_version(version)
    check_node(wanted)
    program = check_npm()
    check_disk(wanted, wanted.folder)
    check_writable(wanted.folder.parent)
    with _alone(wanted, on_progress):
        # Another may have installed it while this one waited.
        return installed(version) or _install(wanted, program, on_progress)


@contextmanager
def _alone(wanted: LockedVersion, on_progress: OnProgress) -> Iterator[None]:
    """Keep two installations of the same apart, by a lock file; said where it has to be waited for."""
    held = FileLock(wanted.folder.with_name(f"{wanted.folder.name}.lock"))
    try:
        held.acquire(timeout=0)
    except Timeout:
        on_progress(Progress("another to end"))
        held.acquire()
    try:
        yield
    finally:
        held.release()


def _install(wanted: LockedVersion, program: str, on_progress: OnProgress) -> Path:
    draft = wanted.folder.with_name(f"{wanted.folder.name}.partial")
    # What a killed installation left; or a folder of before, that never was complete.
    _remove(draft, on_progress)
    _remove(wanted.folder, on_progress)
    try:
        draft.mkdir()
        for name in LOCK_FILES:
            shutil.copy(wanted.source / name, draft)
        # The packages' own scripts would fetch prebuilt binaries from elsewhere; only sqlite3 is needed built.
        fetch = [program, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run_npm(fetch, draft, _packages(draft), on_progress)
        compile_ = [program, "rebuild", "sqlite3", "--loglevel=error"]
        _run_npm(compile_, draft, lambda: Progress("compiling sqlite3"), on_progress)
        (draft / COMPLETE).touch()
        draft.rename(wanted.folder)
    except OSError as error:
        what = f"can't install LangFlux {wanted.version} into {wanted.folder}: {error.strerror}"
        advice = "Make room there, or name a folder that you may write to in $ZEP_CONFORMANCE_CACHE."
        raise CannotTell(what, advice, code="file-unwritable") from None
    finally:
        _remove(draft, on_progress)
    return wanted.folder


def _remove(folder: Path, on_progress: OnProgress) -> None:
    """Remove what is left of an installation, if anything is; said, since so many files take their time."""
    if folder.exists():
        on_progress(Progress("removing the rest"))
        shutil.rmtree(folder, ignore_errors=True)


def command(version: str, folder: Path) -> list[str]:
    """Return the command line of an installed LangFlux. Raises CannotTell without a Node.js that it runs on."""
    return [check_node(locked_version(version)), str(folder / "node_modules" / "flowise" / "bin" / "run"), "start"]


def environment(state: Path, port: int, host: str = "127.0.0.1") -> dict[str, str]:
    """Return the variables with which LangFlux listens on this port and keeps all its state in `state`; no telemetry.

    Flowise's own documentation, “Environment Variables”. HOME too: what has no variable goes there.
    """
    return {
        "HOST": host,
        "PORT": str(port),
        "HOME": str(state),
        "DATABASE_TYPE": "sqlite",
        "DATABASE_PATH": str(state),
        "APIKEY_PATH": str(state),
        "SECRETKEY_PATH": str(state),
        "LOG_PATH": str(state / "logs"),
        "BLOB_STORAGE_PATH": str(state / "blobs"),
        "DISABLE_FLOWISE_TELEMETRY": "true",
        "NODE_ENV": "production",
    }


def check_node(lock: LockedVersion) -> str:
    """Return the path of a Node.js that this version runs on. Raises CannotTell: none, or one that does not fit."""
    needs = f"LangFlux {lock.version} runs on Node.js {lock.nodes}"
    node = shutil.which("node")
    if node is None:
        raise CannotTell(f"no node on the PATH: {needs}", GET_NODE, code="node-unfit")
    found = surroundings.answer_of([node, "--version"])
    if not lock.runs_on(found):
        raise CannotTell(f"{node} is Node.js {found or 'that says no version'}: {needs}", GET_NODE, code="node-unfit")
    return node


def check_npm() -> str:
    """Return the path of npm. Raises CannotTell where there is none that works."""
    npm = shutil.which("npm")
    if npm is None or not surroundings.answer_of([npm, "--version"]):
        what = f"{npm} does not work" if npm else "no npm on the PATH"
        advice = "npm comes with Node.js from https://nodejs.org; Debian and Ubuntu have it apart: apt-get install npm"
        raise CannotTell(what, advice, code="npm-missing")
    return npm


def check_disk(lock: LockedVersion, folder: Path) -> None:
    """Check that there is room. Raises CannotTell with how much is missing, and where."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    # What npm fetches goes into its own cache, as a rule on the same disk.
    needed = lock.disk + lock.download
    if free < needed:
        what = f"LangFlux {lock.version} takes {needed:.1f} GB, and the disk of {there} has {free:.1f} GB free"
        advice = "Make room there, or name a folder on another disk in $ZEP_CONFORMANCE_CACHE."
        raise CannotTell(what, advice, code="disk-full")


def check_writable(folder: Path) -> None:
    """Make the cache's folder. Raises CannotTell where that may not be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"can't make the folder {folder}: {error.strerror}"
        advice = "Name one that you may write to in $ZEP_CONFORMANCE_CACHE."
        raise CannotTell(what, advice, code="file-unwritable") from None


def _run_npm(command: list[str], folder: Path, progress: Callable[[], Progress], on_progress: OnProgress) -> None:
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
                    code = process.wait(POLL_INTERVAL)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            # Closing its input is how the guard is told; it returns when npm is gone.
            process.communicate()
        log.seek(0)
        text = log.read().decode(errors="replace")
        if code != 0:
            known = cause_of(text, "npm")
            advice = "What was begun is removed; the same command starts again, with what npm has in its cache."
            if known is not None:
                advice = f"{known.advice} What was begun is removed; the same command starts again, from npm's cache."
            raise CannotTell(
                f"{' '.join(['npm', *command[1:]])} failed ({code}):\n{last_lines(text)}",
                advice,
                code=known.code if known else "npm-failed",
            )


def _packages(folder: Path) -> Callable[[], Progress]:
    """Return what counts the packages of the lock in `folder` that have arrived, whatever npm says of itself."""
    entries = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    # Those for other systems never arrive.
    expected = [folder / name / "package.json" for name, entry in entries.items() if name and not entry.get("optional")]
    waiting = set(expected)

    def progress() -> Progress:
        waiting.difference_update([path for path in waiting if path.exists()])
        return Progress("packages", len(expected) - len(waiting), len(expected))

    return progress
