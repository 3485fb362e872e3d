"""The Docker engine: reached through testcontainers' client, and what its refusals mean."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker.errors
import requests.exceptions
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.docker_client import DockerClient, get_docker_host

from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import cause_of, one_line

if TYPE_CHECKING:
    import docker

CALL_LIMIT = 120
"""Seconds for one call: a busy engine takes long to create a container."""
DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
PUBLISHED = range(20_000, 32_000)
"""Where published ports are chosen from: below those that systems give to outgoing connections."""
_LOCAL = ("localhost", "127.0.0.1", "::1")
ENGINE_ERRORS = (docker.errors.DockerException, requests.exceptions.RequestException, OSError)
"""What a call to an engine raises."""


@dataclass(frozen=True)
class DockerEngine:
    """An engine that answers. host: where the ports that it publishes are reached from here."""

    wrapped: DockerClient
    host: str

    @property
    def client(self) -> docker.DockerClient:
        """The Docker SDK's client."""
        return self.wrapped.client

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, as far as its published ports go."""
        return self.host == "127.0.0.1"

    @property
    def bind(self) -> str:
        """The address that ports are published on: nobody else's business where the engine is on this machine."""
        return "127.0.0.1" if self.is_here else "0.0.0.0"

    def free_port(self, taken: Iterable[int]) -> int:
        """Return a port to publish, none of `taken` nor, as far as that can be seen from here, one in use."""
        free = list(set(PUBLISHED) - set(taken))
        while True:
            port = random.SystemRandom().choice(free)
            with socket.socket() as probe:
                try:
                    probe.bind((self.bind, port))
                except OSError:
                    if self.is_here:
                        continue
            return port


@contextmanager
def answering() -> Iterator[None]:
    """Call an engine inside. Raises CannotTell when it does not answer, or refuses for a reason of its own."""
    try:
        yield
    except ENGINE_ERRORS as error:
        raise unreachable(error) from None


def connect(limit: float = CALL_LIMIT) -> DockerEngine:
    """Return the engine that $DOCKER_HOST or the docker context names, once it has said its version.

    limit: seconds for each call. Raises CannotTell when it does not answer.
    """
    with answering():
        wrapped = DockerClient(timeout=limit)
        host = wrapped.host()
    return DockerEngine(wrapped, "127.0.0.1" if host in _LOCAL else host)


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
    except (*ENGINE_ERRORS, TimeoutError) as error:
        what = f"$TESTCONTAINERS_RYUK_DISABLED asks for Ryuk, and it can't be started: {one_line(answer_of(error))}"
        advice = "Unset that variable: a run removes what it started without Ryuk too, also after it was killed."
        raise CannotTell(what, advice, code="ryuk-failed") from None


def unreachable(error: BaseException) -> CannotTell:
    """Return that no engine answers: what keeps it from it, in one sentence, and what to do."""
    text = " ".join(str(one) for one in _chain(error))
    where = get_docker_host() or DEFAULT_ADDRESS
    known = cause_of(text, "socket")
    if known is None:
        return CannotTell(
            f"the Docker engine at {where} can't be used: {one_line(text)}",
            "Look whether `docker version` works.",
            code="engine-unusable",
        )
    return CannotTell(known.filled(where=where).cause, known.advice, code=known.code)


def refused(error: Exception, part: str, image: str) -> CannotTell:
    """Return why an engine did not create or start a part's container."""
    text = answer_of(error)
    known = cause_of(text, "engine")
    if known is not None:
        return CannotTell(
            f"{part} ({image}) can't be started, {known.cause}: {one_line(text)}", known.advice, code=known.code
        )
    if isinstance(error, requests.exceptions.RequestException) and not isinstance(error, docker.errors.APIError):
        return unreachable(error)
    return CannotTell(
        f"{part} ({image}) can't be started, the engine says: {one_line(text)}",
        "Look whether `docker run` of that image works.",
        code="container-not-started",
    )


def answer_of(error: BaseException) -> str:
    """Return what an engine says, without the wrapping of the Docker SDK."""
    return str(getattr(error, "explanation", None) or error)


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an exception, what it was raised from, and the exceptions that these were given."""
    found: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None)]
            todo += [argument for argument in one.args if isinstance(argument, BaseException)]
    return found
