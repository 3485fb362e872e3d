"""The writers of a run's reports: all are told of everything, and none can harm the others."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.records import evidence, record
from tests.support.schemas import AWKWARD
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.document import SCHEMA, scenarios_in
from zep_conformance.report.events import Event, RunBegan, RunEnded, ScenarioEnded
from zep_conformance.report.exchanges import Exchanges, Packer, Whole
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import Record
from zep_conformance.report.writers import WRITERS, Reports, asked_for, junit
from zep_conformance.report.writers.base import AtEnd
from zep_conformance.report.writers.ndjson import Events
from zep_conformance.session.verdict import Gate, conclude
from zep_conformance.settings import FORMATS

FAILED = record("b", "failed", "API-1", "API-2", reason="it forgot", evidence=evidence())
SOME = (record("a", "passed"), FAILED, record("c", "deviation", "STORE-1", deviation="DEV-1", reason="DEV-1: known"))


class Broken(AtEnd):
    """A writer that can't write."""

    file = "broken.txt"

    def text(self, event: RunEnded) -> str:
        raise ValueError(f"no way to write of {event.document['verdict']}, my-secret-of-old\nat all")


def document(*found: Record, **seen: Any) -> dict[str, Any]:
    return conclude(
        found, Observations(**seen), Gate(), requirements=load_requirements(), exit_status=0, seed=7, prefix="zc-1",
        started=datetime.now(UTC), duration=1.5,
    ).report  # fmt: skip


def exchanged(*found: Record) -> dict[str, bytes]:
    """What each of these scenarios has sent, and got."""
    whole = Exchanges()
    packer = Packer(Redactor())
    kept = {}
    for one in found:
        whole.add(Whole(method="GET", url="http://zep/", sent=(), body="", status=200, at=0.0, seconds=0.1))
        kept[one.nodeid] = packer.packed(whole.taken(lambda _: "zep"), nodeid=one.nodeid, attempt=1)
    return kept


def ended(folder: Path, *found: Record, **seen: Any) -> RunEnded:
    return RunEnded(document=document(*found, **seen), folder=folder, exchanges=exchanged(*found))


def test_every_report_is_written_and_the_document_as_it_is(tmp_path: Path) -> None:
    reports, event = Reports(Redactor()), ended(tmp_path / "reports", *SOME)
    reports(event)
    assert {path.name for path in (tmp_path / "reports").iterdir()} == set(WRITERS)
    assert json.loads((tmp_path / "reports" / "conformance.json").read_text()) == event.document
    jsonschema.validate(event.document, json.loads(SCHEMA.read_text()), cls=jsonschema.Draft202012Validator)
    assert (reports.where(), [*reports.complaints()]) == (f"reports: {tmp_path}/reports/", [])


@pytest.mark.parametrize("broken", ["test_writers.Broken", "nowhere.Nothing", "data.Nothing"])
def test_a_broken_writer_harms_nobody_and_is_named(tmp_path: Path, broken: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "zep_conformance.report.writers.test_writers", sys.modules[__name__])
    reports = Reports(Redactor(["my-secret-of-old"]), writers={"broken.txt": broken, **WRITERS})
    reports(ended(tmp_path, *SOME))
    assert {path.name for path in tmp_path.iterdir()} == set(WRITERS)
    assert reports.where() == f"reports: {tmp_path}/"
    [line] = reports.complaints()
    assert line.startswith("not written: broken.txt: ") and "\n" not in line and "my-secret" not in line


def test_where_nothing_can_be_written_that_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    reports = Reports(Redactor())
    reports(ended(tmp_path / "file" / "reports"))
    assert reports.where() == "no report"
    files = ", ".join(file for file in WRITERS if file != "har")  # there is nothing to write there
    assert [*reports.complaints()] == [f"not written: {files}: Not a directory ({tmp_path}/file/)"]


def test_what_is_written_once_more_replaces_what_was(tmp_path: Path) -> None:
    reports = Reports(Redactor())
    for troubles in ((), ("zep died",)):
        reports(ended(tmp_path, *SOME, troubles=troubles))
    assert {path.name for path in tmp_path.iterdir()} == set(WRITERS)
    for name in ("conformance.json", "summary.md", "junit.xml", "ctrf.json", "messages.ndjson"):
        assert "zep died" in (tmp_path / name).read_text(), name


