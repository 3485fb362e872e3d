"""The parts of a target as processes: started together, each stoppable by itself.

One process a part, so that a part can really crash (SIGKILL), hang (SIGSTOP) or be away (stopped) while the
others go on, as in a deployment. The embedded ones are forked from this process, in well under a second; beside them
real programs may run. None outlives the process that started it, however that ends.

    with Fleet(parts_for(["zep", "model", "nlp", "langflux"], data=folder)) as fleet:
        httpx.get(fleet.url("zep") + "/healthz")
        fleet.kill("zep"); fleet.start("zep")        # same port, same data
"""

from __future__ import annotations

import itertools
import multiprocessing.connection
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from zep_conformance.errors import PartDied
from zep_conformance.processes.parts import Part, listen
from zep_conformance.processes.programs import Program, ProgramProcess
from zep_conformance.processes.served import IS_FORKED, ServerProcess, preload

__all__ = ["Fleet", "Part", "Program", "preload"]

OnPhase = Callable[[str, str, float, float], None]
"""Is called with each phase of a program's start: its name, create or start, and when that began and ended."""
POLL_INTERVAL = 0.04
"""Seconds between two probes of whether programs are ready."""


class Fleet:
    """Running parts. A context manager: leaving it stops them all.

    programs: real ones beside the embedded parts. on_phase: is called with the phases of their first start. pause:
    waits so many seconds between two probes, and may raise to give up.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        programs: Iterable[Program] = (),
        *,
        on_phase: OnPhase = lambda *_: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        embedded, real = list(parts), list(programs)
        every: list[Part | Program] = [*embedded, *real]
        places = {f"{part.name}.port": str(part.port) for part in every}
        places |= {f"{part.name}.url": _url(part) for part in every}
        self._served = {part.name: ServerProcess(part) for part in embedded}
        self._ran = {program.name: ProgramProcess(program.wired(places)) for program in real}
        self.parts: dict[str, Part | Program] = {name: one.part for name, one in self._all().items()}
        self._on_phase, self._pause = on_phase, pause
        self._cut_off: dict[str, tuple[socket.socket, ...]] = {}

    def _all(self) -> dict[str, ServerProcess | ProgramProcess]:
        return {**self._served, **self._ran}

    def __enter__(self) -> Self:
        try:
            # What takes longest begins first.
            waiting = {name for name in self._ran if not self._launch_if_ready(name, set(self._ran))}
            for served in self._served.values():
                preload(served.part)
            for served in self._served.values():
                served.launch({}, self._inherited(served))
            for served in self._served.values():
                served.await_answer()
            self._bring_up(set(self._ran), waiting, self._on_phase)
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def url(self, name: str) -> str:
        """Return the base URL of a part, without a trailing slash."""
        return _url(self.parts[name])

    def log(self, name: str) -> str:
        """Return what a part has written so far."""
        return self._all()[name].log()

    def start(self, name: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running, on its old port and data; returns when it answers.

        changed: variables that this start has otherwise than the first, where a part is configured by variables.
        Raises PortTaken, or PartDied with what it wrote since.
        """
        one = self._all()[name]
        before = len(one.log())
        try:
            if isinstance(one, ProgramProcess):
                one.launch(changed or {})
                self._bring_up({name}, set(), lambda *_: None)
            else:
                one.launch(changed or {}, self._inherited(one))
                one.await_answer()
        except PartDied as died:
            one.end(signal.SIGKILL)
            raise PartDied(part=name, how=died.how, log=died.log[before:]) from died

    def start_as(self, name: str, version: str) -> None:
        """Start a part that is not running as another version of itself, which it stays; see `start`."""
        self._all()[name].become(version)
        self.start(name)

    def stop(self, name: str) -> None:
        """Stop a part as an operator does (SIGTERM, or what it takes for that), killing it if it does not end."""
        one = self._all()[name]
        one.end(signal.Signals[one.part.stop] if isinstance(one, ProgramProcess) else signal.SIGTERM)

    def kill(self, name: str) -> None:
        """End a part without warning (SIGKILL): a crash."""
        self._all()[name].end(signal.SIGKILL)

    def pause(self, name: str) -> None:
        """Stop a part's clock (SIGSTOP): it accepts connections and never answers."""
        self._all()[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused part go on."""
        self._all()[name].signal(signal.SIGCONT)

    def cut_off(self, name: str) -> None:
        """Drop what is sent to a part, as a firewall does.

        Linux drops a connection's first packet when the queue of those that nobody takes is full. So the part
        makes room for such a queue, and is started again by `reconnect`.
        """
        part = self.parts[name]
        self.stop(name)
        if isinstance(part, Part) and part.refuses_when_cut_off:
            return
        listener = listen(name, part.host, part.port)
        listener.listen(0)
        self._cut_off[name] = (listener, socket.create_connection((part.host, part.port)))

    def reconnect(self, name: str) -> None:
        """Let through again what is sent to a part; returns when it answers."""
        for one in self._cut_off.pop(name, ()):
            one.close()
        self.start(name)

    def ended(self) -> dict[str, str]:
        """Return the parts that ended by themselves, and how."""
        return {name: how for name, one in self._all().items() if (how := one.died())}

    def wait(self) -> str:
        """Wait until an embedded part ends by itself; returns its name."""
        sentinels = {one.sentinel: name for name, one in self._served.items() if one.sentinel is not None}
        ended = multiprocessing.connection.wait(list(sentinels))
        return next(name for sentinel, name in sentinels.items() if sentinel in ended)

    def stop_all(self) -> None:
        """Stop every part; those that don't end in time are killed."""
        for listener in self._held():
            listener.close()
        for one in itertools.chain.from_iterable(self._cut_off.values()):
            one.close()
        # All are told before any is waited for. Programs lose their state: there is nothing to end cleanly.
        for served in self._served.values():
            served.signal(signal.SIGTERM)
        for ran in self._ran.values():
            ran.send(signal.Signals[ran.part.abandon])
        for ran in self._ran.values():
            ran.end(signal.Signals[ran.part.abandon])
        for served in self._served.values():
            served.end(signal.SIGTERM)

    def _launch_if_ready(self, name: str, absent: set[str]) -> bool:
        """Launch a program, unless one of `absent` must be there before it; whether that was done."""
        is_ready = absent.isdisjoint(self._ran[name].part.after)
        if is_ready:
            self._ran[name].launch({})
        return is_ready

    def _bring_up(self, starting: set[str], waiting: set[str], on_phase: OnPhase) -> None:
        """Wait until programs are ready. waiting: those of them that are to be launched when others are."""
        while starting:
            waiting = {name for name in waiting if not self._launch_if_ready(name, starting)}
            for name in sorted(starting - waiting):
                ran = self._ran[name]
                if ran.is_up():
                    starting = starting - {name}
                    if ran.launched > ran.began:
                        on_phase(name, "create", ran.began, ran.launched)
                    on_phase(name, "start", ran.launched, time.monotonic())
            if starting:
                self._pause(POLL_INTERVAL)

    def _held(self) -> list[socket.socket]:
        return [one.reserved for one in self._served.values() if one.reserved]

    def _inherited(self, served: ServerProcess) -> list[socket.socket]:
        """Of these, what the forked process of a part gets copies of and must not keep; a spawned one gets none."""
        return [held for held in self._held() if held is not served.reserved] if IS_FORKED else []


def _url(part: Part | Program) -> str:
    return f"http://{part.host}:{part.port}"
