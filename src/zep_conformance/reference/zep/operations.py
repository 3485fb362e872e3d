"""What a client does with Zep's memory API: each operation as data, how it is asked for, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from zep_conformance.reference.operations import Expected, Operation, Request
from zep_conformance.reference.rules import ZERO_UUID, Fields, InAnyOrder, Listed, in_order_of, shown
from zep_conformance.reference.zep.memory_rule import MemoryRule
from zep_conformance.reference.zep.model import KnownMessage, ZepModel
from zep_conformance.reference.zep.paths import only, path

UNKNOWN = "0d9e4d3c-6b6c-4f64-9f60-5c8f3ad1b6ef"
"""A uuid that no message has."""
NOT_FOUND = Expected((404,))

SUMMARISED = 6
"""Messages that a memory shows, from which on there may be a summary before them."""

Look = Operation[ZepModel]


def _without_system(value: Any) -> Any:
    """Return messages without what enrichment writes into their metadata."""
    if isinstance(value, list):
        return [_without_system(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    metadata = {name: one for name, one in (value.get("metadata") or {}).items() if name != "system"}
    return {**value, "metadata": metadata}


@dataclass(frozen=True)
class Said:
    """A message as it is sent. own: a number for a uuid that the client gives it. tokens: a count that it gives."""

    role: str
    content: str
    metadata: Mapping[str, Any] | None = None
    own: int | None = None
    tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in a file."""
        given = {"metadata": self.metadata, "own": self.own, "tokens": self.tokens or None}
        return {"role": self.role, "content": self.content, **only(given)}

    def body(self, model: ZepModel) -> dict[str, Any]:
        """Return it as it is sent."""
        uuid = None if self.own is None else model.world.uuid(self.own)
        given = {"uuid": uuid, "metadata": self.metadata, "token_count": self.tokens or None}
        return {"role": self.role, "content": self.content, **only(given)}

    def words(self) -> str:
        """Return it in words."""
        metadata = f" with metadata {shown(self.metadata)}" if self.metadata is not None else ""
        own = " with a uuid of its own" if self.own is not None else ""
        return f"{self.role or '(no role)'}: {shown(self.content)}{metadata}{own}"


@dataclass(frozen=True)
class _OnSession(Operation[ZepModel]):
    """What is done to one session, whose id stands in the path."""

    session: str

    def ident(self, model: ZepModel) -> str:
        """Return the id that Zep keeps for it, and have it looked at when the sequence is over."""
        model.looked_for.add(self.session)
        return model.in_path(self.session)

    def path(self, model: ZepModel, *rest: str, **query: Any) -> str:
        """Return a path under the session's."""
        return path("sessions", model.world.name(self.session), *rest, **query)


@dataclass(frozen=True)
class CreateSession(Operation[ZepModel]):
    """Make a session's record, by an id in the body."""

    do: ClassVar[str] = "create-session"
    session: str
    user: str | None = None
    metadata: Mapping[str, Any] | None = None

    def words(self) -> str:
        """Return what is done."""
        owner = f" of the user {shown(self.user)}" if self.user is not None else ""
        metadata = f" with metadata {shown(self.metadata)}" if self.metadata is not None else ""
        return f"make the session {shown(self.session)}{owner}{metadata}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        user = None if self.user is None else model.world.name(self.user)
        body = {"session_id": model.world.name(self.session), "user_id": user, "metadata": self.metadata}
        return Request("POST", path("sessions"), only(body))

    def expected(self, model: ZepModel) -> Expected:
        """Return that it is made once, and of a user who is there."""
        model.looked_for.add(self.session)
        user = None if self.user is None else model.world.name(self.user)
        made = model.create_session(model.world.name(self.session), user, self.metadata)
        if made is None:
            return Expected((400,))
        return Expected((201,), model.session_rule(made), dated=(made.created, made.updated))


@dataclass(frozen=True)
class FetchSession(_OnSession):
    """Read a session's record."""

    do: ClassVar[str] = "fetch-session"

    def words(self) -> str:
        """Return what is done."""
        return f"fetch the session {shown(self.session)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", self.path(model))

    def expected(self, model: ZepModel) -> Expected:
        """Return the record, as long as it is not deleted."""
        found = model.session(self.ident(model))
        return NOT_FOUND if found is None else Expected((200,), model.session_rule(found))


