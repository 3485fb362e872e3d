"""Which image is there, what exactly it is, and the building of our own, which is in no public registry."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker.errors

from zep_conformance import __version__, suite
from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import one_line
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, DockerEngine, answer_of

if TYPE_CHECKING:
    from docker.models.images import Image

OURS = f"zep-conformance:{__version__}"
"""The image that this project's Dockerfile builds."""


@dataclass(frozen=True)
class PinnedImage:
    """An image as it is there. digest: the registry's, or the image's own id where it has come from none."""

    name: str
    id: str
    digest: str

    @classmethod
    def of(cls, name: str, image: Image) -> PinnedImage:
        """Return what an image is, under the name that it was asked for by."""
        known = [str(one).partition("@")[2] for one in image.attrs.get("RepoDigests") or []]
        return cls(name=name, id=str(image.id), digest=known[0] if known else str(image.id))


def is_there(engine: DockerEngine, image: str) -> bool:
    """Tell whether an image is in the engine already; one whose name is none is not."""
    try:
        engine.client.images.get(image)
    except docker.errors.APIError:
        return False
    return True


def build_ours(engine: DockerEngine, say: Callable[[str], None]) -> Image:
    """Build our own image from the checkout that this is. Raises CannotTell where that can't be."""

    def missing(what: str) -> CannotTell:
        by_hand = f"`docker build -t {OURS} .` in a checkout of zep-conformance makes it; --model-image names another."
        return CannotTell(f"model: {what}", by_hand, code="image-missing")

    if suite.is_installed():
        raise missing(f"there is no image {OURS}, and this is no checkout that it could be built from")
    say(f"model: building {OURS} from the Dockerfile here, once (some minutes)")
    began = time.monotonic()
    try:
        found, _ = engine.client.images.build(path=str(suite.root()), tag=OURS, rm=True)
    except docker.errors.BuildError as error:
        lines = [str(line.get("stream") or line.get("error") or "") for line in error.build_log]
        raise missing(f"{OURS} can't be built: {one_line(''.join(lines)[-300:])}") from None
    except (*ENGINE_ERRORS, TypeError) as error:
        raise missing(f"{OURS} can't be built: {one_line(answer_of(error))}") from None
    say(f"model: built in {time.monotonic() - began:.0f} s")
    return found
