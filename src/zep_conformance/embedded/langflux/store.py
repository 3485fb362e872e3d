"""Flows, credentials and chat messages in a SQLite file, in the columns that Flowise has for them.

The database is called on the event loop: its statements take microseconds, a thread's hand-over takes more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chatflow (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, flowData TEXT NOT NULL, deployed INTEGER, isPublic INTEGER,
    apikeyid TEXT, chatbotConfig TEXT, apiConfig TEXT, analytic TEXT, speechToText TEXT, followUpPrompts TEXT,
    category TEXT, type TEXT, createdDate TEXT NOT NULL, updatedDate TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS credential (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, credentialName TEXT NOT NULL, encryptedData TEXT NOT NULL,
    createdDate TEXT NOT NULL, updatedDate TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chatmessage (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, role TEXT NOT NULL, chatflowid TEXT NOT NULL,
    content TEXT NOT NULL, chatType TEXT NOT NULL, chatId TEXT NOT NULL, memoryType TEXT, sessionId TEXT,
    createdDate TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_session ON chatmessage (chatflowid, sessionId);
CREATE INDEX IF NOT EXISTS by_chat ON chatmessage (chatflowid, chatId);
"""

FLOW_FIELDS = (
    "name",
    "flowData",
    "deployed",
    "isPublic",
    "apikeyid",
    "chatbotConfig",
    "apiConfig",
    "analytic",
    "speechToText",
    "followUpPrompts",
    "category",
    "type",
)
"""What a caller may set of a chatflow."""

_UNUSED = (
    "sourceDocuments",
    "usedTools",
    "fileAnnotations",
    "agentReasoning",
    "fileUploads",
    "artifacts",
    "action",
)


def new_id() -> str:
    """A random UUID."""
    return str(uuid4())


def now(whole_seconds: bool = False) -> str:
    """The time as Flowise writes it: UTC in RFC 3339, to the millisecond."""
    moment = datetime.now(UTC).replace(tzinfo=None)
    if whole_seconds:
        moment = moment.replace(microsecond=0)
    return moment.isoformat(timespec="milliseconds") + "Z"


def _flow(row: sqlite3.Row) -> dict[str, Any]:
    flow = dict(row)
    for name in ("deployed", "isPublic"):
        if flow[name] is not None:
            flow[name] = bool(flow[name])
    return flow


def _message(row: sqlite3.Row) -> dict[str, Any]:
    """A chat message as Flowise shows it; what only agents fill in is null."""
    shown = {name: row[name] for name in ("id", "role", "chatflowid", "content")}
    shown |= dict.fromkeys(_UNUSED)
    shown |= {name: row[name] for name in ("chatType", "chatId", "memoryType", "sessionId", "createdDate")}
    return shown | {"leadEmail": None, "followUpPrompts": None}


