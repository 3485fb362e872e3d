"""Vocabulary: what is written while others read, and whether it keeps them waiting."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event

import pytest
from faker import Faker
from pytest_bdd import parsers

from fixtures.conversations import Conversation, Conversations, small_talk
from fixtures.words import then, when
from zep_conformance.clients import freezing
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.zep import Zep
from zep_conformance.facts.servers import memory_path
from zep_conformance.settings import Settings

PAUSE = 0.05
"""Seconds between two reads."""


@pytest.fixture
def is_over() -> Iterator[Event]:
    """Yield what is set when the scenario is over: from then on nothing more is written."""
    over = Event()
    yield over
    over.set()


@pytest.fixture
def writers(is_over: Event) -> Iterator[ThreadPoolExecutor]:  # noqa: ARG001  (it is set after this)
    """Yield what writes at the same time as the scenario goes on; nobody waits for a write that is not answered."""
    pool = ThreadPoolExecutor(64)
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)


@when(
    parsers.parse(
        "{users:d} users write {turns:d} turns of a chat each, six messages in one request, one after the other"
    ),
    target_fixture="writing",
)
def write_turns(
    writers: ThreadPoolExecutor,
    conversations: Conversations,
    enrichment: EnrichmentWait,
    faker: Faker,
    is_over: Event,
    users: int,
    turns: int,
) -> Future[None]:
    """Begin to write what LangFlux writes of turns. The future is done when the last one is enriched.

    LangFlux writes two messages a request. What they set off meets in Zep by chance, on one core now and then; what six
    do, three times in four, or one in four where the machine is busy with other work.
    """
    chats = [(conversations.new("turn"), small_talk(faker, 2 * turns)) for _ in range(users)]

    def write() -> None:
        for conversation, messages in chats:
            if is_over.is_set():
                return
            conversation.zep.write_at_once(conversation.session, messages)
            if not _settled(enrichment, conversation):
                return

    return writers.submit(write)


@when(
    parsers.parse(
        "{posts:d} conversations of {count:d} messages are written, each in one request, all at the same time"
    ),
    target_fixture="writing",
)
def write_burst(
    writers: ThreadPoolExecutor,
    conversations: Conversations,
    enrichment: EnrichmentWait,
    faker: Faker,
    posts: int,
    count: int,
) -> Future[None]:
    """Begin to write so many conversations. The future is done when the last one is enriched."""
    imports = [(conversations.new("import"), small_talk(faker, count)) for _ in range(posts)]
    writes = [
        writers.submit(conversation.zep.write_at_once, conversation.session, messages)
        for conversation, messages in imports
    ]

    def finished() -> None:
        for write in writes:
            write.result()
        _settled(enrichment, imports[-1][0])

    return writers.submit(finished)


def _settled(enrichment: EnrichmentWait, conversation: Conversation) -> bool:
    """Wait until a conversation is enriched, and return whether it is: if it never is, other scenarios say so."""
    with suppress(AssertionError):
        enrichment.settle(conversation.zep, conversation.session)
        return True
    return False


@then(parsers.parse("until they are enriched the session of {role} can be read all the time"))
def read_all_the_time(
    writing: Future[None], conversations: Conversations, zep: Zep, settings: Settings, role: str
) -> None:
    """Read a session that is not written to, over and over. Raises freezing.Frozen where a read is not answered."""
    path = memory_path(conversations[role].session)
    while True:
        answer = freezing.read(zep.wire, path, settings.freeze_after)
        assert answer.status_code == 200, f"a read is answered {answer.status_code} {answer.text!r}"
        if wait([writing], PAUSE).done:
            break
    writing.result()
