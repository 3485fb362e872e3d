"""Chat messages: listing them, and deleting them together with what Zep remembers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import Json, Refusal, read_json, text
from zep_conformance.embedded.langflux.flow import FlowError, Node
from zep_conformance.embedded.langflux.prediction import zep_of
from zep_conformance.embedded.langflux.predictions import find_flow
from zep_conformance.embedded.langflux.settings import Shared, shared
from zep_conformance.embedded.langflux.zep_client import ZepError

_TAG = re.compile(r"</?(?:a|b|br|code|div|em|i|li|ol|p|span|strong|ul)>")
_SANITIZED = re.compile(_TAG.pattern + r"|<[^>]*>?|>|&(?!#?\w+;)")


def _sanitized(found: re.Match[str]) -> str:
    """What Flowise's HTML sanitizer makes of one tag or sign: known tags stay, others vanish."""
    sign = found.group()
    if _TAG.fullmatch(sign):
        return sign
    return {"&": "&amp;", ">": "&gt;"}.get(sign, "")


def _query(request: Request, name: str) -> str | None:
    """A parameter of the query; None where it is not given."""
    value = request.query_params.get(name)
    if value is not None and "query-html-escaped" in shared(request).departures:
        value = _SANITIZED.sub(_sanitized, value)
    return value


def _time(value: str | None) -> str | None:
    """A date or time of a query as chat messages hold it. Raises Refusal for text that is neither."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:  # in UTC it may be in no year that there is
        raise Refusal("Error: chatMessagesService.getAllChatMessages - Invalid time value") from error
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _chat_types(request: Request) -> list[str]:
    """The chat types asked for: `chatType` given several times, as a JSON list, or plain. [] for all."""
    values = [value for value in request.query_params.getlist("chatType") if value]
    if len(values) == 1:
        try:
            listed = read_json(values[0])
        except ValueError:
            return values
        return [str(value) for value in listed] if isinstance(listed, list) else [str(listed)]
    return values


def _wanted(request: Request) -> dict[str, Any]:
    """The query's filters as the store takes them."""
    return {
        "chatId": _query(request, "chatId"),
        "sessionId": _query(request, "sessionId"),
        "memoryType": _query(request, "memoryType"),
        "id": _query(request, "messageId"),
        "chatType": _chat_types(request),
        "since": _time(_query(request, "startDate")),
        "until": _time(_query(request, "endDate")),
    }


def _listed(request: Request, wanted: dict[str, Any]) -> Response:
    departures = shared(request).departures
    newest_first = request.query_params.get("order") == "DESC"
    if "listing-reversed" in departures:
        newest_first = not newest_first
    if "listing-ignores-session" in departures:
        wanted = wanted | {"sessionId": None}
    messages = shared(request).store.messages(request.path_params["id"], wanted, newest_first)
    if "listing-lacks-answers" in departures:
        messages = [message for message in messages if message["role"] == "userMessage"]
    if request.query_params.get("feedback"):
        messages = [message | {"feedback": None} for message in messages]
    return Json(messages)


async def list_messages(request: Request) -> Response:
    """GET /api/v1/chatmessage/{flow}: filtered by the query, in the order of writing or, for `order=DESC`,
    back.
    """
    return _listed(request, _wanted(request))


async def list_internal_messages(request: Request) -> Response:
    """GET /api/v1/internal-chatmessage/{flow}: those of the web page's chat window."""
    return _listed(request, _wanted(request) | {"chatType": ["INTERNAL"]})


async def _clear(parts: Shared, memories: list[Node], sessions: list[str]) -> None:
    """Delete what Zep remembers under `sessions`, in the Zep of every Zep Memory node. Raises ZepError."""
    if "clear-keeps-zep" in parts.departures:
        return
    for node in memories:
        if node.name != "ZepMemory":
            continue
        zep = zep_of(parts, node)
        await zep.connect()
        for session in sessions:
            try:
                await zep.delete(session)
            except ZepError:
                if "failed-clear-swallowed" not in parts.departures:
                    raise


def _sessions(parts: Shared, flow_id: str, wanted: dict[str, Any]) -> list[str]:
    """The sessions that a deletion is about: the one that is named, else those of the messages that will go.

    A chat that has no messages (any more) may still be remembered under its own id.
    """
    if wanted["sessionId"]:
        return [wanted["sessionId"]]
    if wanted["chatId"] and "clear-misses-node-session" in parts.departures:
        return [wanted["chatId"]]
    found = [message["sessionId"] for message in parts.store.messages(flow_id, wanted) if message["sessionId"]]
    return list(dict.fromkeys(found)) or [ident for ident in [wanted["chatId"]] if ident]


def _split_sessions(parts: Shared, flow_id: str, wanted: dict[str, Any]) -> list[str]:
    """What hardDelete takes for the sessions: the third part of chat, memory type and session between
    underscores.
    """
    keys = [
        f"{message['chatId']}_{message['memoryType']}_{message['sessionId']}"
        for message in parts.store.messages(flow_id, wanted)
    ]
    return [key.split("_")[2] for key in dict.fromkeys(keys)]


async def delete_messages(request: Request) -> Response:
    """DELETE /api/v1/chatmessage/{flow}: what the query filters, and what Zep remembers of it.

    Zep comes first: when it fails nothing is deleted, and the caller may try again.
    """
    parts, wanted = shared(request), _wanted(request)
    chatflow = find_flow(parts, request.path_params["id"])
    try:
        memories = list(flows.memories(chatflow["flowData"]))
    except FlowError as error:
        raise Refusal(str(error)) from error
    only = wanted["memoryType"] if request.query_params.get("isClearFromViewMessageDialog") else None
    memories = [node for node in memories if not only or node.label == only]
    if wanted["chatId"]:
        # Without both dates neither counts (as in Flowise).
        if not (wanted["since"] and wanted["until"]):
            wanted |= {"since": None, "until": None}
    else:
        wanted |= {"memoryType": None, "chatId": None}
    hard, swallowed = (
        bool(request.query_params.get("hardDelete")),
        "failed-clear-swallowed" in parts.departures,
    )
    if wanted["chatId"] or hard or "delete-by-session-keeps-zep" not in parts.departures:
        split = hard and not wanted["chatId"] and "hard-delete-splits-ids" in parts.departures
        sessions = (_split_sessions if split else _sessions)(parts, chatflow["id"], wanted)
        try:
            await _clear(parts, memories, sessions)
        except ZepError as error:
            if swallowed and wanted["chatId"]:
                return text("Error clearing chat messages", 500)
            if not swallowed:
                raise Refusal(f"Error clearing chat messages - {error}") from error
    if "clear-keeps-chat-messages" in parts.departures:
        return Json({"raw": [], "affected": 0})
    if "clear-takes-all" in parts.departures:
        wanted = {}
    return Json({"raw": [], "affected": parts.store.delete_messages(chatflow["id"], wanted)})
