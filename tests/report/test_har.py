"""What was asked and answered in a failed scenario, as HAR."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from tests.support.documents import report
from tests.support.records import evidence, record
from tests.support.schemas import AWKWARD, must_fit
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.events import RunEnded
from zep_conformance.report.transcript import Transcript
from zep_conformance.report.writers import har

TOKEN = "a-t0ken-of-old-a-t0ken-of-old"


def asked(answer: str = '{"messages": []}', status: int = 200) -> tuple[dict[str, Any], ...]:
    """Two exchanges as a run has them, with a secret in each place."""
    transcript = Transcript(Redactor([TOKEN]), {TOKEN: "ZEP_TOKEN"})
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(status, content=iter([answer.encode()]))),
        event_hooks={"response": [transcript.answered]},
        headers={"authorization": f"Bearer {TOKEN}"},
    )
    client.get(f"http://zep:8000/api/v1/sessions/a%20b/memory?lastn=2&key={TOKEN}&x=")
    client.post("http://[::1]:8000/api/v1/sessions", json={"metadata": {"it's": f"ü\n{TOKEN}", "-X": "-X PUT"}})
    return tuple(transcript.as_json()[0])


def read(*exchanges: Any, **more: Any) -> dict[str, Any]:
    known = {
        "reason": "it forgot",
        "evidence": evidence(exchanges=exchanges or asked()),
        "started": "2026-05-04T03:02:01+00:00",
    }
    [(_, text)] = har.files(report(record("f.py::test_a", "failed", "STORE-1", **{**known, **more})))
    assert TOKEN not in text
    found: dict[str, Any] = json.loads(text)
    must_fit("har", found)
    return found["log"]  # type: ignore[no-any-return]


def test_requests_and_answers_are_as_they_went() -> None:
    log = read()
    assert (log["version"], log["creator"]["name"]) == ("1.2", "zep-conformance")
    first, second = log["entries"]
    assert first["request"]["url"] == "http://zep:8000/api/v1/sessions/a%20b/memory?lastn=2&key=%5Bhidden%5D&x="
    assert first["request"]["queryString"] == [
        {"name": "lastn", "value": "2"}, {"name": "key", "value": "[hidden]"}, {"name": "x", "value": ""},
    ]  # fmt: skip
    assert {"name": "authorization", "value": "Bearer $ZEP_TOKEN"} in first["request"]["headers"]
    assert (first["response"]["status"], first["response"]["statusText"]) == (200, "OK")
    assert first["response"]["content"]["mimeType"] == "application/json"
    assert (second["request"]["method"], second["request"]["url"]) == ("POST", "http://[::1]:8000/api/v1/sessions")
    sent = json.loads(second["request"]["postData"]["text"])
    assert sent == {"metadata": {"it's": "ü\n[hidden]", "-X": "-X PUT"}}
    assert second["request"]["postData"]["mimeType"] == "application/json"
    assert first["startedDateTime"] <= second["startedDateTime"]


def test_the_page_says_what_failed_and_what_is_left_out() -> None:
    [page] = read()["pages"]
    assert page["title"] == "Scenario f.py::test_a (STORE-1)"
    assert page["comment"] == "failed: it forgot; 1 earlier exchanges are left out"


@pytest.mark.parametrize("text", [AWKWARD, "", "[", "x" * 5000])
def test_any_answer_survives(text: str) -> None:
    entry = read(*asked(text.replace("\ud83d", ""), 599))["entries"][0]
    assert entry["response"]["statusText"] == ""
    assert entry["response"]["content"]["text"].startswith(text.replace("\ud83d", "")[:1000])


def test_a_command_that_lost_a_quote_is_shown_as_far_as_it_goes() -> None:
    [entry] = read({"request": "curl -i 'http://zep/a", "status": 200, "milliseconds": 1.0, "answer": "", "times": 3})[
        "entries"
    ]
    assert entry["comment"] == "asked 3 times; this is the last"
    assert "zep/a" in entry["request"]["url"]


def test_only_what_failed_or_broke_has_one(tmp_path: Path) -> None:
    outcomes = ("passed", "failed", "skipped", "deviation", "error", "not run")
    found = report(
        *(record(f"f.py::test_{one.replace(' ', '_')}", one, evidence=evidence(exchanges=asked())) for one in outcomes)
    )
    har.Har().saw(RunEnded(document=found, folder=tmp_path))
    assert {path.name for path in tmp_path.rglob("*.har")} == {"failed.har", "error.har"}


def test_a_run_without_any_failure_leaves_no_folder(tmp_path: Path) -> None:
    for found in (report(), report(record("a", "passed")), report(troubles=("zep is away",))):
        har.Har().saw(RunEnded(document=found, folder=tmp_path))
    assert [*tmp_path.iterdir()] == []


def test_names_are_distinct_and_fit_for_any_file_system() -> None:
    tests = [
        "test_a", "test_a[x]", "test_a[X]", "test_a[x/y]",
        "test_a[x:y]", "test_a_x_", "test_a[..]", "test_" + "a" * 300,
        "test_" + "a" * 301, "test_a[\N{GRINNING FACE}]", "test_a[\ud83d]", "test_a[b::c]",
    ]  # fmt: skip
    names = [har.name_of(f"features/test_features.py::{one}") for one in tests]
    assert len({name.lower() for name in names}) == len(tests)
    for name in names:
        assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]*\.har", name) and len(name) < 130


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(jsonschema.ValidationError):
        must_fit("har", {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{}]}})
