"""Removing what is ours from an engine: at the end of a run, and what an earlier one left when it was killed.

Everything is found by its labels, so it makes no difference how a run ended, or whether there is a Ryuk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import docker.errors

from zep_conformance.facts.causes import one_line
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, DockerEngine, answer_of
from zep_conformance.targets.docker.ownership import KEPT, RUN, Owner

if TYPE_CHECKING:
    from docker.models.containers import Container

_NAMELESS = re.compile(r"[0-9a-f]{64}")
"""The name of a volume that nobody has named."""


def remove_run(engine: DockerEngine, run: str) -> list[str]:
    """Remove a run's containers, networks, volumes and built images. Returns what could not be removed, and why."""
    client = engine.client
    filters: dict[str, str | list[str] | bool] = {"label": f"{RUN}={run}"}

    def containers(*, borrowing: bool) -> list[Container]:
        found = client.containers.list(all=True, filters=filters, ignore_removed=True)
        return [one for one in found if bool(one.attrs["HostConfig"].get("VolumesFrom")) == borrowing]

    try:
        # A container that was made again no longer counts the volumes without a name as its own.
        mounts = [mount for one in containers(borrowing=False) for mount in one.attrs["Mounts"]]
        nameless = {
            mount["Name"] for mount in mounts if mount["Type"] == "volume" and _NAMELESS.fullmatch(mount["Name"])
        }
        # Those that have another's volumes first: a volume goes with the last container that has it.
        left = _removed("container", lambda: containers(borrowing=True), v=True, force=True)
        left += _removed("container", lambda: containers(borrowing=False), v=True, force=True)
        left += _removed("network", lambda: client.networks.list(filters=filters))
        left += _removed("volume", lambda: client.volumes.list(filters=filters), force=True)
        left += _removed("volume", lambda: [one for one in client.volumes.list() if one.id in nameless], force=True)
        left += _removed("image", lambda: client.images.list(all=True, filters=filters), force=True)
    except ENGINE_ERRORS as error:
        return [f"what has the label {RUN}={run}: {one_line(answer_of(error))}"]
    return left


def remove_leftovers(engine: DockerEngine, spared: Callable[[str], bool] = lambda _: True) -> list[str]:
    """Remove what runs on this machine have left that were killed. Returns their ids.

    Whatever a run that lives has is not touched, nor what is another machine's or of a process that can't be seen
    from here. spared: whether a kept set, by the id of the run that made it, is to stay.
    """
    removed = []
    for run, labels in _labels_by_run(engine).items():
        owner = Owner.on(labels)
        if owner is None or not owner.is_gone() or (KEPT in labels and spared(run)):
            continue
        remove_run(engine, run)
        removed.append(run)
    return removed


def _labels_by_run(engine: DockerEngine) -> dict[str, Mapping[str, str]]:
    """The labels of all that some run has made and that is still there."""
    client = engine.client
    filters: dict[str, str | list[str] | bool] = {"label": RUN}
    found: list[Mapping[str, str]] = [
        one.labels for one in client.containers.list(all=True, filters=filters, ignore_removed=True)
    ]
    found += [one.attrs["Labels"] for one in client.networks.list(filters=filters)]
    found += [one.attrs["Labels"] for one in client.volumes.list(filters=filters)]
    found += [one.labels for one in client.images.list(all=True, filters=filters)]
    by_run: dict[str, Mapping[str, str]] = {}
    for labels in found:
        by_run.setdefault(labels[RUN], labels)
    return by_run


def _removed(kind: str, listed: Callable[[], Iterable[Any]], **options: bool) -> list[str]:
    """Remove some things side by side. Returns those that are still there, and why."""

    def remove(one: Any) -> str:
        try:
            one.remove(**options)
        except docker.errors.NotFound:
            return ""
        except ENGINE_ERRORS as error:
            # Somebody else, such as a Ryuk, may be removing it at this moment.
            return "" if "already in progress" in answer_of(error) else one_line(answer_of(error))
        return ""

    things = list(listed())
    if not things:
        return []
    with ThreadPoolExecutor(len(things)) as pool:
        problems = {one.id: why for one, why in zip(things, pool.map(remove, things), strict=True) if why}
    # What depended on another thing may have gone with that.
    still = {one.id for one in listed()} if problems else set()
    return [
        f"{kind} {getattr(one, 'name', one.id)}: {problems[one.id]}"
        for one in things
        if one.id in still & set(problems)
    ]
