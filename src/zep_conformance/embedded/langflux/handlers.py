"""What answers LangFlux's routes, but for those of chat messages: predictions, and what is kept or listed.

A streamed prediction is Flowise's: events `start`, `token`…, `metadata`, `end`, each a JSON object behind `data:`, and
before it a line that says `message:` (`message` without a colon for `error` and `end`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import FlowiseError, Json, html_text, read_body, services_of
from zep_conformance.embedded.langflux.flow import FlowError
from zep_conformance.embedded.langflux.nodes import CREDENTIAL_TYPES, NODES, templates
from zep_conformance.embedded.langflux.services import MASK
from zep_conformance.embedded.langflux.turns import Turn

_STREAM_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no"}
_PAGE = "<!DOCTYPE html><title>LangFlux</title><p>This embedded LangFlux has an API and no page.</p>"


async def _stream(turn: Turn) -> AsyncIterator[bytes]:
    """Yield the events of a turn as bytes."""
    async for name, data in turn.events():
        colon = "" if name in ("error", "end") else ":"
        event = json.dumps({"event": name, "data": data}, ensure_ascii=False, separators=(",", ":"))
        yield f"message{colon}\ndata:{event}\n\n".encode("utf-8", "replace")


async def _hang(request: Request) -> Response:
    """Answer nothing until the caller has given up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _turn(request: Request, body: dict[str, Any], *, streaming: bool) -> Turn:
    """Return the turn that is asked for. Raises FlowiseError when it can't be run at all."""
    services = services_of(request)
    chatflow = services.chatflow(request.path_params["id"])
    try:
        return services.turn(chatflow, body, streaming=streaming and flows.streamable(chatflow["flowData"]))
    except FlowError as error:
        raise FlowiseError(f"Error: predictionsServices.buildChatflow - {error}") from error


async def answer_prediction(request: Request) -> Response:
    """Answer POST /api/v1/prediction/{id}, which is for everybody."""
    body = await read_body(request)
    streaming = body.get("streaming") in (True, "true")
    try:
        turn = _turn(request, body, streaming=streaming)
    except FlowiseError as refused:
        if streaming and refused.status == 500 and "stream-error-hangs" in services_of(request).behaviours:
            return await _hang(request)
        raise
    if turn.streaming:
        return StreamingResponse(_stream(turn), headers=_STREAM_HEADERS)
    return Json(await turn.run())


async def ping(_request: Request) -> Response:
    """Answer GET /api/v1/ping."""
    return html_text("pong")


async def version(request: Request) -> Response:
    """Answer GET /api/v1/version; the header X-LangFlux-Embedded tells what answers from the real one."""
    return Json({"version": services_of(request).version})


async def web_page(_request: Request) -> Response:
    """Answer anything else: with the web page, as Flowise does."""
    return Response(_PAGE, media_type="text/html; charset=UTF-8")


async def list_keys(request: Request) -> Response:
    """Answer GET /api/v1/apikey with the only key that there is."""
    return Json([{"keyName": "DefaultKey", "apiKey": services_of(request).api_key}])


def _deleted(affected: int) -> Json:
    return Json({"raw": [], "affected": affected})


async def list_flows(request: Request) -> Response:
    """Answer GET /api/v1/chatflows."""
    return Json(services_of(request).store.flows())


async def add_flow(request: Request) -> Response:
    """Answer POST /api/v1/chatflows. Refused (500) without a name or with flow data that is none."""
    body = await read_body(request)
    try:
        flows.check_flow(body.get("flowData"))
        return Json(services_of(request).store.add_flow(body))
    except (FlowError, sqlite3.Error) as error:
        raise FlowiseError(f"Error: chatflowsService.saveChatflow - {error}") from error


async def get_flow(request: Request) -> Response:
    """Answer GET /api/v1/chatflows/{id}."""
    return Json(services_of(request).chatflow(request.path_params["id"]))


async def delete_flow(request: Request) -> Response:
    """Answer DELETE /api/v1/chatflows/{id}: delete it with its chat messages; what Zep remembers stays."""
    return _deleted(services_of(request).store.delete_flow(request.path_params["id"]))


async def list_credentials(request: Request) -> Response:
    """Answer GET /api/v1/credentials, without their fields: all, or those of the kind `credentialName`."""
    kind = request.query_params.get("credentialName")
    found = services_of(request).store.credentials()
    return Json([_without_fields(one) for one in found if not kind or one["credentialName"] == kind])


async def add_credential(request: Request) -> Response:
    """Answer POST /api/v1/credentials {name, credentialName, plainDataObj}; where Flowise has ciphertext is a mask."""
    body = await read_body(request)
    name, kind, fields = (body.get(field) for field in ("name", "credentialName", "plainDataObj"))
    try:
        return Json(services_of(request).store.add_credential(name, kind, fields) | {"encryptedData": MASK})
    except sqlite3.Error as error:
        raise FlowiseError(f"Error: credentialsService.createCredential - {error}") from error


async def update_credential(request: Request) -> Response:
    """Answer PUT /api/v1/credentials/{id}: change what is given, field by field of what is secret."""
    services, ident = services_of(request), request.path_params["id"]
    body = await read_body(request)
    given = {name: body[name] for name in ("name", "credentialName") if body.get(name) is not None}
    fields = body.get("plainDataObj")
    try:
        changed = services.store.update_credential(ident, given, fields if isinstance(fields, dict) else {})
    except sqlite3.Error as error:
        raise FlowiseError(f"Error: credentialsService.updateCredential - {error}") from error
    if changed is None:
        raise FlowiseError(f"Error: credentialsService.updateCredential - Credential {ident} not found")
    return Json(_without_fields(changed) | {"encryptedData": MASK})


async def get_credential(request: Request) -> Response:
    """Answer GET /api/v1/credentials/{id}, its passwords masked."""
    services, ident = services_of(request), request.path_params["id"]
    credential = services.store.credential(ident)
    if credential is None:
        raise FlowiseError(f"Error: credentialsService.createCredential - Credential {ident} not found")
    shown = services.credentials.shown(credential["credentialName"], credential["fields"])
    return Json(_without_fields(credential) | {"plainDataObj": shown})


def _without_fields(credential: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in credential.items() if name != "fields"}


async def delete_credential(request: Request) -> Response:
    """Answer DELETE /api/v1/credentials/{id}."""
    return _deleted(services_of(request).store.delete_credential(request.path_params["id"]))


async def get_node(request: Request) -> Response:
    """Answer GET /api/v1/nodes/{name}."""
    name = request.path_params["name"]
    if name not in NODES:
        raise FlowiseError(f"Error: nodesService.getAllNodes - Node {name} not found")
    return Json(NODES[name])


async def get_credential_type(request: Request) -> Response:
    """Answer GET /api/v1/components-credentials/{name}."""
    name = request.path_params["name"]
    if name not in CREDENTIAL_TYPES:
        prefix = "Error: componentsCredentialsService.getSingleComponentsCredential - "
        raise FlowiseError(f"{prefix}{prefix}Credential {name} not found")
    return Json(CREDENTIAL_TYPES[name])


async def list_templates(_request: Request) -> Response:
    """Answer GET /api/v1/marketplaces/templates."""
    return Json(templates())
