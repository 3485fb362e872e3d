"""All that the embedded Zep remembers, in one place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.messages import Messages
from zep_conformance.embedded.zep.sessions import Sessions
from zep_conformance.embedded.zep.summaries import Summaries
from zep_conformance.embedded.zep.tasks import Tasks
from zep_conformance.embedded.zep.users import Users


class Store:
    """The tables, opened together on one file. Raises sqlite3.Error when it can't be opened."""

    def __init__(self, path: Path, departures: Departures) -> None:
        self.departures = departures
        self.database = Database(path, departures)
        self.tasks = Tasks(self.database)
        self.sessions = Sessions(self.database, departures)
        self.users = Users(self.database, departures, self.sessions)
        self.messages = Messages(self.database, departures, self.sessions, self.tasks)
        self.summaries = Summaries(self.database, departures, self.tasks)

    def transaction(self) -> AbstractContextManager[None]:
        """See Database.transaction."""
        return self.database.transaction()

    def close(self) -> None:
        """Close the file."""
        self.database.close()
