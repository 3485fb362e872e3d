"""Runs of the suite, each in a process of its own that is forked from one in which the suite is collected already.

Where forking is unsafe (macOS) or missing (Windows) each run's process imports and collects everything itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
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


class SuiteProcess:
    """One run of the suite, from its start on."""

    def __init__(self, options: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        """Start it. options: those of pytest. environment: all its variables. log: the file that it writes to."""
        command = [str(suite.root() / "features"), "-q", "-p", "no:cacheprovider", *PLUGINS, *options]
        log.touch()
        # No daemon: it has children of its own, and ends them itself.
        self._process = _CONTEXT.Process(target=_run, args=(command, dict(environment), log))
        with _LOCK:
            self._process.start()

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
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C reaches the one that started it alone, which ends it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # of a process that had others
    os.chdir(suite.root())
    import pytest

    from zep_conformance.processes import launching

    if "zep_conformance.mutation.warm" in sys.modules:
        launching.fork_from_here()
    sys.exit(int(pytest.main(list(command))))
