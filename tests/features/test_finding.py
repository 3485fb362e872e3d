"""When what Zep finds out about a message has not come: whether it never did, or was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.enrichment import Patience
from steps.enrichment import LOST, WRITTEN_AGAIN, await_finding
from zep_conformance.clients.zep import NewMessage
from zep_conformance.facts.deviations import load_deviations

ENTITIES: dict[str, Any] = {"entities": [{"Name": "Alice"}]}
INTENT: dict[str, Any] = {"intent": "Alice says who she is"}


class Talk:
    """A conversation of one message. found: what Zep finds out about it; again: about each of those written later."""

    def __init__(self, found: dict[str, Any], again: list[dict[str, Any]]) -> None:
        self._found, self._again = [found], list(again)
        self.written: list[str] = []

    def memory(self, lastn: int) -> Any:
        newest = [SimpleNamespace(content="I am Alice", metadata={"system": found}) for found in self._found]
        return SimpleNamespace(messages=newest[-lastn:])

    def write(self, message: NewMessage) -> None:
        self.written.append(message.content)
        self._found.append(self._again.pop(0))


def complaint(talk: Any, alike: Any = nullcontext) -> str:
    def named() -> None:
        raise AssertionError("the entities of the message are []")

    with pytest.raises(AssertionError) as raised:
        await_finding(named, talk, Patience(0.0, alike=alike), what="entities", other="intent")
    return str(raised.value)


@pytest.mark.parametrize("lost", [[], [0], [0, 1], [4]])
def test_what_most_of_the_same_text_get_was_lost(lost: list[int]) -> None:
    again = [INTENT if number in lost else ENTITIES | INTENT for number in range(WRITTEN_AGAIN)]
    talk = Talk(INTENT, again)
    said = complaint(talk)
    assert said.startswith("the entities of the message are []")
    assert f"written now {WRITTEN_AGAIN - len(lost)} have their entities" in said
    assert load_deviations()["DEV-16"].expect.search(said)
    assert talk.written == ["I am Alice"] * WRITTEN_AGAIN


@pytest.mark.parametrize("came", [0, WRITTEN_AGAIN // 2])
def test_what_most_of_them_do_not_get_either_was_never_found_out(came: int) -> None:
    again = [ENTITIES | INTENT] * came + [INTENT] * (WRITTEN_AGAIN - came)
    assert complaint(Talk(INTENT, again)) == "the entities of the message are []"


@pytest.mark.parametrize("found", [{}, ENTITIES | INTENT, INTENT | {"entities": []}])
def test_where_it_came_or_nothing_did_nothing_was_stored_over_it(found: dict[str, Any]) -> None:
    talk = Talk(found, [ENTITIES | INTENT])
    assert complaint(talk) == "the entities of the message are []"
    assert talk.written == []


def test_what_is_written_again_is_written_under_what_the_first_was() -> None:
    talk = Talk(INTENT, [ENTITIES | INTENT] * WRITTEN_AGAIN)
    seen: list[int] = []

    @contextmanager
    def alike() -> Iterator[None]:
        seen.append(len(talk.written))
        yield
        seen.append(len(talk.written))

    assert LOST in complaint(talk, alike)
    assert seen == [0, WRITTEN_AGAIN]


def test_where_that_cannot_be_done_again_nothing_is_told_apart() -> None:
    talk = Talk(INTENT, [ENTITIES | INTENT] * WRITTEN_AGAIN)
    assert complaint(talk, None) == "the entities of the message are []"
    assert talk.written == []
