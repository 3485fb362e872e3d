"""Labels: which run a container, network, volume or image belongs to, and whether that run still lives."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

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
