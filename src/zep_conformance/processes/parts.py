"""The embedded parts: what each is made by, listens on and is given, and how they are wired to each other.

Their makers are named and not imported: each is called in the part's own process.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zep_conformance.errors import PortTaken
from zep_conformance.facts.servers import zep_environment

APPLICATIONS = "zep_conformance.embedded.applications"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One server to run: `factory` ("module:function") called in its own process gives the application.

    log: the file that its output is appended to. versions: the arguments that differ where it is started as another
    version of itself, by what that is called. reserved: a socket that holds the port until the first start, so
    that no other process is given it in between. refuses_when_cut_off: whether what is sent to it through a firewall is
    refused, and not dropped.
    """

    name: str
    factory: str
    log: Path
    port: int
    host: str = "127.0.0.1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reserved: socket.socket | None = field(default=None, repr=False, compare=False)
    refuses_when_cut_off: bool = False


def listen(name: str, host: str, port: int) -> socket.socket:
    """Return a socket that holds a port (0: a free one) for a part. Raises PortTaken when it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and turns Nagle's algorithm off: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(part=name, host=host, port=port) from error
    return listener


def written(log: Path) -> str:
    """Return what is in a log so far."""
    return log.read_text(errors="replace") if log.exists() else ""


def _kind(name: str) -> str:
    """Return what a part is: a secured Zep is a Zep."""
    return "zep" if name == "zep-secured" else name


def parts_for(
    names: Iterable[str],
    *,
    data: Path,
    recorded_behaviours: str | Mapping[str, Iterable[str]] = "none",
    mutations: Mapping[str, Iterable[str]] | None = None,
    ports: Mapping[str, int] | None = None,
    host: str = "127.0.0.1",
    secrets: Mapping[str, str | None] | None = None,
    api_key: str = "embedded-langflux-key",
    given: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    embedding_model: str | None = None,
    versions: Mapping[str, Mapping[str, str]] | None = None,
    begin_as: Mapping[str, str] | None = None,
) -> list[Part]:
    """Return the parts to run, wired to each other.

    names: of `zep`, `zep-secured`, `langflux`, `model`, `nlp`, `postgres`. data: folder for state and logs.
    recorded_behaviours: "none", "all", or names by part. mutations: names of those to plant, by part.
    ports: fixed ones, by part. secrets: what a Zep checks tokens with, by part; one without a secret is open.
    given: URLs of parts that run elsewhere. environment: further variables of Zep's own that configure it.
    embedding_model: folder of a model for the NLP server, see `meaning`. versions: of zep and langflux, what each can
    be started as, by what that is called: {"zep": {"before": "0.23.0"}}. begin_as: which version each is from the
    start on, where it is not the usual one. Raises PortTaken when a fixed port is in use.
    """
    names, ports, given, mutations = list(names), dict(ports or {}), dict(given or {}), mutations or {}
    secrets = secrets or {}
    data.mkdir(parents=True, exist_ok=True)
    reserved = {name: listen(name, host, ports.get(name, 0)) for name in names}
    ports |= {name: int(listener.getsockname()[1]) for name, listener in reserved.items()}
    urls = {name: f"http://{host}:{ports[name]}" for name in names} | given
    model = f"{urls['model']}/v1" if "model" in urls else None

    def part(name: str, factory: str, **arguments: Any) -> Part:
        where: dict[str, Any] = {
            "log": data / f"{name}.log",
            "host": host,
            "port": ports[name],
            "reserved": reserved[name],
            "versions": {
                called: {"version": version} for called, version in (versions or {}).get(_kind(name), {}).items()
            },
        }
        return Part(name=name, factory=factory, arguments=arguments, **where)

    def changes(name: str) -> dict[str, Any]:
        """Return what is not as documented in a part."""
        recorded: Iterable[str] = () if recorded_behaviours == "none" else "all"
        if not isinstance(recorded_behaviours, str):
            recorded = tuple(recorded_behaviours.get(name, ()))
        begun = {"version": begin_as[name]} if begin_as and name in begin_as else {}
        return {"recorded_behaviours": recorded, "mutations": tuple(mutations.get(name, ())), **begun}

    def zep(name: str) -> Part:
        made = part(
            name,
            f"{APPLICATIONS}:zep_app",
            **changes("zep"),
            database=data / f"{name}.sqlite3",
            environment=zep_environment(
                model_url=model or "",
                nlp_url=urls.get("nlp", ""),
                dsn=urls.get("postgres", "").replace("http://", "postgres://"),
                secret=secrets.get(name),
            )
            | dict(environment or {}),
        )
        return replace(made, refuses_when_cut_off="firewall-refuses" in mutations.get("zep", ()))

    makers: dict[str, Callable[[], Part]] = {
        "zep": lambda: zep("zep"),
        "zep-secured": lambda: zep("zep-secured"),
        "langflux": lambda: part(
            "langflux",
            f"{APPLICATIONS}:langflux_app",
            **changes("langflux"),
            database=data / "langflux.sqlite3",
            api_key=api_key,
        ),
        "model": lambda: part("model", "zep_conformance.embedded.model:create_app"),
        "nlp": lambda: part("nlp", "zep_conformance.embedded.nlp:create_app", embedding_model=embedding_model),
        "postgres": lambda: part("postgres", "zep_conformance.embedded.postgres:create_app"),
    }
    return [makers[name]() for name in names]
