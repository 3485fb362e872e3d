"""What the settings claim of parts that run, held to what these say: a refusal, or a remark; never nothing.

What a scenario would show is left to it: a Zep that is said to want tokens and lets in anybody (AUTH-2), another window
than --message-window (SUMMARY-1), a --zep-url-from-langflux that leads to another Zep (API-1).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from zep_conformance.clients import tokens
from zep_conformance.clients.families import family_of
from zep_conformance.clients.http import http_client
from zep_conformance.deployment_files.chosen import deployment_files
from zep_conformance.deployment_files.model import Application, Image
from zep_conformance.errors import CannotTell
from zep_conformance.facts.flows import node_path
from zep_conformance.facts.servers import MESSAGE_WINDOW
from zep_conformance.settings import Settings, revealed
from zep_conformance.targets.base import Deployment, LangFluxServer

ASK_LIMIT = 30.0
"""Seconds for one request."""
ZEP_MEMORY = "ZepMemory"
_NUMBER = re.compile(r"v?(\d+\.\d+\.\d+)")


def check_claims(settings: Settings, found: Deployment) -> list[str]:
    """Return remarks on what parts say otherwise than the settings, a line each.

    Raises CannotTell where the run would test something else than what was asked for.
    """
    return [*_of_langflux(settings, found), *_of_zep(settings, found), *_of_files(settings, found)]


def _of_langflux(settings: Settings, found: Deployment) -> Iterator[str]:
    server = found.langflux
    if server is None:
        return
    said, tagged = _number(settings.langflux_version or ""), _number(settings.langflux_image or "")
    if said and server.version and said != server.version:
        what = f"--langflux-version is {said}, and langflux at {server.url} says that it is {server.version}"
        advice = "Something else answers there, or what is installed as that version is another."
        raise CannotTell(what, advice, code="version-contradicted")
    if tagged and server.version and tagged != server.version:
        yield f"--langflux-image says {tagged}, and this LangFlux says that it is {server.version}"
    if settings.chatflow:
        yield from _of_chatflow(settings, server)
    if settings.langflux_api_key or settings.langflux_password:
        with contextlib.suppress(httpx.HTTPError), http_client(server.url, timeout=ASK_LIMIT) as client:
            if client.get(node_path(ZEP_MEMORY)).status_code == 200:
                given = "--langflux-api-key" if settings.langflux_api_key else "--langflux-password"
                yield f"{given} was given, and this LangFlux answers without: anybody may change its chatflows"


def _of_chatflow(settings: Settings, server: LangFluxServer) -> Iterator[str]:
    """Yield remarks on the chatflow that is given. Raises CannotTell where it is not there, or remembers nowhere."""
    headers = family_of(server.version).headers(server.api_key, server.account)
    try:
        with http_client(server.url, timeout=ASK_LIMIT, headers=headers) as client:
            answer = client.get(f"/api/v1/chatflows/{settings.chatflow}")
            kept = answer.json() if answer.status_code == 200 else {}
            nodes = json.loads(kept.get("flowData") or "{}").get("nodes", [])
    except (httpx.HTTPError, ValueError, AttributeError):
        return
    if answer.status_code in (401, 403):
        return
    advice = "Give the id of one that remembers with Zep Memory: it stands in its address on LangFlux's page."
    if answer.status_code != 200:
        what = f"langflux at {server.url} has no chatflow {settings.chatflow}: it answers {answer.status_code}"
        raise CannotTell(what, advice, code="chatflow-unfit")
    data: list[dict[str, Any]] = [node.get("data") or {} for node in nodes]
    memories = [one for one in data if one.get("name") == ZEP_MEMORY]
    if not memories:
        what = f"the chatflow {settings.chatflow} of --chatflow has no Zep Memory in it"
        raise CannotTell(what, advice, code="chatflow-unfit")
    typed = {str((one.get("inputs") or {}).get("baseURL") or "").rstrip("/") for one in memories}
    if settings.zep_url_from_langflux and server.zep_url not in typed:
        yield (
            f"--zep-url-from-langflux is {server.zep_url}, and the Zep Memory of --chatflow has the Base URL "
            f"{' and '.join(sorted(typed))}: that is where it remembers"
        )
    if settings.model_url:
        yield "--model-url is not used: the chatflow of --chatflow has a model of its own"


def _of_zep(settings: Settings, found: Deployment) -> Iterator[str]:
    zep = found.zep
    if zep is None:
        return
    said = _number(settings.zep_image or "")
    if said and zep.version and said != zep.version:
        yield f"--zep-image says {said}, and this Zep says that it is {zep.version}"
    for flaw in tokens.flaws(revealed(settings.zep_token) or "", None):
        if flaw.code == "token-expires-soon":
            yield f"--zep-token expires on {flaw.details['when']}"


def _of_files(settings: Settings, found: Deployment) -> Iterator[str]:
    if settings.deployment_files is None or found.zep is None:
        return
    from zep_conformance.deployment_files.examination import planned

    planned_zeps: list[Application] = []
    with contextlib.suppress(CannotTell):  # what does not parse is for the scenarios about the files to say
        planned_zeps = [zep for one in planned(deployment_files(settings)) for zep in one.having("zep")]
    for zep in planned_zeps:
        said = _number(zep.image.tag) if isinstance(zep.image, Image) else ""
        if said and found.zep.version and said != found.zep.version:
            yield f"{zep.place.file}: {zep.name} is to be Zep {said}, and the one that answers says {found.zep.version}"
        window = zep.value_of(MESSAGE_WINDOW)
        if window.isdecimal() and int(window) != settings.message_window:
            yield f"{zep.place.file}: {MESSAGE_WINDOW} is {window}, and --message-window is {settings.message_window}"


def _number(text: str) -> str:
    """Return the version in a tag or a setting, "" where there is none."""
    found = _NUMBER.search(text.rpartition(":")[2])
    return found[1] if found else ""
