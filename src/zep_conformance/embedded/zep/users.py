"""The records of users."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.encoding import dumps, merge, now, quote
from zep_conformance.embedded.zep.refusals import Refusal, not_found
from zep_conformance.embedded.zep.sessions import Row, Sessions

_COLUMNS = "id, uuid, user_id, created_at, updated_at, email, first_name, last_name, metadata"
_INSERT = (
    "INSERT INTO users (uuid, user_id, created_at, updated_at, email, first_name, last_name, metadata)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def render(row: Row) -> str:
    """Return a user's row as Zep's JSON: what is empty is left out."""
    number, uuid, user_id, created, updated, *names, metadata = row
    optional = "".join(
        f',"{key}":{quote(value)}'
        for key, value in zip(("email", "first_name", "last_name"), names, strict=True)
        if value
    )
    if metadata and metadata != "{}":
        optional += f',"metadata":{metadata}'
    return (
        f'{{"uuid":"{uuid}","id":{number},"created_at":"{created}","updated_at":"{updated}","deleted_at":null,'
        f'"user_id":{quote(user_id)}{optional}}}'
    )


class Users:
    """The users table. Rows are tuples to be given to `render`."""

    def __init__(self, database: Database, *, behaviours: Behaviours, sessions: Sessions) -> None:
        self._db = database
        self._behaviours = behaviours
        self._sessions = sessions

    def get(self, user_id: str) -> Row:
        """Return a user. Raises Refusal 404."""
        query = f"SELECT {_COLUMNS} FROM users WHERE user_id = ? AND deleted_at IS NULL"
        row: Row | None = self._db.execute(query, (user_id,)).fetchone()
        if row is None:
            raise not_found()
        return row

    def create(self, user_id: str, names: tuple[str, str, str], metadata: dict[str, Any] | None) -> Row:
        """Make a user; names: email, first and last name. A deleted user's id stays taken, as in Zep 0.27.2.

        Raises Refusal 400 when the id is empty or taken.
        """
        if not user_id:
            raise Refusal(400, "bad request: UserID cannot be empty")
        if self._db.execute("SELECT 1 FROM users WHERE user_id = ?", (user_id,)).fetchone():
            raise Refusal(400, f"bad request: user already exists with user_id: {user_id}")
        time = now()
        text = None if metadata is None else dumps(metadata)
        self._db.execute(_INSERT, (str(uuid4()), user_id, time, time, *names, text))
        return self.get(user_id)

    def update(self, user_id: str, names: tuple[str, str, str], metadata: dict[str, Any] | None) -> Row:
        """Change what is given (an empty name keeps the old one), merge the metadata. Raises Refusal 404."""
        with self._db.transaction():
            row = self.get(user_id)
            text = row[8]
            if metadata is not None:
                if not metadata and "empty-metadata-500" in self._behaviours:
                    raise Refusal(500, "failed to merge metadata: metadata cannot be empty")
                text = dumps(merge(json.loads(text or "{}"), metadata))
            kept = [new or old for new, old in zip(names, row[5:8], strict=True)]
            self._db.execute(
                "UPDATE users SET email = ?, first_name = ?, last_name = ?, metadata = ?, updated_at = ?"
                " WHERE user_id = ?",
                (*kept, text, now(), user_id),
            )
        return self.get(user_id)

    def delete(self, user_id: str) -> None:
        """Delete a user and the user's sessions. Raises Refusal 404."""
        with self._db.transaction():
            mark = "UPDATE users SET deleted_at = ? WHERE user_id = ? AND deleted_at IS NULL"
            if self._db.execute(mark, (now(), user_id)).rowcount == 0:
                raise not_found()
            self.delete_sessions(user_id)

    def delete_sessions(self, user_id: str) -> None:
        """Delete the sessions of a user. Part of a transaction."""
        query = "SELECT session_id FROM sessions WHERE user_id = ? AND deleted_at IS NULL ORDER BY id"
        for (session_id,) in self._db.execute(query, (user_id,)).fetchall():
            self._sessions.delete_within(session_id)

    def listed(self, cursor: int, limit: int) -> list[Row]:
        """Return users with a row id above `cursor`, in that order; limit 0 for all of them."""
        query = f"SELECT {_COLUMNS} FROM users WHERE deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?"
        return self._db.execute(query, (cursor, limit if limit > 0 else -1)).fetchall()
