"""Control over the containers of a run: by its containers' names, and by a firewall's routes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from zep_conformance.errors import CannotTell, PartDied
from zep_conformance.facts.causes import one_line
from zep_conformance.targets.base import AFTER
from zep_conformance.targets.containers import firewall
from zep_conformance.targets.containers.parts import Parts
from zep_conformance.targets.containers.plan import SECURED
from zep_conformance.targets.docker.control import STOP_LIMIT, ContainerControl, logged
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, answer_of

if TYPE_CHECKING:
    from docker.models.containers import Container


class PartsControl(ContainerControl):
    """Control over each part of a run.

    Variables that differ are given to a container of its own beside the part's, which stays as it is for the next
    start: on the same data and ports.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._upgraded: set[str] = set()
        """The parts that are the version to upgrade to."""

    @property
    def parts(self) -> Iterable[str]:
        """All parts of the run."""
        return self._parts.specs

    def find(self, part: str) -> Container | None:
        """Return the container that a part runs in now, None where there is none."""
        return self._parts.find(part, changed=True) or self._parts.find(part)

    def bring_up(self, part: str, changed: Mapping[str, str]) -> None:
        """Start a part's container, or one with variables that differ, and wait until it answers."""
        self._parts.remove_changed(part)
        if changed or part in self._upgraded:
            self._parts.create(part, changed, is_upgraded=part in self._upgraded)
        else:
            self._do(part, self.container(part), lambda one: one.start())
        try:
            self._parts.await_ready(part)
        except PartDied:
            self._parts.remove_changed(part)
            raise
        if part == "postgres":
            self._restart_secured()

    def _restart_secured(self) -> None:
        """Restart the secured Zep, which no scenario about PostgreSQL looks at.

        A Zep 0.27.2 whose database was away answers 500 once for each connection in its pool. The Zep under test
        has to get over that by itself; at the secured one, later scenarios would trip over it.
        """
        container = self.container(SECURED)
        if container.status == "running":
            self._do(SECURED, container, lambda one: one.restart(timeout=STOP_LIMIT))
            self._parts.await_ready(SECURED)

    def start_as(self, part: str, version: str) -> None:
        """Start a part that is not running as another version: its image's container, on the same data and ports."""
        (self._upgraded.add if version == AFTER else self._upgraded.discard)(part)
        self.start(part)

    def cut_off(self, part: str) -> None:
        """Drop what is sent to a part, and what it sends itself."""
        self._route(part, "add")

    def reconnect(self, part: str) -> None:
        """Let through again what is sent to a part."""
        self._route(part, "remove")

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
                    network_mode=f"container:{self.container(part).id}",
                    cap_add=["NET_ADMIN"],
                    user="0",
                )
            code, words = helper.wait(timeout=STOP_LIMIT)["StatusCode"], logged(helper)
        except ENGINE_ERRORS as error:
            code, words = 1, answer_of(error)
        finally:
            self._parts.remove(name)
        if code:
            what = f"{part} can't be cut off from its network: {one_line(words[-300:])}"
            advice = "The engine must allow NET_ADMIN in a container's network; else give --without network."
            raise CannotTell(what, advice, code="cut-off-impossible")
