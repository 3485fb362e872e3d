"""The embedded parts, wired to each other: what each is made by, listens on and is given.

Their makers are named and not imported: each is called in the part's own process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zep_conformance.facts.servers import zep_environment
from zep_conformance.processes.parts import Part, listen

APPLICATIONS = "zep_conformance.embedded.applications"


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
) -> list[Part]:
    """Return the parts to run, wired to each other.

    names: of `zep`, `zep-secured`, `langflux`, `model`, `nlp`, `postgres`. data: folder for state and logs.
    recorded_behaviours: "none", "all", or names by part. mutations: names of those to plant, by part.
    ports: fixed ones, by part.
    secrets: what a Zep checks tokens with, by part; one without a secret is open.
    given: URLs of parts that run elsewhere.
    environment: further variables of Zep's own that configure it.
    embedding_model: folder of a model for the NLP server, see `meaning`.

    Raises PortTaken when a fixed port is in use.
    """
    names, ports, given, mutations = list(names), dict(ports or {}), dict(given or {}), mutations or {}
    secrets = secrets or {}
    data.mkdir(parents=True, exist_ok=True)
    reserved = {name: listen(name, host, ports.get(name, 0)) for name in names}
    ports |= {name: int(listener.getsockname()[1]) for name, listener in reserved.items()}
    urls = {name: f"http://{host}:{ports[name]}" for name in names} | given
    model = f"{urls['model']}/v1" if "model" in urls else None

    def part(name: str, factory: str, **arguments: Any) -> Part:
        return Part(
            name=name,
            factory=factory,
            log=data / f"{name}.log",
            port=ports[name],
            host=host,
            arguments=arguments,
            reserved=reserved[name],
        )

    def changes(name: str) -> dict[str, Any]:
        """Return what is not as documented in a part."""
        recorded: Iterable[str] = () if recorded_behaviours == "none" else "all"
        if not isinstance(recorded_behaviours, str):
            recorded = tuple(recorded_behaviours.get(name, ()))
        return {"recorded_behaviours": recorded, "mutations": tuple(mutations.get(name, ()))}

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
