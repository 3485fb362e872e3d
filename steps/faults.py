"""Steps about parts that stop, crash and come back."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.people import People, SessionIds
from steps.conversation import Told, write_text
from steps.langflux import Chat, Chats
from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.settings import Settings
from zep_conformance.targets import Control, Deployment
from zep_conformance.waiting import eventually

PARTS = {"the NLP server": "nlp", "the model": "model", "Zep": "zep"}


class Faults:
    """Which parts are down, so that they are up again when the scenario is over, however it ends."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._down: list[str] = []

    def down(self, part: str) -> None:
        """Stop a part."""
        self._control.stop(part)
        self._down.append(part)

    def up(self, part: str) -> None:
        """Start a part again; returns when it answers."""
        self._control.start(part)
        self._down.remove(part)

    def restore(self) -> None:
        """Start every part that is still down."""
        for part in list(self._down):
            self.up(part)


@pytest.fixture
def faults(control: Control) -> Iterator[Faults]:
    """Nothing is down yet."""
    found = Faults(control)
    yield found
    found.restore()


def part_called(words: str, deployment: Deployment) -> str:
    """The part that a feature calls so."""
    return needed(deployment.zep, "a Zep").part if words == "Zep" else PARTS[words]


@given(parsers.re(r"(?P<words>the NLP server|the model|Zep) is down"))
def is_down(faults: Faults, deployment: Deployment, words: str) -> None:
    """Stopped as an operator stops it: connections are refused."""
    faults.down(part_called(words, deployment))


@when(parsers.re(r"(?P<words>the NLP server|the model|Zep) is back"))
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
