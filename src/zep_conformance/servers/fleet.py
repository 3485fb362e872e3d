"""The embedded servers as processes: started together in well under a second, each stoppable by itself.

One process a part, so that a part can really crash (SIGKILL), hang (SIGSTOP) or be away (stopped) while the
others go on, as in a deployment. The parts are forked from one process that has imported everything, which is
what makes a start cheap. None outlives the process that started it, however that ends.

    with Fleet(parts_for(["zep", "model", "nlp", "langflux"], manner="documented", data=folder)) as fleet:
        httpx.get(fleet.url("zep") + "/healthz")
        fleet.kill("zep"); fleet.start("zep")        # same port, same data
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

from zep_conformance.servers.parts import Part, PortTaken, listen, parts_for

__all__ = ["Fleet", "Part", "PartDied", "PortTaken", "parts_for", "preload"]

START_LIMIT = 20.0
"""Seconds that a part may take to accept its first connection."""
STOP_LIMIT = 5.0
"""Seconds that a part has for a clean stop before it is killed."""

# Forking shares what is imported; where forking is unsafe (macOS) or missing (Windows) a part imports its own.
_CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


class PartDied(Exception):
    """A part ended, or did not come up; carries the last lines of its log."""

    def __init__(self, part: str, log: str) -> None:
        last = next(reversed(log.strip().splitlines()), "(empty)")
        super().__init__(f"{part} did not start; its log ends: {last[:500]}")
        self.part, self.log = part, log


def preload(part: Part) -> None:
    """Import what a part needs, before it is forked off, so that the parts share it."""
    module = part.factory.partition(":")[0]
    importlib.import_module(module)
    for package in ("zep", "langflux"):
        if part.name.startswith(package):
            importlib.import_module(f"zep_conformance.servers.{package}.app")


def _serve(part: Part, listener: socket.socket, inherited: list[socket.socket], parent: int) -> None:
    """The life of one part, in its own process."""
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
        application,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
        ws="none",
    )

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self):  # type: ignore[no-untyped-def]
            signal.signal(signal.SIGTERM, self.handle_exit)
            yield

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


class Fleet:
    """Running parts. A context manager: leaving it stops them all."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = {part.name: part for part in parts}
        self._processes: dict[str, BaseProcess] = {}
        self._reserved = {part.name: part.reserved for part in self.parts.values()}
        self._cut_off: dict[str, tuple[socket.socket, ...]] = {}

    def __enter__(self) -> Self:
        try:
            for name in self.parts:
                self._launch(name)
            for name in self.parts:
                self._await(name)
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def url(self, name: str) -> str:
        """The base URL of a part, without a trailing slash."""
        part = self.parts[name]
        return f"http://{part.host}:{part.port}"

    def log(self, name: str) -> str:
        """What a part has written so far."""
        path = self.parts[name].log
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, name: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running, on its old port and data; returns when it answers.

        changed: variables that this start has otherwise than the first, where a part is configured by variables.
        Raises PortTaken, or PartDied with what it wrote since.
        """
        before = len(self.log(name))
        try:
            self._launch(name, changed or {})
            self._await(name)
        except PartDied as died:
            self._processes.pop(name).close()
            raise PartDied(name, died.log[before:]) from died

    def stop(self, name: str) -> None:
        """Stop a part as an operator does (SIGTERM), killing it if it does not end in time."""
        self._end([name], signal.SIGTERM)

    def kill(self, name: str) -> None:
        """End a part without warning (SIGKILL): a crash."""
        self._end([name], signal.SIGKILL)

    def pause(self, name: str) -> None:
        """Stop a part's clock (SIGSTOP): it accepts connections and never answers."""
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused part go on."""
        self._signal(name, signal.SIGCONT)

    def cut_off(self, name: str) -> None:
        """Drop what is sent to a part, as a firewall does.

        Linux drops a connection's first packet when the queue of those that nobody takes is full. So the part
        makes room for such a queue, and is started again by `reconnect`.
        """
        part = self.parts[name]
        self.stop(name)
        if "firewall-refuses" in part.arguments.get("departures", ()):
            return
        listener = listen(name, part.host, part.port)
        listener.listen(0)
        family = socket.AF_INET6 if ":" in part.host else socket.AF_INET
        waiting = socket.socket(family)
        waiting.connect((part.host, part.port))
        self._cut_off[name] = (listener, waiting)

    def reconnect(self, name: str) -> None:
        """Let through again what is sent to a part; returns when it answers."""
        for one in self._cut_off.pop(name, ()):
            one.close()
        self.start(name)

    def wait(self) -> str:
        """Wait until a part ends by itself; returns its name."""
        sentinels = {process.sentinel: name for name, process in self._processes.items()}
        ended = multiprocessing.connection.wait(list(sentinels))
        return next(name for sentinel, name in sentinels.items() if sentinel in ended)

    def stop_all(self) -> None:
        """Stop every part; those that don't end in time are killed."""
        for listener in filter(None, self._reserved.values()):
            listener.close()
        for one in itertools.chain.from_iterable(self._cut_off.values()):
            one.close()
        self._end(list(self._processes), signal.SIGTERM)

    def _launch(self, name: str, changed: Mapping[str, str] | None = None) -> None:
        part = self.parts[name]
        if changed:
            variables = {**part.arguments["environment"], **changed}
            part = replace(part, arguments={**part.arguments, "environment": variables})
        listener = self._reserved.pop(name, None) or listen(name, part.host, part.port)
        listener.listen(512)  # from here on a connection waits rather than being refused
        process: BaseProcess = _CONTEXT.Process(
            target=_serve,
            args=(replace(part, reserved=None), listener, self._inherited(), os.getpid()),
            name=name,
            daemon=True,
        )
        process.start()
        listener.close()  # the part holds the only copy: when it is gone, connections are refused
        self._processes[name] = process

    def _inherited(self) -> list[socket.socket]:
        """What a forked process gets copies of, and a spawned one does not."""
        return list(filter(None, self._reserved.values())) if _CONTEXT.get_start_method() == "fork" else []

    def _await(self, name: str) -> None:
        """Until the part answers HTTP, whatever the answer."""
        part = self.parts[name]
        deadline = time.monotonic() + START_LIMIT
        try:
            with socket.create_connection((part.host, part.port), timeout=START_LIMIT) as connection:
                connection.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n")
                answered = bool(connection.recv(1))
        except OSError:
            answered = False
        if not answered:
            self._processes[name].join(max(0.0, min(1.0, deadline - time.monotonic())))
            raise PartDied(name, self.log(name))

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._processes.get(name)
        if process is not None and process.pid is not None and process.is_alive():
            os.kill(process.pid, number)

    def _end(self, names: list[str], number: signal.Signals) -> None:
        for name in names:
            self._signal(name, number)
            self._signal(name, signal.SIGCONT)  # a paused part can't end
        deadline = time.monotonic() + STOP_LIMIT
        for name in names:
            process = self._processes.pop(name, None)
            if process is None:
                continue
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
