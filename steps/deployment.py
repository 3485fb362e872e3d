"""Steps of deployment.feature: what a deployed Zep answers, and what the doctor says of it."""

from __future__ import annotations

import re

import httpx
from faker import Faker
from packaging.version import Version
from pytest_bdd import parsers

from fixtures.conversations import Conversations
from fixtures.people import SessionIds
from fixtures.words import then, when
from zep_conformance.clients.zep import Zep
from zep_conformance.doctor.findings import Finding
from zep_conformance.doctor.findings import faults as faulty
from zep_conformance.errors import needed
from zep_conformance.facts.servers import session_path
from zep_conformance.session.run import Run

OLDEST = Version("0.20")
"""The oldest Zep that answers as documented; before it an unknown session was an error."""
REACHING = ("URL", "name", "TCP", "TLS", "HTTP", "version")
"""The layers of the doctor's findings up to an answer that is a healthy Zep's."""


@when("GET /healthz is asked for", target_fixture="answer")
def ask_health(zep: Zep) -> httpx.Response:
    """Return the answer of /healthz, asked with whatever token Zep wants."""
    return zep.wire.get("/healthz")


@then("it says that it is a Zep of version 0.20 or later, and not 1.x")
def says_version(answer: httpx.Response) -> None:
    """Check the header X-Zep-Version."""
    header = answer.headers.get("x-zep-version", "")
    found = re.match(r"v?(\d+\.\d+\.\d+)", header)
    assert found, f"X-Zep-Version is {header!r}"
    assert OLDEST <= Version(found[1]) < Version("1"), f"Zep {found[1]} is not a 0.x from {OLDEST} on"


@when("a session that does not exist is read and searched", target_fixture="both")
def read_and_search_nowhere(zep: Zep, session_ids: SessionIds) -> tuple[httpx.Response, httpx.Response]:
    """Return the answers to reading, which asks the database, and searching, which asks the NLP server too."""
    path = session_path(session_ids.new("nobody"))
    return zep.wire.get(f"{path}/memory"), zep.wire.post(f"{path}/search", json={"text": "anything at all"})


@then("both answers are empty, and neither is an error")
def both_empty(both: tuple[httpx.Response, httpx.Response]) -> None:
    """Check that both are 200 and empty; a failure names the part to look at."""
    read, search = both
    assert read.status_code == 200, f"reading is answered {read.status_code} {read.text!r}: is PostgreSQL up?"
    assert search.status_code == 200, f"searching is answered {search.status_code} {search.text!r}: is zep-nlp up?"
    assert read.json()["messages"] == [] and search.json() == [], "something is in a session that nobody wrote to"


@then("it remembers: a conversation can be written and read")
def remembers(conversations: Conversations, faker: Faker) -> None:
    """Check that four messages come back in order."""
    conversation = conversations.new("started")
    conversation.go_on(faker, 4)
    assert conversation.remembered() == conversation.texts, "what was written is not remembered"


@when("the doctor looks at Zep", target_fixture="findings")
def doctor_looks(run: Run, zep_part: str) -> list[Finding]:
    """Return what the doctor finds, layer by layer, from another host where the target has one."""
    return needed(run.target, "a target").diagnose(zep_part)


@then("it gets an answer over HTTP")
def gets_an_answer(findings: list[Finding]) -> None:
    """Check that nothing is wrong up to HTTP. Documentation, “Guide to Deploy Zep to Digital Ocean”, step 3."""
    reached = any(finding.layer == "HTTP" and finding.code == "ok" for finding in findings)
    wrong = [f"{finding.symptom}: {finding.cause}" for finding in faulty(findings) if finding.layer in REACHING]
    assert reached and not wrong, f"Zep can't be reached as it should be: {wrong}"


@then(parsers.re(r"it says (?P<what>firewall, and not that Zep is down|that Zep is down, and not firewall)"))
def says_which(findings: list[Finding], what: str) -> None:
    """Check that the layer TCP alone is at fault: what is sent is dropped, or refused."""
    expected = "tcp-dropped" if what.startswith("firewall") else "tcp-refused"
    codes = [finding.code for finding in faulty(findings)]
    assert codes == [expected], f"the doctor says {codes}, and not {expected}"
