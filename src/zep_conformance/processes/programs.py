"""Real programs as parts: started, watched and ended, with everything that they start.

A program is described by a `Program`, which may be JSON, and run by a `ProgramProcess`. In its command, its variables
and its DSN ``{postgres.port}`` stands for a part's port and ``{model.url}`` for its URL: `wired` puts them in.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import TYPE_CHECKING, Any, Self

from zep_conformance.errors import DatabaseRefused, PartDied
from zep_conformance.processes.ending import await_end, dies_with, family_of, kill_all, signal_all, signal_group
from zep_conformance.processes.parts import listen, written
from zep_conformance.processes.readiness import DatabaseReady, HttpReady, Readiness

if TYPE_CHECKING:
    import psutil

START_LIMIT = 60.0
"""Seconds that a program may take to be ready, where it has no limit of its own."""
STOP_LIMIT = 15.0
"""Seconds that a program has for a clean stop before it is killed."""
ORPHAN_LIMIT = 2.0
"""Seconds that what a program has started may outlive it."""


@dataclass(frozen=True)
class Program:
    """A program to run.

    prepare: commands that run before its first start, one after the other. folder: where it is started.
    health: the path that answers 200 when it is ready; for a PostgreSQL instead `dsn`, and `databases` to make in it.
    after: the parts that must be ready before. stop: the signal with which an operator stops it. abandon: the signal
    that ends it quickly, with nothing left of it outside its folder. user: (uid, gid) of who runs it, None for us.
    environment: all its variables; none is inherited. versions: the command that starts another
    version of it, by what that is called. reserved: a socket that holds its port for good: as long as
    the program does not listen on it connections are refused, and nobody else is given it. limit: seconds that it may
    take to be ready.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    health: str = ""
    dsn: str = field(default="", repr=False)
    databases: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    stop: str = "SIGTERM"
    abandon: str = "SIGKILL"
    user: tuple[int, int] | None = None
    host: str = "127.0.0.1"
    port: int = 0
    reserved: socket.socket | None = field(default=None, repr=False, compare=False)
    limit: float = START_LIMIT

    @property
    def readiness(self) -> Readiness:
        """What says when it is ready."""
        if self.dsn:
            return DatabaseReady(self.dsn, self.databases)
        return HttpReady(self.host, self.port, self.health)

    def as_json(self) -> dict[str, Any]:
        """Return it for another process, see `from_json`."""
        found = {name: value for name, value in vars(self).items() if name not in ("reserved", "port")}
        return found | {"folder": str(self.folder), "log": str(self.log), "environment": dict(self.environment)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Return what `as_json` gave, with a port that is held for it. Raises PortTaken where there is none left."""
        lists: dict[str, Any] = {name: tuple(found[name]) for name in ("command", "databases", "after")}
        lists["prepare"] = tuple(tuple(command) for command in found["prepare"])
        lists["user"] = tuple(found["user"]) if found["user"] else None
        reserved = listen(found["name"], found["host"], 0)
        port = reserved.getsockname()[1]
        if sys.platform != "linux":  # only there may another listen on a port that is held so
            reserved.close()
        paths = {name: Path(found[name]) for name in ("folder", "log")}
        return cls(**{**found, **lists, **paths}, port=port, reserved=reserved)

    def as_version(self, version: str) -> Self:
        """Return it as another version of itself. Raises KeyError for one that it has not."""
        return replace(self, command=tuple(self.versions[version]))

    def wired(self, places: Mapping[str, str]) -> Self:
        """With the ports and URLs of other parts in it. places: by what stands for them, as "model.url"."""

        def put(text: str) -> str:
            for name, place in places.items():
                text = text.replace("{" + name + "}", place)
            return text

        return replace(
            self,
            command=tuple(put(word) for word in self.command),
            environment={name: put(value) for name, value in self.environment.items()},
            dsn=put(self.dsn),
        )


class ProgramProcess:
    """A program that runs, or is to."""

    def __init__(self, program: Program) -> None:
        self.part = self._first = program
        self.began = 0.0
        """When its start began, by time.monotonic()."""
        self.launched = 0.0
        """When the program itself was launched, after what prepares it."""
        self._waiting = list(program.prepare)
        self._changed: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_preparing = False

    def launch(self, changed: Mapping[str, str]) -> None:
        """Begin to start it; `is_up` says when it is. changed: variables that differ, empty for one that is not set.

        Raises PortTaken where somebody else listens on its port, PartDied where it can't be run.
        """
        listen(self.part.name, self.part.host, self.part.port).close()
        self._changed = dict(changed)
        self.began = self.launched = time.monotonic()
        self._next()

    def become(self, version: str) -> None:
        """Be another version from its next start on. Raises KeyError for one that it has not."""
        self.part = self._first.as_version(version)

    def _next(self) -> None:
        """Run the next command that prepares it, or the program itself."""
        program = self.part
        self._is_preparing = bool(self._waiting)
        if self._is_preparing:
            command = self._waiting.pop(0)
        else:
            command, self.launched = program.command, time.monotonic() if program.prepare else self.began
        variables = {name: value for name, value in {**program.environment, **self._changed}.items() if value}
        uid, gid = program.user or (None, None)
        death = SIGKILL if self._is_preparing else Signals[program.abandon]
        try:
            with program.log.open("ab") as log:
                self._process = subprocess.Popen(
                    command, cwd=program.folder, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    # A group of its own, so that it can be ended with what it starts.
                    process_group=0, preexec_fn=dies_with(os.getpid(), death),
                    user=uid, group=gid, extra_groups=None if program.user is None else [],
                )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            self._process = None
            raise self._died(f"could not be run: {command[0]}: {error}") from None

    def is_up(self) -> bool:
        """Return whether it is ready: one probe. Raises PartDied when it has ended, or has taken too long."""
        program = self.part
        assert self._process is not None, "it was launched"
        code = self._process.poll()
        if self._is_preparing and code == 0:
            self._next()
            return False
        if code is not None:
            raise self._given_up(ended(code))
        if self._is_preparing:
            return False
        try:
            found = program.readiness.is_ready()
        except DatabaseRefused as error:
            raise self._given_up(error.what) from None
        if not found and time.monotonic() > self.began + program.limit:
            raise self._given_up(f"did not answer within {program.limit:.0f} s")
        return found

    def _given_up(self, how: str) -> PartDied:
        self.end(SIGKILL)
        return self._died(how)

    def _died(self, how: str) -> PartDied:
        return PartDied(part=self.part.name, how=how, log=self.log())

    def log(self) -> str:
        """Return what it has written so far."""
        return written(self.part.log)

    def died(self) -> str | None:
        """Return how it ended, if it did so by itself; None while it runs, and where it was ended."""
        code = self._process.poll() if self._process is not None else None
        return None if code is None else ended(code)

    def signal(self, number: Signals) -> None:
        """Send a signal to it and to everything that it has started."""
        signal_all(self._family(), number)

    def send(self, number: Signals) -> None:
        """Send a signal to it as an operator does: to its process group."""
        if self._process is not None:
            signal_group(self._process.pid, number)

    def end(self, number: Signals) -> None:
        """Send a signal, and return when it and everything that it started is gone; killed if it does not go."""
        if self._process is None:
            return
        if number == SIGKILL:
            # Stopped first, it can't start another that would outlive it: a PostgreSQL whose last child still lives
            # refuses to start again.
            self.send(SIGSTOP)
        family = self._family()
        if number == SIGKILL:
            kill_all(family)
        else:
            self.send(number)
        self.signal(SIGCONT)  # a paused process can't end
        await_end(family[:1], STOP_LIMIT)
        await_end(family, ORPHAN_LIMIT)
        kill_all([*family, *self._family()])
        self.send(SIGKILL)  # what came in between
        self._process.wait()
        self._process = None

    def _family(self) -> list[psutil.Process]:
        """Its process and all that come of it."""
        return family_of(self._process.pid) if self._process is not None else []


def ended(code: int) -> str:
    """Return an exit code of Popen in words."""
    return f"was ended by {Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
