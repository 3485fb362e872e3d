"""An embedded server as a process, forked from one that has imported everything: that makes a start cheap."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.process import BaseProcess
from signal import Signals
from typing import Any

from zep_conformance.errors import REPORT_IT, PartDied
from zep_conformance.processes.parts import Part, listen, written
from zep_conformance.processes.readiness import HttpReady

START_LIMIT = 20.0
"""Seconds that a part may take to accept its first connection."""
STOP_LIMIT = 5.0
"""Seconds that a part has for a clean stop before it is killed."""

# Forking shares what is imported; where forking is unsafe (macOS) or missing (Windows) a part imports its own.
_CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
IS_FORKED = _CONTEXT.get_start_method() == "fork"


def preload(part: Part) -> None:
    """Import what a part needs, before it is forked off, so that the parts share it."""
    module = part.factory.partition(":")[0]
    for needed in (module, "httpx", "uvicorn"):
        importlib.import_module(needed)
    for package in ("zep", "langflux"):
        if part.name.startswith(package):
            importlib.import_module(f"zep_conformance.embedded.{package}.app")


def _serve(part: Part, listener: socket.socket, inherited: list[socket.socket], parent: int) -> None:
    """Live the life of one part, in its own process."""
    for other in inherited:  # forking copied them: held open here, a stopped part would seem to hang, not to be gone
        other.close()
    import uvicorn

    # Ctrl-C reaches every process of a terminal; only the one that started the parts decides to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = os.open(part.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = open(log, "w", buffering=1, closefd=False)  # noqa: SIM115  (for the process's life)
    module, _, function = part.factory.partition(":")
    application = getattr(importlib.import_module(module), function)(**part.arguments)
    if hasattr(application, "serve"):  # it speaks another protocol than HTTP
        asyncio.run(_serve_alone(application, listener, parent))
        return
    config = uvicorn.Config(
        application, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=2, ws="none"
    )

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self):  # type: ignore[no-untyped-def]
            yield

        async def main_loop(self) -> None:
            """As uvicorn's, but that SIGTERM ends it at once, and not at the next tick."""
            ended = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
            counter = 0
            while not (ended.is_set() or await self.on_tick(counter)):
                counter += 1
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(ended.wait(), 0.1)

        async def on_tick(self, counter: int) -> bool:
            orphaned = os.getppid() != parent
            return await super().on_tick(counter) or orphaned

    asyncio.run(Server(config).serve(sockets=[listener]))


async def _serve_alone(application: Any, listener: socket.socket, parent: int) -> None:
    """Let a server that is no ASGI application serve until SIGTERM, or until it is an orphan."""
    listener.setblocking(False)
    serving = asyncio.ensure_future(application.serve(listener))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    while not (await asyncio.wait([serving], timeout=0.1))[0]:
        if os.getppid() != parent:
            serving.cancel()


class ServerProcess:
    """A part that runs, or is to. inherited: sockets that a forked process gets copies of, and must close."""

    def __init__(self, part: Part) -> None:
        self.part = self._first = part
        self.reserved = part.reserved
        """What holds its port until its first start."""
        self._process: BaseProcess | None = None

    @property
    def sentinel(self) -> int | None:
        """Becomes ready when the process ends; None where there is none."""
        return self._process.sentinel if self._process is not None else None

    def launch(self, changed: Mapping[str, str], inherited: list[socket.socket]) -> None:
        """Fork its process; `await_answer` says when it is up. changed: variables that differ, for this start.

        Raises PortTaken.
        """
        part = self.part
        if changed:
            variables = {**part.arguments["environment"], **changed}
            part = replace(part, arguments={**part.arguments, "environment": variables})
        listener = self.reserved or listen(part.name, part.host, part.port)
        self.reserved = None
        listener.listen(512)  # from here on a connection waits rather than being refused
        what = (replace(part, reserved=None), listener, inherited, os.getpid())
        process: BaseProcess = _CONTEXT.Process(target=_serve, args=what, name=part.name, daemon=True)
        process.start()
        listener.close()  # the part holds the only copy: when it is gone, connections are refused
        self._process = process

    def become(self, version: str) -> None:
        """Be another version from its next start on. Raises KeyError for one that it has not."""
        self.part = replace(self._first, arguments={**self._first.arguments, **self._first.versions[version]})

    def await_answer(self) -> None:
        """Until the part answers HTTP, whatever the answer. Raises PartDied when it does not, with its log."""
        part = self.part
        deadline = time.monotonic() + START_LIMIT
        if not HttpReady(part.host, part.port, "/healthz", any_answer=True, limit=START_LIMIT).is_ready():
            if self._process is not None:
                self._process.join(max(0.0, min(1.0, deadline - time.monotonic())))
            raise PartDied(part=part.name, log=self.log(), advice=REPORT_IT)

    def log(self) -> str:
        """Return what it has written so far."""
        return written(self.part.log)

    def died(self) -> str | None:
        """Return how it ended, if it did so by itself; None while it runs, and where it was ended."""
        return None if self._process is None or self._process.is_alive() else "ended"

    def signal(self, number: Signals) -> None:
        """Send a signal to it, if it runs."""
        if self._process is not None and self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, number)

    def end(self, number: Signals) -> None:
        """Send a signal, and return when it is gone; killed if it does not go."""
        self.signal(number)
        self.signal(signal.SIGCONT)  # a paused part can't end
        process, self._process = self._process, None
        if process is None:
            return
        process.join(STOP_LIMIT)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
