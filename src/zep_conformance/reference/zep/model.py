"""What a Zep must remember, in plain Python: no server, no database, nothing that happens later.

It is told what a client does, and says what must come of it. What documentation, recordings and measurements say of
sessions, messages and users is here; how they are asked for is in `operations`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zep_conformance.reference.operations import Expected, World
from zep_conformance.reference.rules import (
    ZERO_TIME,
    Cell,
    Difference,
    Exactly,
    Fields,
    Holds,
    LaterTime,
    OneOf,
    OwnNumber,
    OwnTime,
    OwnUuid,
    Rule,
    is_number,
    shown,
    time_of,
)
from zep_conformance.reference.zep.paths import kept_id

if TYPE_CHECKING:
    from zep_conformance.reference.zep.operations import Look

Metadata = Mapping[str, Any]
NAMES = ("email", "first_name", "last_name")
"""What a user's record has beside its id."""
_NONE: tuple[Any, ...] = (None, {})
EMPTY = Holds("no metadata", lambda came: came in _NONE)


def merged(old: Metadata | None, new: Metadata) -> dict[str, Any]:
    """Return `old` with `new` over it, object by object; lists and null replace."""
    both = dict(old or {})
    for key, value in new.items():
        before = both.get(key)
        is_pair = isinstance(before, Mapping) and isinstance(value, Mapping)
        both[key] = merged(before, value) if is_pair else value
    return both


def open_to_clients(metadata: Metadata) -> Metadata:
    """Return what a client may change of a session's or message's metadata: all but the key `system`, Zep's own."""
    return {key: value for key, value in metadata.items() if key != "system"}


def kept(value: Any) -> Any:
    """Return metadata as a store keeps them: a NUL character in a text is spelt out."""
    if isinstance(value, str):
        return value.replace("\0", "\\u0000")
    if isinstance(value, Mapping):
        return {kept(key): kept(one) for key, one in value.items()}
    return [kept(one) for one in value] if isinstance(value, list | tuple) else value


def metadata_of_record(known: Metadata | None) -> Rule:
    """Return the rule for a record's metadata."""
    return Exactly(kept(known)) if known else EMPTY


@dataclass(frozen=True)
class WithoutSystem(Rule):
    """Metadata as they were written; what enrichment adds under `system` comes when it comes.

    forged: what clients have tried to write there.
    """

    known: Metadata
    forged: Sequence[Any] = ()

    def differences(self, came: Any, where: str, seen: Any) -> Iterator[Any]:
        """Yield that they are others."""
        if not isinstance(came, Mapping):
            yield from Exactly(self.known).differences(came, where, seen)
            return
        system = came.get("system")
        if system is not None and any(_is_in(one, system) for one in self.forged):
            yield Difference(f"{where}['system']", "nothing that a client wrote", shown(system))
        own = came if "system" in self.known else {key: came[key] for key in came if key != "system"}
        for key in sorted(self.known.keys() | own.keys()):
            place = f"{where}[{key!r}]"
            if key not in own:
                yield from Exactly(self.known[key]).differences("(nothing)", place, seen)
            elif key not in self.known:
                yield from Exactly("(nothing)").differences(own[key], place, seen)
            else:
                yield from Exactly(self.known[key]).differences(own[key], place, seen)


def _is_in(forged: Any, system: Any) -> bool:
    if isinstance(forged, Mapping) and isinstance(system, Mapping):
        return any(system.get(name) == one for name, one in forged.items())
    return bool(forged == system)


