"""The records of sessions and of users: created, merged, listed, deleted; and, of sessions, revived.

A deleted user is gone. A deleted session is only marked, until the purge when the server starts: used again, it is
the same, without its messages, whose uuids stay taken.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.encoding import dumps, merge, now, quote
from zep_conformance.embedded.zep.wire import Refusal, mistake, not_found

Row = tuple[Any, ...]

_SESSION_COLUMNS = "id, uuid, session_id, created_at, updated_at, metadata, user_id"
_ADD_SESSION = (
    "INSERT INTO sessions (uuid, session_id, created_at, updated_at, metadata, user_id) VALUES (?, ?, ?, ?, ?, ?)"
)
_TOUCH = "UPDATE sessions SET deleted_at = NULL, updated_at = ? WHERE session_id = ?"
_KEEP_UUIDS = "INSERT OR IGNORE INTO cleared_messages SELECT uuid, session_id FROM messages WHERE session_id = ?"
_NAMES = ("email", "first_name", "last_name")
_USER_COLUMNS = "id, uuid, user_id, created_at, updated_at, email, first_name, last_name, metadata"
_ADD_USER = (
    "INSERT INTO users (uuid, user_id, created_at, updated_at, email, first_name, last_name, metadata)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def _render(row: Row, rest: str) -> str:
    number, uuid, _, created, updated, *_ = row
    return (
        f'{{"uuid":"{uuid}","id":{number},"created_at":"{created}","updated_at":"{updated}","deleted_at":null,{rest}}}'
    )


def render_session(row: Row) -> str:
    """Return a session's row as Zep's JSON."""
    session_id, metadata, user_id = row[2], row[5], row[6]
    user = "null" if user_id is None else quote(user_id)
    return _render(row, f'"session_id":{quote(session_id)},"metadata":{metadata or "null"},"user_id":{user}')


def render_user(row: Row) -> str:
    """Return a user's row as Zep's JSON: what is empty is left out."""
    user_id, names, metadata = row[2], row[5:8], row[8]
    optional = "".join(f',"{key}":{quote(value)}' for key, value in zip(_NAMES, names, strict=True) if value)
    if metadata and metadata != "{}":
        optional += f',"metadata":{metadata}'
    return _render(row, f'"user_id":{quote(user_id)}{optional}')


class _Records:
    """A table of records. Rows are tuples, to be rendered. there: the condition that a record is not deleted."""

    table: str
    columns: str
    key: str
    there: str

    def __init__(self, database: Database, behaviours: Behaviours) -> None:
        self._db, self._behaviours = database, behaviours

    def _was_made(self, ident: str) -> bool:
        query = f"SELECT 1 FROM {self.table} WHERE {self.key} = ?"
        return self._db.execute(query, (ident,)).fetchone() is not None

    def get(self, ident: str) -> Row:
        """Return a record that is not deleted. Raises Refusal 404."""
        query = f"SELECT {self.columns} FROM {self.table} WHERE {self.key} = ? AND {self.there}"
        row: Row | None = self._db.execute(query, (ident,)).fetchone()
        if row is None:
            raise not_found()
        return row

    def listed(self, cursor: int, limit: int) -> list[Row]:
        """Return records with a row id above `cursor`, in that order; limit 0 for all of them."""
        query = f"SELECT {self.columns} FROM {self.table} WHERE {self.there} AND id > ? ORDER BY id LIMIT ?"
        return self._db.execute(query, (cursor, limit if limit > 0 else -1)).fetchall()

    def _check_new(self, metadata: dict[str, Any] | None, what: str) -> None:
        """Check metadata that are to be merged, before it is looked whether there is a record. Raises Refusal 500."""
        if metadata == {} and "empty-metadata-500" in self._behaviours:
            raise Refusal(500, f"failed to merge {what}: metadata cannot be empty")

    @staticmethod
    def _merged(text: str | None, new: dict[str, Any] | None, reserved: tuple[str, ...] = ()) -> str | None:
        """Return metadata as JSON with new ones merged into them, but for what is reserved."""
        if new is None:
            return text
        wanted = {key: value for key, value in new.items() if key not in reserved}
        return dumps(merge(json.loads(text or "{}"), wanted))


class Sessions(_Records):
    """The sessions table. contents: the tables of what a session holds, which goes with it."""

    table, columns, key, there = "sessions", _SESSION_COLUMNS, "session_id", "deleted_at IS NULL"
    contents: tuple[str, ...] = ("messages", "message_embeddings", "summaries", "summary_embeddings")

    def create(self, session_id: str, user_id: str | None, metadata: dict[str, Any] | None) -> Row:
        """Make a session. A cleared one still counts as existing, as in Zep 0.27.2: only writing revives it.

        Raises Refusal when the id is empty or taken, or the user unknown.
        """
        if not session_id:
            raise mistake(self._behaviours, "session-without-id-500", "sessionID cannot be empty")
        if self._was_made(session_id):
            raise Refusal(400, f"bad request: session already exists with session_id: {session_id}")
        if user_id is not None:
            known = "SELECT 1 FROM users WHERE user_id = ?"
            if self._db.execute(known, (user_id,)).fetchone() is None:
                raise Refusal(400, f"bad request: user does not exist with user_id: {user_id}")
        text, time = None if metadata is None else dumps(metadata), now()
        self._db.execute(_ADD_SESSION, (str(uuid4()), session_id, time, time, text, user_id))
        return self.get(session_id)

    def touch(self, session_id: str) -> None:
        """Make sure that the session is there, reviving it if it was deleted. Part of a transaction."""
        time = now()
        if self._db.execute(_TOUCH, (time, session_id)).rowcount == 0:
            self._db.execute(_ADD_SESSION, (str(uuid4()), session_id, time, time, None, None))

    def update(self, session_id: str, metadata: dict[str, Any] | None) -> Row:
        """Merge metadata into a session's; revives a deleted one. Its `system` key is not for clients.

        Raises Refusal 404 for a session that never was.
        """
        self._check_new(metadata, "session metadata")
        with self._db.transaction():
            row = self._db.execute("SELECT metadata FROM sessions WHERE session_id = ?", (session_id,)).fetchone()
            if row is None:
                raise not_found()
            text = self._merged(row[0], metadata, ("system",))
            update = "UPDATE sessions SET deleted_at = NULL, updated_at = ?, metadata = ? WHERE session_id = ?"
            self._db.execute(update, (now(), text, session_id))
        return self.get(session_id)

    def of_user(self, user_id: str) -> list[Row]:
        """Return a user's sessions, oldest first; none for a user who does not exist."""
        query = f"SELECT {self.columns} FROM sessions WHERE user_id = ? AND deleted_at IS NULL ORDER BY id"
        rows: list[Row] = self._db.execute(query, (user_id,)).fetchall()
        return [(0, *row[1:]) for row in rows] if "user-sessions-without-numbers" in self._behaviours else rows

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
        self._db.execute(_KEEP_UUIDS, (session_id,))
        for table in self.contents:
            self._db.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
        if "clearing-stalls-enrichment" not in self._behaviours:
            self._db.execute("DELETE FROM tasks WHERE session_id = ?", (session_id,))
        return True

    def forget(self, session_id: str) -> None:
        """Delete a session for good, cleared or not, with its record. Part of a transaction."""
        self.delete_within(session_id)
        for table in ("cleared_messages", "sessions"):
            self._db.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))

    def purge(self) -> None:
        """Forget all sessions that are marked as deleted, and the uuids of all cleared messages."""
        with self._db.transaction():
            self._db.execute("DELETE FROM cleared_messages")
            self._db.execute("DELETE FROM sessions WHERE deleted_at IS NOT NULL")


