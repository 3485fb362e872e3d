"""What is done before things are removed: the queue settles where clearing could hold up others (DEV-1)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from fixtures.cleanup import Cleanup
from zep_conformance.clients.enrichment import REDONE
from zep_conformance.targets import Deployment

WAIT_LIMIT = 30.0


class FakeZep:
    """Notes what is asked of it."""

    url = "http://zep"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.wire = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url=self.url)

    def write(self, session: str, _messages: object) -> None:
        self.asked.append(f"write {session}")

    def clear(self, session: str) -> None:
        self.asked.append(f"clear {session}")


class Waits:
    """Notes how long it is to wait, and has it go wrong if it must."""

    def __init__(self, *, in_vain: bool) -> None:
        self.limits: list[float | None] = []
        self._in_vain = in_vain

    def settle(self, zep: FakeZep, session: str, limit: float | None) -> None:
        zep.asked.append(f"wait {session}")
        self.limits.append(limit)
        assert not self._in_vain


def removed(deployment: Deployment, *, in_vain: bool = False) -> tuple[list[str], list[float | None], list[str]]:
    """What Zep was asked, how long was waited, and what was left behind, when a run with one session ended."""
    run: Any = SimpleNamespace(
        deployment=deployment,
        prefix="zc",
        settings=SimpleNamespace(wait_limit=WAIT_LIMIT),
        limits=SimpleNamespace(lift_budget=lambda: None),
        activity=SimpleNamespace(at=lambda _doing: None),
        left_behind=[],
        removes=True,
    )
    zep: Any = FakeZep()
    waits: Any = Waits(in_vain=in_vain)
    cleanup = Cleanup(run, waits)
    cleanup.session(zep, "one")
    cleanup.remove()
    return zep.asked, waits.limits, run.left_behind


def test_what_is_in_a_zep_of_the_runs_own_goes_with_that() -> None:
    """30 s were waited at the end of every run on real programs, and then it was said that others may be delayed."""
    assert removed(Deployment(target="processes", own=True)) == ([], [], [])


@pytest.mark.parametrize(
    ("missing", "limit"),
    [({"control": "not ours to stop"}, None), ({}, REDONE)],
    ids=["where nothing was stopped", "where parts were stopped"],
)
def test_a_zep_of_others_is_waited_for(missing: dict[str, str], limit: float | None) -> None:
    """What Zep 0.27.2 does twice after a stop takes it minutes, and the wait ended after 30 s."""
    asked, limits, left = removed(Deployment(target="compose:x", missing=missing))
    assert asked == ["write zc-settled", "wait zc-settled", "clear one", "clear zc-settled"]
    assert (limits, left) == ([limit], [])


def test_what_does_not_settle_is_said_and_removed() -> None:
    asked, _, left = removed(Deployment(target="remote", missing={"control": "not ours"}), in_vain=True)
    assert asked[-2:] == ["clear one", "clear zc-settled"]
    assert left == ["enrichment did not settle before the removal (AssertionError), which may delay others'"]
