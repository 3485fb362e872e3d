"""What a reading of a session's memory must be: the newest messages, and a summary once there can be one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zep_conformance.reference.rules import (
    ANYTHING,
    ZERO_TIME,
    ZERO_UUID,
    Cell,
    Difference,
    Fields,
    Holds,
    Listed,
    OwnTime,
    OwnUuid,
    Rule,
    Seen,
    shown,
)
from zep_conformance.reference.zep.model import KnownSession, ZepModel

_COUNT = Holds("a whole number", lambda came: isinstance(came, int) and not isinstance(came, bool) and came >= 0)
NO_SUMMARY = Fields(
    {"uuid": ZERO_UUID, "created_at": ZERO_TIME, "content": "", "recent_message_uuid": ZERO_UUID, "token_count": 0}
)
"""What stands for a summary where there is none."""


@dataclass(frozen=True)
class MemoryRule(Rule):
    """The newest `lastn` messages; without it those since the summary, at most a window of them.

    A summary may come when the messages since the last one reach the window: when it does is not told, but that it
    names the newest message that it covers, stays as it is, and never goes back.
    """

    model: ZepModel
    ident: str
    lastn: int | None

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield what is wrong with messages and summary."""
        if not isinstance(came, Mapping) or not isinstance(came.get("messages"), list):
            yield Difference(where, "an object with messages and a summary", shown(came))
            return
        session = self.model.sessions.get(self.ident) or KnownSession(self.ident)
        summary = came.get("summary")
        content = summary.get("content") if isinstance(summary, Mapping) else None
        covered: int | None = 0
        rule = NO_SUMMARY
        if isinstance(summary, Mapping) and content and len(session.messages) >= self.model.world.window:
            covered = self._covered(session, summary)
            if covered is None:
                yield Difference("summary.recent_message_uuid", "a message of this session", shown(summary))
                return
            if covered < session.covered:
                yield Difference("summary", f"to cover {session.covered} messages, as before, or more", str(covered))
                return
            session.covered = covered
            rule = self._summary(session, covered)
        elif session.covered:
            yield Difference("summary", "to be there, as before", shown(summary))
            return
        since = session.messages[covered:][-self.model.world.window :]
        newest = session.messages[-self.lastn :] if self.lastn else since
        messages = Listed([one.rule(self.model.taken) for one in newest], "messages")
        yield from Fields({"messages": messages, "summary": rule}).differences(came, where, seen)

    def _covered(self, session: KnownSession, summary: Mapping[str, Any]) -> int | None:
        """Return how many messages a summary covers, None where it names none of the session's."""
        newest = summary.get("recent_message_uuid")
        for number, one in enumerate(session.messages, start=1):
            if one.uuid.value == newest:
                return number
        return None

    def _summary(self, session: KnownSession, covered: int) -> Fields:
        uuid, created = session.summaries.setdefault(covered, (Cell(), Cell()))
        return Fields(
            {
                "uuid": OwnUuid(uuid, self.model.taken),
                "created_at": _since_written(created, session, covered),
                "content": Holds("a text", lambda came: isinstance(came, str) and came != ""),
                "recent_message_uuid": session.messages[covered - 1].uuid.value,
                "token_count": _COUNT,
            },
            {"metadata": ANYTHING},
        )


def _since_written(cell: Cell, session: KnownSession, covered: int) -> Rule:
    """Return the rule for a summary's time: not before the newest message that it covers, and then the same."""
    cell.since = cell.since or session.messages[covered - 1].created.since
    return _Since(cell)


@dataclass(frozen=True)
class _Since(Rule):
    cell: Cell

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        began = (self.cell.since or seen).began
        window = Cell(since=Seen(began, seen.ended))
        found = [*OwnTime(window).differences(came, where, seen)]
        yield from found or self.cell.same(came, where)
