"""What each container is told: image, variables, ports, and when it is ready."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from zep_conformance.clients import tokens
from zep_conformance.facts.servers import HEALTH_PATHS, PORTS, mended, zep_environment
from zep_conformance.settings import Settings
from zep_conformance.targets.containers.images import other_image

SECURED = "zep-secured"
DATABASES = {"zep": "zep", SECURED: "zep_secured"}
"""The database of each Zep, on one server."""
LANGFLUX_FOLDER = "/kept"
"""Where LangFlux keeps everything, when another version of it is to find that there."""
ALIASES = {"postgres": "zep-postgres", "nlp": "zep-nlp"}
"""The parts that are called otherwise in the network than here; the documentation's names."""


@dataclass(frozen=True)
class Secrets:
    """What a deployment's parts share and nobody else may know."""

    zep: str
    postgres: str

    @classmethod
    def drawn(cls) -> Self:
        """Return new ones."""
        return cls(zep=tokens.make_secret(), postgres=secrets.token_urlsafe(24))


@dataclass(frozen=True)
class Spec:
    """One container. port: what it listens on; published: where the engine's host has it, 0 where nowhere.

    ready: the path that answers 200 when it is up, "" where it is asked otherwise. after: the image of the version to
    upgrade to, "" where there is none. kept: the folder that it has in common with that version, "" for none.
    """

    part: str
    image: str
    port: int
    published: int = 0
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    ready: str = ""
    after: str = ""
    kept: str = ""

    @property
    def alias(self) -> str:
        """Its name in the network."""
        return ALIASES.get(self.part, self.part)

    @property
    def inside(self) -> str:
        """Its base URL as other containers see it."""
        return f"http://{self.alias}:{self.port}"

    def with_port(self, number: int) -> Spec:
        """Return the same, published elsewhere."""
        return replace(self, published=number)


def in_folder(folder: str) -> dict[str, str]:
    """Return the variables that have a LangFlux keep everything in a folder: its database, keys, logs and files."""
    names = {
        "DATABASE_PATH": "",
        "APIKEY_PATH": "",
        "SECRETKEY_PATH": "",
        "LOG_PATH": "/logs",
        "BLOB_STORAGE_PATH": "/files",
    }
    return {name: f"{folder}{below}" for name, below in names.items()}


def kind_of(part: str) -> str:
    """Return the part that a part shares its image with: Zep's is the secured one's too."""
    return part.removesuffix("-secured")


def plan(settings: Settings, images: Mapping[str, str], shared: Secrets) -> list[Spec]:
    """Return the containers of a run, without those of parts that the settings give by URL; none is published yet.

    images: by part. The model server is always one of them: it is also the other host that things are looked at from.
    """

    def spec(part: str, **further: Any) -> Spec:
        kind = kind_of(part)
        return Spec(part=part, image=images[kind], port=PORTS[kind], ready=HEALTH_PATHS.get(kind, ""), **further)

    def zep(part: str, secret: str | None = None) -> Spec:
        environment = zep_environment(
            model_url=f"http://model:{PORTS['model']}/v1",
            nlp_url=f"http://zep-nlp:{PORTS['nlp']}",
            dsn=f"postgres://postgres:{shared.postgres}@zep-postgres:{PORTS['postgres']}/{DATABASES[part]}?sslmode=disable",
            secret=secret,
            window=settings.message_window,
        )
        return spec(part, environment=environment | mended(os.environ), after=other("zep"))

    def other(part: str) -> str:
        return other_image(settings, part) or ""

    serving = ("serve", "--part", "model", "--from-environment", "--host", "0.0.0.0")
    made = [
        spec("postgres", environment={"POSTGRES_PASSWORD": shared.postgres}),
        spec("nlp"),
        spec("model", command=serving),
        zep(SECURED, shared.zep),
    ]
    if not settings.zep_url:
        made.append(zep("zep"))
    if not settings.langflux_url:
        environment = {"PORT": str(PORTS["langflux"]), "DISABLE_FLOWISE_TELEMETRY": "true"}
        kept = {"kept": LANGFLUX_FOLDER, "after": other("langflux")} if settings.to_langflux else {}
        if kept:
            environment |= in_folder(LANGFLUX_FOLDER)
        made.append(spec("langflux", environment=environment, **kept))
    return made


def fingerprint(settings: Settings, ids: Mapping[str, str]) -> str:
    """Return what two runs must have in common to use the same containers. ids: the exact image of each part."""
    specs = [asdict(spec) for spec in plan(settings, ids, Secrets(zep="", postgres=""))]
    return hashlib.sha256(json.dumps(specs, sort_keys=True).encode()).hexdigest()[:16]
