"""The real LangFlux (Flowise) from npm: installed once into a cache, by a committed lock, and how it is started.

from zep_conformance import langflux_install as langflux

folder = langflux.installed("2.2.8") or langflux.install("2.2.8", print)
subprocess.Popen(langflux.command("2.2.8", folder), env={**os.environ, **langflux.environment(state, 3000)})
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zep_conformance.errors import CannotTell
from zep_conformance.targets.processes.installation import fitness, npm
from zep_conformance.targets.processes.installation.locks import COMPLETE, DEFAULT, Lock, cache, lock, versions
from zep_conformance.targets.processes.installation.npm import OnProgress, Progress

__all__ = [
    "DEFAULT",
    "Lock",
    "OnProgress",
    "Progress",
    "cache",
    "command",
    "environment",
    "install",
    "installed",
    "lock",
    "versions",
]


def installed(version: str = DEFAULT) -> Path | None:
    """The folder that this version is installed in, None where it is not. Raises CannotTell without a lock for it."""
    folder = lock(version).folder
    return folder if (folder / COMPLETE).exists() else None


def install(version: str = DEFAULT, on_progress: OnProgress = lambda _: None) -> Path:
    """Install this version, if it is not yet; returns its folder. Some minutes, see `lock(version)`.

    on_progress: called twice a second with how far it is. Two that install the same at once: one waits.
    All or nothing: the folder appears when everything is in it, and what a failure or an interruption leaves is
    removed, at the latest by the next installation.

    Raises CannotTell, before anything is done where that can be known: no lock for the version, no fitting
    Node.js, no npm, no room; or npm failed, with its last words.
    """
    found = installed(version)
    if found is not None:
        return found
    wanted = lock(version)
    fitness.check_node(wanted)
    program = fitness.check_npm()
    fitness.check_disk(wanted, wanted.folder)
    fitness.check_writable(wanted.folder.parent)
    with _alone(wanted, on_progress):
        # Another may have installed it while this one waited.
        return installed(version) or _install(wanted, program, on_progress)


@contextmanager
def _alone(wanted: Lock, on_progress: OnProgress) -> Iterator[None]:
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


def _install(wanted: Lock, program: str, on_progress: OnProgress) -> Path:
    draft = wanted.folder.with_name(f"{wanted.folder.name}.partial")
    # What a killed installation left; or a folder of before, that never was complete.
    _remove(draft, on_progress)
    _remove(wanted.folder, on_progress)
    try:
        draft.mkdir()
        for name in wanted.files:
            shutil.copy(wanted.source / name, draft)
        # The packages' own scripts would fetch prebuilt binaries from elsewhere; only sqlite3 is needed built.
        npm.run(
            [program, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            draft, npm.packages(draft), on_progress,
        )  # fmt: skip
        npm.run(
            [program, "rebuild", "sqlite3", "--loglevel=error"],
            draft,
            lambda: Progress("compiling sqlite3"),
            on_progress,
        )
        (draft / COMPLETE).touch()
        draft.rename(wanted.folder)
    except OSError as error:
        raise CannotTell(
            f"can't install LangFlux {wanted.version} into {wanted.folder}: {error.strerror}",
            "Make room there, or name a folder that you may write to in $ZEP_CONFORMANCE_CACHE.",
        ) from None
    finally:
        _remove(draft, on_progress)
    return wanted.folder


def _remove(folder: Path, on_progress: OnProgress) -> None:
    """Remove what is left of an installation, if anything is; said, since so many files take their time."""
    if folder.exists():
        on_progress(Progress("removing the rest"))
        shutil.rmtree(folder, ignore_errors=True)


def command(version: str, folder: Path) -> list[str]:
    """The command line that starts an installed LangFlux. Raises CannotTell without a Node.js that it runs on."""
    return [fitness.check_node(lock(version)), str(folder / "node_modules" / "flowise" / "bin" / "run"), "start"]


def environment(state: Path, port: int, host: str = "127.0.0.1") -> dict[str, str]:
    """The variables with which LangFlux listens on this port and keeps all its state in `state`; no telemetry.

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