def _bound(value: Any) -> Any:
    """A value for a column: SQLite takes no lists or objects."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


class Store:
    """The database in the file `path`, made when missing. Raises sqlite3.Error when the file is none."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode=WAL")
        # A turn that is answered outlives a killed process; a power failure may cost the newest. Enough here.
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _one(self, statement: str, *values: Any) -> sqlite3.Row | None:
        found = self._database.execute(statement, values).fetchone()
        assert found is None or isinstance(found, sqlite3.Row)
        return found

    def _all(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        return self._database.execute(statement, values).fetchall()

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        values = [_bound(value) for value in row.values()]
        self._database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def _update(self, table: str, ident: str, row: Mapping[str, Any]) -> None:
        names = ", ".join(f"{name} = ?" for name in row)
        values = [_bound(value) for value in row.values()]
        self._database.execute(f"UPDATE {table} SET {names} WHERE id = ?", [*values, ident])

    def _delete(self, table: str, ident: str) -> int:
        return self._database.execute(f"DELETE FROM {table} WHERE id = ?", [ident]).rowcount

    # ------------------------------------------------------------------------------------------ chatflows
    def flows(self) -> list[dict[str, Any]]:
        """Every chatflow, the oldest first."""
        return [_flow(row) for row in self._all("SELECT * FROM chatflow ORDER BY rowid")]

    def flow(self, ident: str) -> dict[str, Any] | None:
        """One chatflow, or None."""
        row = self._one("SELECT * FROM chatflow WHERE id = ?", ident)
        return _flow(row) if row else None

    def add_flow(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Save a new chatflow. Raises sqlite3.IntegrityError without a name or flowData."""
        moment = now(whole_seconds=True)
        row = {name: given.get(name) for name in FLOW_FIELDS}
        row |= {"id": new_id(), "createdDate": moment, "updatedDate": moment}
        self._insert("chatflow", row)
        return row

    def change_flow(self, ident: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Set what is given of a chatflow; returns all of it, or None where there is none."""
        row = {name: given[name] for name in FLOW_FIELDS if name in given}
        self._update("chatflow", ident, row | {"updatedDate": now(whole_seconds=True)})
        return self.flow(ident)

    def delete_flow(self, ident: str) -> int:
        """Delete a chatflow with its chat messages; returns how many chatflows went (0 or 1)."""
        self._database.execute("DELETE FROM chatmessage WHERE chatflowid = ?", [ident])
        return self._delete("chatflow", ident)

    # ---------------------------------------------------------------------------------------- credentials
    def credentials(self) -> list[dict[str, Any]]:
        """Every credential with its ciphertext, the oldest first."""
        return [dict(row) for row in self._all("SELECT * FROM credential ORDER BY rowid")]

    def credential(self, ident: str) -> dict[str, Any] | None:
        """One credential with its ciphertext, or None."""
        row = self._one("SELECT * FROM credential WHERE id = ?", ident)
        return dict(row) if row else None

    def add_credential(self, name: Any, credential_type: Any, ciphertext: str | None) -> dict[str, Any]:
        """Save a new credential. Raises sqlite3.IntegrityError when any of the three is missing."""
        moment = now(whole_seconds=True)
        row = {"name": name, "credentialName": credential_type, "encryptedData": ciphertext}
        row |= {"id": new_id(), "createdDate": moment, "updatedDate": moment}
        self._insert("credential", row)
        return row

    def change_credential(self, ident: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Set columns of a credential; returns all of it, or None where there is none."""
        self._update("credential", ident, {**row, "updatedDate": now(whole_seconds=True)})
        return self.credential(ident)

    def delete_credential(self, ident: str) -> int:
        """Delete a credential; returns how many went (0 or 1)."""
        return self._delete("credential", ident)

    # -------------------------------------------------------------------------------------- chat messages
    def add_messages(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Save chat messages, all or none."""
        self._database.execute("BEGIN")
        try:
            for message in messages:
                self._insert("chatmessage", message)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def messages(self, flow: str, wanted: Mapping[str, Any], newest_first: bool = False) -> list[dict[str, Any]]:
        """The chat messages of a chatflow that fit `wanted` (see `_condition`)."""
        condition, values = self._condition(flow, wanted)
        order = "DESC" if newest_first else "ASC"
        # The time alone does not order a turn: both its messages may be of the same millisecond.
        sql = f"SELECT * FROM chatmessage WHERE {condition} ORDER BY createdDate {order}, number {order}"
        return [_message(row) for row in self._all(sql, *values)]

    def history(self, flow: str, session: str) -> list[tuple[str, str]]:
        """(role, content) of a session's chat messages, the oldest first."""
        rows = self._all(
            "SELECT role, content FROM chatmessage WHERE chatflowid = ? AND sessionId = ? ORDER BY createdDate, number",
            flow,
            session,
        )
        return [(row[0], row[1]) for row in rows]

    def session_of_chat(self, flow: str, chat: str) -> str | None:
        """The session of a chat's first message, or None where there is none."""
        row = self._one(
            "SELECT sessionId FROM chatmessage WHERE chatflowid = ? AND chatId = ? "
            "ORDER BY createdDate, number LIMIT 1",
            flow,
            chat,
        )
        return row[0] if row else None

    def delete_messages(self, flow: str, wanted: Mapping[str, Any]) -> int:
        """Delete the chat messages that fit `wanted`; returns how many went."""
        condition, values = self._condition(flow, wanted)
        return self._database.execute(f"DELETE FROM chatmessage WHERE {condition}", values).rowcount

    @staticmethod
    def _condition(flow: str, wanted: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """`wanted` in SQL: chatId, sessionId, memoryType, id (equal), chatType (one of a list), since, until
        (times, inclusive). What is None is not asked for.
        """
        parts, values = ["chatflowid = ?"], [flow]
        for name in ("chatId", "sessionId", "memoryType", "id"):
            if wanted.get(name) is not None:
                parts.append(f"{name} = ?")
                values.append(wanted[name])
        for name, sign in (("since", ">="), ("until", "<=")):
            if wanted.get(name) is not None:
                parts.append(f"createdDate {sign} ?")
                values.append(wanted[name])
        if wanted.get("chatType"):
            parts.append(f"chatType IN ({', '.join('?' * len(wanted['chatType']))})")
            values += wanted["chatType"]
        return " AND ".join(parts), values
