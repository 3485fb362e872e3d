"""What a Zep must remember, in plain Python: no server, no database, nothing that happens later.

A model is told what a client does and says what must come of it; a state machine then looks whether it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Metadata = Mapping[str, Any]

WINDOW = 12
"""Messages that a memory shows without lastn: no model is there, so that no summary comes in between."""


def merged(old: Metadata | None, new: Metadata) -> dict[str, Any]:
    """`old` with `new` over it, object by object."""
    both = dict(old or {})
    for key, value in new.items():
        before = both.get(key)
        is_pair = isinstance(before, Mapping) and isinstance(value, Mapping)
        both[key] = merged(before, value) if is_pair else value
    return both


def kept(value: Any) -> Any:
    """A value of metadata as it comes back: numbers as floats hold them, whole ones without a point, NUL as text."""
    if isinstance(value, str):
        return value.replace("\0", "\\u0000")
    if isinstance(value, int | float) and not isinstance(value, bool):
        exact = Decimal(repr(float(value)))
        return int(exact) if exact == exact.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {kept(key): kept(item) for key, item in value.items()}
    return [kept(item) for item in value] if isinstance(value, list) else value


def text(value: str) -> str:
    """A text as it comes back."""
    return value.replace("\0", "")


def open_to_clients(metadata: Metadata) -> Metadata:
    """What a client may change of a session's or message's metadata: all but the key `system`, which is Zep's."""
    return {key: value for key, value in metadata.items() if key != "system"}


@dataclass
class WrittenMessage:
    """A message. uuid: "" until a server has given it one. tokens: the count that was sent."""

    role: str
    content: str
    metadata: Metadata | None = None
    uuid: str = ""
    tokens: int = 0

    @property
    def counted(self) -> int:
        """Its token count once it has been counted: a quarter of its bytes, rounded up."""
        return -(-len(f"{self.role}: {self.content}".encode()) // 4)

    def change(self, metadata: Metadata) -> None:
        """Put metadata over its own, as a client may."""
        self.metadata = merged(self.metadata, open_to_clients(kept(metadata)))

    def store(self) -> None:
        """Become what comes back of it."""
        self.role, self.content, self.metadata = text(self.role), text(self.content), kept(self.metadata)


@dataclass
class Session:
    """A session's record. A cleared one is kept: used again, it is the same, without its messages.

    uuid: "" until a server has told it. cleared: uuids of messages that it had, which stay taken.
    """

    user: str | None = None
    metadata: Metadata | None = None
    deleted: bool = False
    messages: list[WrittenMessage] = field(default_factory=list)
    uuid: str = ""
    cleared: set[str] = field(default_factory=set)

    def delete(self) -> None:
        """Forget everything but the record."""
        self.cleared |= {message.uuid for message in self.messages}
        self.deleted, self.messages = True, []


@dataclass
class User:
    """A user's record. names: email, first and last name, "" where there is none."""

    names: tuple[str, str, str]
    metadata: Metadata | None = None


class ZepModel:
    """Sessions and users by id, in the order in which they were made."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.users: dict[str, User] = {}

    # -- sessions and their memory ------------------------------------------------------------------------------

    def session(self, ident: str) -> Session | None:
        """A session that is there."""
        found = self.sessions.get(ident)
        return None if found is None or found.deleted else found

    def create_session(self, ident: str, user: str | None, metadata: Metadata | None) -> int:
        """The status of making a session: its id may not be in use, nor have been, and its user must be there."""
        if ident in self.sessions or (user is not None and self.user(user) is None):
            return 400
        self.sessions[ident] = Session(user, kept(metadata))
        return 201

    def update_session(self, ident: str, metadata: Metadata | None) -> int:
        """The status of changing a session's metadata; a deleted session comes back."""
        found = self.sessions.get(ident)
        if found is None:
            return 404
        found.deleted = False
        if metadata is not None:
            found.metadata = merged(found.metadata, open_to_clients(kept(metadata)))
        return 200

    def write(self, ident: str, messages: Sequence[WrittenMessage]) -> int:
        """The status of writing messages: all of them, or none when a uuid is in use."""
        uuids = [message.uuid for message in messages if message.uuid]
        taken = {said.uuid for said in self.everything()}.union(*(one.cleared for one in self.sessions.values()))
        if len(set(uuids)) < len(uuids) or taken & set(uuids):
            return 400
        for message in messages:
            message.store()
        found = self.sessions.setdefault(ident, Session())
        found.deleted = False
        found.messages += messages
        return 200

    def delete_session(self, ident: str) -> int:
        """The status of deleting a session."""
        found = self.session(ident)
        if found is None:
            return 404
        found.delete()
        return 200

    def messages(self, ident: str) -> list[WrittenMessage]:
        """What a session holds, the oldest first."""
        found = self.sessions.get(ident)
        return found.messages if found else []

    def memory(self, ident: str, lastn: int | None) -> list[WrittenMessage]:
        """What reading a session's memory shows."""
        return self.messages(ident)[-(lastn or WINDOW) :]

    def page(self, ident: str, limit: int, cursor: int) -> tuple[list[WrittenMessage], int]:
        """(a page of a session's messages, how many it has, 0 for a page beyond them); limit 0: all in one page."""
        everything = self.messages(ident)
        first = max(0, cursor - 1) * limit
        shown = everything[first : first + limit] if limit else everything
        return shown, len(everything) if shown else 0

    def everything(self) -> Iterator[WrittenMessage]:
        """Every message of every session."""
        for session in self.sessions.values():
            yield from session.messages

    # -- users --------------------------------------------------------------------------------------------------

    def user(self, ident: str) -> User | None:
        """A user who is there."""
        return self.users.get(ident)

    def create_user(self, ident: str, names: tuple[str, str, str], metadata: Metadata | None) -> int:
        """The status of making a user; the id of a deleted one is free again."""
        if ident in self.users:
            return 400
        self.users[ident] = User(_texts(names), kept(metadata))
        return 201

    def update_user(self, ident: str, names: tuple[str, str, str], metadata: Metadata | None) -> int:
        """The status of changing a user: what is empty stays as it was."""
        found = self.user(ident)
        if found is None:
            return 404
        first, second, third = (new or old for new, old in zip(_texts(names), found.names, strict=True))
        found.names = first, second, third
        if metadata is not None:
            found.metadata = merged(found.metadata, kept(metadata))
        return 200

    def delete_user(self, ident: str) -> int:
        """The status of deleting a user, whose sessions go, too, records and all."""
        if self.users.pop(ident, None) is None:
            return 404
        self.sessions = {name: session for name, session in self.sessions.items() if session.user != ident}
        return 200

    def sessions_of(self, user: str) -> list[str]:
        """The ids of a user's sessions, the oldest first."""
        return [ident for ident, session in self.sessions.items() if session.user == user and not session.deleted]


def _texts(names: tuple[str, str, str]) -> tuple[str, str, str]:
    first, second, third = map(text, names)
    return first, second, third
