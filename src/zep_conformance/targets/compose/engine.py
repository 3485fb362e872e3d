"""The Docker engine, asked by its command line: whether it is there, and what containers of a project do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from zep_conformance.errors import CannotTell
from zep_conformance.targets.compose import commands

PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
FOLDER_LABEL = "com.docker.compose.project.working_dir"
"""Labels that both Composes put on containers (https://docs.docker.com/compose/, "labels")."""
ANSWER_LIMIT = 30.0
"""Seconds that an engine has for its first answer."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Container:
    """One container of a project. state: as `docker inspect` has it, `running` and so on. exit_code: 0 while it runs.

    health: `healthy`, `starting`, `unhealthy`, "" where it has no check; said: what its check wrote last.
    check: the command of its health check, empty where it has none. image: what it was made of; digest: its id.
    """

    id: str
    service: str
    state: str
    exit_code: int
    health: str
    said: str
    check: tuple[str, ...]
    image: str
    digest: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether it is up, paused or not."""
        return self.state in ("running", "paused")

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Container:
        """From what `docker inspect` says."""
        state, config = found["State"], found["Config"]
        health = state.get("Health") or {}
        log = health.get("Log") or [{}]
        return cls(
            found["Id"],
            (config.get("Labels") or {}).get(SERVICE_LABEL, ""),
            state["Status"],
            state["ExitCode"],
            health.get("Status", "") if health.get("Status") != "none" else "",
            str(log[-1].get("Output", "")).strip(),
            _check(((config.get("Healthcheck") or {}).get("Test")) or []),
            config.get("Image", ""),
            found.get("Image", ""),
            config.get("Labels") or {},
        )


def _check(test: Sequence[str]) -> tuple[str, ...]:
    """The command of a health check, as `docker exec` takes it."""
    if test[:1] == ["CMD"]:
        return tuple(test[1:])
    return ("/bin/sh", "-c", test[1]) if test[:1] == ["CMD-SHELL"] else ()


class Engine:
    """A Docker engine that answers. host: where what it publishes can be reached. is_here: it is this machine's."""

    def __init__(self, environment: Mapping[str, str], address: str) -> None:
        self.environment = environment
        there = urlsplit(address)
        self.is_here = there.scheme not in ("tcp", "ssh", "http", "https") or there.hostname in _LOOPBACK
        self.host = "127.0.0.1" if self.is_here else str(there.hostname)

    @classmethod
    def found(cls, environment: Mapping[str, str]) -> Engine:
        """The engine that `docker` speaks to. Raises CannotTell: no such command, no engine, no leave to use it."""
        if shutil.which("docker", path=environment.get("PATH")) is None:
            raise CannotTell(
                "--target compose: there is no `docker` command on this machine",
                "Install Docker Engine with its Compose plugin, or test what runs elsewhere with --target remote.",
            )
        try:
            version = ["docker", "version", "--format", "{{.Server.Version}}"]
            commands.run(version, environment, limit=ANSWER_LIMIT)
            address = commands.run(
                ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], environment
            ).strip()
        except commands.Failed as error:
            raise _unusable(str(error)) from None
        return cls(environment, address)

    def ask(self, *arguments: str) -> str:
        """What `docker` answers. Raises commands.Failed."""
        return commands.run(["docker", *arguments], self.environment)

    def containers(self, project: str) -> list[Container]:
        """The containers of a project, running or not. One that is removed meanwhile is left out."""
        ids = self.ask("ps", "--all", "--no-trunc", "--quiet", "--filter", f"label={PROJECT_LABEL}={project}").split()
        try:
            found = json.loads(self.ask("inspect", *ids)) if ids else []
        except commands.Failed as error:
            if "No such" in str(error):
                return self.containers(project)
            raise
        return [Container.of(one) for one in found]

    def is_fit(self, container: Container) -> bool:
        """Whether a container's own health check passes when it is run now; True where it has none."""
        if container.health == "healthy" or not container.check:
            return True
        try:
            self.ask("exec", container.id, *container.check)
        except commands.Failed:
            return False
        return True

    def log(self, container: str) -> str:
        """What a container has written so far, to either stream; empty when it is gone."""
        try:
            return commands.run(["sh", "-c", 'exec docker logs "$1" 2>&1', "sh", container], self.environment)
        except commands.Failed:
            return ""


def _unusable(said: str) -> CannotTell:
    """Why an engine can't be used, from what `docker` says of it."""
    last = said.splitlines()[-1] if said else "nothing"
    if "permission denied" in said.lower():
        return CannotTell(
            "the Docker engine's socket may not be used: permission denied",
            "Add yourself to the group docker (`sudo usermod -aG docker $USER`, then log in again), or use sudo.",
        )
    return CannotTell(
        f"no Docker engine answers: {last}",
        "Start it (`sudo systemctl start docker`, or Docker Desktop), or mend $DOCKER_HOST or the docker context.",
    )
