"""Summaries: each covers all messages up to one, and takes the place of the one before."""

from __future__ import annotations

import json
from array import array
from typing import Any, NamedTuple
from uuid import uuid4

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.encoding import ZERO_TIME, ZERO_UUID, dumps, merge, now, quote
from zep_conformance.embedded.zep.messages import Text
from zep_conformance.embedded.zep.tasks import SUMMARY_TOPICS, Tasks

_COLUMNS = "id, uuid, created_at, content, metadata, token_count, point_id, point_uuid"
_LATEST = f"SELECT {_COLUMNS} FROM summaries WHERE session_id = ? ORDER BY id DESC LIMIT 1"
_INSERT = (
    "INSERT INTO summaries (uuid, session_id, created_at, content, token_count, point_id, point_uuid)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_EMBED = (
    "INSERT OR REPLACE INTO summary_embeddings (id, session_id, vector)"
    " SELECT id, session_id, ? FROM summaries WHERE id = ?"
)


class Summary(NamedTuple):
    """A summary. point_id and point_uuid: the newest message that it covers; metadata: JSON text or None."""

    id: int
    uuid: str
    created_at: str
    content: str
    metadata: str | None
    token_count: int
    point_id: int
    point_uuid: str


NONE = Summary(0, ZERO_UUID, ZERO_TIME, "", None, 0, 0, ZERO_UUID)
"""What a session without a summary has: all zeros, as Zep 0.27.2 answers."""


def render(summary: Summary) -> str:
    """A summary as Zep's JSON."""
    metadata = summary.metadata
    extra = f'"metadata":{metadata},' if metadata and metadata != "{}" else ""
    return (
        f'{{"uuid":"{summary.uuid}","created_at":"{summary.created_at}","content":{quote(summary.content)},'
        f'"recent_message_uuid":"{summary.point_uuid}",{extra}"token_count":{summary.token_count}}}'
    )


class Summaries:
    """The summaries table."""

    def __init__(self, database: Database, departures: Departures, tasks: Tasks) -> None:
        self._db = database
        self._departures = departures
        self._tasks = tasks

    def latest(self, session_id: str) -> Summary:
        """A session's newest summary, or NONE."""
        row = self._db.execute(_LATEST, (session_id,)).fetchone()
        return NONE if row is None else Summary(*row)

    def get(self, number: int) -> Summary | None:
        """The summary with this row id, unless it was deleted."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM summaries WHERE id = ?", (number,)).fetchone()
        return None if row is None else Summary(*row)

    def add(self, session_id: str, content: str, token_count: int, point: Text) -> None:
        """Store a summary covering everything up to `point`, and queue its own tasks. In a transaction.

        Does nothing when that message is gone: the conversation was cleared while the model was thinking.
        """
        if self._db.execute("SELECT 1 FROM messages WHERE id = ?", (point.id,)).fetchone() is None:
            return
        if "summary-forgets-names" in self._departures:
            content = "two people talked"
        named = point.uuid
        if "summary-names-newest" in self._departures:
            newest = "SELECT uuid FROM messages WHERE session_id = ? ORDER BY id DESC LIMIT 1"
            named = self._db.execute(newest, (session_id,)).fetchone()[0]
        values = (str(uuid4()), session_id, now(), content, token_count, point.id, named)
        number = self._db.execute(_INSERT, values).lastrowid
        assert number is not None
        self._tasks.add(SUMMARY_TOPICS, session_id, number, number)
        if "summary-deletes-messages" in self._departures:
            self._db.execute("DELETE FROM messages WHERE session_id = ? AND id <= ?", (session_id, point.id))

    def embed(self, number: int, vector: array[float]) -> None:
        """Store a summary's embedding, if it is still there. Part of a transaction."""
        self._db.execute(_EMBED, (vector.tobytes(), number))

    def add_system(self, number: int, key: str, value: Any) -> None:
        """Write metadata.system.<key> of a summary, if it is still there. Part of a transaction."""
        summary = self.get(number)
        if summary is None:
            return
        text = dumps(merge(json.loads(summary.metadata or "{}"), {"system": {key: value}}))
        self._db.execute("UPDATE summaries SET metadata = ? WHERE id = ?", (text, number))
        if "token-count-reset" in self._departures:
            self._db.execute("UPDATE summaries SET token_count = 0 WHERE id = ?", (number,))
