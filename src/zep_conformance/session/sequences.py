"""Sequences of operations on the parts of a run: within what a run may send, and removed again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from zep_conformance.clients.zep import Zep
from zep_conformance.facts.recorded_behaviours import shown_by
from zep_conformance.recordings.removal import EnrichmentQueue, Removals
from zep_conformance.recordings.server import ReplayServer
from zep_conformance.reference.carrying import Outcome, Server, carry_out, sender_of
from zep_conformance.reference.kept import Curl, curl_of
from zep_conformance.reference.operations import Drawn, Kind, Operation, Request, World
from zep_conformance.session.run import Run

SMALL = 2
"""Messages in one write on a remote target, at most: as many as a turn of a chat has (DEV-15)."""
LARGE = 30
"""The same on parts that are a run's own."""

Noted = Callable[[Request, httpx.Response], None]
"""Is told of each exchange, which may have made something."""


class Place:
    """One Zep that sequences are carried out on.

    Nothing is cleared, and no message changed, in a real one before it is enriched (DEV-1, DEV-16).

    real: whether it may do as real ones do. note: is told of each exchange; without one `remove` removes what they
    made.
    """

    def __init__(self, *, zep: Zep, prefix: str, real: bool, patience: float, note: Noted | None = None) -> None:
        self.zep, self._patience = zep, patience
        self.queue = EnrichmentQueue(zep if real else None, prefix=f"{prefix}-", limit=patience)
        self._here = ReplayServer(part="zep", url=zep.url, version="", client=zep.wire)
        self._removals = Removals(self._here, self.queue)
        self._note = note or self._made
        self.servers = {"zep": self._server(zep.wire)}

    def remove(self) -> list[str]:
        """Remove what was made, after it has settled; return what could not be removed, and why."""
        left = self._removals.remove()
        self._removals = Removals(self._here, self.queue)
        return left

    def _made(self, request: Request, answer: httpx.Response) -> None:
        self._removals.note(self._here, request.method, request.path, request.body, answer)

    def _server(self, client: httpx.Client) -> Server:
        asked = sender_of(client)

        def before(request: Request) -> None:
            session, messages, _ = request.path.partition("/messages/")
            changes = messages and request.method == "PATCH" and self.queue.is_enriching(f"{session}/memory")
            if changes or self.queue.holds_back(_as_recorded(request)):
                self.queue.settle()

        def send(request: Request) -> httpx.Response:
            self.queue.note(_as_recorded(request))
            answer = asked(request)
            self._note(request, answer)
            return answer

        return Server(send, before, self._patience)


class OnDeployment:
    """Carries sequences out on the Zep of a run, each under names of its own.

    note: is told of each exchange. batch: messages in one write, at most, where it is another number than usual.
    """

    _numbers = itertools.count(1)

    def __init__(self, *, run: Run, zep: Zep, note: Noted | None = None, batch: int | None = None) -> None:
        self._run = run
        found = run.deployment.zep
        real = found is not None and not found.documented
        self.behaviours = shown_by("zep", found.version) if found is not None and real else frozenset[str]()
        is_remote = run.deployment.target == "remote"
        most = batch or (SMALL if is_remote else LARGE)
        self.how = Drawn(batch=most, listing=not is_remote, behaviours=self.behaviours)
        self.place = Place(zep=zep, prefix=run.prefix, real=real, patience=run.settings.wait_limit, note=note)

    def world(self) -> World:
        """Return a world that nothing has happened in."""
        prefix = f"{self._run.prefix}-q{next(self._numbers)}"
        return World(prefix, self.behaviours, self._run.settings.message_window)

    def attempt(self, kind: Kind, operations: Sequence[Operation[Any]]) -> Outcome:
        """Carry a sequence out. Raises what `carry_out` raises."""
        return carry_out(kind, operations, self.world(), self.place.servers)

    def curl(self) -> Curl:
        """Return what shows a request as a command."""
        headers = {"authorization": f"Bearer {self.place.zep.token}"} if self.place.zep.token else {}
        variables = self._run.settings.secret_variables()
        return curl_of({"zep": self.place.zep.url}, {"zep": headers}, self._run.redactor, variables)


def _as_recorded(request: Request) -> dict[str, Any]:
    """Return a request as recordings have it."""
    return {"method": request.method, "path": request.path, "body": request.body}
