"""What the config.yaml of one Zep image says otherwise than that of another, read without starting either."""

from __future__ import annotations

import io
import tarfile

import docker.errors

from zep_conformance.deployment_files.config_changes import changes
from zep_conformance.deployment_files.zep_config import CONFIGURATION
from zep_conformance.targets.base import Upgrade
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, DockerEngine


def config_changes(engine: DockerEngine, upgrade: Upgrade) -> list[str]:
    """Return what differs, a line each; nothing where the engine does not say."""
    try:
        return changes(*(_config_in(engine, image) for image in (upgrade.before, upgrade.after)))
    except ENGINE_ERRORS:
        return []


def _config_in(engine: DockerEngine, image: str) -> str | None:
    """Return the config.yaml in an image, None where there is none."""
    made = engine.client.containers.create(image)
    try:
        stream, _ = made.get_archive(CONFIGURATION)
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read().decode(errors="replace") if file is not None else None
    except docker.errors.NotFound:
        return None
    finally:
        made.remove(force=True)
