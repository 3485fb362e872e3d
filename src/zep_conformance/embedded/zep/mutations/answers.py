"""Mutations of what comes back: metadata, lists, single messages, records and results, not quite as they were.

They are subtle: each passes an example that looks at one field, or at one message.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.encoding import dumps, now
from zep_conformance.embedded.zep.messages import PostedMessage
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.summaries import NONE, Summary
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")
Metadata = dict[str, Any]
Posted = Sequence[PostedMessage]
_MANY = 20
"""Messages from which on some faults show."""


# -- metadata as they are stored ------------------------------------------------------------------------------


@MUTATIONS.family
def _of_metadata(zep: EmbeddedZep, change: Callable[[Metadata], Metadata]) -> None:
    """Have other metadata stored than those that are sent, of messages, sessions and users alike."""
    store = zep.service.store

    def changed(metadata: Metadata | None) -> Metadata | None:
        return None if metadata is None else change(metadata)

    @around(store.messages, "add")
    def _(add: Callable[..., None], session_id: str, messages: Posted) -> None:
        texts = [None if one.metadata is None else dumps(change(json.loads(one.metadata))) for one in messages]
        add(session_id, [replace(one, metadata=text) for one, text in zip(messages, texts, strict=True)])

    @around(store.messages, "update_metadata")
    def _(update: Callable[..., Row], session_id: str, uuid: str, metadata: Metadata | None, count: int) -> Row:
        return update(session_id, uuid, changed(metadata), count)

    for records in (store.sessions, store.users):
        for method in ("create", "update"):
            # The metadata are the last that both are given.
            around(records, method)(lambda made, *given: made(*given[:-1], changed(given[-1])))


def _in_all(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return JSON with a change made to each value in it that is no object or list."""
    if isinstance(value, dict):
        return {key: _in_all(one, change) for key, one in value.items()}
    return [_in_all(one, change) for one in value] if isinstance(value, list) else change(value)


