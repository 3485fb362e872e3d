"""Steps about how Zep starts: with which settings it comes up, and who can reach it then."""

from __future__ import annotations

import re

import pytest
from faker import Faker
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.people import SessionIds
from steps.faults import Faults
from steps.zep import Conversation, small_talk, texts
from zep_conformance.clients.zep import Zep
from zep_conformance.doctor.findings import Finding
from zep_conformance.doctor.findings import faults as faulty
from zep_conformance.errors import needed
from zep_conformance.facts.flows import MODEL_KEY
from zep_conformance.session.run import Run
from zep_conformance.targets import Control, Deployment

REACHING = ("URL", "name", "TCP", "TLS", "HTTP", "version")
"""The layers of the doctor's findings up to an answer that is a healthy Zep's."""
ATTEMPTS = {
    "without ZEP_OPENAI_API_KEY": {"ZEP_OPENAI_API_KEY": ""},
    "with ZEP_AUTH_REQUIRED and without a secret": {"ZEP_AUTH_REQUIRED": "true", "ZEP_AUTH_SECRET": ""},
}
"""The environment that Zep is to refuse, as a feature calls it."""


@pytest.fixture
def zep_part(deployment: Deployment) -> str:
    """The name of the Zep under test."""
    return needed(deployment.zep, "a Zep").part


@given("Zep is stopped")
def zep_is_stopped(faults: Faults, zep_part: str) -> None:
    """As an operator stops it. It is started again when the scenario is over."""
    faults.down(zep_part)


@when("it is started with ZEP_OPENAI_API_KEY set, as in the documented .env")
def start_with_key(faults: Faults, zep_part: str) -> None:
    """Documentation, “Guide to Deploy Zep to Digital Ocean”. The key's value does not matter before it is used."""
    faults.up(zep_part, {"ZEP_OPENAI_API_KEY": MODEL_KEY})


@when(parsers.re(r"it is started (?P<how>without .+|with ZEP_AUTH_REQUIRED .+)"), target_fixture="last_words")
def start_wrongly(control: Control, zep_part: str, how: str) -> str | None:
    """Gives what it wrote when it ended, None when it came up all the same."""
    last_words = control.attempt(zep_part, ATTEMPTS[how])
    if last_words is None:
        control.stop(zep_part)
    return last_words


@then("it is healthy")
def is_healthy(zep: Zep) -> None:
    """/healthz answers 200."""
    assert zep.wire.get("/healthz").status_code == 200, "Zep is not healthy after its start"


@then("it remembers: a conversation can be written and read")
def remembers(zep: Zep, session_ids: SessionIds, belongings: Belongings, faker: Faker) -> None:
    """Four messages, in order."""
    conversation = Conversation(belongings.session(zep, session_ids.new("started")))
    conversation.write(zep, small_talk(faker, 4))
    assert texts(zep.memory(conversation.session).messages) == conversation.texts, "what was written is not remembered"


@then("it does not come up")
def does_not_come_up(last_words: str | None) -> None:
    """It ends by itself."""
    assert last_words is not None, "Zep came up with settings that it must refuse"


@then(parsers.re(r"its log names (?P<what>ZEP_OPENAI_API_KEY|the missing secret)"))
def log_names(last_words: str, what: str) -> None:
    """What it wrote before it ended."""
    pattern = {"ZEP_OPENAI_API_KEY": "ZEP_OPENAI_API_KEY", "the missing secret": "(?i)secret"}[what]
    said = last_words.strip()[-300:]
    assert re.search(pattern, last_words), f"Zep's log does not say why it ended, but: {said or '(nothing)'}"


# -- who can reach it -----------------------------------------------------------------------------------------


@given("a firewall drops what is sent to Zep")
def cut_off(faults: Faults, zep_part: str) -> None:
    """No answer at all, not even a refusal."""
    faults.cut_off(zep_part)


@given("the firewall lets it through again")
def reconnected(faults: Faults, zep_part: str) -> None:
    """As before."""
    faults.reconnect(zep_part)


@when("the doctor looks at Zep", target_fixture="findings")
def doctor_looks(run: Run, zep_part: str) -> list[Finding]:
    """Layer by layer, from another host where the target has one."""
    return needed(run.target, "a target").look(zep_part)


@then("it gets an answer over HTTP")
def gets_an_answer(findings: list[Finding]) -> None:
    """Nothing is wrong below HTTP, documentation, “Guide to Deploy Zep to Digital Ocean”, step 3."""
    reached = any(finding.layer == "HTTP" and finding.code == "ok" for finding in findings)
    wrong = [f"{finding.symptom}: {finding.cause}" for finding in faulty(findings) if finding.layer in REACHING]
    assert reached and not wrong, f"Zep can't be reached as it should be: {wrong}"


@then(parsers.re(r"it says (?P<what>firewall, and not that Zep is down|that Zep is down, and not firewall)"))
def says_which(findings: list[Finding], what: str) -> None:
    """By the layer TCP: dropped, or refused."""
    expected = "tcp-dropped" if what.startswith("firewall") else "tcp-refused"
    codes = [finding.code for finding in faulty(findings)]
    assert codes == [expected], f"the doctor says {codes}, and not {expected}"
