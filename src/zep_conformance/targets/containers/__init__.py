"""The `containers` target: a deployment as documented, each part a container, on any Docker engine.

    images      which image each part has, pulled side by side, and its digest
    plan        what each container is told: variables, ports, aliases, and when it is ready
    parts       the containers of one run: created, awaited, found again by their names
    kept        sets of containers that `--keep` left, used again
    startup     everything at once, in the order that the parts need
    control     stopping, pausing, re-creating, cutting off
    firewall    the one script that runs inside a part's network
    target      the target itself

No module here is imported by a run on another target: the Docker libraries take half a second to import. Whether `auto`
can have containers is known without them where no engine is.
"""

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
