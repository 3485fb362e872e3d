"""The embedded servers as ASGI applications, each set up as the process that it runs in was asked to."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zep_conformance.facts.servers import LANGFLUX_VERSION, SERVER_PORT, ZEP_VERSION

PORT_VARIABLES = {"zep": SERVER_PORT, "langflux": "PORT", "nlp": SERVER_PORT}
"""What sets the port of the servers whose real ones have such a variable."""


def zep_app(
    *,
    database: Path,
    environment: Mapping[str, str],
    recorded_behaviours: Iterable[str] = (),
    mutations: Iterable[str] = (),
    version: str = ZEP_VERSION,
) -> Any:
    """Return the embedded Zep as an ASGI application.

    environment: the variables that configure it, as those of the real one. recorded_behaviours: names, or "all".
    mutations: names of those to plant. version: what it says that it is; "all" are those of that version.
    Ends the process when Zep would not start with them, saying why.
    """
    from zep_conformance.embedded.behaviours import Behaviours
    from zep_conformance.embedded.zep.app import ZepSettings, create_app
    from zep_conformance.embedded.zep.configuration import Misconfigured, configured

    behaviours = Behaviours("zep", _of_version("zep", recorded_behaviours, version))
    planted, environment = frozenset(mutations), dict(environment)
    try:
        if planted:
            from zep_conformance.embedded.zep.mutations import MUTATIONS

            MUTATIONS.plant(planted, environment, into="environment")
        settings = configured(environment, behaviours)
    except Misconfigured as error:
        sys.exit(str(error))
    return create_app(
        ZepSettings(
            database=database, version=version, recorded_behaviours=behaviours.active, mutations=planted, **settings
        )
    )


def _of_version(part: str, recorded_behaviours: Iterable[str], version: str) -> Iterable[str]:
    """Return the recorded behaviours that are asked for, "all" as those that a version is known to show."""
    if recorded_behaviours != "all":
        return recorded_behaviours
    from zep_conformance.facts.recorded_behaviours import shown_by

    return shown_by(part, version)


def langflux_app(
    *,
    recorded_behaviours: Iterable[str] = (),
    mutations: Iterable[str] = (),
    version: str = LANGFLUX_VERSION,
    **settings: Any,
) -> Any:
    """Return the embedded LangFlux as an ASGI application.

    recorded_behaviours: names, or "all". mutations: names of those to plant. version: see `zep_app`. settings: further
    ones of `LangFluxSettings`.
    """
    from zep_conformance.embedded.behaviours import Behaviours
    from zep_conformance.embedded.langflux.app import create_app
    from zep_conformance.embedded.langflux.services import LangFluxSettings

    recorded = Behaviours("langflux", _of_version("langflux", recorded_behaviours, version)).active
    return create_app(
        LangFluxSettings(version=version, recorded_behaviours=recorded, mutations=frozenset(mutations), **settings)
    )


def serve_alone(
    part: str, environment: Mapping[str, str], *, host: str, port: int, data: Path | None, recorded_behaviours: str
) -> None:
    """Serve one part, as the only process of a container, until SIGTERM or SIGINT.

    It is configured by the variables of the real server, listens on every address, writes its log where `docker logs`
    finds it, keeps its data in one folder, and ends, saying why, where the real one would not start.

    environment: ZEP_… as `embedded.zep.configuration` has them; LangFlux's API key is in LANGFLUX_API_KEY, and drawn
    where that is not set. port: where no variable sets one. data: folder for state, made if missing; None for a
    temporary one that is removed at the end.
    recorded_behaviours: "none" or "all". Raises SystemExit with what is wrong with the environment.
    """
    import uvicorn

    with tempfile.TemporaryDirectory(prefix="zep-conformance-serve-") as temporary:
        folder = data or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        uvicorn.run(
            _application(part, environment, folder, recorded_behaviours),
            host=host,
            port=int(environment.get(PORT_VARIABLES.get(part, "")) or port),
            log_level="info",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
            ws="none",
        )


def _application(part: str, environment: Mapping[str, str], folder: Path, recorded_behaviours: str) -> Any:
    recorded = "all" if recorded_behaviours == "all" else ()
    if part == "zep":
        return zep_app(database=folder / "zep.sqlite3", environment=environment, recorded_behaviours=recorded)
    if part == "langflux":
        key = environment.get("LANGFLUX_API_KEY") or secrets.token_urlsafe(24)
        return langflux_app(database=folder / "langflux.sqlite3", api_key=key, recorded_behaviours=recorded)
    from zep_conformance.embedded import model, nlp

    return {"model": model, "nlp": nlp}[part].create_app()
