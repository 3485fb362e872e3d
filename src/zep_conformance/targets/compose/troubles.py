"""Why Compose could not bring a project up, from what it wrote: the cause, and the next step."""

from __future__ import annotations

import re

from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.targets.last_words import end_of

_NOISE = re.compile(r"level=warning|^\s*$|variable is not set|^DEPRECATED|docs\.docker\.com/go/buildx|legacy builder")
_KNOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "pull": (
        (r"denied|unauthorized|authentication required", "Log in to its registry (`docker login`)."),
        (r"manifest .*unknown|not found|does not exist", "There is no such image or tag: look at its spelling."),
        (
            r"lookup|no such host|timeout|refused|unreachable|deadline|certificate",
            "The registry can't be reached from the engine: look at its network and proxy, or load the image from "
            "elsewhere (`docker load`).",
        ),
    ),
    "build": (
        (
            r"pull access denied|failed to resolve source|manifest unknown|no such host",
            "An image that it builds on (FROM) can't be had: the network, a login, or its spelling.",
        ),
    ),
    "up": (
        (
            r"port is already allocated|address already in use|ports are not available",
            "Somebody has taken the port since it was chosen: run it again, and another is.",
        ),
        (
            r"non-overlapping|all predefined address pools",
            "The engine has no more addresses for networks: `docker network prune` frees those that nobody uses.",
        ),
        (
            r"network .* not found|volume .* not found",
            "What is external there must be made before: see `docker network`.",
        ),
    ),
}
_ALWAYS = (
    (r"no space left on device", "The disk is full: `docker system df` says what takes the room."),
    (r"cannot connect to the docker daemon", "The engine has gone away: look at its own log."),
)
_DID = {"pull": "an image can't be pulled", "build": "the build failed", "up": "Compose could not bring it up"}


def explained(step: str, path: str, output: str, redactor: Redactor) -> CannotTell:
    """What went wrong at a step (pull, build or up) of bringing a project up."""
    kept = "\n".join(line for line in output.splitlines() if not _NOISE.search(line))
    advice = next(
        (advice for pattern, advice in (*_KNOWN[step], *_ALWAYS) if re.search(pattern, kept, re.IGNORECASE)),
        f"`docker compose {step}` in its folder says the same.",
    )
    return CannotTell(redactor(f"{path}: {_DID[step]}:\n{end_of(kept, 8)}"), advice)
