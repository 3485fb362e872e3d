"""Messages: written with their tasks in one transaction, read in the order in which they were written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import MESSAGE_TOPICS, Database, Enriched, Tasks
from zep_conformance.embedded.zep.encoding import ZERO_TIME, ZERO_UUID, dumps, merge, now, quote
from zep_conformance.embedded.zep.records import Row, Sessions
from zep_conformance.embedded.zep.wire import Refusal, mistake, not_found

_COLUMNS = "uuid, created_at, role, content, metadata, token_count"
_INSERT = (
    "INSERT INTO messages (uuid, session_id, created_at, role, content, metadata, token_count)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
NEWEST = f"SELECT {_COLUMNS} FROM messages WHERE session_id = ? AND id > ? ORDER BY id DESC LIMIT ?"
PAGE = f"SELECT {_COLUMNS} FROM messages WHERE session_id = ? ORDER BY id LIMIT ? OFFSET ?"
_AFTER = "SELECT id, uuid, role, content FROM messages WHERE session_id = ? AND id > ? ORDER BY id DESC LIMIT ?"
_OF_TASK = "SELECT id, uuid, role, content FROM messages WHERE session_id = ? AND id BETWEEN ? AND ? ORDER BY id"

_WAS_WRITTEN = "SELECT 1 FROM messages WHERE uuid = ? UNION ALL SELECT 1 FROM cleared_messages WHERE uuid = ?"
_IS_CLEARED = "SELECT 1 FROM cleared_messages WHERE uuid = ?"

_FURTHEST = 2**63 - 1  # SQLite knows no larger number


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message as posted. uuid None for one to be made here; metadata: JSON text or None."""

    role: str
    content: str
    uuid: str | None = None
    metadata: str | None = None
    token_count: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """What enrichment needs of a message. id: its row id, which is its place in the order."""

    id: int
    uuid: str
    role: str
    content: str


def render(row: Row) -> str:
    """Return a message's row as Zep's JSON (`updated_at` is never filled in, as in 0.27.2)."""
    uuid, created, role, content, metadata, tokens = row
    extra = f'"metadata":{metadata},' if metadata and metadata != "{}" else ""
    return (
        f'{{"uuid":"{uuid}","created_at":"{created}","updated_at":"{ZERO_TIME}","role":{quote(role)},'
        f'"content":{quote(content)},{extra}"token_count":{tokens}}}'
    )


