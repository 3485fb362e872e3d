"""Waiting for containers: until each is fit, and no longer once one can't become so any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack

import httpx

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.timeline import Timeline
from zep_conformance.targets.compose.engine import Container, Engine
from zep_conformance.targets.last_words import advice_on, end_of

READY_LIMIT = 180.0
"""Seconds that a container may take from its start until its health check passes."""
_ANSWER_LIMIT = 2.0


def answers(url: str) -> bool:
    """Whether something at a URL answers over HTTP, whatever the answer."""
    try:
        httpx.get(url, timeout=_ANSWER_LIMIT, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def ended(container: Container, log: str, redactor: Redactor) -> CannotTell:
    """That a container has ended, with its last words and what they mean."""
    code = container.exit_code
    how = f"ended with code {code}" if code >= 0 else f"is {container.state}"
    return CannotTell(
        redactor(f"{container.service} ({container.image}) {how}; its log ends:\n{end_of(log)}"),
        advice_on(log) or f"Its log says what it misses; try it with `docker compose up {container.service}`.",
    )


def unfit(container: Container, log: str, redactor: Redactor, why: str) -> CannotTell:
    """That a container runs and its health check does not pass, with what the check and the log say."""
    said = f"; the check says: {container.said.splitlines()[-1][:200]}" if container.said else ""
    return CannotTell(
        redactor(f"{container.service} ({container.image}) {why}{said}; its log ends:\n{end_of(log)}"),
        advice_on(log) or "Look whether the command of its health check is in the image at all, and what it asks for.",
    )


class Watch:
    """Watches the containers of a project come up. parts: the part that each service is, "" for others."""

    def __init__(self, engine: Engine, project: str, parts: dict[str, str], redactor: Redactor) -> None:
        self._engine, self._project, self._parts, self._redactor = engine, project, parts, redactor

    def until_fit(
        self, has_ended: Callable[[], bool], urls: dict[str, str], timeline: Timeline, say: Callable[[str], None]
    ) -> None:
        """Wait until Compose has ended, each container's health check passes, and each URL, by part, answers.

        A service that is no part may end with code 0: it had something to prepare. Raises CannotTell for a container
        that ended or is unhealthy; whatever `has_ended` raises, unless a container says why.
        """
        since: dict[str, float] = {}
        fit: set[str] = set()
        with ExitStack() as phases:
            opened: dict[str, ExitStack] = {}

            def all_fit() -> None:
                done = self._done(has_ended)
                containers = self._engine.containers(self._project)
                for one in containers:
                    part = self._parts.get(one.service, "")
                    if one.runs and one.service not in opened:
                        opened[one.service] = phases.enter_context(ExitStack())
                        opened[one.service].enter_context(timeline.phase(part or one.service, "ready"))
                        since[one.service] = time.monotonic()
                    self._must_live(one, since.get(one.service, time.monotonic()))
                    is_up = one.runs and self._engine.is_fit(one) and (part not in urls or answers(urls[part]))
                    if one.service not in fit and (is_up or (one.state == "exited" and not part)):
                        fit.add(one.service)
                        opened.get(one.service, ExitStack()).close()
                        if part and one.service in since:
                            say(f"{part} is ready ({time.monotonic() - since[one.service]:.1f} s)")
                there = {one.service for one in containers}
                if done and not set(self._parts) <= there:
                    raise CannotTell(
                        f"Compose is done, and has made no container for {', '.join(sorted(set(self._parts) - there))}",
                        "Look whether the service has a scale of 0, or a profile that is not switched on.",
                    )
                assert done and there <= fit

            eventually(all_fit, float("inf"))

    def _done(self, has_ended: Callable[[], bool]) -> bool:
        """Whether Compose has ended. Where it ended badly since a container did, that is said."""
        try:
            return has_ended()
        except Exception:
            for one in self._engine.containers(self._project):
                self._must_live(one, time.monotonic())
            raise

    def _must_live(self, one: Container, since: float) -> None:
        """Raises CannotTell for a container that can't become fit any more."""
        part = self._parts.get(one.service, "")
        if one.state == "dead" or (one.state == "exited" and (part or one.exit_code)):
            raise ended(one, self._engine.log(one.id), self._redactor)
        if one.health == "unhealthy":
            raise unfit(one, self._engine.log(one.id), self._redactor, "runs and is unhealthy")
        if one.runs and one.health == "starting" and time.monotonic() - since > READY_LIMIT:
            why = f"is not healthy {READY_LIMIT:g} s after its start"
            raise unfit(one, self._engine.log(one.id), self._redactor, why)


def until_up(engine: Engine, find: Callable[[], Container], url: str | None, redactor: Redactor) -> Container | None:
    """Wait until one container is fit, and its URL answers. Returns it when it ended by itself, None when it is up.

    Raises CannotTell when neither comes within the limit.
    """

    def settled() -> Container | None:
        one = find()
        if not one.runs and one.state not in ("created", "restarting"):
            return one
        assert one.runs and engine.is_fit(one) and (url is None or answers(url))
        return None

    try:
        return eventually(settled, READY_LIMIT)
    except AssertionError:
        one = find()
        raise unfit(one, engine.log(one.id), redactor, f"is not ready {READY_LIMIT:g} s after its start") from None


def images_of(containers: Iterable[Container], parts: dict[str, str]) -> dict[str, dict[str, str]]:
    """For the report: what each part was made of."""
    return {
        part: {"image": one.image, "digest": one.digest}
        for one in containers
        if (part := parts.get(one.service)) is not None
    }
