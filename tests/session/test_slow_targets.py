"""A slow target: a run says so early, and ends when its time is over, with what it made removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fixtures.stopwatch import Stopwatch, percentiles
from tests.support.runs import report_in, run
from zep_conformance.clients.http import Limits
from zep_conformance.errors import LimitReached


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class TestLimits:
    def client(self, limits: Limits, seen: list[httpx.Request]) -> httpx.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200)

        return httpx.Client(
            transport=httpx.MockTransport(answer), event_hooks={"request": [limits.check]}, timeout=40.0
        )

    def test_nothing_is_sent_when_the_time_is_over_but_to_remove_what_was_made(self) -> None:
        clock, seen = Clock(), []
        limits = Limits(seconds=10, began=95.0, clock=clock, sleep=clock.sleep)
        one = self.client(limits, seen)
        one.get("http://zep/a")
        clock.now = 105.0
        with pytest.raises(LimitReached, match="--time-limit: 10 s are over"):
            one.get("http://zep/b")
        with pytest.raises(LimitReached):
            limits.check_time()
        limits.lift_budget()
        limits.check_time()
        one.delete("http://zep/a")
        assert [request.method for request in seen] == ["GET", "DELETE"]

    def test_an_answer_is_not_waited_for_any_longer_than_there_is_time(self) -> None:
        clock, seen = Clock(), []
        one = self.client(Limits(seconds=10, began=95.0, clock=clock, sleep=clock.sleep), seen)
        one.get("http://zep/a")
        one.get("http://zep/a", timeout=2.0)
        one.get("http://zep/a", timeout=None)
        assert [request.extensions["timeout"]["read"] for request in seen] == [5.0, 2.0, 5.0]

    def test_a_turn_that_comes_too_late_is_none(self) -> None:
        clock, seen = Clock(), []
        one = self.client(Limits(seconds=10, began=95.0, rate=0.1, clock=clock, sleep=clock.sleep), seen)
        one.get("http://zep/a")
        with pytest.raises(LimitReached):
            one.get("http://zep/b")
        assert len(seen) == 1

    def test_without_a_limit_a_request_is_left_alone(self) -> None:
        seen: list[httpx.Request] = []
        self.client(Limits(), seen).get("http://zep/a")
        assert seen[0].extensions["timeout"]["read"] == 40.0


class TestTheBudgetOfLatencies:
    @pytest.mark.parametrize(
        ("count", "slow", "lost"), [(25, 1, False), (25, 2, True), (100, 5, False), (100, 6, True)]
    )
    def test_it_is_lost_as_soon_as_the_rest_can_not_mend_it(self, count: int, slow: int, lost: bool) -> None:
        stopwatch = Stopwatch()
        stopwatch._seconds["read"] = [3.0] * slow
        assert (stopwatch.at_best(count)["read"]["p95"] > 500) is lost

    def test_it_is_never_given_up_too_early(self) -> None:
        seconds = [3.0, 3.0, *[0.0] * 98]
        stopwatch = Stopwatch()
        for taken in range(1, 101):
            stopwatch._seconds["read"] = seconds[:taken]
            assert stopwatch.at_best(100)["read"]["p95"] <= percentiles(seconds)["p95"]


def test_a_slow_target_is_said_to_be_slow_at_once(tmp_path: Path) -> None:
    slow = ("--mutations", "zep:slow-reads", "--latency-budget", "100")
    finished = run(tmp_path, "-m", "LATENCY-1 or STORE-4", "-v", "-x", *slow)
    assert finished.returncode == 1, finished.stdout
    found = report_in(tmp_path)
    # Two slow reads of 25 settle it, and nothing else was asked before.
    assert found["requests"] < 20
    assert (found["outcomes"]["failed"], found["outcomes"]["passed"]) == (1, 0)
    assert "95 % of 2 reads take up to" in finished.stdout
    assert any("stopping after 1 failures" in why for why in found["ended"])


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)]
)
def test_a_time_limit_ends_a_run_and_leaves_nothing(
    tmp_path: Path, served: Callable[..., dict[str, str]], workers: tuple[str, ...]
) -> None:
    urls = served("--recorded-behaviours", "none")
    slowly = ("--rate", "10", "--latency-budget", "60000", "--time-limit", "4s", "-m", "LATENCY-1 or STORE-1")
    finished = run(tmp_path, "--target", "remote", "--zep-url", urls["zep"], *slowly, *workers)
    assert finished.returncode == 2, finished.stdout
    found = report_in(tmp_path)
    assert found["outcomes"]["not run"] > 0
    assert (found["outcomes"]["failed"], found["outcomes"]["error"]) == (0, 0)
    assert found["ended"] == ["--time-limit: 4 s are over [time-limit]"]
    said = " ".join(finished.stdout.split())
    assert "could not tell: " in said and "--time-limit: 4 s are over" in said
    assert httpx.get(f"{urls['zep']}/api/v1/sessions").json() == []