@dataclass
class KnownMessage:
    """A message. tokens: the count that was sent. uuid, created: what the server made up. forged: what
    clients have tried to write into its `system` metadata.

    A NUL character in its texts is dropped.
    """

    role: str
    content: str
    metadata: Metadata | None = None
    tokens: int = 0
    uuid: Cell = field(default_factory=Cell)
    created: Cell = field(default_factory=Cell)
    forged: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Drop what no store holds."""
        self.role, self.content = self.role.replace("\0", ""), self.content.replace("\0", "")

    def rule(self, taken: dict[str, Cell]) -> Rule:
        """Return what a reading of it must be. taken: the uuids that were seen, with their owners."""
        most = max(self.tokens, len(f"{self.role}: {self.content}".encode()) + 8)
        fields: dict[str, Any] = {
            "uuid": OwnUuid(self.uuid, taken),
            "created_at": OwnTime(self.created),
            # Never filled in by 0.27.2.
            "updated_at": OneOf((Exactly(ZERO_TIME), Holds("a time", lambda came: time_of(came) is not None))),
            "role": self.role,
            "content": self.content,
            "token_count": Holds(f"a whole number from 0 to {most}", lambda came: _is_count(came, most)),
        }
        # Left out where there are none, and then there are only those of enrichment.
        metadata = WithoutSystem(kept(self.metadata or {}), self.forged)
        if self.metadata:
            return Fields(fields | {"metadata": metadata})
        return Fields(fields, {"metadata": metadata})


def _is_count(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


@dataclass
class _Record:
    """What records of sessions and of users have in common. ident: their id, as Zep keeps it."""

    ident: str
    metadata: Metadata | None = None
    deleted: bool = False
    uuid: Cell = field(default_factory=Cell)
    number: Cell = field(default_factory=Cell)
    created: Cell = field(default_factory=Cell)
    updated: Cell = field(default_factory=Cell)

    def common(self, before: Sequence[_Record], taken: dict[str, Cell]) -> dict[str, Any]:
        """Return the rules for what every record has. before: those of its kind that were made before."""
        return {
            "uuid": OwnUuid(self.uuid, taken),
            "id": OwnNumber(self.number, [one.number for one in before]),
            "created_at": OwnTime(self.created),
            "updated_at": LaterTime(self.updated),
            "deleted_at": None,
        }


@dataclass
class KnownSession(_Record):
    """A session's record and its messages. A deleted one is kept: used again it is the same, without its messages.

    spent: the uuids of messages that were cleared, which stay taken. summaries: the cells of the uuid and the time of
    each, by the number of messages that it covers. covered: how many the newest one covers that was seen. searchable:
    messages, from the oldest on, that are known to be embedded.
    """

    user: str | None = None
    messages: list[KnownMessage] = field(default_factory=list)
    spent: set[str] = field(default_factory=set)
    summaries: dict[int, tuple[Cell, Cell]] = field(default_factory=dict)
    covered: int = 0
    searchable: int = 0

    def clear(self) -> None:
        """Forget everything but the record."""
        self.spent |= {said.uuid.value for said in self.messages if said.uuid.value}
        self.deleted, self.messages, self.summaries = True, [], {}
        self.covered = self.searchable = 0


@dataclass
class KnownUser(_Record):
    """A user's record. names: email, first and last name, "" where there is none."""

    names: tuple[str, str, str] = ("", "", "")


