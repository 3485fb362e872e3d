"""Sets of containers that `--keep` leaves for the next run: one for each user of a machine, used by one run at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from zep_conformance.settings.sources import cache
from zep_conformance.targets.containers.plan import SECURED, Secrets, Spec
from zep_conformance.targets.docker.engine import DockerEngine
from zep_conformance.targets.docker.ownership import KEPT, PART, RUN, Owner, remove_run

if TYPE_CHECKING:
    from docker.models.containers import Container


def lock() -> FileLock:
    """Return the lock of the one run that may use this user's kept containers; its process takes it along."""
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "kept-containers.lock", thread_local=False)


@dataclass(frozen=True)
class KeptSet:
    """The containers of one run that were kept, by part."""

    run: str
    fingerprint: str
    containers: Mapping[str, Container]
    others: int
    """Containers beside those: with changed variables, or somebody's leftovers."""

    def is_whole(self, parts: Iterable[str]) -> bool:
        """Tell whether these parts all run, and nothing else does."""
        running = {part for part, one in self.containers.items() if one.status == "running"}
        return running == set(parts) and not self.others

    def secrets(self) -> Secrets:
        """Return what they were started with."""
        return Secrets(
            zep=_variable(self.containers[SECURED], "ZEP_AUTH_SECRET"),
            postgres=_variable(self.containers["postgres"], "POSTGRES_PASSWORD"),
        )

    def published(self, specs: Iterable[Spec]) -> dict[str, Spec]:
        """Return the containers' plan, with the ports that they have."""
        return {spec.part: spec.with_port(_port(self.containers[spec.part], spec.port)) for spec in specs}


def kept_sets(engine: DockerEngine, me: Owner) -> list[KeptSet]:
    """Return this user's kept sets on this machine."""
    by_run: dict[str, list[Container]] = {}
    for one in engine.client.containers.list(all=True, filters={"label": KEPT}, ignore_removed=True):
        owner = Owner.on(one.labels)
        if owner is not None and owner.is_neighbour(me):
            by_run.setdefault(one.labels[RUN], []).append(one)
    sets = []
    for run, containers in by_run.items():
        named = {one.labels[PART]: one for one in containers if f"{one.name}".endswith(f"{run}-{one.labels.get(PART)}")}
        others = len(containers) - len(named)
        sets.append(KeptSet(run=run, fingerprint=containers[0].labels[KEPT], containers=named, others=others))
    return sets


def remove_all(engine: DockerEngine, me: Owner) -> int:
    """Remove this user's kept sets. Returns how many there were."""
    sets = kept_sets(engine, me)
    for one in sets:
        remove_run(engine, one.run)
    return len(sets)


def is_broken(engine: DockerEngine, run: str) -> bool:
    """Tell whether a kept set can't be used by anybody: a container of it does not run."""
    containers = engine.client.containers.list(all=True, filters={"label": f"{RUN}={run}"}, ignore_removed=True)
    return not containers or any(one.status != "running" for one in containers)


def _variable(container: Container, name: str) -> str:
    return dict(str(line).partition("=")[::2] for line in container.attrs["Config"]["Env"]).get(name, "")


def _port(container: Container, port: int) -> int:
    bound = (container.attrs["HostConfig"].get("PortBindings") or {}).get(f"{port}/tcp") or [{}]
    return int(bound[0].get("HostPort") or 0)
