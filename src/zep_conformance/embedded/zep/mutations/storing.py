"""Mutations of what is stored and how fast, and of the sessions that it is stored under."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.encoding import ZERO_TIME, dumps, now
from zep_conformance.embedded.zep.messages import NEWEST, PAGE, PostedMessage
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.summaries import Summary
from zep_conformance.embedded.zep.wire import Refusal, plain
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")
_SLOWNESS = 0.3
"""Seconds that a slow server takes more."""
_TABLES = (
    "users",
    "sessions",
    "messages",
    "cleared_messages",
    "message_embeddings",
    "summaries",
    "summary_embeddings",
    "tasks",
)

Posted = Sequence[PostedMessage]


@MUTATIONS.family
def _of_posts(zep: EmbeddedZep, change: Callable[[Posted], Posted]) -> None:
    """Have other messages stored than those of a post."""
    around(zep.service.store.messages, "add")(lambda add, session_id, messages: add(session_id, change(messages)))


def _each_message(zep: EmbeddedZep, change: Callable[[PostedMessage], PostedMessage]) -> None:
    """Have another message stored in place of each of a post."""
    around(zep.service.store.messages, "add")(lambda add, session_id, new: add(session_id, [*map(change, new)]))


_of_messages = MUTATIONS.family(_each_message)


@MUTATIONS.family
def _of_texts(zep: EmbeddedZep, change: Callable[[str], str]) -> None:
    """Have another text stored than that of a message."""
    _each_message(zep, lambda message: replace(message, content=change(message.content)))


@MUTATIONS.family
def _of_lists(zep: EmbeddedZep, change: Callable[[list[Row]], list[Row]]) -> None:
    """Have other messages shown than those that are read."""
    around(zep.service.store.messages, "newest")(lambda newest, *asked, **options: change(newest(*asked, **options)))

    @around(zep.service.store.messages, "page")
    def _(page: Callable[..., tuple[list[Row], int]], *asked: Any) -> tuple[list[Row], int]:
        rows, total = page(*asked)
        return change(rows), total


@MUTATIONS.family
def _of_last(zep: EmbeddedZep, last: Callable[[Service, str, int], list[Row]]) -> None:
    """Have something else given for `lastn`."""
    around(zep.service, "last")(lambda _last, session_id, count: last(zep.service, session_id, count))


_of_posts("writes-dropped", "Messages are acknowledged and not stored", "STORE-1", "DEPLOY-2", "DEPLOY-4")(
    lambda _messages: []
)
_of_posts("last-message-lost", "The last message of a post of several is not stored", "STORE-1")(
    lambda messages: messages[:-1] if len(messages) > 1 else messages
)
_of_posts("messages-doubled", "Every message is stored twice", "STORE-1")(
    lambda messages: [copy for message in messages for copy in (message, replace(message, uuid=None))]
)


@MUTATIONS.mutation("messages-reversed", "The memory lists the newest message first", "STORE-1", "STORE-4")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.messages, "newest")(lambda newest, *asked, **options: newest(*asked, **options)[::-1])


@MUTATIONS.mutation("memory-limited", "The memory holds the newest 6 messages, however large the window is", "STORE-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service, "recent")
    def _(_recent: object, session_id: str, summary: Summary) -> list[Row]:
        return zep.service.store.messages.newest(session_id, 6, after=summary.point_id)


@MUTATIONS.mutation("post-replaces", "Writing to a session replaces what was in it", "STORE-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.messages, "add")
    def _(add: Callable[..., None], session_id: str, messages: Posted) -> None:
        zep.service.store.database.execute("DELETE FROM messages WHERE session_id = ?", (session_id,))
        add(session_id, messages)


_of_texts("content-cut", "Texts are cut after 1000 characters", "STORE-1")(lambda text: text[:1000])
_of_texts("content-trimmed", "White space at both ends of a text is lost", "STORE-1")(lambda text: text.strip())
_of_texts("newlines-normalised", "CR LF in a text becomes LF", "STORE-1")(lambda text: text.replace("\r\n", "\n"))
_of_texts("unicode-mangled", "Letters that are not Latin-1 become question marks", "STORE-1")(
    lambda text: text.encode("latin-1", "replace").decode("latin-1")
)
_of_texts("markup-escaped", "&, < and > in a text come back as HTML entities", "STORE-1")(
    lambda text: html.escape(text, quote=False)
)
_of_texts("backslashes-lost", "Backslashes in a text are lost", "STORE-1")(lambda text: text.replace("\\", ""))
_of_messages("roles-lost", "Every message is given the role human", "STORE-1")(
    lambda message: replace(message, role="human")
)
_of_messages("metadata-dropped", "A message's own metadata is not stored", "STORE-2")(
    lambda message: replace(message, metadata=None)
)


@_of_messages("metadata-flattened", "Nested metadata is stored as text", "STORE-2")
def _(message: PostedMessage) -> PostedMessage:
    if message.metadata is None:
        return message
    fields = json.loads(message.metadata).items()
    flat = {key: value if isinstance(value, str) else dumps(value) for key, value in fields}
    return replace(message, metadata=dumps(flat))


_of_lists("uuid-repeated", "All messages of an answer have the uuid of the first", "STORE-2")(
    lambda rows: [(rows[0][0], *row[1:]) for row in rows]
)
_of_lists("uuid-malformed", "A message's uuid is no uuid", "STORE-2")(
    lambda rows: [("message", *row[1:]) for row in rows]
)


@MUTATIONS.mutation("created-at-zero", "A message's creation time is the year 1", "STORE-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.messages, "add")
    def _(add: Callable[..., None], session_id: str, messages: Posted) -> None:
        add(session_id, messages)
        update = "UPDATE messages SET created_at = ? WHERE session_id = ?"
        zep.service.store.database.execute(update, (ZERO_TIME, session_id))


@MUTATIONS.mutation("tokens-never-counted", "Messages have no token count", "STORE-2")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.messages, "count_tokens")(lambda _count_tokens, _counts: None)


@MUTATIONS.mutation("forgotten-on-restart", "The store is emptied at every start", "STORE-3")
def _(zep: EmbeddedZep) -> None:
    for table in _TABLES:
        zep.service.store.database.execute(f"DELETE FROM {table}")


@MUTATIONS.mutation("lost-in-crash", "Writes are committed at a clean stop only, so that a crash loses them", "STORE-3")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database
    database.execute("BEGIN")

    @around(database, "transaction")
    @contextmanager
    def _(_transaction: object) -> Iterator[None]:
        database.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            database.execute("ROLLBACK TO step")
            raise
        database.execute("RELEASE step")

    @around(database, "close")
    def _(close: Callable[[], None]) -> None:
        database.connection.commit()
        close()


@MUTATIONS.mutation("read-only-after-restart", "After a restart nothing can be written any more", "STORE-3")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database
    [was_started] = database.execute("PRAGMA user_version").fetchone()
    database.execute("PRAGMA query_only=ON" if was_started else "PRAGMA user_version=1")


_of_last("lastn-off-by-one", "lastn returns one message less than asked for", "STORE-4")(
    lambda service, session_id, count: service.store.messages.newest(session_id, count - 1)
)
_of_last("lastn-ignored", "lastn is ignored", "STORE-4")(
    lambda service, session_id, _count: service.recent(session_id, service.store.summaries.latest(session_id))
)
_of_last("lastn-oldest", "lastn returns the oldest messages", "STORE-4")(
    lambda service, session_id, count: service.store.messages.page(session_id, 1, count)[0]
)
_of_last("lastn-capped", "lastn returns at most 5 messages", "STORE-4")(
    lambda service, session_id, count: service.store.messages.newest(session_id, min(count, 5))
)


@MUTATIONS.family
def _slow(zep: EmbeddedZep, method: str) -> None:
    """Have the memory answer late to a method."""

    @around(zep.operations["memory"][method], "handler")
    async def _(handler: Handler, *given: Any) -> Response:
        await asyncio.sleep(_SLOWNESS)
        return await handler(*given)


_slow("slow-writes", "Every write takes 0.3 s more, as if it waited for enrichment", "LATENCY-1")("POST")
_slow("slow-reads", "Every read takes 0.3 s more, as if it waited for enrichment", "LATENCY-1")("GET")


Write = Callable[[str], Any]
_HANDOVER = 0.003
"""Seconds in which writers get into each other's way."""


