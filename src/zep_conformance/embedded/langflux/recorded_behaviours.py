"""What Flowise 2.2.8 does beside the documentation: measured, or read in its source where `about` says so.

The switches are in the server: together they make it answer as Flowise 2.2.8 was recorded.
"""

from __future__ import annotations

from zep_conformance.facts.recorded_behaviours import RecordedBehaviour


def _recorded(name: str, about: str, *breaks: str, deviation: str | None = None) -> RecordedBehaviour:
    return RecordedBehaviour(name, "langflux", about, breaks, deviation)


RECORDED_BEHAVIOURS: tuple[RecordedBehaviour, ...] = (
    _recorded(
        "unescaped-session-id",
        "A session id is put into Zep's path as it is, then tidied as a browser tidies a path: with / or"
        " \\ in it, and for . and .., nothing is remembered; tabs and newlines vanish; a lone % is "
        "refused by Zep",
        "API-1",
        deviation="DEV-2",
    ),
    _recorded(
        "session-id-unchecked",
        "An empty sessionId is accepted and nothing is remembered; so is one that is no string",
        "API-1",
        deviation="DEV-3",
    ),
    _recorded(
        "delete-by-session-keeps-zep",
        "Deleting chat messages without a chatId leaves Zep's memory as it was, unless hardDelete is asked for",
        "API-6",
        deviation="DEV-4",
    ),
    _recorded(
        "session-is-chat-id",
        "Without a session id the chat id is the session id, and not the id of the first chat message",
        "UI-5",
        deviation="DEV-6",
    ),
    _recorded(
        "failed-write-swallowed",
        "A failed write to Zep is only logged: the prediction succeeds and the turn is lost",
        "API-7",
        deviation="DEV-10",
    ),
    _recorded(
        "failed-clear-swallowed",
        "When Zep refuses to delete a session, the deletion succeeds and the chat still remembers",
        "UI-4",
        "API-6",
    ),
    _recorded(
        "clear-misses-node-session",
        "Deleting by chatId alone clears the Zep session named like the chat, not the one that its "
        "messages were under: a chat with a Session Id on the node, or with its own sessionId, still "
        "remembers",
        "UI-4",
        "API-6",
    ),
    _recorded(
        "hard-delete-splits-ids",
        "hardDelete without a chatId takes the ids apart at underscores, and clears another session than meant",
        "API-6",
    ),
    _recorded(
        "query-html-escaped",
        "Ids in a query are sanitized as HTML: a conversation with & or < or > in its id is neither "
        "listed nor deleted, and a<b clears the session a",
        "API-6",
    ),
    _recorded(
        "stream-ignores-node-session",
        "A streamed prediction without ids makes up a chat id and takes it for the caller's: the Session "
        "Id on the node is passed over",
        "API-5",
    ),
    _recorded(
        "stream-error-hangs",
        "An error before a stream has begun (no such chatflow) with streaming asked for is never answered",
    ),
    _recorded(
        "unlisted-field-shown",
        "A credential's fields that its type does not know as passwords are shown in clear",
    ),
    _recorded(
        "base-url-as-given",
        "A Base URL with a trailing slash asks for //healthz, and one with a path loses it after the health check",
    ),
)
"""All that there are of the embedded LangFlux."""
