"""Sets of containers that `--keep` leaves for the next run: one for each user of a machine, used by one run at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from zep_conformance.targets.containers.cleanup import of_run, remove_run
from zep_conformance.targets.containers.engine import Engine
from zep_conformance.targets.containers.ownership import KEPT, PART, RUN, Owner
from zep_conformance.targets.containers.plan import SECURED, Secrets, Spec

if TYPE_CHECKING:
    from docker.models.containers import Container


class Lock:
    """Held by the one run that may use this user's kept containers; gone with its process, however that ends."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def taken(cls) -> Self | None:
        """The lock, None while another run has it."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(os.environ.get("ZEP_CONFORMANCE_CACHE") or Path(cache, "zep-conformance"))
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "kept-containers.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return cls(file)

    @classmethod
    def wanted(cls) -> Self:
        """The lock. Raises AssertionError while another run has it."""
        lock = cls.taken()
        assert lock is not None
        return lock

    def release(self) -> None:
        """Let the next run have them."""
        self._file.close()


@dataclass(frozen=True)
class KeptSet:
    """The containers of one run that were kept, by part."""

    run: str
    fingerprint: str
    containers: Mapping[str, Container]
    others: int
    """Containers beside those: with changed variables, or somebody's leftovers."""

    def is_whole(self, parts: Iterable[str]) -> bool:
        """Whether these parts all run, and nothing else does."""
        running = {part for part, one in self.containers.items() if one.status == "running"}
        return running == set(parts) and not self.others

    def secrets(self) -> Secrets:
        """What they were started with."""
        return Secrets(
            _variable(self.containers[SECURED], "ZEP_AUTH_SECRET"),
            _variable(self.containers["postgres"], "POSTGRES_PASSWORD"),
        )

    def published(self, specs: Iterable[Spec]) -> dict[str, Spec]:
        """The containers' plan, with the ports that they have."""
        return {spec.part: spec.with_port(_port(self.containers[spec.part], spec.port)) for spec in specs}


def found(engine: Engine, me: Owner) -> list[KeptSet]:
    """This user's kept sets on this machine."""
    by_run: dict[str, list[Container]] = {}
    for one in engine.client.containers.list(all=True, filters={"label": KEPT}, ignore_removed=True):
        owner = Owner.on(one.labels)
        if owner is not None and owner.is_neighbour(me):
            by_run.setdefault(one.labels[RUN], []).append(one)
    sets = []
    for run, containers in by_run.items():
        named = {
            one.labels.get(PART, ""): one
            for one in containers
            if str(one.name).endswith(f"{run}-{one.labels.get(PART)}")
        }
        sets.append(KeptSet(run, containers[0].labels[KEPT], named, len(containers) - len(named)))
    return sets


def remove(engine: Engine, me: Owner) -> int:
    """Remove this user's kept sets. Returns how many there were."""
    sets = found(engine, me)
    for one in sets:
        remove_run(engine, one.run)
    return len(sets)


def is_broken(engine: Engine, run: str) -> bool:
    """Whether a kept set can't be used by anybody: a container of it does not run."""
    containers = engine.client.containers.list(all=True, filters=of_run(run), ignore_removed=True)
    return not containers or any(one.status != "running" for one in containers)


def _variable(container: Container, name: str) -> str:
    for line in container.attrs["Config"]["Env"]:
        key, _, value = str(line).partition("=")
        if key == name:
            return value
    return ""


def _port(container: Container, port: int) -> int:
    bound = (container.attrs["HostConfig"].get("PortBindings") or {}).get(f"{port}/tcp") or [{}]
    return int(bound[0].get("HostPort") or 0)
