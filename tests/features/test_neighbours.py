"""What must not change around something that is cleared, and what may change by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from fixtures.neighbours import Neighbours

SUMMARY = {"uuid": "s", "content": "Alice travels", "recent_message_uuid": "m", "token_count": 3}
MESSAGE = {"uuid": "m", "content": "hello", "token_count": 0, "metadata": {"kept": True}}


def zep(*bodies: Any) -> Any:
    """A Zep that answers every question of one look with one of these, the last for good."""
    asked: dict[str, int] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        asked[path] = asked.get(path, 0) + 1
        return httpx.Response(200, json=bodies[min(asked[path], len(bodies)) - 1])

    return SimpleNamespace(wire=httpx.Client(base_url="http://zep", transport=httpx.MockTransport(answer)))


def changes(*bodies: Any, but: tuple[str, ...] = ()) -> list[str]:
    neighbours = Neighbours(but)
    neighbours.session("another", zep(*bodies), "a", "hello")
    neighbours.look()
    return neighbours.changes()


@pytest.mark.parametrize(
    "changed",
    [
        {"messages": [MESSAGE], "summary": SUMMARY | {"content": "Bob travels"}},
        {"messages": [MESSAGE | {"metadata": {}}], "summary": SUMMARY},
        {"messages": [MESSAGE | {"token_count": 5}], "summary": SUMMARY},
        {"messages": [], "summary": SUMMARY},
    ],
)
def test_what_must_not_change_is_seen(changed: Any) -> None:
    assert changes({"messages": [MESSAGE], "summary": SUMMARY}, changed)


def test_what_is_found_out_about_a_summary_may_come_late() -> None:
    before = {"messages": [MESSAGE], "summary": SUMMARY}
    after = {"messages": [MESSAGE], "summary": SUMMARY | {"metadata": {"system": {"entities": []}}}}
    assert changes(before, after) == []


def test_a_token_count_may_where_that_is_known_of_the_version() -> None:
    before = {"messages": [MESSAGE], "summary": SUMMARY}
    after = {"messages": [MESSAGE | {"token_count": 5}], "summary": SUMMARY}
    assert changes(before, after, but=("token_count",)) == []
