"""Steps of faults.feature: what is written and said while a part is down, and what is there when it is back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from pytest_bdd import parsers

from fixtures.chats import Chat, Chats
from fixtures.conversations import Conversations
from fixtures.enrichment import Patience
from fixtures.faults import Faults, Writer
from fixtures.people import People
from fixtures.words import given, then, when
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage
from zep_conformance.settings import Settings


@given(parsers.parse("Alice has written what the model refuses {times:d} times"))
def write_refused(conversations: Conversations, patience: Patience, times: int) -> None:
    """Write what the model server of the suite answers 401 so often, as though its key were not good for a while."""
    patience.alike = None  # the same text is answered from then on
    session = conversations.new_of("Alice").session
    text = f"Could you book a table, though the model refuses {session} {times} times?"
    conversations.begin("Alice", text, session=session)


@when(parsers.parse('she tries to write "{text}" to it'), target_fixture="answer")
def tries_to_write(conversations: Conversations, text: str) -> httpx.Response:
    """Return the answer, whatever it is. Raises httpx.HTTPError when none comes: a client must be told."""
    return conversations["Alice"].try_to_write(text)


@then("the write is refused, and says something")
def write_is_refused(answer: httpx.Response) -> None:
    """Check that it is no success: nothing was stored, so nothing may be acknowledged."""
    assert answer.status_code >= 400, f"with PostgreSQL down a write is answered {answer.status_code}"
    assert answer.text.strip(), f"the refused write ({answer.status_code}) does not say anything"


@given(parsers.parse('she has tried in vain to write "{text}" to it'))
def has_tried_in_vain(conversations: Conversations, text: str) -> None:
    """Try to write, and check that it is refused."""
    write_is_refused(tries_to_write(conversations, text))


@then(parsers.parse('writing "{text}" to it works again, without a restart of Zep'), target_fixture="tried")
def writing_works_again(conversations: Conversations, settings: Settings, text: str) -> list[str]:
    """Write until it is acknowledged, and return the text of each try: a pooled connection may fail once more.

    Each try has a text of its own, since a Zep may have stored what it then refuses (docs/real-servers.md).
    """
    conversation, tried = conversations["Alice"], list[str]()

    def written() -> None:
        tried.append(f"{text}, for the {len(tried) + 1}. time")
        answer = conversation.try_to_write(tried[-1])
        assert answer.status_code == 200, f"PostgreSQL is back, and a write is answered {answer.status_code}"

    eventually(written, settings.wait_limit)
    conversation.written.append(NewMessage("human", tried[-1]))
    return tried


@then("the session of Alice has every message that was acknowledged, once and in order, and nobody else's")
def has_acknowledged(conversations: Conversations, tried: list[str]) -> None:
    """Check that of what was refused only tries from when PostgreSQL came back are there, if any."""
    stored = [message.content for message in conversations["Alice"].messages()]
    acknowledged = [message.content for message in conversations["Alice"].written]
    wrong = _what_is_wrong(stored, acknowledged[:-1] + tried, set(acknowledged))
    assert not wrong, wrong


@when(
    parsers.parse("{count:d} people write to a session each while PostgreSQL crashes and comes back"),
    target_fixture="writers",
)
def write_through_crash(
    faults: Faults, conversations: Conversations, people: People, settings: Settings, count: int
) -> list[Writer]:
    """Return all, who have written until PostgreSQL was killed and started again, and then until a write worked."""
    writers = [Writer(conversations.new(one.user_id)) for one in people.crowd(count)]
    before, over = [threading.Event() for _ in writers], threading.Event()

    def go_on(writer: Writer, started: threading.Event) -> None:
        while not over.is_set():
            if writer.write():
                started.set()
        eventually(lambda: _must_work(writer), settings.wait_limit)

    with ThreadPoolExecutor(count) as pool:
        try:
            working = [pool.submit(go_on, *one) for one in zip(writers, before, strict=True)]
            assert all(one.wait(settings.wait_limit) for one in before), "nothing was acknowledged before the crash"
            faults.crash("postgres")
            for writer in writers:
                writer.tried_before = len(writer.tried)
            faults.up("postgres")
        finally:
            over.set()
        for one in working:
            one.result()
    return writers


def _must_work(writer: Writer) -> None:
    assert writer.write(), "PostgreSQL is back, and writes are still refused"


@then("each session has every message that was acknowledged, once and in order")
def acknowledged_are_there(writers: list[Writer]) -> None:
    """Check what is stored; what was refused may be there too, since an answer can get lost on its way."""
    for writer in writers:
        stored = [message.content for message in writer.conversation.messages()]
        wrong = _what_is_wrong(stored, [text for text, _ in writer.tried], {text for text, ok in writer.tried if ok})
        assert not wrong, wrong


def _what_is_wrong(stored: list[str], tried: list[str], acknowledged: set[str]) -> str:
    """Return what is wrong with what was stored, "" when all that was acknowledged is there, once and as tried."""
    if lost := acknowledged - set(stored):
        return f"lost: {sorted(lost)}"
    expected = [text for text in tried if text in stored]
    return "" if stored == expected else f"messages are doubled, out of order, or not from here: {stored}"


@then("some messages were acknowledged before the crash and some after it")
def acknowledged_on_both_sides(writers: list[Writer]) -> None:
    """Check it for each writer: else nothing was tested."""
    for writer in writers:
        before, after = writer.tried[: writer.tried_before], writer.tried[writer.tried_before :]
        assert any(ok for _, ok in before) and any(ok for _, ok in after)


@given(parsers.parse('she has said "{text}", whatever came of it'))
@when(parsers.parse('she says "{text}", whatever comes of it'), target_fixture="prediction")
def says_anyhow(chats: Chats, her: Chat, text: str) -> httpx.Response:
    """Return LangFlux's answer under the same session id, whatever it is."""
    return chats.langflux.predict(her.chatflow, text, session=her.session)


@then("the prediction fails, and says something")
def fails_with_words(prediction: httpx.Response) -> None:
    """Check that it is no success, and that the body has words in it."""
    assert prediction.status_code >= 400, (
        f"with Zep down the prediction is answered {prediction.status_code} {prediction.text[:200]!r}"
    )
    assert prediction.text.strip(), "the failed prediction does not say anything"