def _keys(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {change(key): _keys(one, change) for key, one in value.items()}
    return [_keys(one, change) for one in value] if isinstance(value, list) else value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return value


def _each_number(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_of_metadata("metadata-keys-folded", "Keys of metadata become lower case", "META-1")(
    lambda metadata: _keys(metadata, str.lower)
)
_of_metadata("metadata-keys-camel-cased", "An underscore in a key of metadata is lost", "META-1")(
    lambda metadata: _keys(metadata, lambda key: re.sub("_(.)", lambda found: found[1].upper(), key))
)
_of_metadata("metadata-keys-composed", "Keys of metadata come back in the other Unicode normal form", "META-1")(
    lambda metadata: _keys(metadata, lambda key: unicodedata.normalize("NFC", key))
)
_of_metadata("metadata-nulls-dropped", "A null in metadata is left out", "META-1")(_without_nulls)
_of_metadata("metadata-fractions-rounded", "A fractional number in metadata is rounded to six digits", "META-1")(
    lambda metadata: _in_all(metadata, _each_number(lambda one: round(one, 6)))
)
_of_metadata("metadata-numbers-cut", "A number in metadata beyond 2^31 is the largest one below it", "META-1")(
    lambda metadata: _in_all(metadata, _each_number(lambda one: min(one, 2**31 - 1)))
)
_of_metadata("metadata-whole-numbers", "Fractional numbers in metadata lose what is behind the point", "META-1")(
    lambda metadata: _in_all(metadata, _each_number(int))
)
_of_metadata("metadata-numbers-as-text", "Numbers in metadata come back as texts", "META-1")(
    lambda metadata: _in_all(metadata, _each_number(str))
)
_of_metadata("metadata-texts-trimmed", "White space at the ends of a text in metadata is lost", "META-1")(
    lambda metadata: _in_all(metadata, lambda one: one.strip() if isinstance(one, str) else one)
)
_of_metadata("metadata-empty-lost", "Empty objects and lists in metadata are left out", "META-1")(
    lambda metadata: {key: one for key, one in metadata.items() if one not in ({}, [])}
)


@MUTATIONS.mutation("metadata-replaced", "Changing metadata of a session or a user drops those not given", "META-1")
def _(zep: EmbeddedZep) -> None:
    for records in (zep.service.store.sessions, zep.service.store.users):
        around(records, "_merged")(lambda _merged, text, new, _reserved=(): text if new is None else dumps(new))


@MUTATIONS.mutation("metadata-merged-flat", "Changing nested metadata replaces the whole object", "META-1")
def _(zep: EmbeddedZep) -> None:
    for records in (zep.service.store.sessions, zep.service.store.users):

        @around(records, "_merged")
        def _(merged: Callable[..., str], text: str | None, new: Metadata | None, reserved: Any = ()) -> str | None:
            kept = {key: one for key, one in json.loads(text or "{}").items() if key not in (new or {})}
            return merged(dumps(kept) if text else text, new, reserved)


@MUTATIONS.mutation("metadata-of-the-first", "All messages of a post have the metadata of its first", "META-1")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.messages, "add")(
        lambda add, session_id, new: add(session_id, [replace(one, metadata=new[0].metadata) for one in new])
    )


# -- messages as they are stored ------------------------------------------------------------------------------


@MUTATIONS.family
def _of_texts(zep: EmbeddedZep, change: Callable[[str], str]) -> None:
    """Have another text stored than that of a message."""
    around(zep.service.store.messages, "add")(
        lambda add, session_id, new: add(session_id, [replace(one, content=change(one.content)) for one in new])
    )


_of_texts("content-composed", "Texts come back in the other Unicode normal form", "STORE-1")(
    lambda text: unicodedata.normalize("NFC", text)
)
_of_texts("content-compatible", "Letters that look like others become those", "STORE-1")(
    lambda text: unicodedata.normalize("NFKC", text)
)
_of_texts("content-end-trimmed", "A line break at the end of a text is lost", "STORE-1")(lambda text: text.rstrip("\n"))
_of_texts("lone-returns-normalised", "CR alone in a text becomes LF", "STORE-1")(
    lambda text: re.sub("\r(?!\n)", "\n", text)
)
_of_texts("line-separators-normalised", "Line breaks other than CR and LF become LF", "STORE-1")(
    lambda text: re.sub("[\u2028\u2029\x85\x0b\x0c]", "\n", text)
)
_of_texts("joiners-lost", "What can't be seen in a text is lost", "STORE-1")(
    lambda text: re.sub("[\u200b-\u200f\u202a-\u202e\u00ad\ufeff]", "", text)
)
_of_texts("content-cut-far", "Texts are cut after 65,536 characters", "STORE-1")(lambda text: text[:65536])
_of_texts("entities-unescaped", "HTML entities in a text become what they stand for", "STORE-1")(
    lambda text: text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
)


@MUTATIONS.mutation("roles-folded", "Roles become lower case", "STORE-1")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.messages, "add")(
        lambda add, session_id, new: add(session_id, [replace(one, role=one.role.lower()) for one in new])
    )


@MUTATIONS.mutation("large-posts-unordered", "The messages of a post of more than 20 come in another order", "STORE-4")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.messages, "add")
    def _(add: Callable[..., None], session_id: str, new: Posted) -> None:
        add(session_id, sorted(new, key=lambda one: one.content) if len(new) > _MANY else new)


@MUTATIONS.mutation("lastn-short-when-many", "lastn beyond 20 returns one message less", "STORE-4")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service, "last")
    def _(last: Callable[..., list[Row]], session_id: str, count: int) -> list[Row]:
        return last(session_id, count - 1 if count > _MANY else count)


# -- lists and single messages --------------------------------------------------------------------------------


@MUTATIONS.family
def _of_pages(zep: EmbeddedZep, page: Callable[[Callable[..., Any], str, int, int], tuple[list[Row], int]]) -> None:
    """Have another page given than the one that is asked for."""
    around(zep.service.store.messages, "page")(page)