@dataclass(frozen=True)
class ChangeSession(_OnSession):
    """Merge metadata into a session's."""

    do: ClassVar[str] = "change-session"
    metadata: Mapping[str, Any]

    def words(self) -> str:
        """Return what is done."""
        return f"change the metadata of the session {shown(self.session)} by {shown(self.metadata)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("PATCH", self.path(model), {"metadata": self.metadata})

    def expected(self, model: ZepModel) -> Expected:
        """Return the record with them; a deleted session comes back."""
        ident = self.ident(model)
        if not self.metadata and model.shows("empty-metadata-500") and ident in model.sessions:
            return Expected((500,))
        found = model.update_session(ident, self.metadata)
        return NOT_FOUND if found is None else Expected((200,), model.session_rule(found))


@dataclass(frozen=True)
class Write(_OnSession):
    """Write messages, which makes the session or brings it back."""

    do: ClassVar[str] = "write"
    messages: tuple[Said, ...]

    def words(self) -> str:
        """Return what is done."""
        told = "; ".join(one.words() for one in self.messages[:3])
        more = f"; and {len(self.messages) - 3} more" if len(self.messages) > 3 else ""
        count = f"{len(self.messages)} messages" if len(self.messages) != 1 else "a message"
        return f"write {count} to the session {shown(self.session)}: {told or 'none'}{more}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("POST", self.path(model, "memory"), {"messages": [one.body(model) for one in self.messages]})

    def expected(self, model: ZepModel) -> Expected:
        """Return that all are written, or none where a uuid is in use."""
        made = [KnownMessage(one.role, one.content, one.metadata, one.tokens) for one in self.messages]
        for known, said in zip(made, self.messages, strict=True):
            known.uuid.value = None if said.own is None else model.world.uuid(said.own)
        ident = self.ident(model)
        is_new = ident not in model.sessions
        session = model.write(ident, made)
        if session is None:
            return model.refused(400, "duplicate-uuid-500")
        dated = [one.created for one in made] + ([session.created, session.updated] if is_new else [])
        return Expected((200,), "OK", dated=tuple(dated))


@dataclass(frozen=True)
class ReadMemory(_OnSession):
    """Read a session's memory."""

    do: ClassVar[str] = "read-memory"
    lastn: int | None = None

    def words(self) -> str:
        """Return what is done."""
        newest = f"the newest {self.lastn} of " if self.lastn is not None else ""
        return f"read {newest}the memory of the session {shown(self.session)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", self.path(model, "memory", lastn=self.lastn))

    def needs(self, model: ZepModel) -> Sequence[Operation[ZepModel]]:
        """Return that the messages are listed, where a summary may name one that was not seen yet."""
        known = model.messages(model.in_path(self.session))
        unseen = len(known) >= model.world.window and any(one.uuid.value is None for one in known)
        return (ListMessages(self.session),) if unseen else ()

    def comparable(self, body: Any) -> Any:
        """Return the messages, and what stands for a summary where there can't be one yet."""
        if not isinstance(body, Mapping) or "messages" not in body:
            return body
        messages = _without_system(body["messages"])
        is_summarised = isinstance(body.get("summary"), Mapping) and bool(body["summary"].get("content"))
        # How many there are since the last summary depends on when that came.
        since = not self.lastn and (is_summarised or len(messages) >= SUMMARISED)
        return {**body, "messages": messages[-1:] if since else messages, "summary": None}

    def expected(self, model: ZepModel) -> Expected:
        """Return the newest messages, so many as are asked for, and the summary of those before."""
        return Expected((200,), MemoryRule(model, self.ident(model), self.lastn or None))


@dataclass(frozen=True)
class ClearSession(_OnSession):
    """Delete a session with its memory."""

    do: ClassVar[str] = "clear-session"

    def words(self) -> str:
        """Return what is done."""
        return f"delete the memory of the session {shown(self.session)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("DELETE", self.path(model, "memory"))

    def expected(self, model: ZepModel) -> Expected:
        """Return that it is deleted once."""
        return Expected((200,), "OK") if model.delete_session(self.ident(model)) else NOT_FOUND


@dataclass(frozen=True)
class ListMessages(_OnSession):
    """List a page of a session's messages. limit, cursor: as in the query, None where they are left out."""

    do: ClassVar[str] = "list-messages"
    limit: int | None = None
    cursor: int | None = None

    def words(self) -> str:
        """Return what is done."""
        given = only({"limit": self.limit, "cursor": self.cursor})
        page = f" ({', '.join(f'{name} {value}' for name, value in given.items())})" if given else ""
        return f"list the messages of the session {shown(self.session)}{page}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", self.path(model, "messages", limit=self.limit, cursor=self.cursor))

    def comparable(self, body: Any) -> Any:
        """Return the page without what enrichment writes."""
        return {**body, "messages": _without_system(body.get("messages", []))}

    def expected(self, model: ZepModel) -> Expected:
        """Return the page, the oldest message first."""
        found, total = model.page(self.ident(model), self.limit or 0, self.cursor or 1)
        messages = Listed([one.rule(model.taken) for one in found], "messages")
        return Expected((200,), Fields({"messages": messages, "total_count": total, "row_count": len(found)}))


