"""What is kept or listed: chatflows, credentials, API keys, nodes and templates."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import Json, Refusal, read_body, text
from zep_conformance.embedded.langflux.credentials import masked, updated
from zep_conformance.embedded.langflux.flow import FlowError
from zep_conformance.embedded.langflux.keys import key_id, listed_keys
from zep_conformance.embedded.langflux.nodes import CREDENTIAL_TYPES, NODES
from zep_conformance.embedded.langflux.predictions import find_flow
from zep_conformance.embedded.langflux.settings import VERSION, shared
from zep_conformance.embedded.langflux.templates import templates

_all_templates = lru_cache(maxsize=1)(templates)
_ICON = (
    '<svg width="32" height="32" viewBox="0 0 32 32" xmlns="http://www.w3.org/2000/svg">'
    '<circle cx="16" cy="16" r="14" fill="#888"/></svg>'
)
_PAGE = "<!DOCTYPE html><title>LangFlux</title><p>This embedded LangFlux has an API and no page.</p>"
_UPLOADS = {
    "isSpeechToTextEnabled": False,
    "isImageUploadAllowed": False,
    "isRAGFileUploadAllowed": False,
    "imgUploadSizeAndTypes": [],
    "fileUploadSizeAndTypes": [],
}


def _gone(affected: int) -> Json:
    return Json({"raw": [], "affected": affected})


# ------------------------------------------------------------------------------------------------- service
async def ping(_request: Request) -> Response:
    """GET /api/v1/ping."""
    return text("pong")


async def version(_request: Request) -> Response:
    """GET /api/v1/version: the Flowise that is imitated; the header X-LangFlux-Embedded tells it from the
    real.
    """
    return Json({"version": VERSION})


async def page(_request: Request) -> Response:
    """Anything else: the web page, as Flowise answers it."""
    return Response(_PAGE, media_type="text/html; charset=UTF-8")


# ----------------------------------------------------------------------------------------------- chatflows
async def list_flows(request: Request) -> Response:
    """GET /api/v1/chatflows, of one `type` if one is asked for."""
    kind = request.query_params.get("type")
    found = shared(request).store.flows()
    if kind:
        found = [flow for flow in found if (flow["type"] or "CHATFLOW") == kind]
    return Json(found)


async def add_flow(request: Request) -> Response:
    """POST /api/v1/chatflows. Refused (500) without a name or with flow data that is none."""
    body = await read_body(request)
    try:
        flows.check(body.get("flowData"))
        return Json(shared(request).store.add_flow(body))
    except (FlowError, sqlite3.Error) as error:
        raise Refusal(f"Error: chatflowsService.saveChatflow - {error}") from error


async def get_flow(request: Request) -> Response:
    """GET /api/v1/chatflows/{id}."""
    parts = shared(request)
    found = find_flow(parts, request.path_params["id"])
    if "credential-in-chatflow" in parts.departures:
        found |= {"credentials": [parts.vault.decrypt(one["encryptedData"]) for one in parts.store.credentials()]}
    return Json(found)


async def change_flow(request: Request) -> Response:
    """PUT /api/v1/chatflows/{id}: what is given is changed, the rest stays."""
    parts, body = shared(request), await read_body(request)
    chatflow = find_flow(parts, request.path_params["id"])
    try:
        if "flowData" in body:
            flows.check(body["flowData"])
        return Json(parts.store.change_flow(chatflow["id"], body))
    except (FlowError, sqlite3.Error) as error:
        raise Refusal(f"Error: chatflowsService.updateChatflow - {error}") from error


async def delete_flow(request: Request) -> Response:
    """DELETE /api/v1/chatflows/{id}, with its chat messages; what Zep remembers stays."""
    return _gone(shared(request).store.delete_flow(request.path_params["id"]))


async def flows_by_key(request: Request) -> Response:
    """GET /api/v1/chatflows/apikey/{key}: those bound to the key and, without `keyonly`, to none."""
    parts = shared(request)
    if request.path_params["key"] != parts.settings.api_key:
        return text("Unauthorized", 401)
    bound: tuple[Any, ...] = (key_id(parts.settings.api_key),)
    if "keyonly" not in request.query_params:
        bound += (None, "")
    found = [flow for flow in parts.store.flows() if flow["apikeyid"] in bound]
    if not found:
        raise Refusal("Error: chatflowsService.getChatflowByApiKey - Chatflow not found in the database!")
    return Json(sorted(found, key=lambda flow: str(flow["name"])))


async def flow_streams(request: Request) -> Response:
    """GET /api/v1/chatflows-streaming/{id}."""
    chatflow = find_flow(shared(request), request.path_params["id"])
    try:
        return Json({"isStreaming": flows.streamable(chatflow["flowData"])})
    except FlowError as error:
        raise Refusal(f"Error: chatflowsService.checkIfChatflowIsValidForStreaming - {error}") from error


async def flow_uploads(request: Request) -> Response:
    """GET /api/v1/chatflows-uploads/{id}: none are taken."""
    find_flow(shared(request), request.path_params["id"])
    return Json(_UPLOADS)


async def public_flow(request: Request) -> Response:
    """GET /api/v1/public-chatflows/{id}: only a chatflow that is public."""
    chatflow = find_flow(shared(request), request.path_params["id"])
    if not chatflow["isPublic"]:
        raise Refusal("Unauthorized", 401)
    return Json(chatflow)


async def public_config(request: Request) -> Response:
    """GET /api/v1/public-chatbotConfig/{id}: what a chat widget asks for."""
    find_flow(shared(request), request.path_params["id"])
    return Json({"uploads": _UPLOADS})


# --------------------------------------------------------------------------------------------- credentials
async def list_credentials(request: Request) -> Response:
    """GET /api/v1/credentials: without their secrets; of the types `credentialName`, with ciphertext."""
    names = request.query_params.getlist("credentialName")
    found = shared(request).store.credentials()
    if names:
        return Json([one for name in names for one in found if one["credentialName"] == name])
    for credential in found:
        del credential["encryptedData"]
    return Json(found)


async def add_credential(request: Request) -> Response:
    """POST /api/v1/credentials {name, credentialName, plainDataObj}."""
    parts, body = shared(request), await read_body(request)
    data = body.get("plainDataObj")
    ciphertext = parts.vault.encrypt(data) if isinstance(data, dict) else None
    try:
        return Json(parts.store.add_credential(body.get("name"), body.get("credentialName"), ciphertext))
    except sqlite3.Error as error:
        raise Refusal(f"Error: credentialsService.createCredential - {error}") from error


def _find_credential(request: Request, doing: str) -> dict[str, Any]:
    ident = request.path_params["id"]
    credential = shared(request).store.credential(ident)
    if credential is None:
        raise Refusal(f"Error: credentialsService.{doing} - Credential {ident} not found")
    return credential


async def get_credential(request: Request) -> Response:
    """GET /api/v1/credentials/{id}: its passwords masked."""
    parts, credential = shared(request), _find_credential(request, "createCredential")
    data = parts.vault.decrypt(credential.pop("encryptedData"))
    shown = masked(credential["credentialName"], data, parts.departures)
    return Json(credential | {"plainDataObj": shown})


async def change_credential(request: Request) -> Response:
    """PUT /api/v1/credentials/{id}: what is given is changed, field by field."""
    parts, body = shared(request), await read_body(request)
    credential = _find_credential(request, "updateCredential")
    old, new = parts.vault.decrypt(credential["encryptedData"]), body.get("plainDataObj")
    data = updated(old, new, parts.departures) if isinstance(new, dict) else old
    row: dict[str, Any] = {name: body[name] for name in ("name", "credentialName") if name in body}
    row["encryptedData"] = parts.vault.encrypt(data)
    try:
        return Json(parts.store.change_credential(credential["id"], row))
    except sqlite3.Error as error:
        raise Refusal(f"Error: credentialsService.updateCredential - {error}") from error


async def delete_credential(request: Request) -> Response:
    """DELETE /api/v1/credentials/{id}."""
    return _gone(shared(request).store.delete_credential(request.path_params["id"]))


# ------------------------------------------------------------------------------------------------ catalogue
async def list_nodes(_request: Request) -> Response:
    """GET /api/v1/nodes."""
    return Json(list(NODES.values()))


async def get_node(request: Request) -> Response:
    """GET /api/v1/nodes/{name}."""
    name = request.path_params["name"]
    if name not in NODES:
        raise Refusal(f"Error: nodesService.getAllNodes - Node {name} not found")
    return Json(NODES[name])


async def list_credential_types(_request: Request) -> Response:
    """GET /api/v1/components-credentials."""
    return Json(list(CREDENTIAL_TYPES.values()))


async def get_credential_type(request: Request) -> Response:
    """GET /api/v1/components-credentials/{name}; several names joined by & give a list."""
    names = request.path_params["name"].replace("&amp;", "&").split("&")
    for name in names:
        if name not in CREDENTIAL_TYPES:
            prefix = "Error: componentsCredentialsService.getSingleComponentsCredential - "
            raise Refusal(f"{prefix}{prefix}Credential {name} not found")
    found = [CREDENTIAL_TYPES[name] for name in names]
    return Json(found if len(found) > 1 else found[0])


async def icon(_request: Request) -> Response:
    """GET /api/v1/node-icon/{name} and /api/v1/components-credentials-icon/{name}: the same disc for all."""
    return Response(_ICON, media_type="image/svg+xml")


async def list_templates(_request: Request) -> Response:
    """GET /api/v1/marketplaces/templates."""
    return Json(_all_templates())


# ------------------------------------------------------------------------------------------------- API keys
async def list_keys(request: Request) -> Response:
    """GET /api/v1/apikey."""
    return Json(listed_keys(shared(request)))


async def verify_key(request: Request) -> Response:
    """GET /api/v1/verify/apikey/{key}."""
    if request.path_params["key"] != shared(request).settings.api_key:
        raise Refusal("Unauthorized", 401)
    return Json("OK")
