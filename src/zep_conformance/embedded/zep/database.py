"""The SQLite file under the embedded Zep, and the queue of tasks in it.

No task is lost when the server is killed: it goes on where it was. WAL with
synchronous=NORMAL survives the death of the process; only the death of the machine may cost the last commits.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.encoding import dumps, merge

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL, user_id TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    email TEXT NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL, metadata TEXT);
CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL, session_id TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, deleted_at TEXT, metadata TEXT, user_id TEXT);
CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (user_id);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL,
    created_at TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, metadata TEXT,
    token_count INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of_session ON messages (session_id, id);
CREATE TABLE IF NOT EXISTS cleared_messages (uuid TEXT PRIMARY KEY, session_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS cleared_messages_of_session ON cleared_messages (session_id);
CREATE TABLE IF NOT EXISTS message_embeddings (
    id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS message_embeddings_of_session ON message_embeddings (session_id);
CREATE TABLE IF NOT EXISTS summaries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL, session_id TEXT NOT NULL,
    created_at TEXT NOT NULL, content TEXT NOT NULL, metadata TEXT, token_count INTEGER NOT NULL,
    point_id INTEGER NOT NULL, point_uuid TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS summaries_of_session ON summaries (session_id, id);
CREATE TABLE IF NOT EXISTS summary_embeddings (
    id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS summary_embeddings_of_session ON summary_embeddings (session_id);
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, session_id TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS tasks_of_topic ON tasks (topic, id);
CREATE INDEX IF NOT EXISTS tasks_of_session ON tasks (session_id);
CREATE TABLE IF NOT EXISTS opened_by (only INTEGER PRIMARY KEY, version TEXT NOT NULL);
"""

MESSAGE_TOPICS = ("tokens", "embedding", "entities", "intent", "summary")
"""What is done with every post of messages; first and last are row ids of messages."""
SUMMARY_TOPICS = ("summary_embedding", "summary_entities")
"""What is done with every summary; first and last are its row id."""

_TAKE = "SELECT id, topic, session_id, first, last FROM tasks WHERE topic = ? ORDER BY id LIMIT ?"


class Database:
    """One connection, used from the event loop only: its statements never wait for another of ours.

    Raises sqlite3.Error (or OSError for the folder) when the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(
            path, timeout=1.0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self.execute = self.connection.execute
        self.executemany = self.connection.executemany
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")
        self.execute("PRAGMA cache_size=-32000")
        self.connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of a block or nothing: roll back when it raises. Not to be nested, nor to hold an await."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def opened_by(self, version: str) -> str:
        """Note the version of the server that has opened it. Returns that of the one before, "" where there is none."""
        row = self.execute("SELECT version FROM opened_by").fetchone()
        self.execute("INSERT OR REPLACE INTO opened_by VALUES (1, ?)", (version,))
        return "" if row is None else str(row[0])

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self.connection.close()


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do for the rows from `first` to `last` of a session."""

    id: int
    topic: str
    session_id: str
    first: int
    last: int


class Tasks:
    """The tasks table. Tasks stay in it until they are finished.

    on_added: called with each topic that got a task, so that its worker wakes up.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.on_added: Callable[[str], None] = lambda _topic: None

    def add(self, topics: Iterable[str], session_id: str, first: int, last: int) -> None:
        """Queue a task for each topic. Part of a transaction."""
        for topic in topics:
            self._db.execute(
                "INSERT INTO tasks (topic, session_id, first, last) VALUES (?, ?, ?, ?)",
                (topic, session_id, first, last),
            )
            self.on_added(topic)

    def take(self, topic: str, limit: int, skip: Collection[int] = ()) -> list[Task]:
        """Return the oldest tasks of a topic, without those in `skip` (ids). They stay queued until finished."""
        rows = self._db.execute(_TAKE, (topic, limit + len(skip))).fetchall()
        return [Task(*row) for row in rows if row[0] not in skip][:limit]

    def finish(self, tasks: Iterable[Task]) -> None:
        """Remove tasks: in the transaction that stores what came of them."""
        self._db.executemany("DELETE FROM tasks WHERE id = ?", ((task.id,) for task in tasks))


class Enriched:
    """A table whose rows are enriched: each may have an embedding, and metadata.system.

    What is written to a row that was deleted meanwhile is lost. table, embeddings: the names of the two tables.
    """

    table: str
    embeddings: str

    def __init__(self, database: Database, *, behaviours: Behaviours, tasks: Tasks) -> None:
        self._db, self._behaviours, self._tasks = database, behaviours, tasks

    def embed(self, vectors: Iterable[tuple[array[float], int]]) -> None:
        """Store (embedding, row id) pairs. Part of a transaction."""
        insert = f"INSERT OR REPLACE INTO {self.embeddings} (id, session_id, vector)"
        statement = f"{insert} SELECT id, session_id, ? FROM {self.table} WHERE id = ?"
        self._db.executemany(statement, ((vector.tobytes(), number) for vector, number in vectors))

    def add_system(self, number: int, key: str, value: Any) -> None:
        """Write metadata.system.<key> of the row with this id. Part of a transaction."""
        row = self._db.execute(f"SELECT metadata FROM {self.table} WHERE id = ?", (number,)).fetchone()
        if row is not None:
            text = dumps(merge(json.loads(row[0] or "{}"), {"system": {key: value}}))
            self._db.execute(f"UPDATE {self.table} SET metadata = ? WHERE id = ?", (text, number))
            if "token-count-reset" in self._behaviours:
                self._db.execute(f"UPDATE {self.table} SET token_count = 0 WHERE id = ?", (number,))
