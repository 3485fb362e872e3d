"""Mutations of chat messages: which are listed, and what clearing takes with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zep_conformance.embedded.langflux.mutations.planting import listed
from zep_conformance.embedded.langflux.services import Services
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("langflux")

_listed = MUTATIONS.family(listed)


@MUTATIONS.family
def _clear_takes(langflux: Services, which: Callable[[dict[str, Any], dict[str, Any]], bool]) -> None:
    """Have other chat messages deleted than those that are wanted.

    which: of (what is wanted, a chat message of the chatflow) whether that goes, too.
    """

    @around(langflux.store, "delete_messages")
    def _(delete: Callable[..., int], flow: str, wanted: dict[str, Any]) -> int:
        others = [one for one in langflux.store.messages(flow, {}) if which(wanted, one)]
        for one in others:
            delete(flow, {name: one[name] for name in ("chatId", "sessionId")})
        return delete(flow, wanted) + len(others)


@MUTATIONS.family
def _clear_forgets(langflux: Services, which: Callable[[str, str], bool]) -> None:
    """Have other sessions forgotten by Zep than those that are cleared.

    which: of (a session that is cleared, one of the chatflow's) whether that is forgotten, too.
    """

    @around(langflux.chat_messages, "sessions")
    def _(sessions: Callable[..., list[str]], flow: str, wanted: dict[str, Any]) -> list[str]:
        cleared = sessions(flow, wanted)
        known = dict.fromkeys(str(one["sessionId"]) for one in langflux.store.messages(flow, {}))
        return [*cleared, *(one for one in known if one not in cleared and any(which(own, one) for own in cleared))]


def _beginning(name: str) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    """Return whether a chat message's id of this name begins with the one that is wanted."""
    return lambda wanted, one: bool(wanted.get(name)) and str(one[name]).startswith(wanted[name])


def _alike(name: str) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    """Return whether a chat message's id of this name is the one that is wanted, but for case."""
    return lambda wanted, one: str(wanted.get(name)).lower() == str(one[name]).lower()


_clear_takes("clear-takes-longer-chats", "Clearing a chat deletes all chats whose ids begin with its id", "CLEAR-2")(
    _beginning("chatId")
)
_clear_takes("clear-ignores-case", "Clearing a chat deletes all chats whose ids differ in case only", "CLEAR-2")(
    _alike("chatId")
)
_clear_takes("clear-takes-shorter-chats", "Clearing a chat deletes all chats whose ids its own begins with", "CLEAR-2")(
    lambda wanted, one: str(wanted.get("chatId")).startswith(str(one["chatId"]))
)
_clear_takes("clear-takes-session", "Clearing a chat by both ids deletes all chats under its session", "CLEAR-2")(
    lambda wanted, one: one["sessionId"] == wanted.get("sessionId") and bool(wanted.get("chatId"))
)
_clear_forgets("clear-forgets-longer-ids", "Clearing a chat has Zep forget all sessions that begin alike", "CLEAR-2")(
    lambda own, one: one.startswith(own)
)
_clear_forgets(
    "clear-forgets-shorter-ids", "Clearing a chat has Zep forget all sessions its own begins with", "CLEAR-2"
)(lambda own, one: own.startswith(one))
_clear_forgets("clear-forgets-any-case", "Clearing a chat has Zep forget its session in any case", "CLEAR-2")(
    lambda own, one: own.lower() == one.lower()
)
_clear_forgets("clear-forgets-chatflow", "Clearing a chat has Zep forget all sessions of the chatflow", "CLEAR-2")(
    lambda _own, _one: True
)


@MUTATIONS.mutation("clear-takes-whole-chats", "Clearing a session deletes all of the chats that it was in", "CLEAR-2")
def _(langflux: Services) -> None:
    @around(langflux.store, "delete_messages")
    def _(delete: Callable[..., int], flow: str, wanted: dict[str, Any]) -> int:
        chats = dict.fromkeys(one["chatId"] for one in langflux.store.messages(flow, wanted))
        return sum(delete(flow, {"chatId": chat}) for chat in chats)


@MUTATIONS.mutation("clear-takes-same-text", "Clearing a chat deletes all chats in which the same was said", "CLEAR-2")
def _(langflux: Services) -> None:
    @around(langflux.store, "delete_messages")
    def _(delete: Callable[..., int], flow: str, wanted: dict[str, Any]) -> int:
        said = {one["content"] for one in langflux.store.messages(flow, wanted)}
        chats = {one["chatId"] for one in langflux.store.messages(flow, {}) if one["content"] in said}
        return delete(flow, wanted) + sum(delete(flow, {"chatId": chat}) for chat in chats)


@MUTATIONS.mutation("clear-takes-newest", "Clearing a chat deletes the one that somebody talked in last", "CLEAR-2")
def _(langflux: Services) -> None:
    @around(langflux.store, "delete_messages")
    def _(delete: Callable[..., int], flow: str, wanted: dict[str, Any]) -> int:
        newest = langflux.store.messages(flow, {}, newest_first=True)[:1]
        return delete(flow, wanted) + sum(delete(flow, {"sessionId": one["sessionId"]}) for one in newest)


@MUTATIONS.mutation(
    "clear-comes-back", "Cleared chat messages are listed again once the chat is gone on with", "CLEAR-2"
)
def _(langflux: Services) -> None:
    gone: list[dict[str, Any]] = []

    @around(langflux.store, "delete_messages")
    def _(delete: Callable[..., int], flow: str, wanted: dict[str, Any]) -> int:
        gone.extend(langflux.store.messages(flow, wanted))
        return delete(flow, wanted)

    @around(langflux.chat_messages, "listed")
    def _(old: Callable[..., Any], flow: str, wanted: dict[str, Any], **order: bool) -> Any:
        there = old(flow, wanted, **order)
        back = [one for one in gone if there and one["sessionId"] == there[0]["sessionId"]]
        return back + there


@MUTATIONS.mutation("listing-ignores-session", "Listing by session id lists every session's chat messages", "API-6")
def listing_ignores_session(langflux: Services) -> None:
    @around(langflux.chat_messages, "listed")
    def listed(listed: Callable[..., Any], flow_id: str, wanted: dict[str, Any], **order: bool) -> Any:
        return listed(flow_id, wanted | {"sessionId": None}, **order)


_listed("listing-reversed", "Chat messages are listed in the wrong order", "API-6")(lambda listed: listed[::-1])
_listed("listing-lacks-answers", "What the AI said is not listed", "API-6")(
    lambda listed: [message for message in listed if message["role"] == "userMessage"]
)


@MUTATIONS.mutation("clear-keeps-chat-messages", "Deleting chat messages is acknowledged and not done", "API-6", "UI-5")
def clear_keeps_chat_messages(langflux: Services) -> None:
    around(langflux.store, "delete_messages")(lambda _delete, _flow, _wanted: 0)


@MUTATIONS.mutation("clear-keeps-zep", "Deleting chat messages leaves Zep's memory as it was", "API-6")
def clear_keeps_zep(langflux: Services) -> None:
    @around(langflux.chat_messages, "forget")
    async def forget(_forget: Any, _memories: Any, _sessions: Any) -> None:
        pass


@MUTATIONS.mutation("clear-takes-all", "Deleting chat messages deletes those of everybody in the chatflow", "API-6")
def clear_takes_all(langflux: Services) -> None:
    around(langflux.store, "delete_messages")(lambda delete, flow, _wanted: delete(flow, {}))
