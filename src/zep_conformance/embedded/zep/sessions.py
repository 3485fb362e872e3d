"""The records of sessions: created, merged, revived, listed, deleted."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.encoding import dumps, merge, now, quote
from zep_conformance.embedded.zep.refusals import Refusal, mistake, not_found

Row = tuple[Any, ...]

_COLUMNS = "id, uuid, session_id, created_at, updated_at, metadata, user_id"
_GET = f"SELECT {_COLUMNS} FROM sessions WHERE session_id = ? AND deleted_at IS NULL"
_INSERT = "INSERT INTO sessions (uuid, session_id, created_at, updated_at, metadata, user_id) VALUES (?, ?, ?, ?, ?, ?)"
_TOUCH = "UPDATE sessions SET deleted_at = NULL, updated_at = ? WHERE session_id = ?"


def render(row: Row) -> str:
    """Return a session's row as Zep's JSON."""
    number, uuid, session_id, created, updated, metadata, user_id = row
    return (
        f'{{"uuid":"{uuid}","id":{number},"created_at":"{created}","updated_at":"{updated}","deleted_at":null,'
        f'"session_id":{quote(session_id)},"metadata":{metadata or "null"},'
        f'"user_id":{"null" if user_id is None else quote(user_id)}}}'
    )


class Sessions:
    """The sessions table. Rows are tuples to be given to `render`.

    contents: the tables of what a session holds, which goes with it.
    """

    contents: tuple[str, ...] = ("messages", "message_embeddings", "summaries", "summary_embeddings")

    def __init__(self, database: Database, behaviours: Behaviours) -> None:
        self._db = database
        self._behaviours = behaviours

    def get(self, session_id: str) -> Row:
        """Return a session that is not deleted. Raises Refusal 404."""
        row: Row | None = self._db.execute(_GET, (session_id,)).fetchone()
        if row is None:
            raise not_found()
        return row

    def create(self, session_id: str, user_id: str | None, metadata: dict[str, Any] | None) -> Row:
        """Make a session. A deleted one still counts as existing, as in Zep 0.27.2: only writing revives it.

        Raises Refusal when the id is empty or taken, or the user unknown.
        """
        if not session_id:
            raise mistake(self._behaviours, "session-without-id-500", "sessionID cannot be empty")
        if self._db.execute("SELECT 1 FROM sessions WHERE session_id = ?", (session_id,)).fetchone():
            raise Refusal(400, f"bad request: session already exists with session_id: {session_id}")
        if user_id is not None:
            known = "SELECT 1 FROM users WHERE user_id = ? AND deleted_at IS NULL"
            if self._db.execute(known, (user_id,)).fetchone() is None:
                raise Refusal(400, f"bad request: user does not exist with user_id: {user_id}")
        text = None if metadata is None else dumps(metadata)
        time = now()
        self._db.execute(_INSERT, (str(uuid4()), session_id, time, time, text, user_id))
        return self.get(session_id)

    def touch(self, session_id: str) -> None:
        """Make sure that the session is there, reviving it if it was deleted. Part of a transaction."""
        time = now()
        if self._db.execute(_TOUCH, (time, session_id)).rowcount == 0:
            self._db.execute(_INSERT, (str(uuid4()), session_id, time, time, None, None))

    def update(self, session_id: str, metadata: dict[str, Any] | None) -> Row:
        """Merge metadata into a session's; revives a deleted one. Its `system` key is not for clients.

        Raises Refusal 404 for a session that never was.
        """
        with self._db.transaction():
            known = self._db.execute("SELECT metadata FROM sessions WHERE session_id = ?", (session_id,))
            row = known.fetchone()
            if row is None:
                raise not_found()
            text = row[0]
            if metadata is not None:
                if not metadata and "empty-metadata-500" in self._behaviours:
                    raise Refusal(500, "failed to merge session metadata: metadata cannot be empty")
                wanted = {key: value for key, value in metadata.items() if key != "system"}
                text = dumps(merge(json.loads(text or "{}"), wanted))
            self._db.execute(
                "UPDATE sessions SET deleted_at = NULL, updated_at = ?, metadata = ? WHERE session_id = ?",
                (now(), text, session_id),
            )
        return self.get(session_id)

    def listed(self, cursor: int, limit: int) -> list[Row]:
        """Return sessions with a row id above `cursor`, in that order; limit 0 for all of them."""
        query = f"SELECT {_COLUMNS} FROM sessions WHERE deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?"
        return self._db.execute(query, (cursor, limit if limit > 0 else -1)).fetchall()

    def of_user(self, user_id: str) -> list[Row]:
        """Return a user's sessions, oldest first; none for a user who does not exist."""
        query = f"SELECT {_COLUMNS} FROM sessions WHERE user_id = ? AND deleted_at IS NULL ORDER BY id"
        return self._db.execute(query, (user_id,)).fetchall()

    def delete(self, session_id: str) -> None:
        """Delete a session with all that it holds. Raises Refusal 404."""
        with self._db.transaction():
            if not self.delete_within(session_id):
                raise not_found()

    def delete_within(self, session_id: str) -> bool:
        """Do the work of `delete` inside a transaction; return False if there is no such session.

        The record stays, marked: it comes back, with its uuid and metadata, when the session is used again.
        """
        mark = "UPDATE sessions SET deleted_at = ? WHERE session_id = ? AND deleted_at IS NULL"
        if self._db.execute(mark, (now(), session_id)).rowcount == 0:
            return False
        for table in self.contents:
            self._db.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
        if "clearing-stalls-enrichment" not in self._behaviours:
            self._db.execute("DELETE FROM tasks WHERE session_id = ?", (session_id,))
        return True
