"""The containers of one run: created, awaited, and found again by their names from any process of the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import docker.errors
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import cause_of, one_line
from zep_conformance.processes.readiness import HttpReady
from zep_conformance.report.observations import Timeline
from zep_conformance.targets.containers.plan import DATABASES, Spec
from zep_conformance.targets.docker.control import await_ready, logged, succeeds
from zep_conformance.targets.docker.engine import CALL_LIMIT, ENGINE_ERRORS, DockerEngine, answer_of, refused
from zep_conformance.targets.docker.ownership import PART

if TYPE_CHECKING:
    from docker.models.containers import Container

PREFIX = "zep-conformance"
CHANGED = "changed"
READY_LIMIT = 600.0
"""Seconds for a part to answer: LangFlux takes 10 s, and on a machine that had far too much to do it took 230."""
ANSWER_LIMIT = 5.0
"""Seconds for one answer of a part that is starting."""
IS_READY = "for _ in 1 2 3 4 5 6 7 8 9 10; do pg_isready -q -h 127.0.0.1 && exit; sleep 0.1; done; exit 1"
"""Asks PostgreSQL for a second: to run a command in a container costs an engine more than to ask ten times there."""
PORT_TRIES = 5


class Cancelled(Exception):
    """Nothing more is to be made: the run ends."""


class CreationGate:
    """Containers are made only while it is open. `close` returns when nobody is making one any more."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self.is_closed = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Pass where the start goes on. Raises Cancelled when it was given up."""
        with self._condition:
            if self.is_closed:
                raise Cancelled
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._condition.notify_all()

    def close(self) -> None:
        """From now on nothing is made."""
        with self._condition:
            self.is_closed = True
            self._condition.wait_for(lambda: self._inside == 0, timeout=CALL_LIMIT)