@MUTATIONS.family
def _of_crowds(zep: EmbeddedZep, write_among: Callable[[str, Write, list[str]], Any]) -> None:
    """Have the memory written to in another way while other writes are under way.

    write_among: a coroutine function, called with the session id, what writes under a session id, and the session ids
    of all writes that are under way, this one's included.
    """
    under_way: list[str] = []

    @around(zep.operations["memory"]["POST"], "handler")
    async def _(handler: Handler, service: Service, request: Request, session_id: str) -> Response:
        await request.body()  # kept, so that it can be read twice
        under_way.append(session_id)
        try:
            await asyncio.sleep(_HANDOVER)
            await write_among(session_id, lambda other: handler(service, request, other), under_way)
        finally:
            under_way.remove(session_id)
        return plain("OK")


@_of_crowds(
    "mixed-under-load",
    "Messages that are written at the same time land in each other's sessions",
    "SESSION-1",
    "LOAD-1",
)
async def _(_session_id: str, write: Write, under_way: list[str]) -> None:
    await write(under_way[-1])


@_of_crowds("lost-under-load", "A write is acknowledged and lost when another is under way", "SESSION-1", "LOAD-1")
async def _(session_id: str, write: Write, under_way: list[str]) -> None:
    if len(under_way) == 1:
        await write(session_id)


@_of_crowds("doubled-under-load", "A write is stored twice when another is under way", "SESSION-1", "LOAD-1")
async def _(session_id: str, write: Write, under_way: list[str]) -> None:
    is_alone = len(under_way) == 1
    await write(session_id)
    if not is_alone:
        await write(session_id)


@_of_crowds("refused-under-load", "With more than 3 writes under way the next is answered 503", "LOAD-1")
async def _(session_id: str, write: Write, under_way: list[str]) -> None:
    if len(under_way) > 3:
        raise Refusal(503, "too many writers")
    await write(session_id)


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


@_of_ids("odd-session-ids-refused", "Session ids of other than ASCII letters, digits and - . _ ~ get 400", "SESSION-2")
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
    "record-ids-normalised", "POST /sessions replaces what is no letter or digit in the id by a dash", "SESSION-2"
)
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "create")
    def _(create: Callable[..., Row], session_id: str, *rest: Any) -> Row:
        return create(re.sub(r"[^a-zA-Z0-9]", "-", session_id), *rest)


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
    @around(zep.operations["memory"]["DELETE"], "handler")
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
