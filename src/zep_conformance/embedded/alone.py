"""One embedded server as the only process of a container, configured by the variables of the real server.

`zep-conformance serve --part zep --from-environment`: it listens on every address, writes its log where `docker logs`
finds it, keeps its data in one folder, and ends, saying why, where the real one would not start.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from zep_conformance.embedded import applications, model, nlp

PORT_VARIABLES = {"zep": "ZEP_SERVER_PORT", "langflux": "PORT", "nlp": "ZEP_SERVER_PORT"}
"""What sets the port of the servers whose real ones have such a variable."""


def serve_alone(
    part: str, environment: Mapping[str, str], *, host: str, port: int, data: Path | None, recorded_behaviours: str
) -> None:
    """Serve one part until SIGTERM or SIGINT.

    environment: ZEP_… as `embedded.zep.configuration` has them; LangFlux's API key is in LANGFLUX_API_KEY, and drawn
    where that is not set. port: where no variable sets one. data: folder for state, made if missing; None for a
    temporary one that is removed at the end.
    recorded_behaviours: "none" or "all". Raises SystemExit with what is wrong with the environment.
    """
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
        return applications.zep_app(
            database=folder / "zep.sqlite3", environment=environment, recorded_behaviours=recorded
        )
    if part == "langflux":
        key = environment.get("LANGFLUX_API_KEY") or secrets.token_urlsafe(24)
        return applications.langflux_app(
            database=folder / "langflux.sqlite3", api_key=key, recorded_behaviours=recorded
        )
    return {"model": model, "nlp": nlp}[part].create_app()
