"""Labels: whose a container, network, volume or image is, whether that run still lives; and removing by them.

What is ours is removed at the end of a run, and what an earlier one left when it was killed. Everything is found by its
labels, so it makes no difference how a run ended, or whether there is a Ryuk.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import docker.errors
import psutil

from zep_conformance.facts.causes import one_line
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, DockerEngine, answer_of

if TYPE_CHECKING:
    from docker.models.containers import Container

RUN = "org.zep-conformance.run"
"""The id of the run that made it."""
OWNER = "org.zep-conformance.owner"
"""The process of that run, JSON."""
PART = "org.zep-conformance.part"
KEPT = "org.zep-conformance.kept"
"""On what `--keep` leaves for the next run: the fingerprint of its configuration."""
COMPOSE = "org.zep-conformance.compose"
"""On what is made of a Compose project, for people to find it: the name of the project of ours."""
PROJECT, PROJECT_FOLDER = "com.docker.compose.project", "com.docker.compose.project.working_dir"
SERVICE = "com.docker.compose.service"
"""Labels that Compose itself puts on containers (https://docs.docker.com/compose/, "labels")."""
_NAMELESS = re.compile(r"[0-9a-f]{64}")
"""The name of a volume that nobody has named."""


@dataclass(frozen=True)
class Owner:
    """The process that a run is.

    machine: this machine, boot: since when it runs; pids: the namespace that `pid` is counted in; began: when the
    process was started, in ticks since the boot, 0 where that can't be known; user: its numeric id.
    """

    machine: str
    boot: str
    pids: str
    pid: int
    began: int
    user: int

    @classmethod
    def here(cls) -> Self:
        """Return this process."""
        pid = os.getpid()
        return cls(
            machine=_machine(),
            boot=_boot(),
            pids=_namespace(),
            pid=pid,
            began=began(pid),
            user=os.getuid() if hasattr(os, "getuid") else 0,
        )

    @classmethod
    def on(cls, labels: Mapping[str, str]) -> Self | None:
        """Return the process that some labels name, None where they name none that can be understood."""
        try:
            return cls(**json.loads(labels.get(OWNER, "")))
        except (ValueError, TypeError):
            return None

    def label(self) -> str:
        """Return it as a label's value."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def is_gone(self) -> bool:
        """Tell whether that process is known to have ended; False wherever that can't be known from here."""
        if self.machine != _machine():
            return False
        if self.boot != _boot():
            return True
        if self.pids != _namespace():
            return False
        if not psutil.pid_exists(self.pid):
            return True
        return bool(self.began) and began(self.pid) != self.began

    def is_neighbour(self, other: Owner) -> bool:
        """Tell whether both are of one user on one machine."""
        return (self.machine, self.user) == (other.machine, other.user)


def began(pid: int) -> int:
    """When a process was started, in ticks since the boot; 0 where /proc does not say."""
    try:
        # The name in brackets may hold anything; after it come the state and 18 more fields, then the time.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def _machine() -> str:
    return f"{socket.gethostname()} {_text('/etc/machine-id')}".strip()


def _boot() -> str:
    return _text("/proc/sys/kernel/random/boot_id")


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


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
    """Return the labels of all that some run has made and that is still there."""
    client = engine.client
    filters: dict[str, str | list[str] | bool] = {"label": RUN}
    found: list[Mapping[str, str]] = [
        one.labels for one in client.containers.list(all=True, filters=filters, ignore_removed=True)
    ]
    found += [one.attrs["Labels"] for one in client.networks.list(filters=filters)]
    found += [one.attrs["Labels"] for one in client.volumes.list(filters=filters)]
    # The SDK's own `images.list` asks for each once more, and fails where another run has removed one since.
    found += [one["Labels"] for one in client.api.images(all=True, filters=filters)]
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
