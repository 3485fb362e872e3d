"""The task queue: a table, so that no task is lost when the server is killed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from zep_conformance.embedded.zep.database import Database

MESSAGE_TOPICS = ("tokens", "embedding", "entities", "intent", "summary")
"""What is done with every post of messages; first and last are row ids of messages."""
SUMMARY_TOPICS = ("summary_embedding", "summary_entities")
"""What is done with every summary; first and last are its row id."""

_TAKE = "SELECT id, topic, session_id, first, last FROM tasks WHERE topic = ? ORDER BY id LIMIT ?"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do for the rows from `first` to `last` of a session."""

    id: int
    topic: str
    session_id: str
    first: int
    last: int


class Tasks:
    """The tasks table. Tasks stay in it until they are finished.

    on_added: called with each topic that got a task, so that its worker wakes up.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.on_added: Callable[[str], None] = lambda _topic: None

    def add(self, topics: Iterable[str], session_id: str, first: int, last: int) -> None:
        """Queue a task for each topic. Part of a transaction."""
        for topic in topics:
            self._db.execute(
                "INSERT INTO tasks (topic, session_id, first, last) VALUES (?, ?, ?, ?)",
                (topic, session_id, first, last),
            )
            self.on_added(topic)

    def take(self, topic: str, limit: int, skip: Collection[int] = ()) -> list[Task]:
        """Return the oldest tasks of a topic, without those in `skip` (ids). They stay queued until finished."""
        rows = self._db.execute(_TAKE, (topic, limit + len(skip))).fetchall()
        return [Task(*row) for row in rows if row[0] not in skip][:limit]

    def finish(self, tasks: Iterable[Task]) -> None:
        """Remove tasks: in the transaction that stores what came of them."""
        self._db.executemany("DELETE FROM tasks WHERE id = ?", ((task.id,) for task in tasks))
