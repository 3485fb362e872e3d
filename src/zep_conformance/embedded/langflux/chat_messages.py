"""Chat messages: listing them, and deleting them together with what Zep remembers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import FlowiseError, Json, html_text, services_of
from zep_conformance.embedded.langflux.flow import FlowError, Node
from zep_conformance.embedded.langflux.zep_memory import ZepError

if TYPE_CHECKING:
    from zep_conformance.embedded.langflux.services import Services

_TAG = re.compile(r"</?(?:a|b|br|code|div|em|i|li|ol|p|span|strong|ul)>")
_SANITIZED = re.compile(_TAG.pattern + r"|<[^>]*>?|>|&(?!#?\w+;)")


def _sanitized(found: re.Match[str]) -> str:
    """Return what Flowise's HTML sanitizer makes of one tag or sign: known tags stay, others vanish."""
    sign = found.group()
    if _TAG.fullmatch(sign):
        return sign
    return {"&": "&amp;", ">": "&gt;"}.get(sign, "")


class ChatMessages:
    """The chat messages of every chatflow.

    Which of a chatflow's is said by `wanted`: chatId, sessionId, memoryType; what is missing or None is not asked for.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def listed(self, flow_id: str, wanted: dict[str, Any], *, newest_first: bool) -> list[dict[str, Any]]:
        """Return those that are wanted, as they are shown."""
        return self._services.store.messages(flow_id, wanted, newest_first=newest_first)

    def sessions(self, flow_id: str, wanted: dict[str, Any]) -> list[str]:
        """Return the sessions that a deletion is about: the one that is named, else those of the messages that go.

        A chat that has no messages (any more) may still be remembered under its own id.
        """
        if wanted["sessionId"]:
            return [wanted["sessionId"]]
        if wanted["chatId"] and "clear-misses-node-session" in self._services.behaviours:
            return [wanted["chatId"]]
        going = self._services.store.messages(flow_id, wanted)
        found = [message["sessionId"] for message in going if message["sessionId"]]
        return list(dict.fromkeys(found)) or [ident for ident in [wanted["chatId"]] if ident]

    def split_sessions(self, flow_id: str, wanted: dict[str, Any]) -> list[str]:
        """Return what hardDelete takes for the sessions: what is third in chat, memory type and session between
        underscores.
        """
        keys = [
            f"{message['chatId']}_{message['memoryType']}_{message['sessionId']}"
            for message in self._services.store.messages(flow_id, wanted)
        ]
        return [key.split("_")[2] for key in dict.fromkeys(keys)]

    async def forget(self, memories: Iterable[Node], sessions: list[str]) -> None:
        """Have Zep forget the sessions, the Zep of every Zep Memory node. Raises ZepError."""
        for node in memories:
            if node.name == "ZepMemory":
                await self._services.memory(node).clear(sessions)


def _wanted(services: Services, request: Request) -> dict[str, Any]:
    """Return the query's filters as `ChatMessages` takes them."""
    names = ("chatId", "sessionId", "memoryType")
    wanted: dict[str, Any] = {name: request.query_params.get(name) for name in names}
    if "query-html-escaped" in services.behaviours:
        wanted = {name: value and _SANITIZED.sub(_sanitized, value) for name, value in wanted.items()}
    return wanted


async def list_chat_messages(request: Request) -> Response:
    """Answer GET /api/v1/chatmessage/{flow}: filtered by the query, in the order of writing; back for `order=DESC`."""
    services = services_of(request)
    newest_first = request.query_params.get("order") == "DESC"
    wanted = _wanted(services, request)
    return Json(services.chat_messages.listed(request.path_params["id"], wanted, newest_first=newest_first))


async def delete_chat_messages(request: Request) -> Response:
    """Answer DELETE /api/v1/chatmessage/{flow}: delete what the query filters, and what Zep remembers of it.

    Zep comes first: when it fails nothing is deleted, and the caller may try again.
    """
    services = services_of(request)
    messages, wanted = services.chat_messages, _wanted(services, request)
    chatflow = services.chatflow(request.path_params["id"])
    try:
        memories = flows.memory_nodes(chatflow["flowData"])
    except FlowError as error:
        raise FlowiseError(str(error)) from error
    if not wanted["chatId"]:
        wanted |= {"memoryType": None, "chatId": None}
    hard = bool(request.query_params.get("hardDelete"))
    if wanted["chatId"] or hard or "delete-by-session-keeps-zep" not in services.behaviours:
        split = hard and not wanted["chatId"] and "hard-delete-splits-ids" in services.behaviours
        sessions = (messages.split_sessions if split else messages.sessions)(chatflow["id"], wanted)
        try:
            await messages.forget(memories, sessions)
        except ZepError as error:
            swallowed = "failed-clear-swallowed" in services.behaviours
            if swallowed and wanted["chatId"]:
                return html_text("Error clearing chat messages", 500)
            if not swallowed:
                raise FlowiseError(f"Error clearing chat messages - {error}") from error
    return Json({"raw": [], "affected": services.store.delete_messages(chatflow["id"], wanted)})
