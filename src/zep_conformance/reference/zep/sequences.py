"""Kinds of sequences on Zep's memory API: sessions and memories; records of users and sessions; searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from zep_conformance.reference.operations import Drawn, Kind, Operation, World
from zep_conformance.reference.zep import operations as ops
from zep_conformance.reference.zep.model import ZepModel

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy


class _OfZep(Kind):
    """A kind whose model is that of Zep's memory API."""

    operations: ClassVar[tuple[type[Operation[Any]], ...]] = ops.ALL

    def model(self, world: World) -> ZepModel:
        """Return a Zep that remembers nothing."""
        return ZepModel(world)

    def sequences(self, how: Drawn) -> SearchStrategy[list[Operation[Any]]]:
        """Return what draws sequences on a few ids that are easily mixed up."""
        from hypothesis import strategies as st

        from zep_conformance.reference import values

        @st.composite
        def drawn(draw: DrawFn) -> list[Operation[Any]]:
            family = draw(values.ids())
            steps = st.lists(
                st.lists(self.step(family, how), min_size=1, max_size=4), min_size=1, max_size=how.length // 2
            )
            return [one for some in draw(steps) for one in some]

        return drawn()

    def step(self, family: tuple[str, ...], how: Drawn) -> SearchStrategy[Operation[Any]]:
        """Return what draws one operation on ids of a family."""
        raise NotImplementedError


class Memories(_OfZep):
    """Writing, reading, paging, changing and deleting."""

    name = "memory"
    about = "operations on sessions and memories"

    def step(self, family: tuple[str, ...], how: Drawn) -> SearchStrategy[Operation[Any]]:
        """Return what draws one operation; every second one writes or reads."""
        from hypothesis import strategies as st

        from zep_conformance.reference import values

        sessions = st.sampled_from(family)
        never_empty = "empty-metadata-500" not in how.behaviours
        changes = values.metadata(reserved=True, empty=never_empty)
        said = st.builds(
            ops.Said,
            role=values.roles(),
            content=values.texts(),
            metadata=st.none() | values.metadata(),
            own=st.none() | st.none() | st.integers(0, 10**9),
            tokens=st.just(0) | st.integers(0, 99),
        )
        least = 0 if "clearing-stalls-enrichment" not in how.behaviours else 1
        sizes = st.integers(least, min(4, how.batch)) | st.integers(least, how.batch)
        batches = sizes.flatmap(lambda size: st.lists(said, min_size=min(size, least), max_size=size)).map(tuple)
        at = st.integers(0, 40)
        elsewhere = st.none() | st.none() | sessions
        limits, cursors = st.none() | st.integers(1, 12), st.none() | st.integers(1, 5)
        write = st.builds(ops.Write, session=sessions, messages=batches)
        read = st.builds(ops.ReadMemory, session=sessions, lastn=st.none() | st.integers(0, 40))
        return st.one_of(
            write, write, write, read, read,
            st.builds(ops.ListMessages, session=sessions, limit=limits, cursor=cursors),
            st.builds(ops.FetchMessage, session=sessions, at=at, elsewhere=elsewhere),
            st.builds(ops.ChangeMessage, session=sessions, at=at, elsewhere=elsewhere, metadata=changes),
            st.builds(ops.ClearSession, session=sessions),
            st.builds(ops.CreateSession, session=sessions, metadata=st.none() | values.metadata()),
            st.builds(ops.ChangeSession, session=sessions, metadata=changes),
            st.builds(ops.FetchSession, session=sessions),
        )  # fmt: skip


class Records(_OfZep):
    """Users, their sessions, and the records of both."""

    name = "records"
    about = "operations on users and session records"

    def step(self, family: tuple[str, ...], how: Drawn) -> SearchStrategy[Operation[Any]]:
        """Return what draws one operation on users and sessions, whose ids are of the same family."""
        from hypothesis import strategies as st

        from zep_conformance.reference import values

        ids = st.sampled_from(family)
        never_empty = "empty-metadata-500" not in how.behaviours
        changes = values.metadata(empty=never_empty)
        name = st.just("") | values.texts(long=False)
        names = st.tuples(name, name, name)
        hello = st.builds(ops.Said, role=st.just("human"), content=values.texts(long=False))
        create_user = st.builds(ops.CreateUser, user=ids, names=names, metadata=st.none() | values.metadata())
        create_session = st.builds(
            ops.CreateSession, session=ids, user=ids | st.none(), metadata=st.none() | values.metadata()
        )
        return st.one_of(
            create_user, create_user, create_session, create_session, create_session,
            st.builds(ops.ChangeUser, user=ids, names=names, metadata=st.none() | changes),
            st.builds(ops.ChangeSession, session=ids, metadata=changes),
            st.builds(ops.Write, session=ids, messages=st.tuples(hello)),
            st.builds(ops.FetchUser, user=ids),
            st.builds(ops.FetchSession, session=ids),
            st.builds(ops.ListSessionsOfUser, user=ids),
            st.builds(ops.DeleteUser, user=ids),
            st.builds(ops.ClearSession, session=ids),
        )  # fmt: skip


MEMORIES = Memories()
RECORDS = Records()
