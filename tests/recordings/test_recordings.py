"""The embedded servers, with all recorded behaviours, answer as the real ones were recorded: each exchange a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for
from zep_conformance.recordings.format import RecordedExchange, load_recording
from zep_conformance.recordings.names import Names
from zep_conformance.recordings.player import Replay
from zep_conformance.recordings.removal import EnrichmentQueue, Removals
from zep_conformance.recordings.server import ReplayServer

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "data" / "recordings"
ZEP = load_recording(RECORDINGS / "zep-0.27.2.jsonl")
LANGFLUX = load_recording(RECORDINGS / "langflux-flowise-2.2.8.jsonl")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    parts = parts_for(
        ["zep", "nlp", "model", "langflux"], recorded_behaviours="all", data=tmp_path_factory.mktemp("data")
    )
    with Fleet(parts) as running:
        yield running


def replay(exchanges: list[RecordedExchange], server: ReplayServer) -> Replay:
    """A replay that removes nothing, and so need not wait before it does."""
    names = Names()
    queue = EnrichmentQueue(None, prefix=names.prefix, limit=0)
    return Replay(exchanges, server, names=names, removals=Removals(None, queue), queue=queue)


@pytest.fixture(scope="module")
def zep(fleet: Fleet) -> Iterator[Replay]:
    with httpx.Client(base_url=fleet.url("zep"), timeout=30) as client:
        yield replay(ZEP, ReplayServer(part="zep", url=fleet.url("zep"), version="", client=client))


@pytest.fixture(scope="module")
def langflux(fleet: Fleet) -> Iterator[Replay]:
    variables = {"model-url": fleet.url("model") + "/v1", "zep-url": fleet.url("zep")}
    key = {"x-request-from": "internal"}
    with httpx.Client(base_url=fleet.url("langflux"), timeout=30) as client:
        yield replay(
            LANGFLUX,
            ReplayServer(
                part="langflux", url=fleet.url("langflux"), version="", client=client, key=key, variables=variables
            ),
        )


@pytest.mark.parametrize("exchange", ZEP, ids=lambda exchange: exchange.name)
def test_zep_answers_as_recorded(zep: Replay, exchange: RecordedExchange) -> None:
    played = zep.play(exchange)
    assert played.as_recorded, "\n".join(map(str, played.differences))


@pytest.mark.parametrize("exchange", LANGFLUX, ids=lambda exchange: exchange.name)
def test_langflux_answers_as_recorded(langflux: Replay, exchange: RecordedExchange) -> None:
    played = langflux.play(exchange)
    assert played.as_recorded, "\n".join(map(str, played.differences))


def test_nothing_of_the_recordings_is_left_out() -> None:
    assert (len(ZEP), len(LANGFLUX)) == (142, 54)