class TestEvents:
    def lines(self, path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_are_written_as_they_happen_and_clean(self, tmp_path: Path) -> None:
        path = tmp_path / "there" / "events.ndjson"
        reports = Reports(Redactor(["my-secret-of-old"]), beside=[Events(path)])
        reports(RunBegan(version="1", target="the target of my-secret-of-old", seed=1))
        assert [one["target"] for one in self.lines(path)] == ["the target of [hidden]"]
        reports(ScenarioEnded(record=FAILED))
        reports(ended(tmp_path, FAILED))
        reports.close()
        assert [one["event"] for one in self.lines(path)] == ["run began", "scenario ended", "run ended"]
        assert Record.from_json(self.lines(path)[1]["record"]) == FAILED
        assert self.lines(path)[2]["verdict"] == "does not conform"

    def test_that_can_not_be_written_are_said_and_not_taken_up_again(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        reports = Reports(Redactor(), beside=[Events(tmp_path / "file" / "events.ndjson")])
        reports(RunBegan(version="1", target="embedded", seed=1))
        (tmp_path / "file").unlink()
        reports(ended(tmp_path, *SOME))
        [line] = reports.complaints()
        assert "events.ndjson" in line and not (tmp_path / "file").exists()
        assert reports.where() == f"reports: {tmp_path}/"

    def test_nobody_pays_for_them_who_has_not_asked(self) -> None:
        class Unread(Event):
            def clean(self, _: Redactor) -> Unread:
                raise AssertionError

        Reports(Redactor())(Unread())


class TestJUnit:
    def parsed(self, *found: Record, **seen: Any) -> xml.etree.ElementTree.Element:
        return xml.etree.ElementTree.fromstring(junit.render(document(*found, **seen)).encode())

    def test_scenarios_stand_under_their_own_names(self) -> None:
        cases = [*self.parsed(*SOME).iter("testcase")]
        assert [(one.get("classname"), one.get("name")) for one in cases] == [
            ("features.a", f"Scenario {name}") for name in "abc"
        ]
        found = [(one.get("name"), one.get("value")) for one in cases[1].iter("property")]
        assert found == [
            ("requirement", "API-1"), ("requirement", "API-2"), ("level", "MUST"), ("seed", "7"), ("nodeid", "b"),
        ]  # fmt: skip
        assert ("deviation", "DEV-1") in [(one.get("name"), one.get("value")) for one in cases[2].iter("property")]

    def test_each_outcome_is_what_a_pipeline_takes_it_for(self) -> None:
        suite = self.parsed(
            *SOME, record("d", "error", reason="it broke"), record("e", "skipped"), record("f", "not run")
        ).find("testsuite")
        assert suite is not None
        found = {
            case.get("name"): [child.tag for child in case if child.tag != "properties"]
            for case in suite.iter("testcase")
        }
        assert found == {
            "Scenario a": [], "Scenario b": ["failure"], "Scenario c": ["skipped"], "Scenario d": ["error"],
            "Scenario e": ["skipped"], "Scenario f": ["skipped"],
        }  # fmt: skip
        counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "6", "failures": "1", "errors": "1", "skipped": "3"}

    def test_a_failure_has_its_evidence(self) -> None:
        failure = next(self.parsed(*SOME).iter("failure"))
        assert failure.get("message") == "it forgot"
        for text in ("curl it forgot", "failed: it forgot (line 3)", "log of zep", "zep-conformance run"):
            assert text in (failure.text or "")

    def test_a_run_that_could_not_tell_is_not_green(self) -> None:
        for root in (self.parsed(troubles=("zep is away\nStart it.",)), self.parsed()):
            suite = root.find("testsuite")
            assert suite is not None and (suite.get("tests"), suite.get("errors")) == ("1", "1")

    def test_what_no_xml_may_have_is_replaced(self) -> None:
        text = "a\x00b\x1b[31m\ud800 <&>\"' é"
        failed = record("b", "failed", reason=text, name=text, evidence=evidence(text))
        assert self.parsed(failed).find(".//testcase").get("name") == "a�b�[31m� <&>\"' é"  # type: ignore[union-attr]


def test_the_scenarios_of_a_document_are_there_once() -> None:
    found = scenarios_in(document(*SOME))
    assert [(one["nodeid"], one["requirements"]) for one in found] == [
        ("a", ["API-1"]), ("b", ["API-1", "API-2"]), ("c", ["STORE-1"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)]
)
def test_a_run_writes_one_stream_of_events(tmp_path: Path, workers: tuple[str, ...]) -> None:
    command = [
        sys.executable, "-m", "zep_conformance", "run", "-q", "-p", "no:cacheprovider", "--target", "embedded",
        "-m", "API-3 or UI-1", "--events", "events.ndjson", *workers,
    ]  # fmt: skip
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=170)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    events = [json.loads(line) for line in (tmp_path / "events.ndjson").read_text().splitlines()]
    kinds = [one["event"] for one in events]
    assert (kinds[0], kinds[-1]) == ("run began", "run ended")
    assert (kinds.count("run began"), kinds.count("parts ready"), kinds.count("run ended")) == (1, 1, 1)
    known = scenarios_in(json.loads((tmp_path / "reports" / "conformance.json").read_text()))
    assert {one["outcome"] for one in known} == {"passed", "skipped"}
    for scenario in known:
        mine = [one for one in events if scenario["nodeid"] in (one.get("nodeid"), one.get("record", {}).get("nodeid"))]
        steps = [step for step in scenario["steps"] if step["outcome"] != "not run"]
        assert [one["event"] for one in mine] == ["scenario began", *["step ended"] * len(steps), "scenario ended"]
        assert [one["step"] for one in mine[1:-1]] == steps
        assert scenario["steps"] and scenario["line"] and scenario["feature"].startswith("features/")
        assert scenario["started"] is not None


def test_no_text_keeps_a_report_from_being_written(tmp_path: Path) -> None:
    wrong = record("b", "failed", name=AWKWARD, reason=AWKWARD, evidence=evidence(AWKWARD))
    reports = Reports(Redactor(), beside=[Events(tmp_path / "events.ndjson")])
    reports(ScenarioEnded(record=wrong))
    reports(ended(tmp_path, wrong))
    assert [*reports.complaints()] == []
    found = [one for one in scenarios_in(json.loads((tmp_path / "conformance.json").read_text())) if one["reason"]]
    assert [one["reason"] for one in found] == [AWKWARD]
    reports.close()
    for line in (tmp_path / "events.ndjson").read_text().split("\n")[:-1]:
        json.loads(line)


def test_every_report_can_be_asked_for_by_name() -> None:
    named = [file for name in FORMATS for file in asked_for(name) if file != "conformance.json"]
    assert sorted(named) == sorted({*WRITERS} - {"conformance.json"}), "each by one name"
    assert all(len(asked_for(name)) > 1 for name in FORMATS)
    assert [*asked_for("html")] == ["conformance.json", "index.html"]
    assert asked_for("all") == WRITERS
    assert [*asked_for("badge, junit")] == ["conformance.json", "junit.xml", "badge.json", "badge.svg"]