class Messages(Enriched):
    """The messages table. Rows are tuples to be given to `render`.

    reserved: keys of metadata that are not for clients.
    """

    table, embeddings = "messages", "message_embeddings"
    reserved: tuple[str, ...] = ("system",)

    def __init__(self, database: Database, *, behaviours: Behaviours, sessions: Sessions, tasks: Tasks) -> None:
        super().__init__(database, behaviours=behaviours, tasks=tasks)
        self._sessions = sessions

    def add(self, session_id: str, messages: Sequence[PostedMessage]) -> None:
        """Write a post's messages, side by side and in order, with the tasks to enrich them: all or nothing.

        Creates or revives the session. Raises Refusal when a uuid is taken, be it by a message that was cleared.
        """
        time = now()
        uuids = [one.uuid if one.uuid and one.uuid != ZERO_UUID else str(uuid4()) for one in messages]
        rows = [
            (uuid, session_id, time, one.role, one.content, one.metadata, one.token_count)
            for uuid, one in zip(uuids, messages, strict=True)
        ]
        if "duplicate-uuid-500" in self._behaviours:
            with self._db.transaction():  # of its own: the session is there also when its messages are refused
                self._sessions.touch(session_id)
        with self._db.transaction():
            self._sessions.touch(session_id)
            if any(one.uuid and self._db.execute(_IS_CLEARED, (one.uuid,)).fetchone() for one in messages):
                raise self._taken()
            try:
                self._db.executemany(_INSERT, rows)
            except sqlite3.IntegrityError as error:
                raise self._taken() from error
            if rows:
                last = self._db.execute("SELECT last_insert_rowid()").fetchone()[0]
                self._tasks.add(MESSAGE_TOPICS, session_id, last - len(rows) + 1, last)
            elif "clearing-stalls-enrichment" in self._behaviours:
                self._tasks.add(MESSAGE_TOPICS, session_id, 1, 0)

    def _taken(self) -> Refusal:
        reason = "bad request: a message with this uuid exists already; nothing was stored"
        return mistake(self._behaviours, "duplicate-uuid-500", reason)

    def newest(self, session_id: str, count: int, after: int = 0) -> list[Row]:
        """Return the newest `count` messages with a row id above `after`, oldest of them first."""
        rows = self._db.execute(NEWEST, (session_id, after, count)).fetchall()
        rows.reverse()
        return rows

    def page(self, session_id: str, page: int, size: int) -> tuple[list[Row], int]:
        """Return (messages of a page, how many the session has). Pages count from 1; size 0 for everything.

        The count is 0 where the page is empty, as in Zep 0.27.2.
        """
        limit = size if size > 0 else -1
        offset = min(max(0, (page - 1) * size), _FURTHEST)
        rows = self._db.execute(PAGE, (session_id, limit, offset)).fetchall()
        count = "SELECT count(*) FROM messages WHERE session_id = ?"
        return rows, self._db.execute(count, (session_id,)).fetchone()[0] if rows else 0

    def get(self, session_id: str, uuid: str) -> Row:
        """Return one message of a session. Raises Refusal 404."""
        query = f"SELECT {_COLUMNS} FROM messages WHERE session_id = ? AND uuid = ?"
        row: Row | None = self._db.execute(query, (session_id, uuid)).fetchone()
        if row is None:
            # An empty reason is what the real server's crash leaves of the answer.
            raise Refusal(500, "") if "missing-message-500" in self._behaviours else not_found()
        return row

    def update_metadata(self, session_id: str, uuid: str, metadata: dict[str, Any] | None, token_count: int) -> Row:
        """Merge metadata into a message's, but for what is reserved.

        token_count: what the client sent (0 if nothing); matters only where counts are reset. Raises Refusal.
        """
        with self._db.transaction():
            if metadata == {} and "empty-metadata-500" in self._behaviours:
                raise Refusal(500, "failed to update message metadata: metadata cannot be empty")
            row = self.get(session_id, uuid) if metadata is None else self._known(session_id, uuid)
            if metadata is not None:
                wanted = {key: value for key, value in metadata.items() if key not in self.reserved}
                text = dumps(merge(json.loads(row[4] or "{}"), wanted))
                self._db.execute("UPDATE messages SET metadata = ? WHERE uuid = ?", (text, uuid))
            if "token-count-reset" in self._behaviours:
                self._db.execute("UPDATE messages SET token_count = ? WHERE uuid = ?", (token_count, uuid))
        return self.get(session_id, uuid)

    def _known(self, session_id: str, uuid: str) -> Row:
        # Where there is metadata to merge Zep 0.27.2 notices a message that never was, and no other that is missing:
        # not one that was cleared, nor that of another session.
        try:
            return self.get(session_id, uuid)
        except Refusal as refusal:
            if self._db.execute(_WAS_WRITTEN, (uuid, uuid)).fetchone():
                raise
            raise not_found() from refusal

    def after(self, session_id: str, point: int, limit: int = -1) -> list[Text]:
        """Return messages with a row id above `point`, oldest first; with a limit, the newest of them."""
        return [Text(*row) for row in reversed(self._db.execute(_AFTER, (session_id, point, limit)).fetchall())]

    def of_task(self, session_id: str, first: int, last: int) -> list[Text]:
        """Return the messages of a post that are still there."""
        return [Text(*row) for row in self._db.execute(_OF_TASK, (session_id, first, last))]

    def count_tokens(self, counts: Iterable[tuple[int, int]]) -> None:
        """Store (token count, row id) pairs. Part of a transaction."""
        self._db.executemany("UPDATE messages SET token_count = ? WHERE id = ?", counts)
