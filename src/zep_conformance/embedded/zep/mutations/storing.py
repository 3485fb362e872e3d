"""Mutations of what is stored and how fast, one writer at a time and several at once."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.encoding import ZERO_TIME, dumps
from zep_conformance.embedded.zep.messages import PostedMessage
from zep_conformance.embedded.zep.mutations.handlers import around_handler
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.summaries import Summary
from zep_conformance.embedded.zep.wire import Refusal, plain
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")
_SLOWNESS = 0.3
"""Seconds that a slow server takes more."""
_TABLES = ("users", "sessions", "messages", "message_embeddings", "summaries", "summary_embeddings", "tasks")

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


# ------------------------------------------------------------------------------------------------------- storing
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

    @around_handler(zep, "memory", method)
    async def _(handler: Handler, *given: Any) -> Response:
        await asyncio.sleep(_SLOWNESS)
        return await handler(*given)


_slow("slow-writes", "Every write takes 0.3 s more, as if it waited for enrichment", "LATENCY-1")("POST")
_slow("slow-reads", "Every read takes 0.3 s more, as if it waited for enrichment", "LATENCY-1")("GET")


# ------------------------------------------------------------------------------------------- several at once
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

    @around_handler(zep, "memory", "POST")
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
