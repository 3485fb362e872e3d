"""What is removed, and when: a run's own containers at its end, and those of runs that were killed at the next start.

Everything is found by its labels, so it makes no difference how a run ended, or whether there is a Ryuk.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import docker.errors

from zep_conformance.targets.containers.engine import Engine, Refused, last_of, said
from zep_conformance.targets.containers.ownership import KEPT, RUN, Owner

if TYPE_CHECKING:
    from docker.models.containers import Container
    from docker.models.networks import Network


def of_run(run: str) -> dict[str, str | list[str] | bool]:
    """The filter that finds a run's things."""
    return {"label": [f"{RUN}={run}"]}


def remove_run(engine: Engine, run: str) -> list[str]:
    """Remove a run's containers, their volumes, and its network. Returns what could not be removed, and why."""
    try:
        # Those that have another's volumes first: a volume goes with the last container that has it.
        containers = sorted(
            engine.client.containers.list(all=True, filters=of_run(run), ignore_removed=True),
            key=lambda one: not one.attrs["HostConfig"].get("VolumesFrom"),
        )
        borrowing = [one for one in containers if one.attrs["HostConfig"].get("VolumesFrom")]
        owning = [one for one in containers if one not in borrowing]
        left = _each(_remove_container, borrowing) + _each(_remove_container, owning)
        networks: list[Network] = engine.client.networks.list(filters=of_run(run))
    except Refused as error:
        return [f"what has the label {RUN}={run}: {last_of(said(error))}"]
    return left + [problem for one in networks if (problem := _removed(one.remove, f"network {one.name}"))]


def _each(work: Callable[[Container], str], containers: list[Container]) -> list[str]:
    if not containers:
        return []
    with ThreadPoolExecutor(len(containers)) as pool:
        return [problem for problem in pool.map(work, containers) if problem]


def _remove_container(container: Container) -> str:
    return _removed(lambda: container.remove(force=True, v=True), f"container {container.name}")


def _removed(work: Callable[[], object], what: str) -> str:
    """Do the work; returns why it could not be done, "" when it is done, by us or by somebody else."""
    try:
        work()
    except docker.errors.NotFound:
        return ""
    except Refused as error:
        # Somebody else, such as a Ryuk, may be removing it at this moment.
        return "" if "already in progress" in said(error) else f"{what}: {last_of(said(error))}"
    return ""


def remove_leftovers(engine: Engine, spared: Callable[[str], bool]) -> list[str]:
    """Remove what runs on this machine have left that were killed. Returns their ids.

    Whatever a run that lives has is not touched, nor what is another machine's or of a process that can't be seen
    from here. spared: whether a kept set, by the id of the run that made it, is to stay.
    """
    found: dict[str, dict[str, str]] = {}
    for container in engine.client.containers.list(all=True, filters={"label": RUN}, ignore_removed=True):
        found.setdefault(container.labels[RUN], container.labels)
    for network in engine.client.networks.list(filters={"label": RUN}):
        found.setdefault(network.attrs["Labels"][RUN], network.attrs["Labels"])
    removed = []
    for run, labels in found.items():
        owner = Owner.on(labels)
        if owner is None or not owner.is_gone() or (KEPT in labels and spared(run)):
            continue
        remove_run(engine, run)
        removed.append(run)
    return removed
