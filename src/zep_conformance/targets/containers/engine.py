"""The Docker engine: reached through testcontainers' client, and what its refusals mean."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker.errors
import requests.exceptions
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.docker_client import DockerClient

from zep_conformance.errors import CannotTell

if TYPE_CHECKING:
    import docker

CALL_LIMIT = 120
"""Seconds for one call: a busy engine takes long to create a container."""
DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
_LOCAL = ("localhost", "127.0.0.1", "::1")
Refused = (docker.errors.DockerException, requests.exceptions.RequestException, OSError)
"""What a call to an engine raises."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers. host: where the ports that it publishes are reached from here."""

    wrapped: DockerClient
    host: str

    @property
    def client(self) -> docker.DockerClient:
        """The Docker SDK's client."""
        return self.wrapped.client

    @property
    def bind(self) -> str:
        """The address that ports are published on: nobody else's business where the engine is on this machine."""
        return "127.0.0.1" if self.host == "127.0.0.1" else "0.0.0.0"

    def memory(self) -> int:
        """Bytes of memory that it has for everybody's containers, 0 where it does not say."""
        return int(self.client.info().get("MemTotal") or 0)


def address() -> str:
    """Where the engine is looked for."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_ADDRESS


def connect(limit: float = CALL_LIMIT) -> Engine:
    """The engine, asked for its version. limit: seconds for each call. Raises CannotTell when it does not answer."""
    try:
        wrapped = DockerClient(timeout=limit)
        host = wrapped.host()
    except Refused as error:
        raise unreachable(error) from None
    return Engine(wrapped, "127.0.0.1" if host in _LOCAL else host)


def without_ryuk(*, kept: bool) -> None:
    """Have testcontainers start no Ryuk, unless its variable asks for one: we clean up by label ourselves.

    Ryuk removes whatever a process has started some seconds after that ends, so never where that is to be kept.
    Raises CannotTell where one is asked for and can't be had.
    """
    wanted = os.environ.get("TESTCONTAINERS_RYUK_DISABLED", "").lower() in ("false", "0", "no")
    testcontainers_config.ryuk_disabled = kept or not wanted
    if testcontainers_config.ryuk_disabled:
        return
    try:
        Reaper.get_instance()
    except (*Refused, TimeoutError) as error:
        raise CannotTell(
            f"$TESTCONTAINERS_RYUK_DISABLED asks for Ryuk, and it can't be started: {last_of(said(error))}",
            "Unset that variable: a run removes what it started without Ryuk too, also after it was killed.",
        ) from None


def unreachable(error: BaseException) -> CannotTell:
    """No engine answers: what keeps it from it, in one sentence, and what to do."""
    chain = list(_chain(error))
    text = " ".join(str(one) for one in chain)
    where = address()
    if any(isinstance(one, PermissionError) for one in chain) or "permission denied" in text.lower():
        return CannotTell(
            f"the Docker engine's socket {where} may not be used by this user: permission denied",
            "Add the user to the socket's group (sudo usermod -aG docker $USER, then log in again), or use sudo.",
        )
    if any(isinstance(one, FileNotFoundError) for one in chain) or "No such file" in text:
        return CannotTell(
            f"no Docker engine: there is no {where}",
            "Start one (sudo systemctl start docker, or Docker Desktop), or set $DOCKER_HOST; "
            "--target embedded needs none.",
        )
    if any(isinstance(one, ConnectionRefusedError) for one in chain) or "refused" in text:
        return CannotTell(
            f"no Docker engine listens at {where}: connection refused",
            "Start it (sudo systemctl start docker), or set $DOCKER_HOST to where it is.",
        )
    return CannotTell(
        f"the Docker engine at {where} can't be used: {last_of(text)}", "Look whether `docker version` works."
    )


def explained(error: Exception, part: str, image: str) -> CannotTell:
    """Why an engine did not create or start a part's container."""
    text = said(error)
    if "no space left" in text:
        return CannotTell(
            f"{part} ({image}) can't be started, the engine's disk is full: {last_of(text)}",
            "`docker system df` says what fills it, `docker system prune` makes room.",
        )
    if "cannot allocate memory" in text.lower():
        return CannotTell(
            f"{part} ({image}) can't be started for lack of memory: {last_of(text)}",
            "Give the engine more memory (6 GB are enough for all parts), or end other containers.",
        )
    if is_port_clash(error):
        return CannotTell(
            f"{part} ({image}) can't be started, its port has been taken by something else: {last_of(text)}",
            "`docker ps` and `ss -ltnp` say what has it. Run again: other ports are chosen then.",
        )
    if isinstance(error, requests.exceptions.RequestException) and not isinstance(error, docker.errors.APIError):
        return unreachable(error)
    return CannotTell(
        f"{part} ({image}) can't be started, the engine says: {last_of(text)}",
        "Look whether `docker run` of that image works.",
    )


def is_port_clash(error: Exception) -> bool:
    """Whether an engine did not start a container since a port is in use."""
    text = said(error)
    return "port is already allocated" in text or "address already in use" in text


def said(error: BaseException) -> str:
    """What an engine says, without the wrapping of the Docker SDK."""
    explanation = getattr(error, "explanation", None)
    return str(explanation) if explanation else str(error)


def last_of(text: str) -> str:
    """One line of it that can be shown."""
    return re.sub(r"\s+", " ", text).strip()[:300]


def _chain(error: BaseException | None) -> list[BaseException]:
    """An exception, what it was raised from, and the exceptions that these were given."""
    found: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None)]
            todo += [argument for argument in one.args if isinstance(argument, BaseException)]
    return found
