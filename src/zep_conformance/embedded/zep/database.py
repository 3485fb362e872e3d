"""The SQLite file under the embedded Zep.

Everything is in it, the task queue too, so that a killed server goes on where it was. WAL with
synchronous=NORMAL survives the death of the process; only the death of the machine may cost the last commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL, user_id TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, deleted_at TEXT,
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
"""


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

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self.connection.close()
