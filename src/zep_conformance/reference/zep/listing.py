"""Lists of everybody's sessions and users, in the reference model: only for servers of a run's own.

Others may be in such a list, too, before, among and after those of a sequence: only the latter are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from zep_conformance.reference.operations import Expected, Operation, Request
from zep_conformance.reference.rules import Cell, Difference, Listed, Rule, Seen, shown
from zep_conformance.reference.zep.model import ZepModel
from zep_conformance.reference.zep.operations import FetchSession, FetchUser
from zep_conformance.reference.zep.paths import path

UNKNOWN_LIMIT = 6
"""Records that are listed at most where it is not known from which on."""


@dataclass(frozen=True)
class OursRule(Rule):
    """A list in which the records of a sequence stand in the order in which they were made; a page of it, with a limit.

    key: the field that has their id. prefix: what the ids of a sequence begin with.
    """

    rules: Sequence[Rule]
    key: str
    prefix: str
    limit: int

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield that some lack, are too many, or are not as they must be."""
        if not isinstance(came, list) or not all(isinstance(one, Mapping) for one in came):
            yield Difference(where, "a list of records", shown(came))
            return
        if self.limit and len(came) > self.limit:
            yield Difference(where, f"at most {self.limit} records", str(len(came)))
        ours = [one for one in came if str(one.get(self.key)).startswith(self.prefix)]
        is_full = bool(self.limit) and len(came) >= self.limit
        yield from Listed(self.rules[: len(ours)] if is_full else self.rules, "records").differences(ours, where, seen)


@dataclass(frozen=True)
class _List(Operation[ZepModel]):
    """A list of records, from the one after `after` on. limit: 0 for all of them."""

    after: str | None = None
    limit: int = UNKNOWN_LIMIT
    of: ClassVar[str]
    key: ClassVar[str]

    def words(self) -> str:
        """Return what is done."""
        what = self.of.removesuffix("s") + "s"
        start = f" that were made after {shown(self.after)}" if self.after is not None else ""
        return f"list the {what}{start}, {f'at most {self.limit}' if self.limit else 'all of them'}"

    def known(self, model: ZepModel) -> Mapping[str, Any]:
        """Return the records of the kind that is listed."""
        return model.sessions if self.of == "sessions" else model.users

    def cursor(self, model: ZepModel) -> Cell | None:
        """Return the number from which on it is listed."""
        found = None if self.after is None else self.known(model).get(model.in_path(self.after))
        return None if found is None else found.number

    def needs(self, model: ZepModel) -> Sequence[Operation[ZepModel]]:
        """Return that the record is fetched, where its number is not known."""
        cursor = self.cursor(model)
        if cursor is None or cursor.value is not None or self.after is None:
            return ()
        return (FetchSession(self.after),) if self.of == "sessions" else (FetchUser(self.after),)

    def asked(self, model: ZepModel) -> tuple[int | None, int]:
        """Return the cursor, None for the beginning, and the limit."""
        cursor = self.cursor(model)
        number = None if cursor is None else cursor.value
        return number, self.limit if number is not None else self.limit or UNKNOWN_LIMIT

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        number, limit = self.asked(model)
        return Request("GET", path(self.of, limit=limit, cursor=number))

    def expected(self, model: ZepModel) -> Expected:
        """Return those of the sequence."""
        number, limit = self.asked(model)
        known = list(self.known(model).values())
        if number is not None:
            at = next(place for place, one in enumerate(known) if one.number.value == number)
            known = known[at + 1 :]
        rule = model.session_rule if self.of == "sessions" else model.user_rule
        rules = [rule(one) for one in known if not one.deleted]
        return Expected((200,), OursRule(rules, self.key, f"{model.world.prefix}-", limit))


class ListSessions(_List):
    """List everybody's sessions."""

    do: ClassVar[str] = "list-sessions"
    of, key = "sessions", "session_id"


class ListUsers(_List):
    """List everybody's users."""

    do: ClassVar[str] = "list-users"
    of, key = "user", "user_id"
