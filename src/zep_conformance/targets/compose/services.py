"""Which service of a Compose project is which part of a deployment: by image, variables, ports and name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zep_conformance.facts.servers import PORTS

Service = Mapping[str, Any]
"""A service as `config` prints it."""
_IMAGES = {"zep": r"zep(-cloud)?", "nlp": r".*nlp.*", "postgres": r".*(postgres|pgvector|timescale|supabase).*"}
_NAMES = {"zep": r"zep(-server)?", "nlp": r".*nlp.*", "postgres": r"(zep-)?(db|database|pg|postgres\w*)"}
_VARIABLES = {
    "zep": r"ZEP_(STORE_\w+|NLP_\w+|OPENAI_API_KEY|AUTH_\w+)",
    "postgres": r"POSTGRES_(USER|PASSWORD|DB|HOST_AUTH_METHOD)",
}
_LIKENESS = {"image": 4, "port": 2, "name": 2, "variables": 1}
"""How much each likeness says. Variables say least: one .env is often given to all."""


@dataclass(frozen=True)
class Published:
    """A port that a service publishes. outside: of the host, None for any free one. inside: of the container."""

    outside: int | None
    inside: int


def image_of(service: Service) -> tuple[str, str, str]:
    """The path, the last word of the path, and the tag of a service's image; empty where it has none."""
    path, _, _digest = str(service.get("image") or "").partition("@")
    head, slash, last = path.rpartition("/")
    name, _, tag = last.partition(":")
    return head + slash + name, name, tag


def variables_of(service: Service) -> dict[str, str]:
    """A service's environment variables, with the dollar signs that `config` doubles as they are meant."""
    given = service.get("environment") or {}
    if isinstance(given, list):
        given = dict(one.partition("=")[::2] for one in given)
    return {str(name): str(value).replace("$$", "$") for name, value in given.items() if value is not None}


def published_by(service: Service) -> list[Published]:
    """The TCP ports that a service publishes, in either way of writing them."""
    found = []
    for one in service.get("ports") or []:
        if isinstance(one, Mapping):
            outside, inside, protocol = str(one.get("published") or ""), str(one["target"]), one.get("protocol", "tcp")
        else:
            rest, _, protocol = str(one).partition("/")
            *before, inside = rest.split(":")
            outside = before[-1] if before else ""
        if protocol in ("", "tcp") and inside.isdecimal():
            found.append(Published(int(outside) if outside.isdecimal() else None, int(inside)))
    return found


def inner_port(part: str, service: Service) -> int:
    """Where a part listens inside its container: what it is told, else what it publishes, else its usual port."""
    told = variables_of(service).get("ZEP_SERVER_PORT", "")
    if part == "zep" and told.isdecimal():
        return int(told)
    inside = {one.inside for one in published_by(service)}
    return inside.pop() if len(inside) == 1 else PORTS[part]


def parts_among(services: Mapping[str, Service]) -> dict[str, list[str]]:
    """The services that look most like each part, by part. More than one where they look alike, none is left out.

    What is a database or an NLP server is never taken for a Zep.
    """
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for part in ("nlp", "postgres", "zep"):
        scores = {name: _likeness(part, name, one) for name, one in services.items() if name not in taken}
        best = max(scores.values(), default=0)
        found[part] = [name for name, score in scores.items() if score == best and score >= _LIKENESS["name"]]
        taken.update(found[part])
    return found


def _likeness(part: str, name: str, service: Service) -> int:
    exposed = {str(port).partition("/")[0] for port in service.get("expose") or []}
    ports = {one.inside for one in published_by(service)} | {int(port) for port in exposed if port.isdecimal()}
    likeness = {
        "image": bool(re.fullmatch(_IMAGES[part], image_of(service)[1], re.IGNORECASE)),
        "port": PORTS[part] in ports,
        "name": bool(re.fullmatch(_NAMES[part], name, re.IGNORECASE)),
        "variables": any(re.fullmatch(_VARIABLES.get(part, "$^"), one) for one in variables_of(service)),
    }
    return sum(_LIKENESS[how] for how, alike in likeness.items() if alike)