@dataclass(frozen=True)
class _OnMessage(_OnSession):
    """What is done to one message of a session. at: which of its messages, counted in circles.

    elsewhere: another session that it is looked for in; there it is not.
    """

    at: int = 0
    elsewhere: str | None = None

    def message(self, model: ZepModel) -> KnownMessage | None:
        """Return the message, None where the session has none."""
        known = model.messages(model.in_path(self.session))
        return known[self.at % len(known)] if known else None

    def needs(self, model: ZepModel) -> Sequence[Operation[ZepModel]]:
        """Return that the messages are listed, where the uuid is not known yet."""
        found = self.message(model)
        return (ListMessages(self.session),) if found is not None and found.uuid.value is None else ()

    def found(self, model: ZepModel) -> KnownMessage | None:
        """Return the message where it is looked for."""
        model.looked_for.add(self.session)
        is_there = self.elsewhere is None or model.in_path(self.elsewhere) == model.in_path(self.session)
        return self.message(model) if is_there else None

    def message_path(self, model: ZepModel) -> str:
        """Return the path of the message."""
        found = self.message(model)
        uuid = (found.uuid.value if found is not None else None) or UNKNOWN
        session = self.session if self.elsewhere is None else self.elsewhere
        return path("sessions", model.world.name(session), "messages", str(uuid))

    def described(self) -> str:
        """Return which message it is, in words."""
        place = f", looked for in the session {shown(self.elsewhere)}" if self.elsewhere is not None else ""
        return f"message {self.at} of the session {shown(self.session)}{place}"


@dataclass(frozen=True)
class FetchMessage(_OnMessage):
    """Read one message by its uuid."""

    do: ClassVar[str] = "fetch-message"

    def words(self) -> str:
        """Return what is done."""
        return f"fetch {self.described()}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", self.message_path(model))

    def comparable(self, body: Any) -> Any:
        """Return the message without what enrichment writes."""
        return _without_system(body)

    def expected(self, model: ZepModel) -> Expected:
        """Return the message, in its own session."""
        found = self.found(model)
        return model.refused(404, "missing-message-500") if found is None else Expected((200,), found.rule(model.taken))


@dataclass(frozen=True)
class ChangeMessage(_OnMessage):
    """Merge metadata into a message's, and try to change what can't be changed."""

    do: ClassVar[str] = "change-message"
    metadata: Mapping[str, Any] | None = None

    def words(self) -> str:
        """Return what is done."""
        return f"change the metadata of {self.described()} by {shown(self.metadata or {})}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        body = {"metadata": dict(self.metadata or {}), "content": "another", "role": "another"}
        return Request("PATCH", self.message_path(model), body)

    def comparable(self, body: Any) -> Any:
        """Return the message without what enrichment writes."""
        return _without_system(body)

    def expected(self, model: ZepModel) -> Expected:
        """Return the message with them, and else as it was."""
        found = self.found(model)
        if not self.metadata and model.shows("empty-metadata-500"):
            return Expected((500, 404) if found is None else (500,))
        if found is None:
            return model.refused(404, "missing-message-500")
        from zep_conformance.reference.zep.model import merged, open_to_clients

        found.metadata = merged(found.metadata, open_to_clients(self.metadata or {}))
        found.forged += [self.metadata["system"]] if self.metadata and "system" in self.metadata else []
        return Expected((200,), found.rule(model.taken))


@dataclass(frozen=True)
class CreateUser(Operation[ZepModel]):
    """Make a user's record. names: email, first and last name, "" for none."""

    do: ClassVar[str] = "create-user"
    user: str
    names: tuple[str, str, str] = ("", "", "")
    metadata: Mapping[str, Any] | None = None

    def words(self) -> str:
        """Return what is done."""
        return f"make the user {shown(self.user)}{_named(self.names, self.metadata)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        named = _names(self.names)
        return Request(
            "POST", path("user"), only({"user_id": model.world.name(self.user), "metadata": self.metadata, **named})
        )

    def expected(self, model: ZepModel) -> Expected:
        """Return that the user is made once."""
        model.users_looked_for.add(self.user)
        made = model.create_user(model.world.name(self.user), self.names, self.metadata)
        if made is None:
            return Expected((400,))
        return Expected((201,), model.user_rule(made), dated=(made.created, made.updated))


