"""Control over the containers of a project: found by labels, so that every worker has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import one_line
from zep_conformance.processes.readiness import HttpReady
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.targets.compose.commands import CommandFailed
from zep_conformance.targets.compose.rewriting import CHANGED
from zep_conformance.targets.compose.watching import READY_LIMIT, containers_of, is_fit
from zep_conformance.targets.docker.control import ContainerControl, await_ready
from zep_conformance.targets.docker.engine import DockerEngine
from zep_conformance.targets.docker.ownership import SERVICE

if TYPE_CHECKING:
    from docker.models.containers import Container


class ServicesControl(ContainerControl):
    """Control over the services that are parts, and the model server.

    services: the service of each part. answering: of a part that is published, when it
    answers. remake: makes the container of a part
    again with variables that differ.
    """

    def __init__(
        self,
        engine: DockerEngine,
        *,
        project: str,
        services: Mapping[str, str],
        answering: Mapping[str, HttpReady],
        redactor: Redactor,
        remake: Callable[[str, Mapping[str, str]], Any],
    ) -> None:
        super().__init__()
        self._engine, self._project, self._services = engine, project, services
        self._answering, self._redactor, self._remake = answering, redactor, remake

    @property
    def parts(self) -> Iterable[str]:
        """The services that are parts, and the model server."""
        return self._services

    def find(self, part: str) -> Container | None:
        """Return the container of a part as it is now, None where there is none."""
        found = containers_of(self._engine, self._project, **{SERVICE: self._services[part]})
        return found[0] if found else None

    def bring_up(self, part: str, changed: Mapping[str, str]) -> None:
        """Start a part's container, or make it again where variables differ; wait until it is fit and answers."""
        found = self.container(part)
        if changed or CHANGED in found.labels:
            try:
                self._remake(part, changed)
            except CommandFailed as error:
                raise CannotTell(
                    self._redactor(f"`{' '.join(error.command[:2])}` failed: {one_line(str(error)[-300:])}"),
                    "Look whether the engine still works (`docker info`).",
                    code="compose-failed",
                ) from None
            found = self.container(part)
        else:
            self._do(part, found, lambda one: one.start())
        http, service = self._answering.get(part), self._services[part]
        await_ready(
            found,
            service,
            is_ready=lambda: is_fit(found) and (http is None or http.is_ready()),
            limit=READY_LIMIT,
            otherwise=f"Its log says what it misses; try it with `docker compose up {service}`.",
            hide=self._redactor,
        )

    def cut_off(self, part: str) -> None:
        """Not offered (see the target's `network`)."""
        raise CannotTell(
            f"{part} can't be cut off",
            "A port that Docker publishes is no firewall's to drop here.",
            code="cut-off-impossible",
        )

    def reconnect(self, part: str) -> None:
        """Not offered, as `cut_off`."""
        self.cut_off(part)
