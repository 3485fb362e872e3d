"""The embedded Zep's settings from the environment variables that configure the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.facts import servers
from zep_conformance.facts.servers import AUTH_REQUIRED, AUTH_SECRET, OPENAI_API_KEY, PUBLISHED_SECRET, go_bool

KEY_MISSING = f"{OPENAI_API_KEY} is not set"
SECRET_MISSING = f"Auth secret not set. Ensure {AUTH_SECRET} is set in your environment"
"""What Zep 0.27.2 says before it ends."""


class Misconfigured(Exception):
    """Zep does not start with such an environment; the text is what its log says."""


def configured(environment: Mapping[str, str], behaviours: Behaviours) -> dict[str, Any]:
    """Return the fields of ZepSettings that the environment sets. A variable that is empty is not set.

    Read are ZEP_OPENAI_API_KEY, ZEP_AUTH_REQUIRED, ZEP_AUTH_SECRET, ZEP_LLM_OPENAI_ENDPOINT, ZEP_NLP_SERVER_URL,
    ZEP_STORE_POSTGRES_DSN, ZEP_MEMORY_MESSAGE_WINDOW, ZEP_SERVER_WEB_ENABLED, GOMAXPROCS (without which it has cores
    enough, whatever the machine has) and EMBEDDED_ZEP_FREEZE.

    Raises Misconfigured.
    """
    given = {name: value for name, value in environment.items() if value}
    if OPENAI_API_KEY not in given:
        raise Misconfigured(KEY_MISSING)
    is_secured = _true(given, AUTH_REQUIRED)
    secret = given.get(AUTH_SECRET) if is_secured else None
    if is_secured and secret is None:
        if "published-secret" not in behaviours:
            raise Misconfigured(SECRET_MISSING)
        secret = PUBLISHED_SECRET
    return {
        "model_url": given.get(servers.LLM_ENDPOINT),
        "nlp_url": given.get(servers.NLP_SERVER_URL),
        "auth_secret": secret,
        "message_window": _number(given, servers.MESSAGE_WINDOW, servers.DEFAULT_WINDOW),
        "store_server": _address(given.get(servers.POSTGRES_DSN)),
        "cores": _number(given, servers.CORES, servers.ENOUGH_CORES),
        "freeze": _seconds(given, servers.EMBEDDED_FREEZE, servers.FREEZE),
        "web": _true(given, servers.WEB_ENABLED, otherwise="true"),
    }


def _true(given: Mapping[str, str], name: str, otherwise: str = "false") -> bool:
    try:
        return go_bool(given.get(name, otherwise))
    except ValueError as error:
        raise Misconfigured(f"{name}: {error}") from None


def _number(given: Mapping[str, str], name: str, otherwise: int) -> int:
    text = given.get(name, str(otherwise))
    if not text.isdecimal() or int(text) < 1:
        raise Misconfigured(f"{name} must be a number from 1 on, it is {text!r}")
    return int(text)


def _seconds(given: Mapping[str, str], name: str, otherwise: float) -> float:
    try:
        return float(given.get(name, otherwise))
    except ValueError:
        raise Misconfigured(f"{name} must be a number of seconds, it is {given[name]!r}") from None


def _address(dsn: str | None) -> tuple[str, int] | None:
    if dsn is None:
        return None
    parts = urlsplit(dsn)
    if not parts.scheme.startswith("postgres") or not parts.hostname:
        raise Misconfigured(f"{servers.POSTGRES_DSN} is no postgres:// URL with a host in it")
    return parts.hostname, parts.port or servers.PORTS["postgres"]