def _names(names: tuple[str, str, str]) -> dict[str, str]:
    from zep_conformance.reference.zep.model import NAMES

    return {name: value for name, value in zip(NAMES, names, strict=True) if value}


def _named(names: tuple[str, str, str], metadata: Mapping[str, Any] | None) -> str:
    given = [f"{name.replace('_', ' ')} {shown(value)}" for name, value in _names(names).items()]
    given += [f"metadata {shown(metadata)}"] if metadata is not None else []
    return f" with {', '.join(given)}" if given else ""


@dataclass(frozen=True)
class _OnUser(Operation[ZepModel]):
    """What is done to one user, whose id stands in the path."""

    user: str

    def ident(self, model: ZepModel) -> str:
        """Return the id that Zep keeps for the user, who is looked at when the sequence is over."""
        model.users_looked_for.add(self.user)
        return model.in_path(self.user)

    def path(self, model: ZepModel, *rest: str) -> str:
        """Return a path under the user's."""
        return path("user", model.world.name(self.user), *rest)


@dataclass(frozen=True)
class FetchUser(_OnUser):
    """Read a user's record."""

    do: ClassVar[str] = "fetch-user"

    def words(self) -> str:
        """Return what is done."""
        return f"fetch the user {shown(self.user)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", self.path(model))

    def expected(self, model: ZepModel) -> Expected:
        """Return the record, as long as the user is not deleted."""
        found = model.user(self.ident(model))
        return NOT_FOUND if found is None else Expected((200,), model.user_rule(found))


@dataclass(frozen=True)
class ChangeUser(_OnUser):
    """Change what is given of a user's record."""

    do: ClassVar[str] = "change-user"
    names: tuple[str, str, str] = ("", "", "")
    metadata: Mapping[str, Any] | None = None

    def words(self) -> str:
        """Return what is done."""
        return f"change the user {shown(self.user)}{_named(self.names, self.metadata)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("PATCH", self.path(model), only({"metadata": self.metadata, **_names(self.names)}))

    def expected(self, model: ZepModel) -> Expected:
        """Return the record with that; the rest stays."""
        ident = self.ident(model)
        if self.metadata == {} and model.shows("empty-metadata-500") and model.user(ident):
            return Expected((500,))
        found = model.update_user(ident, self.names, self.metadata)
        return NOT_FOUND if found is None else Expected((200,), model.user_rule(found))


@dataclass(frozen=True)
class DeleteUser(_OnUser):
    """Delete a user with the user's sessions."""

    do: ClassVar[str] = "delete-user"

    def words(self) -> str:
        """Return what is done."""
        return f"delete the user {shown(self.user)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("DELETE", self.path(model))

    def expected(self, model: ZepModel) -> Expected:
        """Return that the user is deleted once."""
        return Expected((200,), "OK") if model.delete_user(self.ident(model)) else NOT_FOUND


@dataclass(frozen=True)
class ListSessionsOfUser(_OnUser):
    """List a user's sessions."""

    do: ClassVar[str] = "list-sessions-of-user"

    def words(self) -> str:
        """Return what is done."""
        return f"list the sessions of the user {shown(self.user)}"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return Request("GET", self.path(model, "sessions"))

    def comparable(self, body: Any) -> Any:
        """Return the list in an order of ours: a database gives its rows in any."""
        return in_order_of("session_id", body) if isinstance(body, list) else body

    def expected(self, model: ZepModel) -> Expected:
        """Return the user's, and nobody else's, in any order."""
        found = model.sessions_of(self.ident(model))
        rules = {one.ident: model.session_rule(one, of_user=True) for one in found}
        return Expected((200,), InAnyOrder(rules, "session_id", "sessions"))


ALL: tuple[type[Operation[ZepModel]], ...] = (
    CreateSession, FetchSession, ChangeSession, Write, ReadMemory, ClearSession, ListMessages, FetchMessage,
    ChangeMessage, CreateUser, FetchUser, ChangeUser, DeleteUser, ListSessionsOfUser,
)  # fmt: skip
"""Every operation."""
__all__ = ["ALL", "UNKNOWN", "ZERO_UUID", "Look", "Said"]
