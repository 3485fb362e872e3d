"""Outcomes, deviations, redaction and transcripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.records import evidence, record
from tests.support.runs import report_in, run
from zep_conformance.facts import deviations
from zep_conformance.redaction.redactor import HIDDEN, Redactor
from zep_conformance.report.evidence import newest
from zep_conformance.report.outcomes import Record, worst
from zep_conformance.report.transcript import Transcript
from zep_conformance.targets import Deployment
from zep_conformance.targets.processes.zep import RULED_OUT
from zep_conformance.targets.supervised import Supervisor


def test_the_worst_outcome_is_a_requirements() -> None:
    assert worst(["passed", "deviation", "failed", "skipped"]) == "failed"
    assert worst(["passed", "skipped"]) == "passed"
    assert worst(["passed", "not run"]) == "passed"
    assert worst([]) == "not run"


def test_a_record_survives_the_way_from_a_worker() -> None:
    for one in (record("a", "passed"), record("a", "failed", evidence=evidence())):
        assert Record.from_json(json.loads(json.dumps(one.as_json()))) == one


class TestDeviations:
    known = deviations.load_deviations()

    @pytest.mark.parametrize(
        ("identifier", "versions", "applies"),
        [
            ("DEV-4", {"langflux": "2.2.8"}, True),
            ("DEV-4", {"langflux": "1.8.4"}, False),
            ("DEV-4", {"langflux": "3.0.14"}, True),
            ("DEV-4", {"zep": "0.27.2"}, False),
            ("DEV-4", {}, False),
            ("DEV-2", {"langflux": "2.2.8"}, False),
            ("DEV-2", {"langflux": "2.2.8", "zep": "0.27.2"}, True),
            ("DEV-1", {"zep": "unreleased"}, False),
        ],
    )
    def test_apply_to_the_versions_they_were_measured_on_and_to_those_that_these_stand_for(
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


def test_a_transcript_as_data_has_the_newest_exchanges_and_says_how_many_it_leaves_out() -> None:
    transcript = Transcript(Redactor(["my-very-own-token"]), {"my-very-own-token": "ZEP_TOKEN"})
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=iter([b"x" * 4000]))),
        event_hooks={"response": [transcript.answered]},
        headers={"authorization": "Bearer my-very-own-token"},
    )
    for path in "aabcc":
        client.get(f"http://zep/{path}")
    found, left_out = transcript.as_json(newest=2)
    assert left_out == 1
    assert [(one["request"].rpartition("/")[2], one["times"]) for one in found] == [("b", 1), ("c", 2)]
    assert all("$ZEP_TOKEN" in one["request"] and len(one["answer"]) < 1600 for one in found)


def test_a_log_is_cut_at_its_beginning() -> None:
    assert newest("short\n") == "short\n"
    cut = newest("".join(f"line {number}\n" for number in range(1000)), most=100)
    assert cut.startswith("(") and "left out" in cut.partition("\n")[0]
    assert cut.endswith("line 998\nline 999\n") and cut.splitlines()[1].startswith("line ")


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)]
)
def test_a_failure_comes_with_its_evidence(tmp_path: Path, workers: tuple[str, ...]) -> None:
    behaviours = "langflux:delete-by-session-keeps-zep"
    finished = run(tmp_path, "-q", "-m", "API-6", "--seed", "7", "--recorded-behaviours", behaviours, *workers)
    assert finished.returncode == 1, finished.stdout
    report = report_in(tmp_path)
    failed = [one["nodeid"] for one in _scenarios(report) if one["outcome"] == "failed"]
    assert [one["nodeid"] for one in report["evidence"]] == failed != []
    found = report["evidence"][0]
    assert "still remembers" in found["complaint"]
    outcomes = [step["outcome"] for step in found["steps"]]
    assert outcomes == ["passed"] * (len(outcomes) - 1) + ["failed"] and len(outcomes) > 2
    assert all(step["duration"] > 0 for step in found["steps"])
    assert "/prediction/" in found["exchanges"][-1]["request"]
    assert found["rerun"].startswith("zep-conformance run features/") and "--seed 7" in found["rerun"]
    assert (found["seed"], found["attached"]) == (7, [])
    assert set(found["logs"]) <= {"zep", "langflux"}


def _scenarios(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [scenario for one in report["requirements"] for scenario in one["scenarios"]]


def test_a_log_begins_with_the_scenario(tmp_path: Path) -> None:
    supervisor = object.__new__(Supervisor)
    supervisor.folder = tmp_path
    assert (supervisor.mark("zep"), supervisor.log("zep")) == (0, "")
    (tmp_path / "zep.log").write_text("before\n")
    mark = supervisor.mark("zep")
    with (tmp_path / "zep.log").open("a") as log:
        log.write("since\n")
    assert supervisor.log("zep", mark) == "since\n"
    assert supervisor.log("zep") == "before\nsince\n"
