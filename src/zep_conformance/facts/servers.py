"""The servers of a deployment: their versions, images and ports, and the variables that configure Zep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

ZEP_VERSION = "0.27.2"
"""The newest Zep 0.x: the one that was recorded, and that everything here is pinned to."""
OLDEST_ZEP = (0, 20, 0)
"""The oldest Zep whose answers are the documented ones."""
LANGFLUX_VERSION = "2.2.8"
"""The LangFlux (Flowise) that was recorded, and that everything here is pinned to."""
NEWEST_LANGFLUX = "3.0.13"
"""The newest LangFlux that the suite was run on."""

IMAGES = {
    "zep": f"ghcr.io/getzep/zep-cloud:{ZEP_VERSION}",
    "nlp": "ghcr.io/getzep/zep-nlp-server:0.4.2",
    "postgres": "pgvector/pgvector:0.8.0-pg16",
    "langflux": f"flowiseai/flowise:{LANGFLUX_VERSION}",
}
"""The pinned image of each part that is somebody else's. zep-cloud is Zep 0.x with a config.yaml in it."""
PORTS = {"zep": 8000, "langflux": 3000, "model": 8080, "nlp": 5557, "postgres": 5432}
"""The port of each part: the server's own default, but for the model server, which is ours."""
HEALTH_PATHS = {"zep": "/healthz", "nlp": "/healthz", "model": "/healthz", "langflux": "/api/v1/ping"}
"""What each part answers to everybody once it works, by HTTP."""
RECORDINGS = {"zep": f"zep-{ZEP_VERSION}.jsonl", "langflux": f"langflux-flowise-{LANGFLUX_VERSION}.jsonl"}
"""The files of the recordings that come with the harness."""

OPENAI_API_KEY = "ZEP_OPENAI_API_KEY"
LLM_ENDPOINT = "ZEP_LLM_OPENAI_ENDPOINT"
NLP_SERVER_URL = "ZEP_NLP_SERVER_URL"
POSTGRES_DSN = "ZEP_STORE_POSTGRES_DSN"
STORE_TYPE = "ZEP_STORE_TYPE"
AUTH_REQUIRED, AUTH_SECRET = "ZEP_AUTH_REQUIRED", "ZEP_AUTH_SECRET"
MESSAGE_WINDOW = "ZEP_MEMORY_MESSAGE_WINDOW"
SERVER_HOST, SERVER_PORT, WEB_ENABLED = "ZEP_SERVER_HOST", "ZEP_SERVER_PORT", "ZEP_SERVER_WEB_ENABLED"
"""The variables that configure a Zep 0.27.2. The key must be set, whatever it is; Zep does not start without it."""
CORES = "GOMAXPROCS"
"""The variable by which Zep, a Go program, is told how many cores to use, whatever the machine has."""
ENOUGH_CORES = 8
"""With so many Zep 0.27.2 did not freeze (DEV-15), whatever was sent."""
FREEZE = 60.0
"""Seconds for which a Zep 0.27.2 that freezes answers nothing."""
EMBEDDED_FREEZE = "EMBEDDED_ZEP_FREEZE"
"""The variable by which an embedded Zep freezes for other seconds than those, so that nobody has to wait for them."""
NO_KEY = "none-is-needed-here"
"""What OPENAI_API_KEY is where the model server asks for no key."""
DEFAULT_WINDOW = 12
"""Messages that bring a summary, unless MESSAGE_WINDOW says otherwise."""
PUBLISHED_SECRET = "do-not-use-this-secret-in-production"
"""AUTH_SECRET in the config.yaml that Zep 0.x comes with: anybody can make tokens with it (DEV-14)."""


def mended(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that every Zep of a run's own is started with: what mends a known deviation.

    environment: of this process, whose number of cores holds where it has one.
    """
    return {WEB_ENABLED: "false", CORES: environment.get(CORES) or str(ENOUGH_CORES)}


def zep_environment(
    *, model_url: str, nlp_url: str, dsn: str, secret: str | None = None, window: int | None = None
) -> dict[str, str]:
    """Return the variables that wire a Zep to its neighbours.

    model_url: with /v1. dsn: of its PostgreSQL. secret: what it checks tokens with, None for a Zep that is open to
    everybody. window: messages that bring a summary, None for Zep's default. What is empty is left out.
    """
    variables = {
        OPENAI_API_KEY: NO_KEY,
        LLM_ENDPOINT: model_url,
        NLP_SERVER_URL: nlp_url,
        STORE_TYPE: "postgres",
        POSTGRES_DSN: dsn,
        AUTH_REQUIRED: "true" if secret else "",
        AUTH_SECRET: secret or "",
        MESSAGE_WINDOW: str(window or ""),
    }
    return {name: value for name, value in variables.items() if value}


def session_path(session: str) -> str:
    """Return the API path of a session of Zep's, its id escaped as one path segment."""
    return f"/api/v1/sessions/{quote(session, safe='')}"


def memory_path(session: str) -> str:
    """Return the API path of a session's memory."""
    return f"{session_path(session)}/memory"


def user_path(user: str) -> str:
    """Return the API path of a user of Zep's, the id escaped as one path segment."""
    return f"/api/v1/user/{quote(user, safe='')}"


def version_in(text: str) -> str:
    """Return the first version of three numbers in a header, or a program's or an image's name; "" without one."""
    found = re.search(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])", text)
    return found[0] if found else ""


def go_bool(text: str) -> bool:
    """Return what Zep takes a variable for: what Go's strconv.ParseBool does. Raises ValueError where that fails."""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueError(f"{text!r} is neither true nor false")
