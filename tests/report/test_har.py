"""What was asked and answered in a failed scenario, as HAR."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from tests.support.documents import report
from tests.support.records import evidence, record
from tests.support.schemas import AWKWARD, must_fit
from zep_conformance.clients.http import http_client
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report import exchanges
from zep_conformance.report.events import RunEnded
from zep_conformance.report.exchanges import Packer
from zep_conformance.report.transcript import Transcript
from zep_conformance.report.writers import har

TOKEN = "a-t0ken-of-old-a-t0ken-of-old"
BEGAN = "2026-05-04T03:02:01+00:00"
A = "f.py::test_a"


def server(request: httpx.Request) -> httpx.Response:
    """Answer by the path, with a secret in each place."""
    path = request.url.path
    if path == "/away":
        raise httpx.ReadTimeout("nothing came")
    if path == "/moved":
        return httpx.Response(302, headers={"location": "http://zep:8000/there", "x-token": TOKEN}, content=iter([b""]))
    kind = {"content-type": "application/json; charset=utf-8"}
    return httpx.Response(200, headers=kind, content=iter([b'{"messages": ["' + b"y" * 5000 + b'"]}']))


def packed(
    *paths: str, nodeid: str = A, attempt: int = 1, answer: Callable[[httpx.Request], httpx.Response] = server
) -> bytes:
    """The whole exchanges of a scenario that asked for these paths, as a run has them."""
    redactor = Redactor([TOKEN])
    transcript = Transcript(redactor, {TOKEN: "ZEP_TOKEN"})
    hooks = {"response": [transcript.answered], "failure": [transcript.failed]}
    client = http_client("http://zep:8000", timeout=1, hooks=hooks, transport=httpx.MockTransport(answer),
                         headers={"authorization": f"Bearer {TOKEN}"})  # fmt: skip
    transcript.whole.begin()
    for number, path in enumerate(paths):
        transcript.whole.step = 5 + number
        with contextlib.suppress(httpx.ReadTimeout):
            if path == "POST":
                body = {"metadata": {"it's": f"ü\n{TOKEN}", "-X": "z" * 5000}}
                client.post("http://[::1]:8000/api/v1/sessions", json=body)
            else:
                client.get(path)
    found = transcript.whole.taken(lambda url: "zep" if "zep:" in url else None)
    return Packer(redactor).packed(found, nodeid=nodeid, attempt=attempt)


def read(exchanges: bytes, **more: Any) -> dict[str, Any]:
    known = {"reason": "it forgot", "evidence": evidence(), "started": BEGAN}
    [(_, text)] = har.files(report(record(A, "failed", "STORE-1", **{**known, **more})), {A: exchanges})
    assert TOKEN not in text
    found: dict[str, Any] = json.loads(text)
    must_fit("har", found)
    return found["log"]  # type: ignore[no-any-return]


def test_requests_and_answers_are_as_they_went() -> None:
    log = read(packed(f"/api/v1/sessions/a%20b/memory?lastn=2&key={TOKEN}&x=", "POST"))
    assert (log["version"], log["creator"]["name"]) == ("1.2", "zep-conformance")
    first, second = log["entries"]
    assert first["request"]["url"] == "http://zep:8000/api/v1/sessions/a%20b/memory?lastn=2&key=%5Bhidden%5D&x="
    assert first["request"]["queryString"] == [
        {"name": "lastn", "value": "2"}, {"name": "key", "value": "[hidden]"}, {"name": "x", "value": ""},
    ]  # fmt: skip
    assert {"name": "authorization", "value": "Bearer [hidden]"} in first["request"]["headers"]
    assert (first["response"]["status"], first["response"]["statusText"]) == (200, "OK")
    assert {"name": "content-type", "value": "application/json; charset=utf-8"} in first["response"]["headers"]
    assert first["response"]["content"]["mimeType"] == "application/json; charset=utf-8"
    assert (second["request"]["method"], second["request"]["url"]) == ("POST", "http://[::1]:8000/api/v1/sessions")
    assert second["request"]["postData"]["mimeType"] == "application/json"
    assert first["comment"] == "in the step at line 5; to zep"


def test_nothing_is_cut_that_the_evidence_cuts() -> None:
    [entry] = read(packed("POST"))["entries"]
    sent = json.loads(entry["request"]["postData"]["text"])
    assert sent == {"metadata": {"it's": "ü\n[hidden]", "-X": "z" * 5000}}
    assert entry["response"]["content"]["text"].count("y") == 5000
    assert entry["response"]["content"]["size"] > 5000


def test_every_request_is_there_at_the_moment_when_it_was_sent() -> None:
    entries = read(packed(*["/a"] * 50))["entries"]
    assert len(entries) == 50
    moments = [datetime.fromisoformat(one["startedDateTime"]) for one in entries]
    assert moments == sorted(moments) and moments[0] >= datetime.fromisoformat(BEGAN)
    assert all(one["time"] == one["timings"]["wait"] for one in entries)


def test_a_request_without_an_answer_and_a_redirection() -> None:
    away, moved = read(packed("/away", "/moved"))["entries"]
    assert (away["response"]["status"], away["response"]["_error"]) == (0, "ReadTimeout: nothing came")
    assert moved["response"]["redirectURL"] == "http://zep:8000/there"
    assert {"name": "x-token", "value": "[hidden]"} in moved["response"]["headers"]


def test_what_is_too_much_even_for_all_exchanges_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "LONGEST", {"body": 5, "answer": 7})
    monkeypatch.setattr(exchanges, "MOST", 1)
    log = read(packed("POST", "/a"))
    [entry] = log["entries"]
    assert entry["request"]["postData"]["comment"].startswith("cut: it had 5")
    assert entry["response"]["content"]["comment"].startswith("cut: it had 5")
    assert log["pages"][0]["comment"] == "failed: it forgot; 1 later exchanges are left out"


def test_of_what_was_carried_out_twice_the_second_time_is_shown() -> None:
    log = read(packed("/first") + packed("/second", attempt=2))
    assert [one["request"]["url"] for one in log["entries"]] == ["http://zep:8000/second"]


def test_the_page_says_what_failed() -> None:
    [page] = read(packed("/a"))["pages"]
    assert page["title"] == "Scenario f.py::test_a (STORE-1)"
    assert page["comment"] == "failed: it forgot"


@pytest.mark.parametrize("text", [AWKWARD, "", "[", "x" * 5000])
def test_any_answer_survives(text: str) -> None:
    octets = text.encode(errors="surrogatepass")
    found = packed("/a", answer=lambda _: httpx.Response(599, content=iter([octets])))
    entry = read(found)["entries"][0]
    assert entry["response"]["statusText"] == ""
    assert entry["response"]["content"]["text"].startswith(text[:40])


def test_only_what_failed_or_broke_has_one(tmp_path: Path) -> None:
    outcomes = ("passed", "failed", "skipped", "deviation", "error", "not run")
    nodeids = {one: f"f.py::test_{one.replace(' ', '_')}" for one in outcomes}
    found = report(*(record(nodeid, one, evidence=evidence()) for one, nodeid in nodeids.items()))
    kept = {nodeid: packed("/a", nodeid=nodeid) for nodeid in nodeids.values()}
    har.Har().saw(RunEnded(document=found, folder=tmp_path, exchanges=kept))
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