_of_pages("later-pages-shifted", "From the second page on one message is left out", "MESSAGE-1")(
    lambda page, session_id, number, size: (
        page(session_id, number, size) if number < 2 else (page(session_id, number, size)[0][1:], 0)
    )
)
_of_pages("pages-count-from-zero", "The first page is the second", "MESSAGE-1")(
    lambda page, session_id, number, size: page(session_id, number + 1, size)
)
_of_pages("large-pages-cut", "A page has at most 20 messages", "MESSAGE-1")(
    lambda page, session_id, number, size: (
        page(session_id, number, size)[0][:_MANY],
        page(session_id, number, size)[1],
    )
)


@_of_pages("total-is-of-the-page", "The count of all messages is that of the page", "MESSAGE-1")
def _(page: Callable[..., Any], session_id: str, number: int, size: int) -> tuple[list[Row], int]:
    rows, _ = page(session_id, number, size)
    return rows, len(rows)


@MUTATIONS.family
def _of_single(zep: EmbeddedZep, change: Callable[[Row], Row]) -> None:
    """Have another message given than the one that is fetched."""
    around(zep.service.store.messages, "get")(lambda get, session_id, uuid: change(get(session_id, uuid)))


_of_single("single-uuid-changes", "A message has another uuid at each reading", "MESSAGE-2")(
    lambda row: (str(uuid4()), *row[1:])
)
_of_single("single-time-changes", "A fetched message was created just now", "MESSAGE-2")(
    lambda row: (row[0], "2001-01-01T00:00:00.000000Z", *row[2:])
)
_of_single("single-without-metadata", "A fetched message has no metadata", "MESSAGE-2")(
    lambda row: (*row[:4], None, *row[5:])
)


@MUTATIONS.mutation("single-of-any-session", "A message is found in every session", "MESSAGE-2")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database

    @around(zep.service.store.messages, "get")
    def _(get: Callable[..., Row], session_id: str, uuid: str) -> Row:
        owner = database.execute("SELECT session_id FROM messages WHERE uuid = ?", (uuid,)).fetchone()
        return get(owner[0] if owner else session_id, uuid)


