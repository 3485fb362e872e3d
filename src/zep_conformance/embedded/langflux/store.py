"""Flows, credentials and chat messages in a SQLite file, in the columns that Flowise has for them.

The database is called on the event loop: its statements take microseconds, a thread's hand-over takes more.
"""

from __future__ import annotations

import json
import os
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
    id TEXT PRIMARY KEY, name TEXT NOT NULL, credentialName TEXT NOT NULL, fields TEXT NOT NULL,
    createdDate TEXT NOT NULL, updatedDate TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chatmessage (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, role TEXT NOT NULL, chatflowid TEXT NOT NULL,
    content TEXT NOT NULL, chatId TEXT NOT NULL, memoryType TEXT, sessionId TEXT,
    createdDate TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_session ON chatmessage (chatflowid, sessionId);
CREATE INDEX IF NOT EXISTS by_chat ON chatmessage (chatflowid, chatId);
CREATE TABLE IF NOT EXISTS opened_by (only INTEGER PRIMARY KEY, version TEXT NOT NULL);
PRAGMA user_version = 2;
"""

FLOW_FIELDS = (
    "name", "flowData", "deployed", "isPublic", "apikeyid", "chatbotConfig", "apiConfig", "analytic", "speechToText",
    "followUpPrompts", "category", "type",
)  # fmt: skip
"""What a caller may set of a chatflow."""

_UNUSED = (
    "sourceDocuments", "usedTools", "fileAnnotations", "agentReasoning", "fileUploads", "artifacts", "action",
)  # fmt: skip


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid4())


def timestamp(*, whole_seconds: bool = False) -> str:
    """Return the time as Flowise writes it: UTC in RFC 3339, to the millisecond."""
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


def _credential(row: sqlite3.Row) -> dict[str, Any]:
    return dict(row) | {"fields": json.loads(row["fields"])}


def _message(row: sqlite3.Row) -> dict[str, Any]:
    """Return a chat message as Flowise shows it; what only agents fill in is null."""
    shown = {name: row[name] for name in ("id", "role", "chatflowid", "content")}
    shown |= dict.fromkeys(_UNUSED) | {"chatType": "EXTERNAL"}
    shown |= {name: row[name] for name in ("chatId", "memoryType", "sessionId", "createdDate")}
    return shown | {"leadEmail": None, "followUpPrompts": None}


def _bound(value: Any) -> Any:
    """Return a value for a column: SQLite takes no lists or objects."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


class LangFluxStore:
    """The database in the file `path`, made when missing (mode 600), with its folder.

    Raises OSError where it can't be made, sqlite3.Error when the file is none, or has the tables of another version.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode=WAL")
        # A turn that is answered outlives a killed process; a power failure may cost the newest. Enough here.
        self._database.execute("PRAGMA synchronous=NORMAL")
        versions = self._database.execute("SELECT user_version FROM pragma_user_version, sqlite_master").fetchall()
        if versions and versions[0][0] != 2:
            raise sqlite3.DatabaseError(f"{path} is of another version of zep-conformance: remove it to start anew")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def opened_by(self, version: str) -> str:
        """Note the version of the server that has opened it. Returns that of the one before, "" where there is none."""
        row = self._one("SELECT version FROM opened_by")
        self._database.execute("INSERT OR REPLACE INTO opened_by VALUES (1, ?)", [version])
        return "" if row is None else str(row["version"])

    def execute(self, statement: str) -> None:
        """Carry out a statement."""
        self._database.execute(statement)

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

    def _delete(self, table: str, ident: str) -> int:
        return self._database.execute(f"DELETE FROM {table} WHERE id = ?", [ident]).rowcount

    def flows(self) -> list[dict[str, Any]]:
        """Return every chatflow, the oldest first."""
        return [_flow(row) for row in self._all("SELECT * FROM chatflow ORDER BY rowid")]

    def flow(self, ident: str) -> dict[str, Any] | None:
        """Return one chatflow, or None."""
        row = self._one("SELECT * FROM chatflow WHERE id = ?", ident)
        return _flow(row) if row else None

    def add_flow(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Save a new chatflow, and return it. Raises sqlite3.IntegrityError without a name or flowData."""
        moment = timestamp(whole_seconds=True)
        row = {name: given.get(name) for name in FLOW_FIELDS}
        row |= {"id": new_id(), "createdDate": moment, "updatedDate": moment}
        self._insert("chatflow", row)
        return row

    def delete_flow(self, ident: str) -> int:
        """Delete a chatflow with its chat messages. Return how many chatflows went (0 or 1)."""
        self._database.execute("DELETE FROM chatmessage WHERE chatflowid = ?", [ident])
        return self._delete("chatflow", ident)

    def credentials(self) -> list[dict[str, Any]]:
        """Return every credential with its fields, the oldest first."""
        return [_credential(row) for row in self._all("SELECT * FROM credential ORDER BY rowid")]

    def credential(self, ident: str) -> dict[str, Any] | None:
        """Return one credential with its fields, or None."""
        row = self._one("SELECT * FROM credential WHERE id = ?", ident)
        return _credential(row) if row else None

    def add_credential(self, name: Any, credential_type: Any, fields: Any) -> dict[str, Any]:
        """Save a new credential, and return it without its fields.

        Raises sqlite3.IntegrityError when any of the three is missing, the fields if they are no object.
        """
        moment = timestamp(whole_seconds=True)
        row = {"name": name, "credentialName": credential_type}
        row |= {"id": new_id(), "createdDate": moment, "updatedDate": moment}
        self._insert("credential", row | {"fields": json.dumps(fields) if isinstance(fields, dict) else None})
        return row

    def update_credential(
        self, ident: str, given: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Change name or credentialName, merge the fields, and return the credential; None where there is none."""
        credential = self.credential(ident)
        if credential is None:
            return None
        changed = credential | dict(given) | {"fields": credential["fields"] | dict(fields)}
        changed["updatedDate"] = timestamp(whole_seconds=True)
        values = [_bound(changed[name]) for name in ("name", "credentialName", "updatedDate")]
        update = "UPDATE credential SET name = ?, credentialName = ?, updatedDate = ?, fields = ? WHERE id = ?"
        self._database.execute(update, [*values, json.dumps(changed["fields"]), ident])
        return changed

    def delete_credential(self, ident: str) -> int:
        """Delete a credential. Return how many went (0 or 1)."""
        return self._delete("credential", ident)

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

    def messages(self, flow: str, wanted: Mapping[str, Any], *, newest_first: bool = False) -> list[dict[str, Any]]:
        """Return the chat messages of a chatflow that fit `wanted`: chatId, sessionId, memoryType, as far as given."""
        condition, values = self._condition(flow, wanted)
        order = "DESC" if newest_first else "ASC"
        # The time alone does not order a turn: both its messages may be of the same millisecond.
        sql = f"SELECT * FROM chatmessage WHERE {condition} ORDER BY createdDate {order}, number {order}"
        return [_message(row) for row in self._all(sql, *values)]

    def delete_messages(self, flow: str, wanted: Mapping[str, Any]) -> int:
        """Delete the chat messages that fit `wanted`. Return how many went."""
        condition, values = self._condition(flow, wanted)
        return self._database.execute(f"DELETE FROM chatmessage WHERE {condition}", values).rowcount

    @staticmethod
    def _condition(flow: str, wanted: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """`wanted` in SQL."""
        parts, values = ["chatflowid = ?"], [flow]
        for name in ("chatId", "sessionId", "memoryType"):
            if wanted.get(name) is not None:
                parts.append(f"{name} = ?")
                values.append(wanted[name])
        return " AND ".join(parts), values
