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
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_LIMIT = 20.0
"""Seconds that a part may take to accept its first connection."""
STOP_LIMIT = 5.0
"""Seconds that a part has for a clean stop before it is killed."""

# Forking shares what is imported; where forking is unsafe (macOS) or missing (Windows) a part imports its own.
_CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


class PortTaken(Exception):
    """A port that a part was to listen on is in use."""

    def __init__(self, part: str, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host}, for {part}, is in use")
        self.part, self.host, self.port = part, host, port


class PartDied(Exception):
    """A part ended, or did not come up; carries the last lines of its log."""

    def __init__(self, part: str, log: str) -> None:
        last = next(reversed(log.strip().splitlines()), "(empty)")
        super().__init__(f"{part} did not start; its log ends: {last[:500]}")
        self.part, self.log = part, log


@dataclass(frozen=True)
class Part:
    """One server to run: `factory` ("module:function") called in its own process gives the application.

    log: the file that its output is appended to. reserved: a socket that holds the port until the first start, so
    that no other process is given it in between.
    """

    name: str
    factory: str
    log: Path
    port: int
    host: str = "127.0.0.1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reserved: socket.socket | None = field(default=None, repr=False, compare=False)


def zep_app(departures: Iterable[str], manner: str, **settings: Any) -> Any:
    """The embedded Zep as an ASGI application, in a manner and with further departures."""
    from zep_conformance.servers.departures import recorded
    from zep_conformance.servers.zep.app import ZepSettings, create_app
    from zep_conformance.servers.zep.departures import CATALOGUE

    faithful = recorded(CATALOGUE) if manner == "faithful" else frozenset()
    return create_app(ZepSettings(departures=faithful | frozenset(departures), **settings))


def langflux_app(departures: Iterable[str], manner: str, **settings: Any) -> Any:
    """The embedded LangFlux as an ASGI application, in a manner and with further departures."""
    from zep_conformance.servers.departures import recorded
    from zep_conformance.servers.langflux.app import LangFluxSettings, create_app
    from zep_conformance.servers.langflux.departures import CATALOGUE

    faithful = recorded(CATALOGUE) if manner == "faithful" else frozenset()
    return create_app(LangFluxSettings(departures=faithful | frozenset(departures), **settings))


def parts_for(
    names: Iterable[str],
    *,
    manner: str,
    data: Path,
    departures: Mapping[str, Iterable[str]] | None = None,
    ports: Mapping[str, int] | None = None,
    host: str = "127.0.0.1",
    secrets: Mapping[str, str | None] | None = None,
    api_key: str = "embedded-langflux-key",
    given: Mapping[str, str] | None = None,
) -> list[Part]:
    """The parts to run, wired to each other.

    names: of `zep`, `zep-secured`, `langflux`, `model`, `nlp`. manner: "documented" or "faithful".
    data: folder for state and logs. departures: further ones, by part. ports: fixed ones, by part.
    secrets: what a Zep checks tokens with, by part; one without a secret is open.
    given: URLs of parts that run elsewhere.

    Raises PortTaken when a fixed port is in use.
    """
    names, ports, given, departures = list(names), dict(ports or {}), dict(given or {}), departures or {}
    secrets = secrets or {}
    data.mkdir(parents=True, exist_ok=True)
    reserved = {name: _listen(name, host, ports.get(name, 0)) for name in names}
    ports |= {name: int(listener.getsockname()[1]) for name, listener in reserved.items()}
    urls = {name: f"http://{host}:{ports[name]}" for name in names} | given
    model = f"{urls['model']}/v1" if "model" in urls else None

    def part(name: str, factory: str, **arguments: Any) -> Part:
        return Part(name, factory, data / f"{name}.log", ports[name], host, arguments, reserved[name])

    def zep(name: str) -> Part:
        return part(
            name,
            f"{__name__}:zep_app",
            departures=tuple(departures.get("zep", ())),
            manner=manner,
            database=data / f"{name}.sqlite3",
            model_url=model,
            nlp_url=urls.get("nlp"),
            auth_secret=secrets.get(name),
        )

    makers: dict[str, Callable[[], Part]] = {
        "zep": lambda: zep("zep"),
        "zep-secured": lambda: zep("zep-secured"),
        "langflux": lambda: part(
            "langflux",
            f"{__name__}:langflux_app",
            departures=tuple(departures.get("langflux", ())),
            manner=manner,
            database=data / "langflux.sqlite3",
            api_key=api_key,
        ),
        "model": lambda: part("model", "zep_conformance.servers.model:create_app"),
        "nlp": lambda: part("nlp", "zep_conformance.servers.nlp:create_app"),
    }
    return [makers[name]() for name in names]


def preload(part: Part) -> None:
    """Import what a part needs, before it is forked off, so that the parts share it."""
    module = part.factory.partition(":")[0]
    importlib.import_module(module)
    for package in ("zep", "langflux"):
        if part.name.startswith(package):
            importlib.import_module(f"zep_conformance.servers.{package}.app")


def _listen(name: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and turns Nagle's algorithm off: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(name, host, port) from error
    return listener


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


class Fleet:
    """Running parts. A context manager: leaving it stops them all."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = {part.name: part for part in parts}
        self._processes: dict[str, BaseProcess] = {}
        self._reserved = {part.name: part.reserved for part in self.parts.values()}

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

    def start(self, name: str) -> None:
        """Start a part that is not running, on its old port and data; returns when it answers.

        Raises PortTaken, or PartDied with the end of its log.
        """
        self._launch(name)
        self._await(name)

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

    def wait(self) -> str:
        """Wait until a part ends by itself; returns its name."""
        sentinels = {process.sentinel: name for name, process in self._processes.items()}
        ended = multiprocessing.connection.wait(list(sentinels))
        return next(name for sentinel, name in sentinels.items() if sentinel in ended)

    def stop_all(self) -> None:
        """Stop every part; those that don't end in time are killed."""
        for listener in filter(None, self._reserved.values()):
            listener.close()
        self._end(list(self._processes), signal.SIGTERM)

    def _launch(self, name: str) -> None:
        part = self.parts[name]
        listener = self._reserved.pop(name, None) or _listen(name, part.host, part.port)
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
            process = self._processes.pop(name)
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
