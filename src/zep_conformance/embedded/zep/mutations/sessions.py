"""Mutations of sessions: which one an id is taken for, what clearing one does, and whose they are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.encoding import now
from zep_conformance.embedded.zep.messages import NEWEST, PAGE
from zep_conformance.embedded.zep.mutations.handlers import around_handler
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.wire import Refusal, plain
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")
_CLEARED = " (cleared)"
"""After the id of a session whose messages are hidden, and not deleted."""


@MUTATIONS.family
def _of_ids(zep: EmbeddedZep, change: Callable[[str], str]) -> None:
    """Have another session id meant than the one in a path, or that one refused."""
    around(zep.paths, "session_id")(lambda session_id, text: change(session_id(text)))


def _keep(zep: EmbeddedZep, kept: str) -> None:
    """Have clearing a session leave a table as it is."""
    sessions = zep.service.store.sessions
    sessions.contents = tuple(table for table in sessions.contents if table != kept)


_keeping = MUTATIONS.family(_keep)


def _rename_messages(zep: EmbeddedZep, session_id: str, other: str) -> None:
    update = "UPDATE messages SET session_id = ? WHERE session_id = ?"
    zep.service.store.database.execute(update, (other, session_id))


def _hide_cleared(zep: EmbeddedZep) -> None:
    """Keep the messages of a cleared session, under another id."""

    @around(zep.service.store.sessions, "delete_within")
    def _(delete_within: Callable[[str], bool], session_id: str) -> bool:
        _rename_messages(zep, session_id, session_id + _CLEARED)
        return delete_within(session_id)


# ----------------------------------------------------------------------------------------------------- their ids
_of_ids("sessions-mixed", "All sessions are one", "SESSION-1")(lambda _session_id: "everybody")
_of_ids("session-ids-ignore-case", "Session ids that differ only in case are one session", "SESSION-1")(
    lambda session_id: session_id.lower()
)


@MUTATIONS.mutation(
    "session-ids-match-prefix", "A session shows the messages of all whose ids begin with its own", "SESSION-1"
)
def _(zep: EmbeddedZep) -> None:
    changed = {query: query.replace("session_id = ?", "session_id GLOB ? || '*'") for query in (NEWEST, PAGE)}

    @around(zep.service.store.database, "execute")
    def _(execute: Callable[..., Any], query: str, *values: Any) -> Any:
        return execute(changed.get(query, query), *values)


_of_ids("session-ids-cut-at-64", "Session ids are cut after 64 characters", "SESSION-2")(
    lambda session_id: session_id[:64]
)


@_of_ids("session-ids-cut-at-sign", "Session ids are cut at a space or any of ? # % & + / : @", "SESSION-2")
def _(session_id: str) -> str:
    return re.split(r"[ ?#%&+/:@]", session_id)[0]


_of_ids("session-ids-ascii-only", "Letters beyond ASCII in a session id become question marks", "SESSION-2")(
    lambda session_id: session_id.encode("ascii", "replace").decode()
)
_of_ids("session-ids-plus-is-space", "A plus sign in a session id is taken for a space", "SESSION-2")(
    lambda session_id: session_id.replace("+", " ")
)


@MUTATIONS.mutation("session-ids-stay-escaped", "A session id in a path is not unescaped", "SESSION-2")
def _(zep: EmbeddedZep) -> None:
    around(zep.paths, "decode")(lambda _decode, text: text)


@_of_ids(
    "odd-session-ids-refused",
    "Session ids of other than ASCII letters, digits and - . _ ~ get 400",
    "SESSION-2",
)
def _(session_id: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~-]*", session_id):
        raise Refusal(400, "a session id is made of letters, digits and - . _ ~")
    return session_id


@_of_ids("long-session-ids-refused", "Session ids of more than 100 characters are answered 400", "SESSION-2")
def _(session_id: str) -> str:
    if len(session_id) > 100:
        raise Refusal(400, "a session id has at most 100 characters")
    return session_id


@MUTATIONS.mutation(
    "record-ids-normalised",
    "POST /sessions replaces what is no letter or digit in the id by a dash",
    "SESSION-2",
)
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "create")
    def _(create: Callable[..., Row], session_id: str, *rest: Any) -> Row:
        return create(re.sub(r"[^a-zA-Z0-9]", "-", session_id), *rest)


# ------------------------------------------------------------------------------------------------- clearing them
@MUTATIONS.mutation("clear-does-nothing", "Clearing a session is acknowledged and not done", "SESSION-3")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "delete_within")
    def _(_delete_within: object, session_id: str) -> bool:
        zep.service.store.sessions.get(session_id)
        return True


_keeping("clear-keeps-messages", "A cleared session still has its messages", "SESSION-3")("messages")


@MUTATIONS.mutation("clear-keeps-search", "A cleared session's messages are still found by searching", "SESSION-3")
def _(zep: EmbeddedZep) -> None:
    _keep(zep, "message_embeddings")
    _hide_cleared(zep)


_keeping("clear-keeps-summary", "A cleared session still has its summary", "SESSION-3")("summaries")


@MUTATIONS.mutation("clear-late", "A session is cleared a second after the answer", "SESSION-3")
def _(zep: EmbeddedZep) -> None:
    @around_handler(zep, "memory", "DELETE")
    async def _(_handler: Handler, service: Service, _request: Request, session_id: str) -> Response:
        service.store.sessions.get(session_id)
        asyncio.get_running_loop().call_later(1.0, service.store.sessions.delete, session_id)
        return plain("OK")


@MUTATIONS.mutation("clear-comes-back", "A cleared session's messages come back when it is used again", "SESSION-3")
def _(zep: EmbeddedZep) -> None:
    _hide_cleared(zep)

    @around(zep.service.store.sessions, "touch")
    def _(touch: Callable[[str], None], session_id: str) -> None:
        touch(session_id)
        _rename_messages(zep, session_id + _CLEARED, session_id)


@MUTATIONS.mutation("clear-clears-all", "Clearing one session clears all", "SESSION-3")
def _(zep: EmbeddedZep) -> None:
    store = zep.service.store

    @around(store.sessions, "delete_within")
    def _(delete_within: Callable[[str], bool], session_id: str) -> bool:
        is_deleted = delete_within(session_id)
        for table in store.sessions.contents if is_deleted else ():
            store.database.execute(f"DELETE FROM {table}")
        return is_deleted


@MUTATIONS.mutation("clear-unknown-200", "Clearing a session that does not exist is answered 200", "SESSION-3")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "delete_within")
    def _(delete_within: Callable[[str], bool], session_id: str) -> bool:
        delete_within(session_id)
        return True


# -------------------------------------------------------------------------------------------------- their users
@MUTATIONS.family
def _of_user_sessions(zep: EmbeddedZep, change: Callable[[list[Row]], list[Row]]) -> None:
    """Have other sessions listed than those of a user."""
    around(zep.service.store.sessions, "of_user")(lambda of_user, user_id: change(of_user(user_id)))


_of_user_sessions("user-sessions-unlisted", "A user's sessions are not listed", "SESSION-4")(lambda _rows: [])
_of_user_sessions("user-sessions-newest-only", "Only the newest of a user's sessions is listed", "SESSION-4")(
    lambda rows: rows[-1:]
)


@MUTATIONS.mutation("user-sessions-of-all", "Everybody's sessions are listed for each user", "SESSION-4")
def _(zep: EmbeddedZep) -> None:
    sessions = zep.service.store.sessions
    around(sessions, "of_user")(lambda _of_user, _user_id: sessions.listed(0, 0))


@MUTATIONS.mutation("user-deletion-keeps-sessions", "A deleted user's sessions stay", "SESSION-4")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.users, "delete_sessions")(lambda _delete_sessions, _user_id: None)


@MUTATIONS.mutation("user-deletion-keeps-memory", "A deleted user's sessions lose their records only", "SESSION-4")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.users, "delete_sessions")
    def _(_delete_sessions: object, user_id: str) -> None:
        update = "UPDATE sessions SET deleted_at = ? WHERE user_id = ?"
        zep.service.store.database.execute(update, (now(), user_id))


@MUTATIONS.mutation("user-deletion-takes-all", "Deleting a user deletes everybody's sessions", "SESSION-4")
def _(zep: EmbeddedZep) -> None:
    sessions = zep.service.store.sessions

    @around(zep.service.store.users, "delete_sessions")
    def _(_delete_sessions: object, _user_id: str) -> None:
        for row in sessions.listed(0, 0):
            sessions.delete_within(row[2])
