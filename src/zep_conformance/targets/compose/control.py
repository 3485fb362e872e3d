"""The containers of a project, found by labels: waited for until each is fit, and under control of every worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell, PartDied
from zep_conformance.facts.causes import one_line
from zep_conformance.processes.readiness import HttpReady
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.observations import Timeline
from zep_conformance.targets.compose.commands import CommandFailed
from zep_conformance.targets.compose.rewriting import CHANGED
from zep_conformance.targets.docker.control import ContainerControl, await_ready, died, ended_by_itself, succeeds
from zep_conformance.targets.docker.engine import DockerEngine
from zep_conformance.targets.docker.ownership import PROJECT, SERVICE

if TYPE_CHECKING:
    from docker.models.containers import Container

READY_LIMIT = 180.0
"""Seconds that a container may take from its start until its health check passes."""
_UP = ("running", "paused")


def containers_of(engine: DockerEngine, project: str, **labels: str) -> list[Container]:
    """Return the containers of a project that have these labels, running or not."""
    wanted = [f"{name}={value}" for name, value in {PROJECT: project, **labels}.items()]
    return engine.client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True)


def is_fit(container: Container) -> bool:
    """Tell whether a container's own health check passes when it is run now; True where it has none."""
    test = (container.attrs["Config"].get("Healthcheck") or {}).get("Test") or []
    command = {"CMD": test[1:], "CMD-SHELL": ["/bin/sh", "-c", *test[1:2]]}.get(test[0] if test else "", [])
    if _health(container).get("Status") == "healthy" or not command:
        return True
    return succeeds(container, command)


def _health(container: Container) -> dict[str, Any]:
    return container.attrs["State"].get("Health") or {}


class Watch:
    """Watches the containers of a project come up. parts: the part that each service is, "" for others."""

    def __init__(self, engine: DockerEngine, *, project: str, parts: dict[str, str], redactor: Redactor) -> None:
        self._engine, self._project, self._parts, self._redactor = engine, project, parts, redactor

    def until_fit(
        self,
        has_ended: Callable[[], bool],
        *,
        answering: Mapping[str, HttpReady],
        timeline: Timeline,
        say: Callable[[str], None],
    ) -> None:
        """Wait until Compose has ended, each container's health check passes, and parts answer.

        answering: of a part that is published, when it answers.

        A service that is no part may end with code 0: it had something to prepare. Raises CannotTell for a container
        that ended or is unhealthy; whatever `has_ended` raises, unless a container says why.
        """
        since: dict[str, float] = {}
        fit: set[str] = set()
        with ExitStack() as phases:
            opened: dict[str, ExitStack] = {}

            def all_fit() -> None:
                done = self._done(has_ended)
                containers = {one.labels[SERVICE]: one for one in containers_of(self._engine, self._project)}
                for name, one in containers.items():
                    part = self._parts.get(name, "")
                    runs = one.status in _UP
                    if runs and name not in opened:
                        opened[name] = phases.enter_context(ExitStack())
                        opened[name].enter_context(timeline.phase(part or name, "ready"))
                        since[name] = time.monotonic()
                    self._must_live(one, since.get(name, time.monotonic()))
                    if name in fit:
                        continue
                    is_up = runs and is_fit(one) and (part not in answering or answering[part].is_ready())
                    if is_up or (one.status == "exited" and not part):
                        fit.add(name)
                        opened.get(name, ExitStack()).close()
                        if part and name in since:
                            say(f"{part} is ready ({time.monotonic() - since[name]:.1f} s)")
                if done and (missing := sorted(set(self._parts) - set(containers))):
                    what = f"Compose is done, and has made no container for {', '.join(missing)}"
                    advice = "Look whether the service has a scale of 0, or a profile that is not switched on."
                    raise CannotTell(what, advice, code="container-gone")
                assert done and set(containers) <= fit

            eventually(all_fit, float("inf"))

    def _done(self, has_ended: Callable[[], bool]) -> bool:
        """Whether Compose has ended. Where it ended badly since a container did, that is said."""
        try:
            return has_ended()
        except Exception:
            for one in containers_of(self._engine, self._project):
                self._must_live(one, time.monotonic())
            raise

    def _must_live(self, one: Container, since: float) -> None:
        """Fail for a container that can't become fit any more. Raises CannotTell."""
        name, health = one.labels[SERVICE], _health(one)
        if one.status == "dead" or (
            one.status == "exited" and (self._parts.get(name) or one.attrs["State"]["ExitCode"])
        ):
            otherwise = f"Its log says what it misses; try it with `docker compose up {name}`."
            raise ended_by_itself(one, name, otherwise=otherwise, hide=self._redactor)
        if health.get("Status") == "unhealthy":
            raise self._unfit(one, "is unhealthy")
        if one.status in _UP and health.get("Status") == "starting" and time.monotonic() - since > READY_LIMIT:
            raise self._unfit(one, f"is not healthy {READY_LIMIT:g} s after its start")

    def _unfit(self, one: Container, how: str) -> PartDied:
        """Return that a container runs and its health check does not pass, with what the check and the log say."""
        checks = [str(check.get("Output", "")) for check in _health(one).get("Log") or [{}]]
        last_check = f"; the check says: {one_line(checks[-1])}" if checks[-1].strip() else ""
        otherwise = "Look whether the command of its health check is in the image at all, and what it asks for."
        name, how = one.labels[SERVICE], f"{how}{last_check}"
        return died(one, name, how, otherwise=otherwise, code="container-unhealthy", hide=self._redactor)


class ServicesControl(ContainerControl):
    """Control over the services that are parts, and the model server.

    services: the service of each part. answering: of a part that is published, when it answers. remake: makes the
    container of a part again with variables that differ.
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
                what = self._redactor(f"`{' '.join(error.command[:2])}` failed: {one_line(str(error)[-300:])}")
                advice = "Look whether the engine still works (`docker info`)."
                raise CannotTell(what, advice, code="compose-failed") from None
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
        what, advice = f"{part} can't be cut off", "A port that Docker publishes is no firewall's to drop here."
        raise CannotTell(what, advice, code="cut-off-impossible")

    def reconnect(self, part: str) -> None:
        """Not offered, as `cut_off`."""
        self.cut_off(part)
