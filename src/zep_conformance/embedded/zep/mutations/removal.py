"""Mutations of clearing and deleting: what goes, or changes, that nobody meant."""

from __future__ import annotations

from collections.abc import Callable

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")

_SAME_TEXT = "content IN (SELECT content FROM messages WHERE session_id = :own)"
_HER = "(SELECT user_id FROM sessions WHERE session_id = :own)"


@MUTATIONS.family
def _clear_takes(zep: EmbeddedZep, which: str) -> None:
    """Have other sessions cleared with one. which: a condition in SQL, in which :own is the one that is meant."""
    store = zep.service.store

    @around(store.sessions, "delete_within")
    def _(delete: Callable[[str], bool], session_id: str) -> bool:
        query = f"SELECT session_id FROM sessions WHERE deleted_at IS NULL AND ({which})"
        for (other,) in store.database.execute(query, {"own": session_id}).fetchall():
            if other != session_id:
                delete(other)
        return delete(session_id)


@MUTATIONS.family
def _clear_does(zep: EmbeddedZep, statement: str) -> None:
    """Have something else done when a session is cleared: a statement in SQL, in which :own is the session."""
    store = zep.service.store

    @around(store.sessions, "delete_within")
    def _(delete: Callable[[str], bool], session_id: str) -> bool:
        store.database.execute(statement, {"own": session_id})
        return delete(session_id)


@MUTATIONS.family
def _deletion_takes_users(zep: EmbeddedZep, which: str) -> None:
    """Have other users deleted with one. which: a condition in SQL, in which :own is the one that is meant."""
    store = zep.service.store

    @around(store.users, "delete_sessions")
    def _(delete: Callable[[str], None], user_id: str) -> None:
        given = {"own": user_id}
        others = store.database.execute(f"SELECT user_id FROM users WHERE {which}", given).fetchall()
        store.database.execute(f"UPDATE users SET deleted_at = created_at WHERE {which}", given)
        for other in [user_id, *(other for (other,) in others if other != user_id)]:
            delete(other)


@MUTATIONS.family
def _deletion_takes_sessions(zep: EmbeddedZep, which: str) -> None:
    """Have other sessions cleared with a user. which: a condition in SQL, in which :own is the user."""
    store = zep.service.store

    @around(store.users, "delete_sessions")
    def _(delete: Callable[[str], None], user_id: str) -> None:
        query = f"SELECT session_id FROM sessions WHERE deleted_at IS NULL AND ({which})"
        for (session_id,) in store.database.execute(query, {"own": user_id}).fetchall():
            store.sessions.delete_within(session_id)
        delete(user_id)


