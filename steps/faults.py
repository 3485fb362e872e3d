"""Steps about parts that stop, crash and come back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.enrichment import Enrichment
from fixtures.people import People, SessionIds
from steps.conversation import Told, write_text
from steps.langflux import Chat, Chats
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import Said, Zep, memory_path
from zep_conformance.errors import needed
from zep_conformance.settings import Settings
from zep_conformance.targets import Control, Deployment

PARTS = {"the NLP server": "nlp", "the model": "model", "PostgreSQL": "postgres", "Zep": "zep"}
_CALLED = "|".join(PARTS)


class Faults:
    """Which parts are down or cut off, so that they are as before when the scenario is over, however it ends.

    What would mend a part is noted before it is touched: a run may be interrupted in between.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._mend: dict[str, Callable[[str], None]] = {}

    def down(self, part: str) -> None:
        """Stop a part."""
        self._mend[part] = self._control.start
        self._control.stop(part)

    def crash(self, part: str) -> None:
        """End a part without warning."""
        self._mend[part] = self._control.start
        self._control.kill(part)

    def up(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part again; returns when it answers. changed: variables that differ, for the rest of the scenario."""
        self._control.start(part, changed)
        if changed:
            self._mend[part] = self._restart
        else:
            self._mend.pop(part)

    def cut_off(self, part: str) -> None:
        """Drop what is sent to a part."""
        self._mend[part] = self._control.reconnect
        self._control.cut_off(part)

    def reconnect(self, part: str) -> None:
        """Let through again what is sent to a part."""
        self._control.reconnect(part)
        self._mend.pop(part)

    def restore(self) -> None:
        """Mend everything that is still broken."""
        for part, mend in list(self._mend.items()):
            mend(part)

    def _restart(self, part: str) -> None:
        self._control.stop(part)
        self._control.start(part)


@pytest.fixture
def faults(
    control: Control, zep: Zep, session_ids: SessionIds, belongings: Belongings, enrichment: Enrichment
) -> Iterator[Faults]:
    """Nothing is down yet, and Zep has nothing left to do.

    What it is stopped in the middle of it does again when it is back, and 0.27.2 can't: that holds up everybody's
    enrichment (docs/real-servers.md).
    """
    session = belongings.session(zep, session_ids.new("before"))
    zep.write(session, [Said("human", "Ada Lovelace is on her way to Lisbon")])
    with contextlib.suppress(AssertionError):  # whether it enriches at all is for other scenarios to say
        enrichment.settle(zep, session)
    found = Faults(control)
    yield found
    found.restore()


def part_called(words: str, deployment: Deployment) -> str:
    """The part that a feature calls so."""
    return needed(deployment.zep, "a Zep").part if words == "Zep" else PARTS[words]


@given(parsers.re(r"(?P<words>" + _CALLED + ") is down"))
def is_down(faults: Faults, deployment: Deployment, words: str) -> None:
    """Stopped as an operator stops it: connections are refused."""
    faults.down(part_called(words, deployment))


@when(parsers.re(r"(?P<words>" + _CALLED + ") is back"))
def is_back(faults: Faults, deployment: Deployment, words: str) -> None:
    """Started again; nothing else is."""
    faults.up(part_called(words, deployment))


@when(parsers.parse('{role} writes "{text}" to a session'))
def writes_now(
    told: Told,
    zep: Zep,
    people: People,
    session_ids: SessionIds,
    belongings: Belongings,
    role: str,
    text: str,
) -> None:
    """Acknowledged at once: while the part is down, and it stays down until a later step."""
    write_text(told, zep, people, session_ids, belongings, role, text)


@when(parsers.parse('she tries to write "{text}" to it'), target_fixture="answer")
def tries_to_write(told: Told, zep: Zep, text: str) -> httpx.Response:
    """The answer is for the next step to judge."""
    return try_to_write(zep, told["Alice"].session, text)


def try_to_write(zep: Zep, session: str, text: str) -> httpx.Response:
    """Write one message, whatever comes of it. An answer that never comes is a failure, since a client must know."""
    return zep.wire.post(memory_path(session), json={"messages": [Said("human", text).body()]})


@then("the write is refused, and says something")
def write_is_refused(answer: httpx.Response) -> None:
    """No success: nothing was stored, so nothing may be acknowledged."""
    assert answer.status_code >= 400, f"with PostgreSQL down a write is answered {answer.status_code}"
    assert answer.text.strip(), f"the refused write ({answer.status_code}) does not say anything"


@then(
    parsers.parse('writing "{text}" to it works again, without a restart of Zep'),
    target_fixture="tried",
)
def writing_works_again(told: Told, zep: Zep, settings: Settings, text: str) -> list[str]:
    """Within the wait limit: a pooled connection may fail once more. Gives the text of each try; the last succeeded.

    Each try has a text of its own, since a Zep may have stored what it then refuses (docs/real-servers.md).
    """
    tried: list[str] = []

    def written() -> None:
        tried.append(f"{text}, for the {len(tried) + 1}. time")
        answer = try_to_write(zep, told["Alice"].session, tried[-1])
        assert answer.status_code == 200, f"PostgreSQL is back, and a write is answered {answer.status_code}"

    eventually(written, settings.wait_limit)
    told["Alice"].said.append(Said("human", tried[-1]))
    return tried


@then("the session of Alice has every message that was acknowledged, once and in order, and nobody else's")
def has_acknowledged(told: Told, zep: Zep, tried: list[str]) -> None:
    """Of what was refused while PostgreSQL came back some may be there too; of what was refused before, nothing."""
    stored = [message.content for message in zep.messages(told["Alice"].session)]
    acknowledged = [said.content for said in told["Alice"].said]
    wrong = _is_there(stored, acknowledged[:-1] + tried, set(acknowledged))
    assert not wrong, wrong


@dataclass
class Writer:
    """Somebody who goes on writing whatever happens. tried: each text, and whether it was acknowledged.

    tried_before: how many of them before the crash was over.
    """

    session: str
    tried: list[tuple[str, bool]] = field(default_factory=list)
    tried_before: int = 0

    def write(self, zep: Zep) -> bool:
        """Write the next message. Returns whether it was acknowledged."""
        text = f"message {len(self.tried)} of {self.session}"
        try:
            acknowledged = try_to_write(zep, self.session, text).status_code == 200
        except httpx.HTTPError:
            acknowledged = False
        self.tried.append((text, acknowledged))
        return acknowledged


@when(
    parsers.parse("{count:d} people write to a session each while PostgreSQL crashes and comes back"),
    target_fixture="writers",
)
def write_through_crash(
    faults: Faults,
    zep: Zep,
    people: People,
    session_ids: SessionIds,
    belongings: Belongings,
    settings: Settings,
    count: int,
) -> list[Writer]:
    """Everybody writes until PostgreSQL has been killed and started again, and then until a write works."""
    writers = [Writer(belongings.session(zep, session_ids.new(one.user_id))) for one in people.crowd(count)]
    before, over = [threading.Event() for _ in writers], threading.Event()

    def go_on(writer: Writer, started: threading.Event) -> None:
        while not over.is_set():
            if writer.write(zep):
                started.set()
        eventually(lambda: _must_work(writer, zep), settings.wait_limit)

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


def _must_work(writer: Writer, zep: Zep) -> None:
    assert writer.write(zep), "PostgreSQL is back, and writes are still refused"


@then("each session has every message that was acknowledged, once and in order")
def acknowledged_are_there(writers: list[Writer], zep: Zep) -> None:
    """What was refused may be there too: an answer can get lost on its way."""
    for writer in writers:
        stored = [message.content for message in zep.messages(writer.session)]
        wrong = _is_there(stored, [text for text, _ in writer.tried], {text for text, ok in writer.tried if ok})
        assert not wrong, wrong


def _is_there(stored: list[str], tried: list[str], acknowledged: set[str]) -> str:
    """What is wrong with what was stored, "" when all that was acknowledged is there, once and as it was tried."""
    if lost := acknowledged - set(stored):
        return f"lost: {sorted(lost)}"
    expected = [text for text in tried if text in stored]
    return "" if stored == expected else f"messages are doubled, out of order, or not from here: {stored}"


@then("some messages were acknowledged before the crash and some after it")
def acknowledged_on_both_sides(writers: list[Writer]) -> None:
    """Else nothing was tested."""
    for writer in writers:
        before, after = writer.tried[: writer.tried_before], writer.tried[writer.tried_before :]
        assert any(ok for _, ok in before) and any(ok for _, ok in after)


@when(parsers.parse('she says "{text}", whatever comes of it'), target_fixture="prediction")
def says_anyhow(chats: Chats, her: Chat, text: str) -> httpx.Response:
    """Under the same session id; the answer is for the next step to judge."""
    return chats.langflux.predict(her.chatflow, text, session=her.session)


@then("the prediction fails, and says something")
def fails_with_words(prediction: httpx.Response) -> None:
    """No success, and words in the body."""
    assert prediction.status_code >= 400, (
        f"with Zep down the prediction is answered {prediction.status_code} {prediction.text[:200]!r}"
    )
    assert prediction.text.strip(), "the failed prediction does not say anything"


@when(parsers.re(r"Zep (?P<ends>is stopped|crashes) and is started again"))
def zep_comes_back(control: Control, deployment: Deployment, zep: Zep, settings: Settings, ends: str) -> None:
    """End Zep as an operator or a crash does, start it, and wait until it is healthy."""
    part = part_called("Zep", deployment)
    (control.stop if ends == "is stopped" else control.kill)(part)
    control.start(part)

    def healthy() -> None:
        assert zep.wire.get("/healthz").status_code == 200, "Zep is not healthy after its start"

    eventually(healthy, settings.wait_limit)