@MUTATIONS.mutation("change-touches-time", "Changing a message's metadata makes it a new one", "MESSAGE-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.messages, "update_metadata")
    def _(update: Callable[..., Row], session_id: str, uuid: str, *given: Any) -> Row:
        row = update(session_id, uuid, *given)
        change = "UPDATE messages SET created_at = ? WHERE uuid = ?"
        zep.service.store.database.execute(change, (now(), uuid))
        return row


@MUTATIONS.mutation("change-takes-all", "Changing a message's metadata changes those of the whole session", "MESSAGE-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.messages, "update_metadata")
    def _(update: Callable[..., Row], session_id: str, uuid: str, *given: Any) -> Row:
        row = update(session_id, uuid, *given)
        change = "UPDATE messages SET metadata = ? WHERE session_id = ?"
        zep.service.store.database.execute(change, (row[4], session_id))
        return row


# -- records --------------------------------------------------------------------------------------------------


@MUTATIONS.mutation("session-made-at-change", "Changing a session's metadata sets its creation time", "RECORD-1")
def _(zep: EmbeddedZep) -> None:
    # Rows begin with id, uuid, session_id, created_at.
    around(zep.service.store.sessions, "update")(
        lambda update, *given: (lambda row: (*row[:3], "2001-01-01T00:00:00.000000Z", *row[4:]))(update(*given))
    )


@MUTATIONS.mutation("session-new-after-clear", "A session that is used again is another one", "RECORD-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "delete_within")
    def _(delete_within: Callable[[str], bool], session_id: str) -> bool:
        is_deleted = delete_within(session_id)
        change = "UPDATE sessions SET uuid = ? WHERE session_id = ?"
        zep.service.store.database.execute(change, (str(uuid4()), session_id))
        return is_deleted


@MUTATIONS.mutation("session-loses-user", "A session that is written to loses its user", "RECORD-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "touch")
    def _(touch: Callable[[str], None], session_id: str) -> None:
        touch(session_id)
        zep.service.store.database.execute("UPDATE sessions SET user_id = NULL WHERE session_id = ?", (session_id,))


@MUTATIONS.mutation("session-loses-metadata", "A cleared session has lost its metadata", "RECORD-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.sessions, "delete_within")
    def _(delete_within: Callable[[str], bool], session_id: str) -> bool:
        is_deleted = delete_within(session_id)
        zep.service.store.database.execute("UPDATE sessions SET metadata = NULL WHERE session_id = ?", (session_id,))
        return is_deleted


@MUTATIONS.family
def _of_user_changes(zep: EmbeddedZep, change: Callable[[Callable[..., Row], str, Any, Any], Row]) -> None:
    """Have a user changed otherwise than was asked for."""
    around(zep.service.store.users, "update")(change)


@_of_user_changes("user-names-cleared", "Changing a user clears the names that are not given", "RECORD-2")
def _(update: Callable[..., Row], user_id: str, names: Sequence[str], metadata: Metadata | None) -> Row:
    return update(user_id, [one or " " for one in names], metadata)


@_of_user_changes("user-first-name-kept", "A first name that is there is not changed", "RECORD-2")
def _(update: Callable[..., Row], user_id: str, names: Sequence[str], metadata: Metadata | None) -> Row:
    return update(user_id, (names[0], "", names[2]), metadata)


@MUTATIONS.mutation("user-names-trimmed", "White space at the ends of a user's names is lost", "RECORD-2")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.users, "create")(
        lambda create, user_id, names, metadata: create(user_id, tuple(one.strip() for one in names), metadata)
    )


@MUTATIONS.mutation("users-changed-alike", "Changing a user changes those whose ids begin alike", "RECORD-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.users, "update")
    def _(update: Callable[..., Row], user_id: str, names: Sequence[str], metadata: Metadata | None) -> Row:
        for row in zep.service.store.users.listed(0, 0):
            if row[2].startswith(user_id):
                update(row[2], names, metadata)
        return update(user_id, names, metadata)


@MUTATIONS.mutation("user-is-the-old-one", "A user who is made anew has the uuid of the deleted one", "RECORD-2")
def _(zep: EmbeddedZep) -> None:
    users, database, old = zep.service.store.users, zep.service.store.database, dict[str, str]()

    @around(users, "delete")
    def _(delete: Callable[[str], None], user_id: str) -> None:
        old[user_id] = users.get(user_id)[1]
        delete(user_id)

    @around(users, "create")
    def _(create: Callable[..., Row], user_id: str, *given: Any) -> Row:
        row = create(user_id, *given)
        if user_id in old:
            database.execute("UPDATE users SET uuid = ? WHERE user_id = ?", (old[user_id], user_id))
            return users.get(user_id)
        return row


# -- search results -------------------------------------------------------------------------------------------


@MUTATIONS.family
def _of_results(zep: EmbeddedZep, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Have other results given than those that are found."""

    @around(zep.operations["search"]["POST"], "handler")
    async def _(handler: Handler, *given: Any) -> Response:
        answer = await handler(*given)
        found = [change(one) for one in json.loads(bytes(answer.body))]
        return Response(dumps(found) + "\n", headers={"content-type": answer.headers["content-type"]})


def _in_message(change: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what changes fields of the message in a result."""
    return lambda result: {**result, "message": result["message"] and {**result["message"], **change}}


_of_results("result-without-embedding", "A result has no field for the embedding", "SEARCH-4")(
    lambda result: {name: one for name, one in result.items() if name != "embedding"}
)
_of_results("result-distance-as-text", "The distance of a result is a text", "SEARCH-4")(
    lambda result: {**result, "dist": str(result["dist"])}
)
_of_results("result-distance-missing", "A result has no distance", "SEARCH-4")(lambda result: {**result, "dist": None})
_of_results("result-without-metadata", "The message in a result has no metadata", "SEARCH-4")(
    lambda result: {
        **result,
        "message": result["message"] and {key: one for key, one in result["message"].items() if key != "metadata"},
    }
)
_of_results("result-role-missing", "The message in a result has no role", "SEARCH-4")(_in_message({"role": ""}))
_of_results("result-time-zero", "The message in a result has no creation time", "SEARCH-4")(
    _in_message({"created_at": "0001-01-01T00:00:00Z"})
)


@_of_results("result-uuid-changes", "The message in a result has a uuid of its own", "SEARCH-4")
def _(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "message": result["message"] and {**result["message"], "uuid": str(uuid4())}}


# -- summaries ------------------------------------------------------------------------------------------------


@MUTATIONS.mutation("summary-of-another", "A session without a summary has the newest of another", "SUMMARY-3")
def _(zep: EmbeddedZep) -> None:
    database = zep.service.store.database

    @around(zep.service.store.summaries, "latest")
    def _(latest: Callable[[str], Summary], session_id: str) -> Summary:
        found = latest(session_id)
        other = database.execute("SELECT session_id FROM summaries ORDER BY id DESC LIMIT 1").fetchone()
        return found if found != NONE or other is None else latest(other[0])


@MUTATIONS.mutation("summary-comes-back", "A cleared session has its summary again when it is used again", "SUMMARY-3")
def _(zep: EmbeddedZep) -> None:
    store, kept = zep.service.store, dict[str, Summary]()

    @around(store.sessions, "delete_within")
    def _(delete_within: Callable[[str], bool], session_id: str) -> bool:
        kept[session_id] = store.summaries.latest(session_id)
        return delete_within(session_id)

    @around(zep.service.store.summaries, "latest")
    def _(latest: Callable[[str], Summary], session_id: str) -> Summary:
        found = latest(session_id)
        is_used = bool(store.messages.newest(session_id, 1))
        return kept.get(session_id, found) if found == NONE and is_used else found


# -- session ids ----------------------------------------------------------------------------------------------


@MUTATIONS.family
def _of_ids(zep: EmbeddedZep, change: Callable[[str], str]) -> None:
    """Have another session id meant than the one in a path."""
    around(zep.paths, "session_id")(lambda session_id, text: change(session_id(text)))


_of_ids("session-ids-composed", "Session ids that differ in normal form are one session", "SESSION-1", "SESSION-2")(
    lambda session_id: unicodedata.normalize("NFC", session_id)
)
_of_ids("session-ids-trimmed", "White space at the ends of a session id is lost", "SESSION-1", "SESSION-2")(str.strip)
_of_ids("session-ids-cut-at-200", "Session ids are cut some way beyond 200 characters", "SESSION-1", "SESSION-2")(
    lambda session_id: session_id if len(session_id) <= 200 else session_id[: session_id.rindex("x") + 1]
)
_of_ids("session-ids-fold", "Session ids that fold to the same letters are one session", "SESSION-1", "SESSION-2")(
    lambda session_id: "".join(one if one.isascii() else one.casefold() for one in session_id)
)
_of_ids("session-ids-to-seconds", "Times in session ids that differ by milliseconds are one", "SESSION-1", "SESSION-2")(
    lambda session_id: re.sub(r"(-\d{10})\d{3}$", r"\1", session_id)
)


@MUTATIONS.mutation(
    "clear-takes-patterns", "An underscore in the id of a session that is cleared stands for any letter", "CLEAR-1"
)
def _(zep: EmbeddedZep) -> None:
    sessions, database = zep.service.store.sessions, zep.service.store.database

    @around(sessions, "delete")
    def _(delete: Callable[[str], None], session_id: str) -> None:
        delete(session_id)
        query = "SELECT session_id FROM sessions WHERE session_id LIKE ? AND deleted_at IS NULL"
        for (other,) in database.execute(query, (session_id,)).fetchall():
            delete(other)
