"""Sequences of operations on the parts of a run: within what a run may send, and removed again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.zep import Zep
from zep_conformance.recordings.removal import EnrichmentQueue, Removals
from zep_conformance.recordings.server import ReplayServer
from zep_conformance.reference.carrying import Outcome, Server, carry_out, sender_of
from zep_conformance.reference.kept import Curl, curl_of
from zep_conformance.reference.operations import Chatbot, Drawn, Kind, Operation, Request, World
from zep_conformance.session.run import Run

SMALL = 2
"""Messages in one write where more may do harm, at most: as many as a turn of a chat has (DEV-15)."""
LARGE = 30
"""The same on parts that are a run's own, as long as they have not frozen."""

Noted = Callable[[Request, httpx.Response], None]
"""Is told of each exchange, which may have made something."""


@dataclass(frozen=True)
class Chatting:
    """A LangFlux, and the chatbot in it that sequences of chats talk to. chatflow: its id."""

    langflux: LangFlux
    chatflow: str

    @property
    def chatbots(self) -> tuple[Chatbot, ...]:
        """The chatbots of a world."""
        return (Chatbot(self.chatflow),)


class Place:
    """One Zep that sequences are carried out on.

    Nothing is cleared, and no message changed, in a real one before it is enriched (DEV-1, DEV-16).

    real: whether it may do as real ones do. note: is told of each exchange; without one `remove` removes what they
    made. chatting: the LangFlux before it, None for sequences that need none.
    """

    def __init__(
        self,
        *,
        zep: Zep,
        prefix: str,
        real: bool,
        patience: float,
        note: Noted | None = None,
        chatting: Chatting | None = None,
    ) -> None:
        self.zep, self.chatting, self._patience = zep, chatting, patience
        self.queue = EnrichmentQueue(zep if real else None, prefix=f"{prefix}-", limit=patience)
        self._here = ReplayServer(part="zep", url=zep.url, version="", client=zep.wire)
        self._removals = Removals(self._here, self.queue)
        self._note = note or self._made
        self.servers = {"zep": self._server(zep.wire)}
        self._there: ReplayServer | None = None
        if chatting is not None:
            wire = chatting.langflux.wire
            self._there = ReplayServer(part="langflux", url=chatting.langflux.url, version="", client=wire)
            self.servers["langflux"] = self._server(wire)

    def remove(self) -> list[str]:
        """Remove what was made, after it has settled; return what could not be removed, and why."""
        left = self._removals.remove()
        self._removals = Removals(self._here, self.queue)
        return left

    def _made(self, request: Request, answer: httpx.Response) -> None:
        server = self._there if request.part == "langflux" and self._there else self._here
        self._removals.note(server, request.method, request.path, request.body, answer)

    def _server(self, client: httpx.Client) -> Server:
        asked = sender_of(client)

        def before(request: Request) -> None:
            session, messages, _ = request.path.partition("/messages/")
            changes = messages and request.method == "PATCH" and self.queue.is_enriching(f"{session}/memory")
            if changes or self.queue.holds_back(_as_recorded(request)):
                self.queue.settle()
            if changes:
                self.queue.await_metadata(session)

        def send(request: Request) -> httpx.Response:
            self.queue.note(_as_recorded(request))
            try:
                answer = asked(request)
            except BaseException:
                # Ctrl-C, or no answer in time: it may have made something all the same.
                self._note(request, httpx.Response(503))
                raise
            self._note(request, answer)
            return answer

        return Server(send, before, self._patience)


class OnDeployment:
    """Carries sequences out on the Zep of a run, each under names of its own.

    note: is told of each exchange. batch: messages in one write, at most, where it is another number than usual.
    chatting: the LangFlux before it, None for sequences that need none.
    """

    _numbers = itertools.count(1)

    def __init__(
        self,
        *,
        run: Run,
        zep: Zep,
        note: Noted | None = None,
        batch: int | None = None,
        chatting: Chatting | None = None,
    ) -> None:
        self._run = run
        found = run.deployment.zep
        real = found is not None and not found.documented
        self.behaviours = run.deployment.behaviours("zep", *(() if chatting is None else ("langflux",)))
        most = batch or run.drawn("largest batch", lambda: SMALL if run.writes_little else LARGE)
        self.how = Drawn(batch=most, listing=not run.shares_zep, behaviours=self.behaviours)
        if chatting is not None:
            self.how = replace(self.how, streams=chatting.langflux.family.streaming == "events")
        patience = run.settings.wait_limit
        self.place = Place(zep=zep, prefix=run.prefix, real=real, patience=patience, note=note, chatting=chatting)

    def world(self) -> World:
        """Return a world that nothing has happened in."""
        prefix = f"{self._run.prefix}-q{self._run.drawn('sequence', lambda: next(self._numbers))}"
        return World(
            prefix,
            self.behaviours,
            self._run.settings.message_window,
            chatbots=self.place.chatting.chatbots if self.place.chatting else (),
            knows_model="model" not in self._run.deployment.missing,
        )

    def attempt(self, kind: Kind, operations: Sequence[Operation[Any]]) -> Outcome:
        """Carry a sequence out. Raises what `carry_out` raises."""
        return carry_out(kind, operations, self.world(), self.place.servers)

    def curl(self) -> Curl:
        """Return what shows a request as a command."""
        headers = {"zep": {"authorization": f"Bearer {self.place.zep.token}"} if self.place.zep.token else {}}
        urls = {"zep": self.place.zep.url}
        if self.place.chatting is not None:
            client = self.place.chatting.langflux
            urls["langflux"] = client.url
            names = ("authorization", "x-request-from")
            headers["langflux"] = {name: client.wire.headers[name] for name in names if name in client.wire.headers}
        return curl_of(urls, headers, self._run.redactor, self._run.settings.secret_variables())


def _as_recorded(request: Request) -> dict[str, Any]:
    """Return a request as recordings have it."""
    return {"method": request.method, "path": request.path, "body": request.body}
