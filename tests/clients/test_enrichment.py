"""Waiting for enrichment: it is the newest message's, and not that of another with the same content."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from zep_python import Message

from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.zep import Zep

TEXT = "The conversation is over"


class Searched(Zep):
    """A Zep in which only these messages, by their uuids, are embedded yet."""

    def __init__(self, *embedded: str) -> None:
        self.embedded = embedded

    def memory(self, session: str, lastn: int | None = None) -> Any:  # noqa: ARG002
        """Return the newest message."""
        return SimpleNamespace(messages=[Message(role="human", content=TEXT, uuid="new")])

    def search(self, *_: Any, limit: int | None = None, **__: Any) -> Any:
        """Return what is embedded."""
        found = [SimpleNamespace(message={"uuid": one, "content": TEXT}) for one in self.embedded]
        return found[:limit]


def test_an_older_message_of_the_same_content_is_not_taken_for_the_newest() -> None:
    with pytest.raises(AssertionError, match="the newest message of s is not found by searching"):
        EnrichmentWait(limit=0.0).await_embedded(Searched("old"), "s")


def test_the_newest_is_found_among_many_of_the_same_content() -> None:
    EnrichmentWait(limit=0.0).await_embedded(Searched(*map(str, range(20)), "new"), "s")


def test_where_contents_differ_no_uuid_is_needed() -> None:
    assert Searched("old").is_embedded("s", TEXT) and not Searched("old").is_embedded("s", "another")