class Users(_Records):
    """The users table."""

    table, columns, key, there = "users", _USER_COLUMNS, "user_id", "TRUE"

    def __init__(self, database: Database, *, behaviours: Behaviours, sessions: Sessions) -> None:
        super().__init__(database, behaviours)
        self._sessions = sessions

    def create(self, user_id: str, names: tuple[str, str, str], metadata: dict[str, Any] | None) -> Row:
        """Make a user; names: email, first and last name.

        Raises Refusal 400 when the id is empty or taken.
        """
        if not user_id:
            raise Refusal(400, "bad request: UserID cannot be empty")
        if self._was_made(user_id):
            raise Refusal(400, f"bad request: user already exists with user_id: {user_id}")
        text, time = None if metadata is None else dumps(metadata), now()
        self._db.execute(_ADD_USER, (str(uuid4()), user_id, time, time, *names, text))
        return self.get(user_id)

    def update(self, user_id: str, names: tuple[str, str, str], metadata: dict[str, Any] | None) -> Row:
        """Change what is given (an empty name keeps the old one), merge the metadata. Raises Refusal 404."""
        self._check_new(metadata, "metadata")
        with self._db.transaction():
            row = self.get(user_id)
            text = self._merged(row[8], metadata)
            kept = [new or old for new, old in zip(names, row[5:8], strict=True)]
            update = "UPDATE users SET email = ?, first_name = ?, last_name = ?, metadata = ?, updated_at = ?"
            self._db.execute(f"{update} WHERE user_id = ?", (*kept, text, now(), user_id))
        return self.get(user_id)

    def delete(self, user_id: str) -> None:
        """Delete a user and the user's sessions, both for good: their ids are free again. Raises Refusal 404."""
        with self._db.transaction():
            if self._db.execute("DELETE FROM users WHERE user_id = ?", (user_id,)).rowcount == 0:
                raise not_found()
            self.delete_sessions(user_id)

    def delete_sessions(self, user_id: str) -> None:
        """Delete the sessions of a user. Part of a transaction."""
        query = "SELECT session_id FROM sessions WHERE user_id = ? ORDER BY id"
        for (session_id,) in self._db.execute(query, (user_id,)).fetchall():
            self._sessions.forget(session_id)
