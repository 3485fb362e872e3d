"""When what Zep finds out about a message has not come: whether it never did, or was lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from steps.enrichment import await_finding
from zep_conformance.clients.zep import NewMessage
from zep_conformance.facts.deviations import load_deviations

ENTITIES: dict[str, Any] = {"entities": [{"Name": "Alice"}]}
INTENT: dict[str, Any] = {"intent": "Alice says who she is"}


class Talk:
    """A conversation of one message. found: what Zep finds out about it; again: about one that is written later."""

    def __init__(self, found: dict[str, Any], again: dict[str, Any]) -> None:
        self._found = [again, found]
        self.written: list[str] = []

    def memory(self, lastn: int) -> Any:
        newest = SimpleNamespace(content="I am Alice", metadata={"system": self._found[-1]})
        return SimpleNamespace(messages=[newest] * lastn)

    def write(self, message: NewMessage) -> None:
        self.written.append(message.content)
        self._found.pop()


def complaint(talk: Any) -> str:
    def named() -> None:
        raise AssertionError("the entities of the message are []")

    with pytest.raises(AssertionError) as raised:
        await_finding(named, talk, 0.0, what="entities", other="intent")
    return str(raised.value)


def test_what_came_for_the_same_text_later_was_lost() -> None:
    talk = Talk(INTENT, ENTITIES | INTENT)
    said = complaint(talk)
    assert said.startswith("the entities of the message are []")
    assert load_deviations()["DEV-16"].expect.search(said)
    assert talk.written == ["I am Alice"]


def test_what_does_not_come_for_that_either_was_never_found_out() -> None:
    assert complaint(Talk(INTENT, INTENT)) == "the entities of the message are []"


def test_where_nothing_was_found_out_nothing_was_stored_over_it() -> None:
    talk = Talk({}, ENTITIES | INTENT)
    assert complaint(talk) == "the entities of the message are []"
    assert talk.written == []
