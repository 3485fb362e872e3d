"""Kinds of sequences on Zep's memory API: sessions and memories; records of users and sessions; searches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from zep_conformance.reference.operations import Drawn, Kind, Operation, World
from zep_conformance.reference.zep import listing, search
from zep_conformance.reference.zep import operations as ops
from zep_conformance.reference.zep.model import ZepModel
from zep_conformance.reference.zep.paths import kept_id

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_NAMED = ("session", "elsewhere", "user", "after")
"""The fields of operations that are names."""
_PLACES = ("0", "1", "2")
"""What stands for the names of a family until that is drawn."""
FILLERS = tuple(ops.Said(("human", "ai")[number % 2], f"message {number}") for number in range(30))
"""Messages that fill a batch."""


def named(operation: Operation[Any], family: Sequence[str]) -> Operation[Any]:
    """Return an operation with the names of a family in it."""
    found = {name: getattr(operation, name, None) for name in _NAMED}
    names = {name: family[int(place) % len(family)] for name, place in found.items() if place is not None}
    return replace(operation, **names)  # type: ignore[type-var]


def batch(messages: tuple[ops.Said, ...], more: int, place: int) -> tuple[ops.Said, ...]:
    """Return messages with so many others among them, from a place on."""
    return messages[:place] + FILLERS[:more] + messages[place:]


_STALLS = "clearing-stalls-enrichment"


class _OfZep(Kind):
    """A kind whose model is that of Zep's memory API."""

    operations: ClassVar[tuple[type[Operation[Any]], ...]] = ops.ALL

    def model(self, world: World) -> ZepModel:
        """Return a Zep that remembers nothing."""
        return ZepModel(world)

    def sequences(self, how: Drawn) -> SearchStrategy[list[Operation[Any]]]:
        """Return what draws sequences on a few ids that are easily mixed up."""
        from hypothesis import strategies as st

        from zep_conformance.reference import drawing, values

        # What a client can't reach by a path it can't remove, either (DEV-9).
        families = [one for one in values.IDS if all(kept_id(name, how.behaviours) == name for name in one)]
        orders: SearchStrategy[Any] = st.sampled_from(families).flatmap(st.permutations)
        if how.wild:
            orders = orders | drawing.any_family().flatmap(st.permutations)
        # Places, of which some stay empty.
        steps = self.steps(how)
        first = [st.one_of(st.none(), *drawing.often(one, 7)) for one in self.beginning(steps)]
        places = st.tuples(*first, *[st.one_of(st.none(), *steps)] * (how.length - len(first)))
        return st.tuples(orders, places).map(
            lambda drawn: [named(one, drawn[0]) for one in drawn[1] if one is not None]
        )

    def draws(self, operation: Operation[Any], how: Drawn) -> bool:
        """Return whether it posts something where an empty post stalls everybody (DEV-1), and asks for something."""
        if isinstance(operation, ops.Write):
            return bool(operation.messages) or _STALLS not in how.behaviours
        if isinstance(operation, ops.ListMessages):
            return 0 not in (operation.limit, operation.cursor)
        return True

    @abstractmethod
    def steps(self, how: Drawn) -> list[SearchStrategy[Operation[Any]]]:
        """Return what draws one operation, one as likely as the other; names are places in a family."""

    def beginning(self, steps: list[SearchStrategy[Operation[Any]]]) -> list[SearchStrategy[Operation[Any]]]:
        """Return those of the steps that a sequence begins with: without them most others find nothing."""
        return steps[:1]


class Memories(_OfZep):
    """Writing, reading, paging, changing and deleting."""

    name = "memory"
    about = "operations on sessions and memories"

    def steps(self, how: Drawn) -> list[SearchStrategy[Operation[Any]]]:
        """Return what draws one operation; every second one writes or reads."""
        from hypothesis import strategies as st

        from zep_conformance.reference import drawing

        sessions = st.sampled_from(_PLACES)
        changes = drawing.metadata(reserved=True, empty="empty-metadata-500" not in how.behaviours)
        said = st.builds(
            ops.Said,
            role=drawing.roles(),
            content=drawing.texts(wild=how.wild),
            metadata=st.none() | drawing.metadata(),
            own=st.one_of(*drawing.often(st.none(), 4), st.integers(0, 10**9)),
            tokens=st.just(0) | st.integers(0, 99),
        )
        least = 1 if _STALLS in how.behaviours else 0
        few = min(3, how.batch)
        messages = st.lists(said, min_size=least, max_size=few).map(tuple)
        large = st.builds(batch, messages=messages, more=st.integers(0, how.batch - few), place=st.integers(0, few))
        at = st.integers(0, 40)
        limits, cursors = st.none() | st.integers(1, 12), st.none() | st.integers(1, 5)
        elsewhere = st.one_of(*drawing.often(st.none(), 4), sessions)
        write = st.builds(ops.Write, session=sessions, messages=messages)
        write_many = st.builds(ops.Write, session=sessions, messages=large)
        read = st.builds(ops.ReadMemory, session=sessions, lastn=st.none() | st.integers(0, 40))
        page = st.builds(ops.ListMessages, session=sessions, limit=limits, cursor=cursors)
        return [
            *drawing.often(write, 3), write_many, *drawing.often(read, 2), *drawing.often(page, 2),
            st.builds(ops.FetchMessage, session=sessions, at=at, elsewhere=elsewhere),
            st.builds(ops.ChangeMessage, session=sessions, at=at, elsewhere=elsewhere, metadata=changes),
            st.builds(ops.ClearSession, session=sessions),
            st.builds(ops.CreateSession, session=sessions, metadata=st.none() | drawing.metadata()),
            st.builds(ops.ChangeSession, session=sessions, metadata=changes),
            st.builds(ops.FetchSession, session=sessions),
        ]  # fmt: skip


