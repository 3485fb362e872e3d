"""What can be done to a part: by stopping, killing, pausing, re-creating its container, and by a firewall's routes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from zep_conformance.errors import CannotTell
from zep_conformance.targets.containers import firewall
from zep_conformance.targets.containers.engine import Refused, explained, last_of, said
from zep_conformance.targets.containers.parts import STOP_LIMIT, Died, Parts, how_ended, logged
from zep_conformance.targets.containers.plan import SECURED


class ContainerControl:
    """Control over containers. Raises CannotTell with what the engine or the part says."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._down: set[str] = set()
        """The parts that are down because somebody wanted it."""

    def start(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running; returns when it answers.

        changed: variables that differ: the part is created again with these, on the same data and ports, beside its
        own container, which stays as it is for the next start.
        """
        self._parts.remove_changed(part)
        self._down.add(part)  # until it answers
        if changed:
            self._parts.create(part, changed)
        else:
            container = self._parts.current(part)
            self._do(part, container.start)
        self._parts.await_ready(part)
        self._down.discard(part)
        if part == "postgres":
            self._renew_secured()

    def _renew_secured(self) -> None:
        """Restart the secured Zep, which no scenario about PostgreSQL looks at.

        A Zep 0.27.2 whose database was away answers 500 once for each connection in its pool. The Zep under test
        has to get over that by itself; at the secured one, later scenarios would trip over it.
        """
        container = self._parts.current(SECURED)
        if container.status == "running":
            self._do(SECURED, lambda: container.restart(timeout=STOP_LIMIT))
            self._parts.await_ready(SECURED)

    def attempt(self, part: str, changed: Mapping[str, str]) -> str | None:
        """Try to start a part that is not running. Returns what it wrote when it ended, None if it came up."""
        try:
            self.start(part, changed)
        except Died as died:
            self._parts.remove_changed(part)
            return died.log
        return None

    def stop(self, part: str) -> None:
        """Stop a part as an operator does: SIGTERM, and SIGKILL when that does not end it in 10 s."""
        container = self._parts.current(part)
        self._down.add(part)
        self._do(part, lambda: container.stop(timeout=STOP_LIMIT))

    def kill(self, part: str) -> None:
        """End a part without warning (SIGKILL)."""
        container = self._parts.current(part)
        self._down.add(part)
        self._do(part, container.kill)
        self._do(part, lambda: container.wait(timeout=STOP_LIMIT))

    def pause(self, part: str) -> None:
        """Stop a part's clock (the kernel's freezer)."""
        self._do(part, self._parts.current(part).pause)

    def resume(self, part: str) -> None:
        """Let a paused part go on."""
        self._do(part, self._parts.current(part).unpause)

    def cut_off(self, part: str) -> None:
        """Drop what is sent to a part, and what it sends itself."""
        self._route(part, "add")

    def reconnect(self, part: str) -> None:
        """Let through again what is sent to a part."""
        self._route(part, "remove")

    def ended(self) -> dict[str, str]:
        """The parts that ended though nobody had asked them to, and how."""
        up = [part for part in self._parts.specs if part not in self._down]
        containers = {part: self._parts.find(part, changed=True) or self._parts.find(part) for part in up}
        return {
            part: "its container was removed" if one is None else how_ended(one)
            for part, one in containers.items()
            if one is None or one.status in ("exited", "dead")
        }

    def _route(self, part: str, verb: str) -> None:
        """Run the firewall's script in a part's network, in a short-lived container of our own image."""
        name = f"{self._parts.name(part)}-firewall"
        client = self._parts.engine.client
        code, words = 0, ""
        try:
            with self._parts.gate.passing():
                helper = client.containers.run(
                    self._parts.specs["model"].image,
                    [verb],
                    entrypoint=["python3", "-c", inspect.getsource(firewall)],
                    name=name,
                    detach=True,
                    labels=self._parts.labels,
                    network_mode=f"container:{self._parts.current(part).id}",
                    cap_add=["NET_ADMIN"],
                    user="0",
                )
            code, words = helper.wait(timeout=STOP_LIMIT)["StatusCode"], logged(helper)
        except Refused as error:
            code, words = 1, said(error)
        finally:
            self._parts.remove(name)
        if code:
            raise CannotTell(
                f"{part} can't be cut off from its network: {last_of(words[-300:])}",
                "The engine must allow NET_ADMIN in a container's network; else give --without network.",
            )

    def _do(self, part: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Refused as error:
            raise explained(error, part, self._parts.specs[part].image) from None
