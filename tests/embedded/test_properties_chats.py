"""Chats with the embedded LangFlux: whoever talks under whatever ids, answers, lists and memory are the model's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.chatting import making_chatbots
from tests.support.properties import EVERY_NIGHT, FEW, HUNTED, broken
from tests.support.zep_asked import asking, fresh
from zep_conformance.reference.carrying import Outcome, Server, carry_out, sender_of
from zep_conformance.reference.langflux import operations as ops
from zep_conformance.reference.langflux.sequences import CHATS
from zep_conformance.reference.operations import Drawn, Operation, World
from zep_conformance.reference.searching import Found, Search

# Zep has no model here: it would sum up what is tested.
PARTS = ["zep", "langflux"]
Carry = Callable[[Sequence[Operation[Any]]], Outcome]


@contextmanager
def carrying(
    folder: Path, model_url: str, planted: Mapping[str, Sequence[str]], behaviours: frozenset[str] = frozenset()
) -> Iterator[Carry]:
    """What carries sequences out on servers with what is planted, each with chatbots of its own.

    One is as the documentation has it, and one has a Session Id on its node. behaviours: those that are expected.
    """
    with (
        broken(folder, PARTS, planted) as fleet,
        asking(fleet) as zep,
        making_chatbots(fleet, model_url) as (langflux, make),
    ):
        servers = {"zep": Server(sender_of(zep.client)), "langflux": Server(sender_of(langflux.wire))}

        def carry(operations: Sequence[Operation[Any]]) -> Outcome:
            bots = make(""), make(f"fixed{fresh()}")
            return carry_out(CHATS, operations, World(f"w{fresh()}", behaviours, chatbots=bots), servers)

        yield carry


def searched(carry: Carry, sequences: int, *, shrinking: float = 0.0, seed: int = 1) -> Found | None:
    """What is found in so many sequences."""
    return Search(CHATS, Drawn(), carry, shrinking=shrinking).run(seed=seed, sequences=sequences)


def test_chats_are_as_the_model_has_them(tmp_path: Path, model_url: str) -> None:
    with carrying(tmp_path, model_url, {}) as carry:
        found = searched(carry, FEW.max_examples, shrinking=20.0)
    assert found is None, (found.operations, found.outcome.failure)


def test_clearing_everything_of_a_chatbot_leaves_the_other_alone(tmp_path: Path, model_url: str) -> None:
    said = [ops.Talk(chatbot=bot, session=name, question="my name is Ada") for bot in (0, 1) for name in ("a", "b")]
    with carrying(tmp_path, model_url, {}) as carry:
        outcome = carry([*said, ops.Clear(chatbot=0), *said, ops.ListChatMessages(chatbot=0)])
    assert outcome.failure is None, outcome.failure


MUTATIONS = (
    "override-ignored",
    "turn-written-twice",
    "memory-per-chatflow",
    "node-session-first",
    "clear-keeps-zep",
    "clear-takes-all",
    "clear-misses-node-session",
    "delete-by-session-keeps-zep",
    # These take their time.
    "ai-turn-forgotten",
    "memory-not-read",
    "chat-id-first",
    "nameless-session-shared",
    "stream-without-memory",
    "listing-ignores-session",
)


@pytest.mark.parametrize("mutation", MUTATIONS if EVERY_NIGHT else MUTATIONS[:8])
def test_sequences_find_a_mutation(tmp_path: Path, model_url: str, mutation: str) -> None:
    with carrying(tmp_path, model_url, {"langflux": [mutation]}) as carry:
        assert searched(carry, HUNTED) is not None