class Parts:
    """Containers by the name of their part.

    run: the id that all their names have in them. labels: what each is labelled with.
    """

    def __init__(self, engine: DockerEngine, *, run: str, labels: Mapping[str, str], specs: Mapping[str, Spec]) -> None:
        self.engine, self.run, self.labels, self.specs = engine, run, dict(labels), dict(specs)
        self.gate = CreationGate()

    def url(self, part: str) -> str:
        """Return the base URL of a part from here."""
        return f"http://{self.engine.host}:{self.specs[part].published}"

    @property
    def network(self) -> str:
        """The name of their network."""
        return f"{PREFIX}-{self.run}"

    def create_network(self) -> None:
        """Make the network that they are all in. Raises CannotTell."""
        network = self.joined()
        try:
            with self.gate.passing():
                network.create()
        except ENGINE_ERRORS as error:
            what = f"the engine makes no network: {one_line(str(error))}"
            advice = "`docker network prune` removes those that nobody uses: an engine has room for some thirty."
            raise CannotTell(what, advice, code="network-unmade") from None

    def joined(self) -> Network:
        """Return that network, for a container to be put into."""
        found = Network({"timeout": CALL_LIMIT}, {"labels": self.labels})
        found.name = self.network
        return found

    def name(self, part: str, *, changed: bool = False) -> str:
        """Return the name of a part's container: the one it has always, or the one with changed variables."""
        return f"{PREFIX}-{self.run}-{part}" + (f"-{CHANGED}" if changed else "")

    def find(self, part: str, *, changed: bool = False) -> Container | None:
        """Return a part's container, None where there is none."""
        try:
            return self.engine.client.containers.get(self.name(part, changed=changed))
        except docker.errors.NotFound:
            return None

    def current(self, part: str) -> Container:
        """Return the container that a part runs in now. Raises CannotTell when there is none."""
        found = self.find(part, changed=True) or self.find(part)
        if found is None:
            raise CannotTell(
                f"{part} has no container any more", "Somebody removed it: run again.", code="container-gone"
            )
        return found

    def create(
        self,
        part: str,
        changed: Mapping[str, str] | None = None,
        *,
        timeline: Timeline | None = None,
        is_upgraded: bool = False,
    ) -> None:
        """Create and start a part's container. changed: with these variables, empty ones unset, on the same data.

        is_upgraded: of the image to upgrade to, where `changed` is given.

        Where no port was chosen for it yet, another is taken until one is free. timeline: gets when the engine
        has created it, and when it has started it. Raises CannotTell, Cancelled.
        """
        spec = self.specs[part]
        image = spec.after if is_upgraded else spec.image
        for left in reversed(range(PORT_TRIES)):
            with_port = spec
            if spec.ready and not spec.published:
                with_port = spec.with_port(self.engine.free_port(one.published for one in self.specs.values()))
            try:
                with self.gate.passing():
                    made = self._container(replace(with_port, image=image), changed)
                    if timeline is not None:
                        _time(made, part, timeline)
                    made.start()
            except ENGINE_ERRORS as error:
                self.remove(self.name(part, changed=changed is not None))
                if left and not spec.published and _is_port_clash(error):
                    continue
                raise refused(error, part, image) from None
            self.specs[part] = with_port
            return

    def _container(self, spec: Spec, changed: Mapping[str, str] | None) -> DockerContainer:
        environment = {**spec.environment, **(changed or {})}
        made = DockerContainer(
            spec.image,
            {"timeout": CALL_LIMIT},
            env={name: value for name, value in environment.items() if value},
            name=self.name(spec.part, changed=changed is not None),
        )
        made.image = spec.image  # without the prefix that testcontainers may be told to put before it
        made.with_network(self.joined()).with_network_aliases(spec.alias)
        if spec.published:
            ports: dict[str, Any] = made.ports
            ports[f"{spec.port}/tcp"] = (self.engine.bind, spec.published)
        if spec.command:
            made.with_command(list(spec.command))
        further: dict[str, Any] = {}
        if spec.kept and changed is None:
            made.with_volume_mapping(self._kept_volume(spec), spec.kept, "rw")
        if changed is not None:
            further["volumes_from"] = [self.name(spec.part)]
        return made.with_kwargs(
            labels={**self.labels, PART: spec.part},
            # so that a container reaches what is given by URL on this machine
            extra_hosts={"host.docker.internal": "host-gateway"},
            **further,
        )

    def _kept_volume(self, spec: Spec) -> str:
        """Make the volume that two versions of a part have in common, for whichever user they run as; its name."""
        name = f"{self.name(spec.part)}-kept"
        client = self.engine.client
        if not client.volumes.list(filters={"name": name}):
            client.volumes.create(name, labels=self.labels)
            client.containers.run(
                self.specs["model"].image,
                ["-c", "import os; os.chmod('/kept', 0o777)"],
                entrypoint=["python3"],
                name=f"{name}-opened",
                labels=self.labels,
                volumes={name: {"bind": "/kept", "mode": "rw"}},
                user="0",
                remove=True,
            )
        return name

    def remove(self, name: str) -> None:
        """Remove one container, if it is there."""
        try:
            self.engine.client.containers.get(name).remove(force=True)
        except ENGINE_ERRORS:
            return

    def remove_changed(self, part: str) -> None:
        """Remove a part's container with changed variables, if there is one; its data stay with the other."""
        self.remove(self.name(part, changed=True))

    def await_ready(self, part: str, limit: float = READY_LIMIT) -> None:
        """Wait until a part answers. Raises PartDied as soon as it has ended, CannotTell when it takes too long.

        limit: seconds.
        """
        container, spec = self.current(part), self.specs[part]
        http = HttpReady(self.engine.host, spec.published, spec.ready, limit=ANSWER_LIMIT)

        def is_ready() -> bool:
            if self.gate.is_closed:
                raise Cancelled
            if spec.ready:
                return http.is_ready()
            return succeeds(container, ["sh", "-c", IS_READY])

        otherwise = f"Give a fit --{part.removesuffix('-secured')}-image."
        await_ready(container, part, is_ready=is_ready, limit=limit, otherwise=otherwise)

    def create_databases(self) -> None:
        """Make the database of each Zep. Raises CannotTell with what PostgreSQL says."""
        commands = [word for name in DATABASES.values() for word in ("-c", f"CREATE DATABASE {name}")]
        found = self.current("postgres").exec_run(["psql", "-q", "-U", "postgres", "-v", "ON_ERROR_STOP=1", *commands])
        if found.exit_code:
            output = found.output.decode(errors="replace") if isinstance(found.output, bytes) else "nothing"
            what = f"PostgreSQL makes no database: {one_line(output)}"
            advice = "Give a --postgres-image that is set up as the official one: POSTGRES_PASSWORD, user postgres."
            raise CannotTell(what, advice, code="postgres-refuses")

    def log(self, part: str, since: float | None = None) -> str:
        """Return what a part has written so far, in whichever containers it has. since: a time, in seconds."""
        found = (self.find(part), self.find(part, changed=True))
        return "".join(logged(one, since) for one in found if one is not None)


def _time(made: DockerContainer, part: str, timeline: Timeline) -> None:
    """Add each phase of a container's start, which testcontainers makes one call of: by the engine's answers."""

    def answered(response: Any, *_: object, **__: object) -> None:
        called = urlsplit(response.url).path.rpartition("/")[2]
        if called in ("create", "start") and response.ok:
            ended = time.monotonic()
            timeline.add(part, called, began=ended - response.elapsed.total_seconds(), ended=ended)

    made.get_docker_client().client.api.hooks["response"].append(answered)


def _is_port_clash(error: Exception) -> bool:
    """Whether an engine did not start a container since a port is in use."""
    known = cause_of(answer_of(error), "engine")
    return known is not None and known.code == "port-taken"
