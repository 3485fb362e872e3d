"""What a run says of itself when it is silent for long."""

from __future__ import annotations

import httpx

from zep_conformance.clients.waiting import eventually
from zep_conformance.session.activity import LONG, SILENCE, Activity


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_speaks_after_a_silence_and_not_more_often() -> None:
    clock = Clock()
    activity = Activity(lambda: 7, clock)
    clock.now += SILENCE
    assert activity.due() == ""  # nothing is being done
    activity.at("a scenario")
    assert activity.due() == ""
    clock.now += SILENCE
    assert activity.due() == f"still at a scenario: {SILENCE:g} s; 7 requests sent so far"
    assert activity.due() == ""
    clock.now += SILENCE
    assert activity.due() == f"still at a scenario: {2 * SILENCE:g} s; 7 requests sent so far"
    clock.now += SILENCE
    activity.at("another")
    assert activity.due() == ""


def test_somebody_is_told_until_it_stops() -> None:
    clock, said = Clock(), []
    activity = Activity(lambda: 1, clock)
    activity.at("a scenario")
    activity.watch(lambda: said.extend(filter(None, [activity.due()])))
    clock.now += SILENCE

    def told() -> None:
        assert said == [f"still at a scenario: {SILENCE:g} s; 1 requests sent so far"]

    eventually(told, 60)
    activity.stop()
    assert activity._thread is not None and not activity._thread.is_alive()


def test_what_was_begun_first_is_what_is_said_where_workers_do_several_things() -> None:
    clock = Clock()
    activity = Activity(lambda: 0, clock)
    activity.at("the start")
    for nodeid, what in (("a", "one"), ("b", "another")):
        clock.now += 1
        activity.at(what, of=nodeid)
    assert activity.doing is not None and (activity.doing.what, activity.doing.beside) == ("one", 1)
    clock.now += 1
    activity.at("one", step="Then it is so", of="a")
    assert activity.doing.what == "another"
    activity.over("b")
    assert (str(activity.doing), activity.doing.beside) == ("“one”, Then it is so", 0)
    activity.at("removing what the run made")
    assert (str(activity.doing), activity.doing.beside) == ("removing what the run made", 0)
    activity.over()
    assert activity.doing is None


def test_what_a_long_step_waits_for_is_said() -> None:
    clock = Clock()
    activity = Activity(lambda: 0, clock)
    request = httpx.Request("GET", "http://zep/api/v1/sessions/s/memory?lastn=1")
    awaited = []
    activity.at("one", of="a")
    activity.asks(request)
    awaited.append(activity.doing and activity.doing.awaited)
    clock.now += LONG
    awaited.append(activity.doing and activity.doing.awaited)
    activity.answered(httpx.Response(200))
    activity.asks(request)
    activity.answered(httpx.Response(200))
    awaited.append(activity.doing and activity.doing.awaited)
    activity.at("one", step="Then it is so", of="a")
    clock.now += LONG
    awaited.append(activity.doing and activity.doing.awaited)
    question = "GET /api/v1/sessions/s/memory"
    assert awaited == ["", f"awaits {question}", f"asked {question} 2 times", ""]


def test_one_that_was_never_watched_can_be_stopped() -> None:
    Activity(lambda: 1).stop()
