"""Outcomes, deviations, redaction and transcripts."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.support.records import record
from zep_conformance.facts import deviations
from zep_conformance.redaction.redactor import HIDDEN, Redactor
from zep_conformance.report.outcomes import Record, worst
from zep_conformance.report.transcript import Transcript
from zep_conformance.targets import Deployment
from zep_conformance.targets.processes.zep import RULED_OUT


def test_the_worst_outcome_is_a_requirements() -> None:
    assert worst(["passed", "deviation", "failed", "skipped"]) == "failed"
    assert worst(["passed", "skipped"]) == "passed"
    assert worst(["passed", "not run"]) == "passed"
    assert worst([]) == "not run"


def test_a_record_survives_the_way_from_a_worker() -> None:
    assert Record.from_json(record("a", "passed").as_json()) == record("a", "passed")


class TestDeviations:
    known = deviations.load_deviations()

    @pytest.mark.parametrize(
        ("identifier", "versions", "applies"),
        [
            ("DEV-4", {"langflux": "2.2.8"}, True),
            ("DEV-4", {"langflux": "1.8.4"}, False),
            ("DEV-4", {"langflux": "3.0.14"}, False),
            ("DEV-4", {"zep": "0.27.2"}, False),
            ("DEV-4", {}, False),
            ("DEV-2", {"langflux": "2.2.8"}, False),
            ("DEV-2", {"langflux": "2.2.8", "zep": "0.27.2"}, True),
            ("DEV-1", {"zep": "unreleased"}, False),
        ],
    )
    def test_apply_to_the_versions_they_were_measured_on(
        self, identifier: str, versions: dict[str, str], applies: bool
    ) -> None:
        assert self.known[identifier].applies(versions) is applies

    def test_what_a_target_rules_out_is_known_and_reaches_the_workers(self) -> None:
        assert set(RULED_OUT) <= set(self.known)
        found = Deployment(target="processes", ruled_out=RULED_OUT)
        assert Deployment.from_json(json.loads(json.dumps(found.as_json()))) == found


NEEDLES = {
    "a token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
    "a key": "sk-abcdefghijklmnop",
    "what it was told": "correct horse battery staple",
}


@pytest.mark.parametrize("needle", NEEDLES.values(), ids=NEEDLES)
@pytest.mark.parametrize(
    "around",
    ["{}", "Authorization: Bearer {}", '{{"apiKey": "{}"}}', "curl -H 'authorization: bearer {}'", "//me:{}@host/x"],
)
def test_secrets_are_hidden(needle: str, around: str) -> None:
    told = NEEDLES["what it was told"]
    cleaned = Redactor([told])(around.format(needle.replace(" ", "-") if "@host" in around else needle))
    assert needle.replace(" ", "-") not in cleaned
    assert needle not in cleaned
    assert HIDDEN in cleaned


def test_ordinary_text_stays() -> None:
    text = '{"session_id": "user-42", "content": "my name is Bearer-less Alice"} http://127.0.0.1:8000/api'
    assert Redactor(["abc"])(text) == text


def test_a_transcript_shows_the_request_as_a_command_and_polls_once() -> None:
    transcript = Transcript(Redactor(["my-very-own-token"]))
    answers = iter(["not yet", "not yet", "now"])
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=iter([next(answers).encode()]))),
        event_hooks={"response": [transcript.answered]},
        headers={"authorization": "Bearer my-very-own-token"},
    )
    for _ in range(3):
        client.get("http://zep/api/v1/sessions/it's")
    shown = transcript.shown()
    assert shown.count("curl") == 1
    assert f"-H 'authorization: Bearer {HIDDEN}'" in shown
    assert "200" in shown and "now" in shown and "(asked 3 times)" in shown
    assert "my-very-own-token" not in shown
