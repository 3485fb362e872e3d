"""What a run says of itself when it is silent for long."""

from __future__ import annotations

from zep_conformance.clients.waiting import eventually
from zep_conformance.session.activity import SILENCE, Activity


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
    activity.watch(said.append)
    clock.now += SILENCE

    def told() -> None:
        assert said == [f"still at a scenario: {SILENCE:g} s; 1 requests sent so far"]

    eventually(told, 10)
    activity.stop()
    assert activity._thread is not None and not activity._thread.is_alive()


def test_one_that_was_never_watched_can_be_stopped() -> None:
    Activity(lambda: 1).stop()
