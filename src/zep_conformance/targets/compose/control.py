"""Control over the containers of a project: stopped, killed, paused, and made again with other variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.targets.compose import commands
from zep_conformance.targets.compose.engine import Container, Engine
from zep_conformance.targets.compose.rewriting import CHANGED
from zep_conformance.targets.compose.watching import ended, until_up

STOP_LIMIT = 10
"""Seconds between SIGTERM and SIGKILL when a part is stopped, as Docker has it."""


class ComposeControl:
    """Control over the services that are parts, and the model server. By labels, so that every worker has it.

    services: the service of each part. urls: where a part answers, by part. remade: makes the container of a part
    again with variables that differ.
    """

    def __init__(
        self,
        engine: Engine,
        project: str,
        services: Mapping[str, str],
        urls: Mapping[str, str],
        redactor: Redactor,
        remade: Callable[[str, Mapping[str, str]], Any],
    ) -> None:
        self._engine, self._project, self._services = engine, project, services
        self._urls, self._redactor, self._remade = urls, redactor, remade
        self._down: set[str] = set()

    def start(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running; returns when its health check passes and it answers.

        changed: variables that differ, for this start. Raises CannotTell with its last words when it ends.
        """
        died = self._start(part, changed or {})
        if died is not None:
            raise ended(died, self._engine.log(died.id), self._redactor)

    def attempt(self, part: str, changed: Mapping[str, str]) -> str | None:
        """Try to start a part. Returns what it wrote when it ended, None if it came up."""
        died = self._start(part, changed)
        return None if died is None else self._redactor(self._engine.log(died.id))

    def stop(self, part: str) -> None:
        """Stop a part as an operator does."""
        self._down.add(part)
        self._do(part, "unpause")
        self._do(part, "stop", f"--time={STOP_LIMIT}")

    def kill(self, part: str) -> None:
        """End a part without warning (SIGKILL)."""
        self._down.add(part)
        self._do(part, "unpause")
        self._do(part, "kill")

    def pause(self, part: str) -> None:
        """Stop a part's clock: it takes connections and never answers."""
        self._do(part, "pause")

    def resume(self, part: str) -> None:
        """Let a paused part go on."""
        self._do(part, "unpause")

    def cut_off(self, part: str) -> None:
        """Not offered (see the target's `network`)."""
        raise CannotTell(f"{part} can't be cut off", "A port that Docker publishes is no firewall's to drop here.")

    def reconnect(self, part: str) -> None:
        """Not offered, as `cut_off`."""
        self.cut_off(part)

    def ended(self) -> dict[str, str]:
        """The parts whose container has ended though this process had not asked it to, and how."""
        parts = {service: part for part, service in self._services.items()}
        return {
            part: f"ended with code {one.exit_code}"
            for one in self._engine.containers(self._project)
            if not one.runs and (part := parts.get(one.service)) is not None and part not in self._down
        }

    def container(self, part: str) -> Container:
        """The container of a part as it is now. Raises CannotTell when there is none."""
        service = self._services.get(part)
        for one in self._engine.containers(self._project):
            if service is not None and one.service == service:
                return one
        raise CannotTell(
            f"{part} has no container in the project {self._project}",
            f"It has {', '.join(self._services)}; somebody may have removed it while the run went on.",
        )

    def _start(self, part: str, changed: Mapping[str, str]) -> Container | None:
        """Start a part. Returns its container when it ended by itself."""
        found = self.container(part)
        if changed or CHANGED in found.labels:
            self._run(lambda: self._remade(part, changed))
        else:
            self._run(lambda: self._engine.ask("start", found.id))
        self._down.discard(part)
        died = until_up(self._engine, lambda: self.container(part), self._urls.get(part), self._redactor)
        if died is not None:
            self._down.add(part)
        return died

    def _do(self, part: str, verb: str, *options: str) -> None:
        """Have the engine do something to a part, where that makes a difference."""
        found = self.container(part)
        makes_sense = {"unpause": found.state == "paused", "pause": found.state == "running"}
        if makes_sense.get(verb, found.runs):
            self._run(lambda: self._engine.ask(verb, *options, found.id))

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except commands.Failed as error:
            last = str(error).splitlines()[-1:] or ["nothing"]
            raise CannotTell(
                self._redactor(f"`{' '.join(error.command[:2])}` failed: {last[0]}"),
                "Look whether the engine still works (`docker info`).",
            ) from None