_clear_takes("clear-takes-longer-ids", "Clearing a session clears all whose ids begin with its id", "CLEAR-1")(
    "substr(session_id, 1, length(:own)) = :own"
)
_clear_takes("clear-takes-shorter-ids", "Clearing a session clears all whose ids its own begins with", "CLEAR-1")(
    "substr(:own, 1, length(session_id)) = session_id"
)
_clear_takes("clear-ignores-case", "Clearing a session clears all whose ids differ in case only", "CLEAR-1")(
    "lower(session_id) = lower(:own)"
)
_clear_takes("clear-takes-users-others", "Clearing a session clears all of its user's", "CLEAR-1")(f"user_id = {_HER}")
_clear_takes("clear-takes-unowned", "Clearing a session clears all that nobody owns", "CLEAR-1")("user_id IS NULL")
_clear_takes("clear-takes-same-text", "Clearing a session clears all in which the same was said", "CLEAR-1")(
    f"session_id IN (SELECT session_id FROM messages WHERE {_SAME_TEXT})"
)
_clear_takes("clear-takes-older", "Clearing a session clears the one that was made before it", "CLEAR-1")(
    "id = (SELECT max(id) FROM sessions WHERE deleted_at IS NULL"
    " AND id < (SELECT id FROM sessions WHERE session_id = :own))"
)
_clear_takes("clear-takes-newer", "Clearing a session clears the newest", "CLEAR-1")(
    "id = (SELECT max(id) FROM sessions)"
)
_clear_does("clear-takes-same-messages", "Clearing a session takes the same messages of others with it", "CLEAR-1")(
    f"DELETE FROM messages WHERE {_SAME_TEXT} AND role = 'ai'"
)
_clear_does("clear-takes-newest-messages", "Clearing a session takes the newest message of every other", "CLEAR-1")(
    "DELETE FROM messages WHERE id IN (SELECT max(id) FROM messages GROUP BY session_id)"
)
_clear_does(
    "clear-takes-same-embeddings", "Clearing a session keeps others with its texts from being found", "CLEAR-1"
)(f"DELETE FROM message_embeddings WHERE id IN (SELECT id FROM messages WHERE {_SAME_TEXT})")
_clear_does("clear-takes-enrichment", "Clearing a session takes the entities of others with its texts", "CLEAR-1")(
    f"UPDATE messages SET metadata = NULL WHERE {_SAME_TEXT}"
)
_clear_does("clear-takes-counts", "Clearing a session sets the token counts of all to 0", "CLEAR-1")(
    "UPDATE messages SET token_count = 0"
)
_clear_does("clear-takes-summaries", "Clearing a session takes the summary of all with ids like its own", "CLEAR-1")(
    "DELETE FROM summaries WHERE substr(:own, 1, length(session_id)) = session_id"
)
_clear_does("clear-changes-summaries", "Clearing a session cuts the summaries of others", "CLEAR-1")(
    "UPDATE summaries SET content = substr(content, 1, 20)"
)
_clear_does("clear-takes-records", "Clearing a session takes the metadata of its user's other sessions", "CLEAR-1")(
    f"UPDATE sessions SET metadata = NULL WHERE user_id = {_HER} AND session_id != :own"
)
_clear_does("clear-touches-others", "Clearing a session counts as a change of its user's others", "CLEAR-1")(
    f"UPDATE sessions SET updated_at = '2026-01-01T00:00:00Z' WHERE user_id = {_HER} AND session_id != :own"
)
_clear_does("clear-disowns-others", "Clearing a session takes its user from the others", "CLEAR-1")(
    f"UPDATE sessions SET user_id = NULL WHERE user_id = {_HER} AND session_id != :own"
)
_clear_does("clear-takes-users-metadata", "Clearing a session takes its user's metadata", "CLEAR-1")(
    f"UPDATE users SET metadata = NULL WHERE user_id = {_HER}"
)
_clear_does("clear-revives-others", "Clearing a session brings back the records of those cleared before", "CLEAR-1")(
    "UPDATE sessions SET deleted_at = NULL"
)

_deletion_takes_users("user-deletion-takes-longer-ids", "Deleting a user deletes all whose ids begin so", "CLEAR-1")(
    "substr(user_id, 1, length(:own)) = :own"
)
_deletion_takes_users(
    "user-deletion-takes-shorter-ids", "Deleting a user deletes all whose ids hers begins with", "CLEAR-1"
)("substr(:own, 1, length(user_id)) = user_id")
_deletion_takes_users(
    "user-deletion-ignores-case", "Deleting a user deletes all whose ids differ in case only", "CLEAR-1"
)("lower(user_id) = lower(:own)")
_deletion_takes_users(
    "user-deletion-takes-namesakes", "Deleting a user deletes all with the same first name", "CLEAR-1"
)("first_name = (SELECT first_name FROM users WHERE user_id = :own)")
_deletion_takes_users("user-deletion-takes-newest", "Deleting a user deletes the newest user", "CLEAR-1")(
    "id = (SELECT max(id) FROM users)"
)
_deletion_takes_sessions("user-deletion-takes-namesake", "Deleting a user clears the session with her id", "CLEAR-1")(
    "session_id = :own"
)
_deletion_takes_sessions(
    "user-deletion-takes-prefixed", "Deleting a user clears all sessions whose ids begin with hers", "CLEAR-1"
)("substr(session_id, 1, length(:own) + 1) = :own || '-'")
_deletion_takes_sessions("user-deletion-takes-unowned", "Deleting a user clears the sessions of nobody", "CLEAR-1")(
    "user_id IS NULL"
)
_deletion_takes_sessions(
    "user-deletion-takes-same-text", "Deleting a user clears all sessions in which the same was said", "CLEAR-1"
)(
    "session_id IN (SELECT session_id FROM messages WHERE content IN (SELECT content FROM messages"
    " WHERE session_id IN (SELECT session_id FROM sessions WHERE user_id = :own)))"
)
