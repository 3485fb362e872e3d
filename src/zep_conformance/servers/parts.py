"""The parts that can be run, wired to each other: what each is made by, listens on and is told."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class PortTaken(Exception):
    """A port that a part was to listen on is in use."""

    def __init__(self, part: str, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host}, for {part}, is in use")
        self.part, self.host, self.port = part, host, port


class PartDied(Exception):
    """A part ended, or did not come up; carries its log. how: in words, as "ended with exit code 1"."""

    def __init__(self, part: str, log: str, how: str = "did not start") -> None:
        last = next(reversed(log.strip().splitlines()), "(empty)")
        super().__init__(f"{part} {how}; its log ends: {last[:500]}")
        self.part, self.log, self.how = part, log, how


@dataclass(frozen=True)
class Part:
    """One server to run: `factory` ("module:function") called in its own process gives the application.

    log: the file that its output is appended to. reserved: a socket that holds the port until the first start, so
    that no other process is given it in between.
    """

    name: str
    factory: str
    log: Path
    port: int
    host: str = "127.0.0.1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reserved: socket.socket | None = field(default=None, repr=False, compare=False)


def zep_app(departures: Iterable[str], manner: str, database: Path, environment: Mapping[str, str]) -> Any:
    """The embedded Zep as an ASGI application, in a manner and with further departures.

    environment: the variables that configure it, as those of the real one. Ends the process when Zep would not start
    with them, saying why.
    """
    from zep_conformance.servers.departures import Departures, recorded
    from zep_conformance.servers.zep.app import ZepSettings, create_app
    from zep_conformance.servers.zep.configuration import Misconfigured, configured
    from zep_conformance.servers.zep.departures import CATALOGUE

    faithful = recorded(CATALOGUE) if manner == "faithful" else frozenset()
    active = faithful | frozenset(departures)
    try:
        settings = configured(environment, Departures(CATALOGUE, active))
    except Misconfigured as error:
        sys.exit(str(error))
    return create_app(ZepSettings(database=database, departures=active, **settings))


def langflux_app(departures: Iterable[str], manner: str, **settings: Any) -> Any:
    """The embedded LangFlux as an ASGI application, in a manner and with further departures."""
    from zep_conformance.servers.departures import recorded
    from zep_conformance.servers.langflux.app import LangFluxSettings, create_app
    from zep_conformance.servers.langflux.departures import CATALOGUE

    faithful = recorded(CATALOGUE) if manner == "faithful" else frozenset()
    return create_app(LangFluxSettings(departures=faithful | frozenset(departures), **settings))


def parts_for(
    names: Iterable[str],
    *,
    manner: str,
    data: Path,
    departures: Mapping[str, Iterable[str]] | None = None,
    ports: Mapping[str, int] | None = None,
    host: str = "127.0.0.1",
    secrets: Mapping[str, str | None] | None = None,
    api_key: str = "embedded-langflux-key",
    given: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    embedding_model: str | None = None,
) -> list[Part]:
    """The parts to run, wired to each other.

    names: of `zep`, `zep-secured`, `langflux`, `model`, `nlp`, `postgres`. manner: "documented" or "faithful".
    data: folder for state and logs. departures: further ones, by part. ports: fixed ones, by part.
    secrets: what a Zep checks tokens with, by part; one without a secret is open.
    given: URLs of parts that run elsewhere.
    environment: further variables of Zep's own that configure it.
    embedding_model: folder of a model for the NLP server, see `meaning`.

    Raises PortTaken when a fixed port is in use.
    """
    names, ports, given, departures = list(names), dict(ports or {}), dict(given or {}), departures or {}
    secrets = secrets or {}
    data.mkdir(parents=True, exist_ok=True)
    reserved = {name: listen(name, host, ports.get(name, 0)) for name in names}
    ports |= {name: int(listener.getsockname()[1]) for name, listener in reserved.items()}
    urls = {name: f"http://{host}:{ports[name]}" for name in names} | given
    model = f"{urls['model']}/v1" if "model" in urls else None

    def part(name: str, factory: str, **arguments: Any) -> Part:
        return Part(name, factory, data / f"{name}.log", ports[name], host, arguments, reserved[name])

    def zep(name: str) -> Part:
        return part(
            name,
            f"{__name__}:zep_app",
            departures=tuple(departures.get("zep", ())),
            manner=manner,
            database=data / f"{name}.sqlite3",
            environment=_zep_environment(model, urls, secrets.get(name)) | dict(environment or {}),
        )

    makers: dict[str, Callable[[], Part]] = {
        "zep": lambda: zep("zep"),
        "zep-secured": lambda: zep("zep-secured"),
        "langflux": lambda: part(
            "langflux",
            f"{__name__}:langflux_app",
            departures=tuple(departures.get("langflux", ())),
            manner=manner,
            database=data / "langflux.sqlite3",
            api_key=api_key,
        ),
        "model": lambda: part("model", "zep_conformance.servers.model:create_app"),
        "nlp": lambda: part("nlp", "zep_conformance.servers.nlp:create_app", embedding_model=embedding_model),
        "postgres": lambda: part("postgres", "zep_conformance.servers.postgres:create_app"),
    }
    return [makers[name]() for name in names]


def _zep_environment(model: str | None, urls: Mapping[str, str], secret: str | None) -> dict[str, str]:
    """What an embedded Zep is configured with, as a real one between the same neighbours would be."""
    store = urls.get("postgres", "").replace("http://", "postgres://")
    return {
        "ZEP_OPENAI_API_KEY": "none-is-needed-here",
        "ZEP_LLM_OPENAI_ENDPOINT": model or "",
        "ZEP_NLP_SERVER_URL": urls.get("nlp", ""),
        "ZEP_STORE_POSTGRES_DSN": store,
        "ZEP_AUTH_REQUIRED": "true" if secret else "",
        "ZEP_AUTH_SECRET": secret or "",
    }


def listen(name: str, host: str, port: int) -> socket.socket:
    """A socket that holds a port (0: a free one) for a part. Raises PortTaken when it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and turns Nagle's algorithm off: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(name, host, port) from error
    return listener
