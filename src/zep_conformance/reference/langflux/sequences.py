"""The kind of sequence that chats through LangFlux are: several users, who talk, list and clear under odd ids."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from zep_conformance.reference.langflux import operations as ops
from zep_conformance.reference.langflux.model import QUESTION, ChatsModel
from zep_conformance.reference.operations import Drawn, Kind, Operation, World

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_SAFE = re.compile(r"[\w .~-]*")
"""Ids that every client escapes alike."""
_ESCAPED_APART = {"unescaped-session-id", "path-ids-stay-escaped"}
"""Recorded behaviours with which others are other sessions to other clients (DEV-2, DEV-9)."""
Ids = tuple[str | None, str | None]
_NAMES, _MADE = ("0", "1", "2"), ("made-0", "made-1")
"""What stands for the names of a family until that is drawn, and for chats that LangFlux makes up."""
_SESSIONS: tuple[Ids, ...] = tuple((name, None) for name in _NAMES)
_CHATS: tuple[Ids, ...] = tuple((None, name) for name in (*_NAMES, *_MADE))
_BOTH: tuple[Ids, ...] = tuple((session, chat) for session in _NAMES for chat in _NAMES)
_TALKING = (*_SESSIONS, (None, None), *_SESSIONS, (None, None), *_CHATS, *_BOTH)
"""The ids that are talked under: a session's, none, a chat's, or both."""
_LOOKING = (*_SESSIONS, *_CHATS, *_BOTH)
"""Those that are listed and cleared; by neither would be everybody's."""


def _kept_alike(names: tuple[str, ...], behaviours: frozenset[str]) -> bool:
    """Return whether LangFlux and other clients of Zep mean the same sessions by such names."""
    return _ESCAPED_APART.isdisjoint(behaviours) or all(_SAFE.fullmatch(name) for name in names)


def _named(operation: Operation[Any], family: tuple[str, ...]) -> Operation[Any]:
    """Return an operation with the names of a family in place of their numbers."""
    found = {name: getattr(operation, name, None) for name in ("session", "chat")}
    names = {name: family[int(at) % len(family)] for name, at in found.items() if at is not None and at.isdecimal()}
    return replace(operation, **names)  # type: ignore[type-var]


class Chats(Kind):
    """Talking, plain and streamed, with session ids, chat ids, both and neither; listing and clearing by either."""

    name = "chats"
    about = "chats of several users with a chatbot, with clears"
    parts = ("langflux", "zep")
    operations: ClassVar[tuple[type[Operation[Any]], ...]] = ops.ALL

    def model(self, world: World) -> ChatsModel:
        """Return chatbots to which nobody has said anything."""
        return ChatsModel(world)

    def draws(self, operation: Operation[Any], how: Drawn) -> bool:  # noqa: ARG002  (whatever the server)
        """Return whether it asks something, and lists or clears under an id: by none would be everybody's."""
        if isinstance(operation, ops.Talk):
            return bool(operation.question)
        if isinstance(operation, ops.ListChatMessages | ops.Clear):
            return (operation.session, operation.chat) != (None, None)
        return True

    def sequences(self, how: Drawn) -> SearchStrategy[list[Operation[Any]]]:
        """Return what draws sequences on a few ids that are easily mixed up."""
        from hypothesis import strategies as st

        from zep_conformance.reference import values

        families = [one for one in values.IDS if _kept_alike(one, how.behaviours)]
        orders = st.sampled_from(families).flatmap(st.permutations)
        # What PostgreSQL and SQLite keep otherwise, and what is no question.
        spoken = [text for text in values.TEXTS if text and "\0" not in text]
        questions = st.sampled_from(["my name is Ada", QUESTION, "my name is Bo", QUESTION, *spoken])
        bots, streamed = st.integers(0, 1), st.booleans() if how.streams else st.just(False)

        def of(operation: type[Operation[Any]], ids: tuple[Ids, ...], **fields: Any) -> SearchStrategy[Operation[Any]]:
            return st.sampled_from(ids).flatmap(
                lambda both: st.builds(
                    operation, chatbot=bots, session=st.just(both[0]), chat=st.just(both[1]), **fields
                )
            )

        # One as likely as the other, and an object each: the same one twice would count once.
        places = st.tuples(
            *[
                st.one_of(
                    st.none(),
                    *(of(ops.Talk, _TALKING, question=questions, streamed=streamed) for _ in range(6)),
                    *(of(ops.Clear, _LOOKING) for _ in range(2)),
                    of(ops.ListChatMessages, _LOOKING, newest_first=st.booleans()),
                    st.builds(ops.ReadRemembered, session=st.sampled_from(_NAMES)),
                )
            ]
            * how.length
        )
        return st.tuples(orders, places).map(
            lambda drawn: [_named(one, tuple(drawn[0])) for one in drawn[1] if one is not None]
        )


CHATS = Chats()
