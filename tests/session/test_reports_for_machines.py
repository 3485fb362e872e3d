"""The reports for other viewers, of a run with workers in which scenarios pass, fail and are skipped."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from pathlib import Path

import pytest

from tests.report.test_messages import must_hang_together
from tests.support.runs import report_in, run
from tests.support.schemas import must_fit
from zep_conformance.report.document import scenarios_in
from zep_conformance.report.writers.har import name_of

FAILS = ("-m", "AUTH-3 or SESSION-3 or UI-1", "--mutations", "zep:clear-does-nothing", "--target", "embedded", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    ended = run(made, *FAILS, "-n", "2")
    assert ended.returncode == 1 and "not written" not in ended.stdout, ended.stdout + ended.stderr
    return made


def test_each_fits_its_schema_and_has_every_scenario_once(folder: Path) -> None:
    scenarios = scenarios_in(report_in(folder))
    assert {one["outcome"] for one in scenarios} == {"passed", "failed", "skipped"}
    assert sum("[" in one["nodeid"] for one in scenarios) > 5  # examples of outlines
    ctrf = json.loads((folder / "reports" / "ctrf.json").read_text())
    must_fit("ctrf", ctrf)
    tests = ctrf["results"]["tests"]
    assert {one["extra"]["nodeid"] for one in tests} == {one["nodeid"] for one in scenarios}
    assert len({one["id"] for one in tests}) == len(tests) == len(scenarios)
    lines = [json.loads(line) for line in (folder / "reports" / "messages.ndjson").read_text().split("\n")[:-1]]
    for line in lines:
        must_fit("cucumber", line)
    messages = [(kind, message) for line in lines for kind, message in line.items()]
    must_hang_together(messages)
    assert [kind for kind, _ in messages].count("testCaseFinished") == len(scenarios)
    assert not [one["uri"] for kind, one in messages if kind == "source" and one["uri"].startswith("reported/")]


def test_a_step_of_the_messages_is_that_of_the_report(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "reports" / "messages.ndjson").read_text().split("\n")[:-1]]
    texts = {one["id"]: one["text"] for line in lines if "pickle" in line for one in line["pickle"]["steps"]}
    steps = {
        step["id"]: texts.get(step.get("pickleStepId"), "")
        for line in lines if "testCase" in line for step in line["testCase"]["testSteps"]
    }  # fmt: skip
    failed = [
        steps[line["testStepFinished"]["testStepId"]]
        for line in lines
        if "testStepFinished" in line and line["testStepFinished"]["testStepResult"]["status"] == "FAILED"
    ]
    known = [one for one in scenarios_in(report_in(folder)) if one["outcome"] == "failed"]
    expected = [step["text"].partition(" ")[2] for one in known for step in one["steps"] if step["outcome"] == "failed"]
    assert sorted(failed) == sorted(expected) and expected


def test_each_failure_has_what_was_asked(folder: Path) -> None:
    report = report_in(folder)
    asked = {one["nodeid"] for one in report["evidence"] if one["exchanges"]}
    failed = {one["nodeid"] for one in scenarios_in(report) if one["outcome"] == "failed"}
    files = [*(folder / "reports" / "latest" / "har").iterdir()]
    # A sequence that fails shows no requests but its own; its file has all that were sent.
    there = {path.name for path in files}
    assert {name_of(nodeid) for nodeid in asked & failed} <= there <= {name_of(nodeid) for nodeid in failed} and files
    for path in files:
        log = json.loads(path.read_text())
        must_fit("har", log)
        assert all(entry["request"]["url"].startswith("http://127.0.0.1:") for entry in log["log"]["entries"])


def test_the_badge_is_of_the_suites_own_servers(folder: Path) -> None:
    badge = json.loads((folder / "reports" / "badge.json").read_text())
    assert (badge["label"], badge["color"]) == ("zep-conformance (own servers)", "red")
    xml.etree.ElementTree.parse(folder / "reports" / "badge.svg")


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    ended = run(tmp_path, "--target", "embedded", "-q", "-m", "API-3", "--formats", "badge,junit")
    assert ended.returncode == 0, ended.stdout
    assert {path.name for path in (tmp_path / "reports").iterdir() if path.is_file()} >= {
        "conformance.json", "badge.json", "badge.svg", "junit.xml",
    }  # fmt: skip
    assert not list((tmp_path / "reports").rglob("messages.ndjson"))
    refused = run(tmp_path, "--target", "embedded", "--formats", "pdf")
    assert refused.returncode == 2
    assert "no report pdf; there are all, " in " ".join((refused.stdout + refused.stderr).split())
