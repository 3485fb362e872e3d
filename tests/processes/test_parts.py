"""The parts of the harness that scenarios stand on: waiting, settings, the fleet of servers."""

from __future__ import annotations

import itertools
import socket
from pathlib import Path

import httpx
import pytest

from zep_conformance.clients.waiting import FIRST_PAUSE, GROWTH, LONGEST_PAUSE, eventually
from zep_conformance.errors import PartDied, PortTaken
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for


class TestWaiting:
    def test_returns_what_the_check_returns_once_it_holds(self) -> None:
        calls = []

        def third_time() -> str:
            calls.append(1)
            assert len(calls) == 3
            return "there"

        assert eventually(third_time, 5) == "there"

    def test_raises_the_last_complaint(self) -> None:
        with pytest.raises(AssertionError, match="still not there"):
            eventually(_fail, 0.1)

    def test_other_errors_end_it_at_once(self) -> None:
        with pytest.raises(ZeroDivisionError):
            eventually(lambda: 1 / 0, 60)

    def test_pauses_begin_small_and_grow_by_little(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []
        monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)

        def at_the_fortieth_time() -> None:
            assert len(pauses) == 40

        eventually(at_the_fortieth_time, 60)
        assert pauses[0] == pytest.approx(FIRST_PAUSE)
        assert all(later <= earlier * GROWTH * 1.001 for earlier, later in itertools.pairwise(pauses))
        assert pauses[-1] == LONGEST_PAUSE


def _fail() -> None:
    raise AssertionError("still not there")


class TestFleet:
    def test_a_part_is_started_as_another_version_with_its_data_and_stays_it(self, tmp_path: Path) -> None:
        parts = parts_for(["zep", "nlp"], data=tmp_path, versions={"zep": {"before": "0.23.0"}})
        with Fleet(parts) as fleet:
            url = f"{fleet.url('zep')}/api/v1/sessions/s/memory"
            httpx.post(url, json={"messages": [{"role": "human", "content": "kept"}]})
            fleet.stop("zep")
            fleet.start_as("zep", "before")
            for _ in range(2):
                answer = httpx.get(url)
                assert answer.headers["x-zep-version"].startswith("0.23.0-embedded")
                assert [one["content"] for one in answer.json()["messages"]] == ["kept"]
                fleet.kill("zep")
                fleet.start("zep")
            fleet.stop("zep")
            with pytest.raises(KeyError):
                fleet.start_as("zep", "after")

    def test_a_part_stops_crashes_and_comes_back_on_its_port_with_its_data(self, tmp_path: Path) -> None:
        with Fleet(parts_for(["zep", "nlp"], data=tmp_path)) as fleet:
            url = f"{fleet.url('zep')}/api/v1/sessions/s/memory"
            httpx.post(url, json={"messages": [{"role": "human", "content": "kept"}]})
            for end in (fleet.stop, fleet.kill):
                end("zep")
                with pytest.raises(httpx.ConnectError):
                    httpx.get(url)
                fleet.start("zep")
                assert [one["content"] for one in httpx.get(url).json()["messages"]] == ["kept"]

    @pytest.mark.parametrize("name", ["nlp", "model", "zep"])
    def test_a_stopped_part_is_gone_whatever_was_started_before_it(self, tmp_path: Path, name: str) -> None:
        with Fleet(parts_for(["zep", "model", "nlp"], data=tmp_path)) as fleet:
            fleet.kill(name)
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{fleet.url(name)}/healthz", timeout=2)

    def test_a_paused_part_does_not_answer_and_goes_on_afterwards(self, tmp_path: Path) -> None:
        with Fleet(parts_for(["zep"], data=tmp_path)) as fleet:
            fleet.pause("zep")
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{fleet.url('zep')}/healthz", timeout=0.3)
            fleet.resume("zep")
            assert httpx.get(f"{fleet.url('zep')}/healthz").text == "."

    def test_a_taken_port_is_named(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1, for zep, is in use"):
                parts_for(["zep"], data=tmp_path, ports={"zep": port})

    def test_a_part_that_does_not_start_shows_its_last_words(self, tmp_path: Path) -> None:
        parts = parts_for(["zep"], data=tmp_path, mutations={"zep": ["no-such-mutation"]})
        with pytest.raises(PartDied, match="no-such-mutation"):
            Fleet(parts).__enter__()