class ZepModel:
    """Sessions and users by the id that Zep keeps, in the order in which they were made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: dict[str, KnownSession] = {}
        self.users: dict[str, KnownUser] = {}
        self.taken: dict[str, Cell] = {}
        """Every uuid that was seen, with the cell that it is the value of."""
        self.looked_for: set[str] = set()
        """The sessions, by their names in the sequence, that something was done to."""
        self.users_looked_for: set[str] = set()

    def shows(self, behaviour: str) -> bool:
        """Return whether the server is known to show a recorded behaviour."""
        return behaviour in self.world.behaviours

    def refused(self, documented: int, behaviour: str, recorded: int = 500) -> Expected:
        """Return that something is refused: as documented, or as a version with a recorded behaviour does."""
        return Expected((recorded, documented) if self.shows(behaviour) else (documented,))

    def in_path(self, name: str) -> str:
        """Return the id that Zep keeps where a name of the sequence stands in a path."""
        return kept_id(self.world.name(name), self.world.behaviours)

    # -- sessions and their memory ------------------------------------------------------------------------------

    def session(self, ident: str) -> KnownSession | None:
        """Return a session that is there."""
        found = self.sessions.get(ident)
        return None if found is None or found.deleted else found

    def made_before(self, ident: str) -> list[KnownSession]:
        """Return the sessions that were made before one."""
        known = list(self.sessions.values())
        return known[: list(self.sessions).index(ident)]

    def session_rule(self, session: KnownSession, *, of_user: bool = False) -> Rule:
        """Return what a reading of a session's record must be. of_user: in the list of a user's."""
        common = session.common(self.made_before(session.ident), self.taken)
        if of_user and self.shows("user-sessions-without-numbers"):
            common["id"] = OneOf((Exactly(0), common["id"]))
        metadata = metadata_of_record(session.metadata)
        return Fields({**common, "session_id": session.ident, "metadata": metadata, "user_id": session.user})

    def create_session(self, ident: str, user: str | None, metadata: Metadata | None) -> KnownSession | None:
        """Make a session; return it, None where its id is in use, or has been, or its user is not there."""
        if ident in self.sessions or (user is not None and self.user(user) is None):
            return None
        self.sessions[ident] = KnownSession(ident, metadata, user=user)
        return self.sessions[ident]

    def update_session(self, ident: str, metadata: Metadata) -> KnownSession | None:
        """Merge metadata into a session's; return it, None where it never was. A deleted session comes back."""
        found = self.sessions.get(ident)
        if found is None:
            return None
        found.deleted = False
        found.metadata = merged(found.metadata, open_to_clients(metadata))
        return found

    def write(self, ident: str, messages: Sequence[KnownMessage]) -> KnownSession | None:
        """Write messages, all of them; return the session, None (and nothing is written) where a uuid is in use."""
        uuids = [one.uuid.value for one in messages if one.uuid.value]
        in_use = {said.uuid.value for said in self.everything_said()}
        in_use = in_use.union(*(one.spent for one in self.sessions.values()))
        if len(set(uuids)) < len(uuids) or in_use & set(uuids):
            if self.shows("duplicate-uuid-500"):
                self.sessions.setdefault(ident, KnownSession(ident)).deleted = False
            return None
        found = self.sessions.setdefault(ident, KnownSession(ident))
        found.deleted = False
        found.messages += messages
        self.taken |= {one.uuid.value: one.uuid for one in messages if one.uuid.value}
        return found

    def delete_session(self, ident: str) -> bool:
        """Delete a session with all that it holds; return whether there was one."""
        found = self.session(ident)
        if found is not None:
            found.clear()
        return found is not None

    def messages(self, ident: str) -> list[KnownMessage]:
        """Return what a session holds, the oldest first."""
        found = self.sessions.get(ident)
        return found.messages if found else []

    def page(self, ident: str, limit: int, cursor: int) -> tuple[list[KnownMessage], int]:
        """Return (a page of a session's messages, how many it has, 0 for a page beyond them); limit 0: all in one."""
        everything = self.messages(ident)
        first = max(0, cursor - 1) * limit
        shown = everything[first : first + limit] if limit else everything
        return shown, len(everything) if shown else 0

    def everything_said(self) -> Iterator[KnownMessage]:
        """Yield every message of every session."""
        for session in self.sessions.values():
            yield from session.messages

    # -- users --------------------------------------------------------------------------------------------------

    def user(self, ident: str) -> KnownUser | None:
        """Return a user who is there."""
        return self.users.get(ident)

    def user_rule(self, user: KnownUser) -> Rule:
        """Return what a reading of a user's record must be: what is empty is left out."""
        known = list(self.users.values())
        before = known[: [one is user for one in known].index(True)]
        fields = {**user.common(before, self.taken), "user_id": user.ident}
        named = {name: value.replace("\0", "") for name, value in zip(NAMES, user.names, strict=True) if value}
        empty = {name: "" for name, value in zip(NAMES, user.names, strict=True) if not value}
        if user.metadata:
            return Fields({**fields, **named, "metadata": kept(user.metadata)}, empty)
        return Fields({**fields, **named}, {**empty, "metadata": EMPTY})

    def create_user(self, ident: str, names: tuple[str, str, str], metadata: Metadata | None) -> KnownUser | None:
        """Make a user; return the record, None where the id is in use."""
        if ident in self.users:
            return None
        self.users[ident] = KnownUser(ident, metadata, names=names)
        return self.users[ident]

    def update_user(self, ident: str, names: tuple[str, str, str], metadata: Metadata | None) -> KnownUser | None:
        """Change a user: what is empty stays as it was. Return the record, None where there is none."""
        found = self.user(ident)
        if found is None:
            return None
        first, second, third = (new or old for new, old in zip(names, found.names, strict=True))
        found.names = first, second, third
        if metadata is not None:
            found.metadata = merged(found.metadata, metadata)
        return found

    def delete_user(self, ident: str) -> bool:
        """Delete a user, and forget the user's sessions as though they had never been; return whether there was one."""
        if self.users.pop(ident, None) is None:
            return False
        self.sessions = {name: one for name, one in self.sessions.items() if one.user != ident}
        return True

    def sessions_of(self, user: str) -> list[KnownSession]:
        """Return a user's sessions that are there, the oldest first."""
        return [one for one in self.sessions.values() if one.user == user and not one.deleted]

    # -- when a sequence is over --------------------------------------------------------------------------------

    def everything(self) -> list[Look]:
        """Return the operations that look at all that anything was done to: what was done to one did nothing else."""
        from zep_conformance.reference.zep import operations as ops

        looks: list[Look] = []
        for name in sorted(self.looked_for):
            looks += [ops.FetchSession(name), ops.ListMessages(name)]
        for name in sorted(self.users_looked_for):
            looks += [ops.FetchUser(name), ops.ListSessionsOfUser(name)]
        return looks


__all__ = ["KnownMessage", "KnownSession", "KnownUser", "ZepModel", "is_number", "merged"]
