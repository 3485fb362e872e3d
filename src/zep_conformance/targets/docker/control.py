"""A part's container: awaited, how it ended, what it wrote; and what can be done to it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import docker.errors

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell, PartDied
from zep_conformance.facts.causes import cause_of, last_lines
from zep_conformance.targets.base import Control
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, refused

if TYPE_CHECKING:
    from docker.models.containers import Container

STOP_LIMIT = 10
"""Seconds between SIGTERM and SIGKILL when a part is stopped, as Docker has it."""
ENDED = ("exited", "dead")
"""The states of a container that has ended."""


def how_ended(container: Container) -> str:
    """Return how a container has ended, in words."""
    state = container.attrs["State"]
    if state.get("OOMKilled"):
        return "was killed, it had used up the memory"
    code = state.get("ExitCode")
    if code == 137:
        return "was killed (exit code 137), as happens when memory runs short"
    return f"ended by itself (exit code {code}{', ' + state['Error'] if state.get('Error') else ''})"


def logged(container: Container, since: float | None = None) -> str:
    """Return what a container has written so far, to either stream; empty when it is gone. since: a time in seconds."""
    try:
        return container.logs(since=since).decode(errors="replace")
    except ENGINE_ERRORS:
        return ""


def succeeds(container: Container, command: Sequence[str]) -> bool:
    """Tell whether a command ends well in a container; it does not in one that has just ended."""
    try:
        return bool(container.exec_run(list(command)).exit_code == 0)
    except docker.errors.APIError:
        return False


def image_of(container: Container) -> str:
    """Return the image that a container was made of, as it was named."""
    return str(container.attrs["Config"]["Image"])


def ended_by_itself(container: Container, part: str, *, otherwise: str, hide: Callable[[str], str] = str) -> PartDied:
    """Return that a container has ended, as `died` does."""
    return died(container, part, how_ended(container), otherwise=otherwise, code="part-died", hide=hide)


def died(
    container: Container, part: str, how: str, *, otherwise: str, code: str, hide: Callable[[str], str]
) -> PartDied:
    """Return what became of a container, with its last lines and what they mean.

    how: in words. otherwise, code: the advice and the code where the lines mean nothing that is known. hide: takes
    secrets out of what is shown.
    """
    log = hide(logged(container))
    known = cause_of(log, "part")
    what = hide(f"{part} ({image_of(container)}) {how}; its log ends:\n{last_lines(log)}")
    advice, code = (known.advice, known.code) if known else (otherwise, code)
    return PartDied(part=part, how=how, log=log, what=what, advice=advice, code=code)


def await_ready(
    container: Container,
    part: str,
    *,
    is_ready: Callable[[], bool],
    limit: float,
    otherwise: str,
    hide: Callable[[str], str] = str,
) -> None:
    """Wait until a part's container is ready.

    is_ready: asked as long as it runs. limit: seconds. otherwise: the advice for one that ends for no known cause.
    hide: takes secrets out of what is shown. Raises PartDied as soon as it has ended, CannotTell when it takes
    too long.
    """
    image = image_of(container)

    def ready() -> None:
        container.reload()
        if container.status in ENDED:
            raise ended_by_itself(container, part, otherwise=otherwise, hide=hide)
        assert is_ready()

    try:
        eventually(ready, limit)
    except AssertionError:
        raise CannotTell(
            f"{part} ({image}) is not ready within {limit:.0f} s; its log ends:\n{last_lines(hide(logged(container)))}",
            "Look whether the machine is overloaded, and whether this image is what it should be.",
            code="part-silent",
        ) from None
    except ENGINE_ERRORS as error:
        raise refused(error, part, image) from None


class ContainerControl(Control):
    """Control over the containers of parts. Raises CannotTell with what the engine or the part says."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        """The parts that are down because somebody wanted it."""

    @property
    @abstractmethod
    def parts(self) -> Iterable[str]:
        """The parts that there is control over."""

    @abstractmethod
    def find(self, part: str) -> Container | None:
        """Return the container that a part runs in now, None where there is none."""

    @abstractmethod
    def bring_up(self, part: str, changed: Mapping[str, str]) -> None:
        """Start a part's container, with variables that differ, and wait until it is ready.

        Raises PartDied where it ends by itself.
        """

    def container(self, part: str) -> Container:
        """Return the container that a part runs in now. Raises CannotTell when there is none."""
        found = self.find(part) if part in self.parts else None
        if found is None:
            what = f"{part} has no container any more"
            advice = "Somebody may have removed it while the run went on: run again."
            raise CannotTell(what, advice, code="container-gone")
        return found

    def start(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running; returns when it is ready.

        changed: variables that differ, for this start.
        """
        self._down.add(part)  # until it is ready
        self.bring_up(part, changed or {})
        self._down.discard(part)

    def stop(self, part: str) -> None:
        """Stop a part as an operator does: SIGTERM, and SIGKILL when that does not end it in 10 s."""
        self._end(part, lambda one: one.stop(timeout=STOP_LIMIT))

    def kill(self, part: str) -> None:
        """End a part without warning (SIGKILL)."""

        def kill(one: Container) -> None:
            one.kill()
            one.wait(timeout=STOP_LIMIT)

        self._end(part, kill)

    def pause(self, part: str) -> None:
        """Stop a part's clock (the kernel's freezer): it takes connections and never answers."""
        if (found := self.container(part)).status == "running":
            self._do(part, found, lambda one: one.pause())

    def resume(self, part: str) -> None:
        """Let a paused part go on."""
        if (found := self.container(part)).status == "paused":
            self._do(part, found, lambda one: one.unpause())

    def ended(self) -> dict[str, str]:
        """Return the parts that ended though nobody had asked them to, and how."""
        containers = {part: self.find(part) for part in self.parts if part not in self._down}
        return {
            part: "its container was removed" if one is None else how_ended(one)
            for part, one in containers.items()
            if one is None or one.status in ENDED
        }

    def _end(self, part: str, end: Callable[[Container], object]) -> None:
        self._down.add(part)
        self.resume(part)
        if (found := self.container(part)).status not in ENDED:
            self._do(part, found, end)

    def _do(self, part: str, container: Container, work: Callable[[Container], object]) -> None:
        try:
            work(container)
        except ENGINE_ERRORS as error:
            raise refused(error, part, image_of(container)) from None
