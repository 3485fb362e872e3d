"""A server held to a recording: what became of every exchange, and of what was made on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from zep_conformance.clients.zep import Zep
from zep_conformance.errors import CannotTell
from zep_conformance.recordings.format import RecordedExchange
from zep_conformance.recordings.names import Names
from zep_conformance.recordings.player import Played, Replay
from zep_conformance.recordings.removal import EnrichmentQueue, Removals
from zep_conformance.recordings.server import ReplayServer, langflux_server, zep_server
from zep_conformance.settings import Settings


@dataclass
class Verification:
    """A server held to a recording. trouble: what ended it early. left_behind: what could not be removed."""

    recording: str
    server: ReplayServer
    prefix: str
    total: int
    played: list[Played] = field(default_factory=list)
    trouble: CannotTell | None = None
    left_behind: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def as_recorded(self) -> int:
        """How many exchanges were answered as recorded."""
        return sum(played.as_recorded for played in self.played)

    @property
    def differing(self) -> list[Played]:
        """Those that were not."""
        return [played for played in self.played if played.differences]

    @property
    def left_out(self) -> list[Played]:
        """Those that were not asked for, since that might do harm."""
        return [played for played in self.played if played.left_out]


def server_for(part: str, exchanges: Sequence[RecordedExchange], settings: Settings) -> ReplayServer:
    """Return the server that these are to be played against. Raises CannotTell when it is unfit, or not given."""
    return langflux_server(settings, exchanges) if part == "langflux" else zep_server(settings)


def verify_recording(
    recording: str,
    exchanges: Sequence[RecordedExchange],
    server: ReplayServer,
    settings: Settings,
    *,
    keep: bool = False,
    say: Callable[[str], None] = lambda _: None,
    show: Callable[[Verification], None] = lambda _: None,
) -> Verification:
    """Play a recording against a server, and remove what that made, however it ends.

    recording: its name. keep: leave what was made, for a server that is thrown away. say: is told what takes time.
    show: is given the result before the removal, which may take longer than all the rest.
    Raises CannotTell when the Zep that is given beside a LangFlux is unfit.
    """
    names = Names()
    held = Verification(recording, server, names.prefix, len(exchanges))
    with ExitStack() as closing:
        # The Zep that a replay's sessions are in, where it can be asked from here.
        zep = server if server.part == "zep" else zep_server(settings) if settings.zep_url else None
        asked = None
        if zep is not None:
            asked = Zep(zep.url, zep.headers.get("authorization", "").removeprefix("Bearer ") or None)
            closing.callback(asked.close)
            closing.callback(zep.client.close)
        queue = EnrichmentQueue(asked, prefix=names.prefix, limit=settings.wait_limit)
        removals = Removals(zep, queue)
        replay = Replay(exchanges, server, names=names, removals=removals, queue=queue, limit=settings.wait_limit)
        try:
            _play(held, replay)
            show(held)
        finally:
            if keep:
                say(f"what was made in {server.part} is kept: its names begin with {names.prefix}")
            else:
                say(f"removing what was made in {server.part}: its names begin with {names.prefix}")
                held.left_behind = removals.remove()
                for text in held.left_behind:
                    say(f"left behind: {text}")
    return held


def _play(held: Verification, replay: Replay) -> None:
    began = time.monotonic()
    try:
        for played in replay.play_all():
            held.played.append(played)
    except CannotTell as error:
        held.trouble = error
    held.seconds = time.monotonic() - began
