"""Which image each part has, pulled where it is not there, and what it is exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors

from zep_conformance import __version__, suite
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import IMAGES
from zep_conformance.settings import Settings
from zep_conformance.targets.containers.engine import Engine, Refused, explained, last_of, said

if TYPE_CHECKING:
    from docker.models.images import Image

OURS = f"zep-conformance:{__version__}"
"""The image that this project's Dockerfile builds."""
DEFAULTS = {**IMAGES, "model": OURS}
"""By part. Zep's `latest` is 1.x, which is another product: always pinned."""
SAY_EVERY = 5.0
"""Seconds between two lines about one pull."""


@dataclass(frozen=True)
class Pinned:
    """An image as it is there. digest: the registry's, or the image's own id where it has come from none."""

    name: str
    id: str
    digest: str


def named(settings: Settings, part: str) -> str:
    """The image of a part, by what the settings say. A zep-secured has Zep's."""
    part = "zep" if part == "zep-secured" else part
    given: str | None = getattr(settings, f"{part}_image")
    if given:
        return given
    return prefixed(settings.registry, DEFAULTS[part]) if settings.registry else DEFAULTS[part]


def prefixed(registry: str, image: str) -> str:
    """An image in a private registry, under the path that it has in its own."""
    first, slash, rest = image.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first)
    return f"{registry.rstrip('/')}/{rest if has_host else image}"


def obtain(engine: Engine, part: str, image: str, say: Callable[[str], None]) -> Pinned:
    """The image of a part: the one that is there, else pulled, else built where it is ours.

    Raises CannotTell saying what kept it from being pulled.
    """
    try:
        found = engine.client.images.get(image)
    except docker.errors.ImageNotFound:
        found = _built(engine, say) if image == OURS else _pulled(engine, part, image, say)
    except Refused as error:
        raise explained(error, part, image) from None
    return Pinned(image, str(found.id), digest_of(found))


def digest_of(image: Image) -> str:
    """What the registry calls exactly this image; its id where it was built here."""
    for known in image.attrs.get("RepoDigests") or []:
        return str(known).partition("@")[2]
    return str(image.id)


def _pulled(engine: Engine, part: str, image: str, say: Callable[[str], None]) -> Image:
    say(f"{part}: pulling {image}")
    began, told = time.monotonic(), time.monotonic()
    layers: dict[str, tuple[int, int]] = {}
    try:
        for event in _events(engine, image):
            if "error" in event:
                raise unpullable(part, image, str(event["error"]))
            progress = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and progress.get("total"):
                layers[str(event.get("id"))] = (int(progress["current"]), int(progress["total"]))
            if layers and time.monotonic() - told > SAY_EVERY:
                told = time.monotonic()
                done, total = (sum(column) / 1e6 for column in zip(*layers.values(), strict=True))
                say(f"{part}: {done:.0f} of {total:.0f} MB so far")
        found = engine.client.images.get(image)
    except Refused as error:
        raise unpullable(part, image, said(error)) from None
    say(f"{part}: pulled in {time.monotonic() - began:.0f} s")
    return found


def _events(engine: Engine, image: str) -> Iterator[dict[str, Any]]:
    """What an engine says while it pulls."""
    repository, tag = split(image)
    yield from engine.client.api.pull(repository, tag=tag, stream=True, decode=True)


def split(image: str) -> tuple[str, str]:
    """Repository and tag, or digest, of an image; `latest` where it has neither."""
    if "@" in image:
        repository, _, digest = image.partition("@")
        return repository, digest
    repository, colon, tag = image.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (image, "latest")


def unpullable(part: str, image: str, text: str) -> CannotTell:
    """Why an image can't be pulled, by what the engine says."""
    option = "zep" if part == "zep-secured" else part
    lower = text.lower()
    registry = image.partition("/")[0] if "." in image.partition("/")[0] else "docker.io"
    if "no space left" in lower:
        why = "the engine's disk is full"
        advice = "`docker system df` says what fills it, `docker system prune` makes room."
    elif "no matching manifest" in lower or "does not match the specified platform" in lower:
        why = "there is none for this machine's kind of processor"
        advice = f"Name another with --{option}-image."
    elif "manifest unknown" in lower or "not found" in lower or "manifest for" in lower:
        why = f"{registry} has no such image or tag"
        advice = f"Look for the tag that is meant, and name it with --{option}-image."
    elif "too many requests" in lower or "toomanyrequests" in lower:
        why = f"{registry} has had too many requests from here"
        advice = "Log in (`docker login`), wait, or name a mirror with --registry."
    elif any(word in lower for word in ("denied", "unauthorized", "authentication", "no basic auth", "forbidden")):
        why = f"{registry} wants a login for it, or has nothing of that name"
        advice = f"`docker login {registry}` as a user who may pull it, or name another with --{option}-image."
    elif any(word in lower for word in _NO_WAY):
        why = f"the engine does not reach {registry}"
        advice = (
            "Let the engine's host reach it, name a mirror with --registry, "
            f"or load the image by hand (`docker load`) and name it with --{option}-image."
        )
    else:
        why, advice = "the engine refuses", f"Look whether `docker pull {image}` works."
    return CannotTell(f"{part}: {image} can't be pulled, {why}: {last_of(text)}", advice)


_NO_WAY = (
    "no such host", "dial tcp", "timeout", "timed out", "deadline exceeded", "connection refused", "connection reset",
    "network is unreachable", "no route to host", "tls", "x509", "proxyconnect", "eof", "server misbehaving",
)  # fmt: skip


def _built(engine: Engine, say: Callable[[str], None]) -> Image:
    """Our own image, which is in no public registry, from the checkout that this is. Raises CannotTell."""
    by_hand = f"`docker build -t {OURS} .` in a checkout of zep-conformance makes it; --model-image names another."
    if suite.is_installed():
        raise CannotTell(
            f"model: there is no image {OURS}, and this is no checkout that it could be built from", by_hand
        )
    say(f"model: building {OURS} from the Dockerfile here, once")
    began = time.monotonic()
    try:
        found, _ = engine.client.images.build(path=str(suite.root()), tag=OURS, rm=True)
    except docker.errors.BuildError as error:
        lines = [str(line.get("stream") or line.get("error") or "") for line in error.build_log]
        raise CannotTell(f"model: {OURS} can't be built: {last_of(''.join(lines)[-300:])}", by_hand) from None
    except (*Refused, TypeError) as error:
        raise CannotTell(f"model: {OURS} can't be built: {last_of(said(error))}", by_hand) from None
    say(f"model: built in {time.monotonic() - began:.0f} s")
    return found


def unobtainable(engine: Engine, settings: Settings) -> str:
    """Why the image of some part can't be had, "" when each is there or its registry offers it."""
    parts = [part for part in DEFAULTS if part != "langflux" or not settings.langflux_url]
    with ThreadPoolExecutor(len(parts)) as pool:
        return next(filter(None, pool.map(lambda part: _obstacle(engine, part, named(settings, part)), parts)), "")


def _obstacle(engine: Engine, part: str, image: str) -> str:
    try:
        engine.client.images.get(image)
    except docker.errors.ImageNotFound:
        if image == OURS:
            return f"there is no image {OURS}" if suite.is_installed() else ""
        try:
            engine.client.api.inspect_distribution(image)  # type: ignore[no-untyped-call]
        except Refused as error:
            return unpullable(part, image, said(error)).what
    except Refused as error:
        return explained(error, part, image).what
    return ""
