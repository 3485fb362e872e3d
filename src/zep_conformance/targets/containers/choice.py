"""Whether `auto` can have containers. Where no engine is, that is known without importing any Docker library."""

from __future__ import annotations

import os
from pathlib import Path

from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings

ANSWER_LIMIT = 3.0
"""Seconds for the engine, and for a registry by way of it."""
SOCKET = Path("/var/run/docker.sock")


def obstacle(settings: Settings) -> str:
    """Return what keeps the containers from being started here, "" when nothing does."""
    configured = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    properties = Path.home() / ".testcontainers.properties"
    # Both are files in which somebody may have named an engine.
    named = os.environ.get("DOCKER_HOST") or configured.exists() or properties.exists()
    if not named and not SOCKET.exists():
        return "there is no Docker engine"
    from zep_conformance.targets.containers.images import unobtainable
    from zep_conformance.targets.docker.engine import connect

    try:
        engine = connect(ANSWER_LIMIT)
    except CannotTell as error:
        return error.what
    try:
        return unobtainable(engine, settings)
    finally:
        engine.client.close()