class Records(_OfZep):
    """Users, their sessions, and the records of both."""

    name = "records"
    about = "operations on users and session records"
    operations: ClassVar[tuple[type[Operation[Any]], ...]] = (*ops.ALL, listing.ListSessions, listing.ListUsers)

    def steps(self, how: Drawn) -> list[SearchStrategy[Operation[Any]]]:
        """Return what draws one operation on users and sessions, whose ids are of the same family."""
        from hypothesis import strategies as st

        from zep_conformance.reference import drawing

        ids, users = st.sampled_from(_PLACES), st.sampled_from(_PLACES[:2])
        metadata = st.none() | drawing.metadata()
        changes = drawing.metadata(empty="empty-metadata-500" not in how.behaviours)
        name = st.just("") | drawing.texts(long=False, wild=how.wild)
        names = st.tuples(name, name, name)
        hello = st.builds(ops.Said, role=st.just("human"), content=drawing.texts(long=False, wild=how.wild))
        lists = [
            st.builds(one, after=ids, limit=st.integers(0, 4)) for one in (listing.ListSessions, listing.ListUsers)
        ]
        create_user = st.builds(ops.CreateUser, user=users, names=names, metadata=metadata)
        change_user = st.builds(ops.ChangeUser, user=users, names=names, metadata=st.none() | changes)
        owner = st.one_of(st.none(), *drawing.often(users, 4))
        create_session = st.builds(ops.CreateSession, session=ids, user=owner, metadata=metadata)
        return [
            *drawing.often(create_user, 2), *drawing.often(create_session, 3),
            *drawing.often(change_user, 3),
            st.builds(ops.ChangeSession, session=ids, metadata=changes),
            st.builds(ops.Write, session=ids, messages=st.tuples(hello)),
            st.builds(ops.FetchUser, user=ids),
            st.builds(ops.FetchSession, session=ids),
            st.builds(ops.ListSessionsOfUser, user=users),
            st.builds(ops.ClearSession, session=ids),
            st.builds(ops.DeleteUser, user=users),
            *(lists if how.listing else ()),
        ]  # fmt: skip

    def beginning(self, steps: list[SearchStrategy[Operation[Any]]]) -> list[SearchStrategy[Operation[Any]]]:
        """Return what makes two users, and three sessions."""
        return steps[:5]


SENTENCES = (
    "the sea is calm", "tea or coffee", "Grüße aus Paris", "海 is the sea", "the sea is calm today", "tea", "coffee",
    "the train to Porto leaves at noon", "who repairs violins", "TEA OR COFFEE", "tea or coffee?", "calm is the sea",
)  # fmt: skip
"""What is said and searched for: with words in common, and in one text each at least one."""


class Searches(_OfZep):
    """Writing, searching by likeness, by MMR and by metadata, and clearing."""

    name = "search"
    about = "operations on memories and searches"
    operations: ClassVar[tuple[type[Operation[Any]], ...]] = (*ops.ALL, search.AwaitFound, search.Search)

    def draws(self, operation: Operation[Any], how: Drawn) -> bool:
        """Return whether it is about something: neither a message nor a search without a text is embedded."""
        if isinstance(operation, search.Search):
            return operation.text != "" and operation.limit != 0 and (operation.text, operation.mood) != (None, None)
        if isinstance(operation, ops.Write) and not all(one.content for one in operation.messages):
            return False
        return super().draws(operation, how)

    def steps(self, how: Drawn) -> list[SearchStrategy[Operation[Any]]]:
        """Return what draws one operation; every second one searches."""
        from hypothesis import strategies as st

        from zep_conformance.reference import drawing

        sessions, sentences = st.sampled_from(_PLACES[:2]), st.sampled_from(SENTENCES)
        moods = st.none() | st.sampled_from(list(search.MOODS.values())).map(lambda mood: {"mood": mood})
        said = st.builds(ops.Said, role=st.sampled_from(("human", "ai")), content=sentences, metadata=moods)
        messages = st.lists(said, min_size=1, max_size=min(4, how.batch)).map(tuple)
        limits = st.none() | st.integers(1, 6)
        write = st.builds(ops.Write, session=sessions, messages=messages)
        found = st.builds(search.Search, session=sessions, text=sentences, limit=limits, mmr=st.booleans())
        by_mood = st.builds(
            search.Search,
            session=sessions,
            text=st.none() | sentences,
            limit=limits,
            mood=st.sampled_from(list(search.MOODS)),
        )
        return [
            *drawing.often(write, 2), *drawing.often(found, 2), by_mood,
            st.builds(ops.ClearSession, session=sessions),
            st.builds(ops.ReadMemory, session=sessions, lastn=st.just(40)),
        ]  # fmt: skip


MEMORIES = Memories()
RECORDS = Records()
SEARCHES = Searches()
