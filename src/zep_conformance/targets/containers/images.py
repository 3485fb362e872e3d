"""Which image each part has, pulled where it is not there, and what it is exactly."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import docker.errors
from docker.utils import parse_repository_tag

from zep_conformance import suite
from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import cause_of, one_line
from zep_conformance.facts.servers import IMAGES
from zep_conformance.settings import Settings
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, DockerEngine, answer_of, refused
from zep_conformance.targets.docker.images import OURS, PinnedImage, build_ours

if TYPE_CHECKING:
    from docker.models.images import Image

DEFAULTS = {**IMAGES, "model": OURS}
"""By part. Zep's `latest` is 1.x, which is another product: always pinned."""
SAY_EVERY = 5.0
"""Seconds between two lines about one pull."""


def named(settings: Settings, part: str) -> str:
    """Return the image of a part, by what the settings say. A zep-secured has Zep's."""
    part = part.removesuffix("-secured")
    given: str | None = getattr(settings, f"{part}_image")
    if given:
        return given
    return prefixed(settings.registry, DEFAULTS[part]) if settings.registry else DEFAULTS[part]


def other_image(settings: Settings, part: str) -> str | None:
    """Return the image of the version that a part is upgraded to, None where there is none.

    A bare version is a tag of the image that the part has before.
    """
    given: str | None = getattr(settings, f"to_{part}", None)
    if not given or "/" in given or ":" in given:
        return given
    repository, _ = split(named(settings, part))
    return f"{repository}:{given}"


def prefixed(registry: str, image: str) -> str:
    """Return an image in a private registry, under the path that it has in its own."""
    first, slash, rest = image.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first)
    return f"{registry.rstrip('/')}/{rest if has_host else image}"


def obtain(engine: DockerEngine, part: str, image: str, say: Callable[[str], None]) -> PinnedImage:
    """Return the image of a part: the one that is there, else pulled, else built where it is ours.

    Raises CannotTell saying what kept it from being pulled.
    """
    try:
        found = engine.client.images.get(image)
    except docker.errors.ImageNotFound:
        found = build_ours(engine, say) if image == OURS else _pulled(engine, part, image, say)
    except ENGINE_ERRORS as error:
        raise refused(error, part, image) from None
    return PinnedImage.of(image, found)


def _pulled(engine: DockerEngine, part: str, image: str, say: Callable[[str], None]) -> Image:
    say(f"{part}: pulling {image}")
    began, shown_at = time.monotonic(), time.monotonic()
    layers: dict[str, tuple[int, int]] = {}
    try:
        repository, tag = split(image)
        for event in engine.client.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise unpullable(part, image, str(event["error"]))
            progress = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and progress.get("total"):
                layers[str(event.get("id"))] = (int(progress["current"]), int(progress["total"]))
            if layers and time.monotonic() - shown_at > SAY_EVERY:
                shown_at = time.monotonic()
                done, total = (sum(column) / 1e6 for column in zip(*layers.values(), strict=True))
                say(f"{part}: {done:.0f} of {total:.0f} MB so far")
        found = engine.client.images.get(image)
    except ENGINE_ERRORS as error:
        raise unpullable(part, image, answer_of(error)) from None
    say(f"{part}: pulled in {time.monotonic() - began:.0f} s")
    return found


def split(image: str) -> tuple[str, str]:
    """Return repository and tag, or digest, of an image; `latest` where it has neither."""
    repository, tag = parse_repository_tag(image)
    return repository, tag or "latest"


def unpullable(part: str, image: str, text: str) -> CannotTell:
    """Return why an image can't be pulled, by what the engine says."""
    registry = image.partition("/")[0] if "." in image.partition("/")[0] else "docker.io"
    known = cause_of(text, "registry")
    if known is None:
        return CannotTell(
            f"{part}: {image} can't be pulled, the engine refuses: {one_line(text)}",
            f"Look whether `docker pull {image}` works.",
            code="image-unpullable",
        )
    known = known.filled(
        registry=registry,
        login=f"docker login {registry}",
        with_=f"with --{part.removesuffix('-secured')}-image",
        mirror=" with --registry",
    )
    return CannotTell(
        f"{part}: {image} can't be pulled, {known.cause}: {one_line(text)}", known.advice, code=known.code
    )


def needed(settings: Settings) -> list[str]:
    """Return the parts whose images are needed: Zep's for the secured one, whoever else is given by URL."""
    return [part for part in DEFAULTS if part != "langflux" or not settings.langflux_url]


def unobtainable(engine: DockerEngine, settings: Settings) -> str:
    """Return why the image of some part can't be had, "" when each is there or its registry offers it."""
    parts = needed(settings)
    with ThreadPoolExecutor(len(parts)) as pool:
        return next(filter(None, pool.map(lambda part: _obstacle(engine, part, named(settings, part)), parts)), "")


def _obstacle(engine: DockerEngine, part: str, image: str) -> str:
    try:
        engine.client.images.get(image)
    except docker.errors.ImageNotFound:
        if image == OURS:
            return f"there is no image {OURS}" if suite.is_installed() else ""
        try:
            engine.client.api.inspect_distribution(image)  # type: ignore[no-untyped-call]
        except ENGINE_ERRORS as error:
            return unpullable(part, image, answer_of(error)).what
    except ENGINE_ERRORS as error:
        return refused(error, part, image).what
    return ""
