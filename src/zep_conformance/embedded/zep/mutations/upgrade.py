"""Mutations of an upgrade: what another version, started on the same store, does to what the one before has left.

Each happens when a newer version opens the store, or where one says so an older one: a mere restart shows none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from packaging.version import Version

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.encoding import now
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.wire import Refusal
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")


def _is_upgraded(zep: EmbeddedZep) -> bool:
    store = zep.service.store
    return bool(store.before) and Version(store.before) < Version(store.version)


def _is_downgraded(zep: EmbeddedZep) -> bool:
    store = zep.service.store
    return bool(store.before) and Version(store.before) > Version(store.version)


@MUTATIONS.family
def _after(zep: EmbeddedZep, change: Callable[[EmbeddedZep], object]) -> None:
    """Have something done to a newer version as it starts."""
    if _is_upgraded(zep):
        change(zep)


@MUTATIONS.family
def _migrating(zep: EmbeddedZep, statements: str) -> None:
    """Have a newer version change the store as it opens it. statements: SQL, one after the other."""
    if _is_upgraded(zep):
        zep.service.store.database.connection.executescript(statements)


_NEWEST = "SELECT max(id) FROM messages GROUP BY session_id"
_COVERED = "SELECT 1 FROM summaries s WHERE s.session_id = messages.session_id AND s.point_id >= messages.id"

_migrating("upgrade-loses-newest", "An upgrade loses the newest message of each session", "UPGRADE-1")(
    f"DELETE FROM messages WHERE id IN ({_NEWEST})"
)
_migrating("upgrade-loses-summarised", "An upgrade loses the messages that a summary covers", "UPGRADE-1")(
    f"DELETE FROM messages WHERE EXISTS ({_COVERED})"
)
_migrating("upgrade-reorders", "After an upgrade messages are in the opposite order", "UPGRADE-1")(
    "UPDATE messages SET id = 1000000 - id"
)
_migrating("upgrade-drops-metadata", "An upgrade drops the metadata of messages", "UPGRADE-1")(
    "UPDATE messages SET metadata = NULL"
)
_migrating("upgrade-drops-nested-metadata", "An upgrade keeps but the first level of messages' metadata", "UPGRADE-1")(
    "UPDATE messages SET metadata = json_set(metadata, '$.plan', 'object') WHERE metadata LIKE '%\"plan\"%'"
)
_migrating("upgrade-resets-token-counts", "An upgrade sets the token counts of messages back to 0", "UPGRADE-1")(
    "UPDATE messages SET token_count = 0"
)
_migrating("upgrade-changes-roles", "After an upgrade every message is of a human", "UPGRADE-1")(
    "UPDATE messages SET role = 'human'"
)
_migrating("upgrade-changes-times", "An upgrade sets the creation time of messages to its own", "UPGRADE-1")(
    f"UPDATE messages SET created_at = '{now()}'"
)
_migrating("upgrade-cuts-texts", "An upgrade cuts texts at their first line break", "UPGRADE-1")(
    "UPDATE messages SET content = substr(content, 1, instr(content || char(10), char(10)) - 1)"
)
_migrating("upgrade-merges-sessions", "An upgrade puts all messages into the oldest session", "UPGRADE-1", "UPGRADE-4")(
    "UPDATE messages SET session_id = (SELECT session_id FROM sessions ORDER BY id LIMIT 1);"
    "UPDATE message_embeddings SET session_id = (SELECT session_id FROM sessions ORDER BY id LIMIT 1)"
)
_migrating("upgrade-loses-users", "An upgrade loses all users", "UPGRADE-2")("DELETE FROM users")
_migrating("upgrade-drops-user-metadata", "An upgrade drops the metadata of users", "UPGRADE-2")(
    "UPDATE users SET metadata = NULL"
)
_migrating("upgrade-drops-session-metadata", "An upgrade drops the metadata of sessions", "UPGRADE-2")(
    "UPDATE sessions SET metadata = NULL"
)
_migrating("upgrade-disowns-sessions", "After an upgrade sessions are nobody's", "UPGRADE-2")(
    "UPDATE sessions SET user_id = NULL"
)
_migrating("upgrade-renews-session-times", "An upgrade makes session records anew, with its own time", "UPGRADE-2")(
    f"UPDATE sessions SET created_at = '{now()}'"
)
_migrating("upgrade-loses-summaries", "An upgrade loses all summaries", "UPGRADE-3")("DELETE FROM summaries")
_migrating(
    "upgrade-loses-summary-point", "After an upgrade a summary names no message up to which it covers", "UPGRADE-3"
)("UPDATE summaries SET point_uuid = '00000000-0000-0000-0000-000000000000'")
_migrating("upgrade-loses-embeddings", "An upgrade drops all embeddings, and nothing old is found", "UPGRADE-4")(
    "DELETE FROM message_embeddings"
)
_migrating(
    "upgrade-empties-embeddings", "After an upgrade embeddings are empty, and a search finds anything", "UPGRADE-4"
)("UPDATE message_embeddings SET vector = zeroblob(length(vector))")


def _texts(row: Any) -> str:
    return str(row).encode("ascii", "replace").decode()


@_after("upgrade-garbles-texts", "An upgrade replaces all that is not ASCII in texts", "UPGRADE-1")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database
    for number, content in database.execute("SELECT id, content FROM messages").fetchall():
        database.execute("UPDATE messages SET content = ? WHERE id = ?", (_texts(content), number))


@_after("upgrade-changes-uuids", "An upgrade gives messages new uuids", "UPGRADE-1")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database
    for (number,) in database.execute("SELECT id FROM messages").fetchall():
        database.execute("UPDATE messages SET uuid = ? WHERE id = ?", (str(uuid4()), number))


@_after("upgrade-swaps-sessions", "After an upgrade each session has the messages of another", "UPGRADE-1", "UPGRADE-6")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database
    sessions = [row[0] for row in database.execute("SELECT DISTINCT session_id FROM messages").fetchall()]
    for one, other in zip(sessions, [*sessions[1:], *sessions[:1]], strict=True):
        database.execute("UPDATE messages SET session_id = ? WHERE session_id = ?", (f"moved {other}", one))
    database.execute("UPDATE messages SET session_id = substr(session_id, 7)")


@_after("upgrade-never-starts", "A newer version ends on the store of an older one", "UPGRADE-1")
def _(_zep: EmbeddedZep) -> None:
    sys.exit('failed to migrate: column "role_type" of relation "message" does not exist')


@_after("upgrade-refuses-writes", "After an upgrade every write is answered 500", "UPGRADE-3", "UPGRADE-4", "UPGRADE-6")
def _(zep: EmbeddedZep) -> None:
    @around(zep.operations["memory"]["POST"], "handler")
    async def _(_handler: Handler, *_given: object) -> Any:
        raise Refusal(500, "failed to create messages: no such column")


@_after(
    "upgrade-restarts-summaries", "After an upgrade the next summary leaves out what the last one said", "UPGRADE-3"
)
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.enrichment.summariser, "summarise")
    async def _(summarise: Callable[..., Any], covered: Any, _previous: str) -> str:
        found: str = await summarise(covered, "")
        return found


@_after(
    "upgrade-stops-embedding", "After an upgrade new messages get no embedding: its width does not fit", "UPGRADE-4"
)
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.messages, "embed")(lambda _embed, _vectors: None)


@_after("upgrade-searches-everywhere", "After an upgrade a search finds what is in any session", "UPGRADE-4")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.search, "stored")
    def _(stored: Callable[..., Any], _session_id: str, scope: str) -> Any:
        sessions = zep.service.store.database.execute("SELECT DISTINCT session_id FROM messages").fetchall()
        return [row for (session_id,) in sessions for row in stored(session_id, scope)]


@_after("upgrade-revokes-tokens", "After an upgrade tokens from before are refused", "UPGRADE-5")
def _(zep: EmbeddedZep) -> None:
    @around(zep.guard, "verify")
    def _(*_given: object) -> dict[str, Any]:
        raise Refusal(401, "token is unauthorized")


@_after("upgrade-opens", "After an upgrade a secured Zep wants no token", "UPGRADE-5")
def _(zep: EmbeddedZep) -> None:
    zep.guard.secret = None


@MUTATIONS.mutation("upgrade-revives-cleared", "An upgrade brings cleared sessions back", "UPGRADE-2", "UPGRADE-6")
def _(zep: EmbeddedZep) -> None:
    database, sessions = zep.service.store.database, zep.service.store.sessions
    database.execute("CREATE TABLE IF NOT EXISTS cleared_texts AS SELECT * FROM messages WHERE FALSE")

    @around(sessions, "delete")
    def _(delete: Callable[[str], None], session_id: str) -> None:
        kept = "INSERT INTO cleared_texts SELECT * FROM messages WHERE session_id = ?"
        database.execute(kept, (session_id,))
        delete(session_id)

    if _is_upgraded(zep):
        for (session_id,) in database.execute("SELECT DISTINCT session_id FROM cleared_texts").fetchall():
            sessions.touch(session_id)
        database.execute("INSERT INTO messages SELECT * FROM cleared_texts")


@MUTATIONS.mutation("upgrade-revives-users", "An upgrade brings deleted users back", "UPGRADE-2")
def _(zep: EmbeddedZep) -> None:
    database, users = zep.service.store.database, zep.service.store.users
    database.execute("CREATE TABLE IF NOT EXISTS deleted_users AS SELECT * FROM users WHERE FALSE")

    @around(users, "delete")
    def _(delete: Callable[[str], None], user_id: str) -> None:
        database.execute("INSERT INTO deleted_users SELECT * FROM users WHERE user_id = ?", (user_id,))
        delete(user_id)

    if _is_upgraded(zep):
        database.execute("INSERT INTO users SELECT * FROM deleted_users")


@MUTATIONS.mutation("way-back-loses-new", "Back on an older version what the newer has written is gone", "UPGRADE-8")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database
    if _is_upgraded(zep):
        [newest] = database.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()
        database.execute(f"PRAGMA application_id = {newest}")
    elif _is_downgraded(zep):
        [newest] = database.execute("PRAGMA application_id").fetchone()
        database.execute("DELETE FROM messages WHERE id > ? AND ? > 0", (newest, newest))


@MUTATIONS.mutation(
    "way-back-loses-old", "Back on an older version what was there before the upgrade is gone", "UPGRADE-8"
)
def _(zep: EmbeddedZep) -> None:
    if _is_downgraded(zep):
        zep.service.store.database.execute("DELETE FROM messages")
