"""Runs of the suite, each in a process of its own that is forked from one in which the suite is collected already.

Where forking is unsafe (macOS) or missing (Windows) each run's process imports and collects everything itself.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from zep_conformance import suite

PLUGINS = [
    word for name in ("pytest_bdd.plugin", "pytest_timeout", "zep_conformance.session.plugin") for word in ("-p", name)
]
"""The options that name the plugins of a run: those that happen to be installed are not looked for."""
_NOT_OURS = ("ZEP_", "LANGFLUX_", "MODEL_URL", "PYTEST_")  # variables that would change what is tested

_CONTEXT: Any = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if _CONTEXT.get_start_method() == "forkserver":
    _CONTEXT.set_forkserver_preload(["zep_conformance.mutation.warm"])
_LOCK = threading.Lock()
"""Is held while a process is started, or is asked whether it has ended: two threads would take each other's answer."""


def ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that would change what is tested."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_NOT_OURS)}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def forked(target: Callable[..., None], *arguments: Any) -> Any:
    """Start a process in which the suite is collected already, and return it: it calls `target`, and ends with it.

    It has children of its own, and ends them itself. See `multiprocessing.Process`.
    """
    process = _CONTEXT.Process(target=target, args=arguments)  # no daemon: those may not have children
    with _LOCK:
        process.start()
    return process


def begin(
    environment: Mapping[str, str],
    *,
    folder: Path,
    output: Path,
    errors: Path | None = None,
    given: Path = Path(os.devnull),
) -> None:
    """Make the forked process that calls this one of its own, which Ctrl-C at a terminal does not reach.

    environment: all its variables. folder: where it is. output, errors: the files that it writes to, both to the one
    where there is no other. given: the file that it reads as its standard input.
    """
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C reaches the one that started it alone, which ends it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, path in ((1, output), (2, errors or output)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    with given.open("rb") as file:
        os.dup2(file.fileno(), 0)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")  # the one that a forked process has is closed
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # of a process that had others
    os.chdir(folder)
    from zep_conformance.processes import launching

    if "zep_conformance.mutation.warm" in sys.modules:
        launching.fork_from_here()


class SuiteProcess:
    """One run of the suite, from its start on."""

    def __init__(self, options: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        """Start it. options: those of pytest. environment: all its variables. log: the file that it writes to."""
        command = [str(suite.root() / "features"), "-q", "-p", "no:cacheprovider", *PLUGINS, *options]
        log.unlink(missing_ok=True)
        log.touch()
        self._process = forked(_run, command, dict(environment), log)

    @property
    def pid(self) -> int:
        """Its number."""
        number: int = self._process.pid
        return number

    def wait(self, limit: float) -> int | None:
        """Return its exit code, None when it has not ended after `limit` seconds."""
        with _LOCK:
            is_known = self._process.exitcode is not None  # then its sentinel may say nothing any more
        if not is_known and not wait([self._process.sentinel], limit):
            return None
        with _LOCK:
            self._process.join()
            code: int = self._process.exitcode
            return code

    def interrupt(self) -> None:
        """Interrupt it, as Ctrl-C does, if it runs."""
        with _LOCK:
            if self._process.is_alive():
                os.kill(self._process.pid, signal.SIGINT)

    def end(self, limit: float) -> None:
        """Interrupt it, and kill it when it has not ended after `limit` seconds."""
        self.interrupt()
        if self.wait(limit) is None:
            self._process.kill()
            self.wait(limit)


def _run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Be one run of the suite, in a process of its own."""
    begin(environment, folder=suite.root(), output=log)
    import pytest

    sys.exit(int(pytest.main(list(command))))
