"""The layers version and key of a LangFlux (Flowise under another name). Nothing of anybody's is listed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zep_conformance.doctor.address import Address
from zep_conformance.doctor.findings import Case
from zep_conformance.doctor.http import Answer, Line
from zep_conformance.tokens import can_be_sent

ACCOUNTS = 3
"""The major version that has accounts, and lets nobody in without a key or a login."""


@dataclass(frozen=True)
class Look:
    """What a LangFlux is. version: "" where it says none. manner: of an embedded one, "" of a real one."""

    line: Line
    version: str
    manner: str
    headers: Mapping[str, str]


def headers(api_key: str | None) -> dict[str, str]:
    """How LangFlux is asked: with the key, or as its own page does where it is unprotected."""
    return {"authorization": f"Bearer {api_key}"} if api_key else {"x-request-from": "internal"}


def at_the_door(case: Case, address: Address, api_key: str | None) -> Look:
    """Reach a LangFlux, see what it is, and whether it lets us in. Raises Broken, OutOfTime."""
    line = Line(case, address)
    ping = line.first("/api/v1/ping")
    case.ok("HTTP", f"/api/v1/ping answers {ping.status} in {ping.seconds * 1000:.0f} ms")
    if ping.status != 200 or "pong" not in ping.text[:20]:
        case.fail("not-langflux", status=ping.status)
    if api_key and not can_be_sent(api_key):
        case.fail("langflux-key-wrong", status="it can't even be sent")
    # Not `/chatflows`: what others own is not listed.
    node = line.get("/api/v1/nodes/ZepMemory", headers(api_key))
    version = _version(line, api_key)
    case.ok("version", f"Flowise {version}" if version else "it does not say its version")
    if node.status in (401, 403):
        _refused(case, node, version, api_key)
    if node.status != 200:
        case.fail("langflux-no-zep-memory", status=node.status)
    case.ok("key", "accepted" if api_key else "none is needed")
    return Look(line, version, ping.headers.get("x-langflux-embedded", ""), headers(api_key))


def _version(line: Line, api_key: str | None) -> str:
    body = line.get("/api/v1/version", headers(api_key)).json()
    return str(body.get("version", "")) if isinstance(body, dict) else ""


def _refused(case: Case, answer: Answer, version: str, api_key: str | None) -> None:
    """Why LangFlux does not let us in. Raises Broken."""
    if api_key:
        case.fail("langflux-key-wrong", status=answer.status)
    major = re.match(r"v?(\d+)", version)
    has_accounts = major is not None and int(major[1]) >= ACCOUNTS
    # Where a key is all that is missing, Flowise says so in these words; a login's refusal has others, or none.
    if has_accounts or "Unauthorized Access" not in answer.text:
        case.fail("langflux-login-needed")
    case.fail("langflux-key-missing")
