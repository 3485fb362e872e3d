"""All that the embedded Zep remembers, in one place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.messages import Messages
from zep_conformance.embedded.zep.sessions import Sessions
from zep_conformance.embedded.zep.summaries import Summaries
from zep_conformance.embedded.zep.tasks import Tasks
from zep_conformance.embedded.zep.users import Users


class Store:
    """The tables, opened together on one file. Raises sqlite3.Error when it can't be opened."""

    def __init__(self, path: Path, behaviours: Behaviours) -> None:
        self.behaviours = behaviours
        self.database = Database(path)
        self.tasks = Tasks(self.database)
        self.sessions = Sessions(self.database, behaviours)
        self.users = Users(self.database, behaviours=behaviours, sessions=self.sessions)
        self.messages = Messages(self.database, behaviours=behaviours, sessions=self.sessions, tasks=self.tasks)
        self.summaries = Summaries(self.database, behaviours=behaviours, tasks=self.tasks)

    def transaction(self) -> AbstractContextManager[None]:
        """Do all of a block or nothing, see `Database.transaction`."""
        return self.database.transaction()

    def close(self) -> None:
        """Close the file."""
        self.database.close()
