"""The embedded servers when many do things at the same time, and servers with a mutation that only then shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import crowds
from tests.support.chatting import making_chatbots
from tests.support.properties import broken
from tests.support.zep_asked import Asked, asking
from zep_conformance.processes.fleet import Fleet

PARTS = ["zep", "nlp", "langflux"]

OF_ZEP = [
    crowds.many_write_to_one_session,
    crowds.many_write_to_their_sessions,
    crowds.some_write_while_one_clears,
    crowds.all_make_the_same,
    crowds.all_change_the_same,
    crowds.a_user_is_deleted_meanwhile,
]
OF_LANGFLUX = [
    crowds.many_talk_under_their_sessions,
    crowds.many_talk_in_one_session,
    crowds.many_talk_without_ids,
    crowds.some_talk_while_one_clears,
]


def named(check: object) -> str | None:
    """A check by its name, as a test's id."""
    return getattr(check, "__name__", None)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with broken(tmp_path_factory.mktemp("data"), PARTS, {}) as running:
        yield running


@pytest.mark.parametrize("check", OF_ZEP, ids=named)
def test_zep_in_a_crowd(fleet: Fleet, check: Callable[[Asked], None]) -> None:
    with asking(fleet) as zep:
        check(zep)


@pytest.mark.parametrize("check", OF_LANGFLUX, ids=named)
def test_langflux_in_a_crowd(fleet: Fleet, model_url: str, check: Callable[[crowds.Talk], None]) -> None:
    with asking(fleet) as zep, making_chatbots(fleet, model_url) as (langflux, make):
        check((zep, langflux, make))


@pytest.mark.parametrize(
    ("mutation", "check"),
    [
        ("mixed-under-load", crowds.many_write_to_their_sessions),
        ("lost-under-load", crowds.many_write_to_one_session),
        ("doubled-under-load", crowds.many_write_to_one_session),
        ("refused-under-load", crowds.many_write_to_their_sessions),
        ("clear-clears-all", crowds.some_write_while_one_clears),
        ("clear-comes-back", crowds.some_write_while_one_clears),
        ("user-deletion-keeps-sessions", crowds.a_user_is_deleted_meanwhile),
        ("user-deletion-takes-all", crowds.a_user_is_deleted_meanwhile),
    ],
    ids=named,
)
def test_a_mutation_of_zep_is_noticed(tmp_path: Path, mutation: str, check: Callable[[Asked], None]) -> None:
    with (
        broken(tmp_path, ["zep", "nlp"], {"zep": [mutation]}) as fleet,
        asking(fleet) as zep,
        pytest.raises(AssertionError),
    ):
        check(zep)


@pytest.mark.parametrize(
    ("mutation", "check"),
    [
        ("users-mixed", crowds.many_talk_under_their_sessions),
        ("turn-written-twice", crowds.many_talk_in_one_session),
        ("nameless-session-shared", crowds.many_talk_without_ids),
        ("clear-takes-all", crowds.some_talk_while_one_clears),
    ],
    ids=named,
)
def test_a_mutation_of_langflux_is_noticed(
    tmp_path: Path, model_url: str, mutation: str, check: Callable[[crowds.Talk], None]
) -> None:
    with (
        broken(tmp_path, PARTS, {"langflux": [mutation]}) as fleet,
        asking(fleet) as zep,
        making_chatbots(fleet, model_url) as (langflux, make),
        pytest.raises(AssertionError),
    ):
        check((zep, langflux, make))
