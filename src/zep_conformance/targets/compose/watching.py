"""Waiting for the containers of a project: until each is fit, and no longer once one can't become so any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell, PartDied
from zep_conformance.facts.causes import cause_of, last_lines, one_line
from zep_conformance.processes.readiness import HttpReady
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.observations import Timeline
from zep_conformance.targets.docker.control import ended_by_itself, image_of, logged, succeeds
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
                    raise CannotTell(
                        f"Compose is done, and has made no container for {', '.join(missing)}",
                        "Look whether the service has a scale of 0, or a profile that is not switched on.",
                        code="container-gone",
                    )
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
        """Raises CannotTell for a container that can't become fit any more."""
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
        """That a container runs and its health check does not pass, with what the check and the log say."""
        name, log = one.labels[SERVICE], self._redactor(logged(one))
        checks = [str(check.get("Output", "")) for check in _health(one).get("Log") or [{}]]
        last_check = f"; the check says: {one_line(checks[-1])}" if checks[-1].strip() else ""
        known = cause_of(log, "part")
        return PartDied(
            part=name,
            how=how,
            log=log,
            what=self._redactor(f"{name} ({image_of(one)}) {how}{last_check}; its log ends:\n{last_lines(log)}"),
            advice=known.advice
            if known
            else "Look whether the command of its health check is in the image at all, and what it asks for.",
            code=known.code if known else "container-unhealthy",
        )
