"""Nothing secret is written: needles are planted wherever one could come from, and looked for in every output."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given

from tests.support.needles import MODEST, leaks, percent, plain, secret
from tests.support.records import evidence, record
from zep_conformance.errors import CannotTell
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.redaction import output
from zep_conformance.redaction.redactor import HIDDEN, Redactor
from zep_conformance.report.annotations import commands
from zep_conformance.report.events import RunEnded, ScenarioEnded, StepEnded
from zep_conformance.report.longrepr import Failure
from zep_conformance.report.observations import Observations, PartSeen, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.report.screenful import screenfuls
from zep_conformance.report.transcript import Transcript
from zep_conformance.report.writers import WRITERS, Reports
from zep_conformance.report.writers.ndjson import Events
from zep_conformance.session.verdict import Gate, conclude
from zep_conformance.settings import Settings, passwords_in
from zep_conformance.settings.sources import default_settings

# -- the writers ------------------------------------------------------------------------------------------------


def exchanged(redactor: Redactor, needle: str, told: bool) -> str:
    """A transcript in which a needle went out and came back."""
    transcript = Transcript(redactor)
    body = json.dumps({"echo": needle, "padding": "x" * 1400, "apiKey": needle})

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, content=iter([body.encode()]), headers={"set-cookie": f"sid={percent(needle)}"})

    client = httpx.Client(transport=httpx.MockTransport(answer), event_hooks={"response": [transcript.answered]})
    headers = {"authorization": f"Bearer {percent(needle)}", "cookie": f"sid={percent(needle)}"}
    client.get(f"http://zep/api?key={percent(needle)}", headers=headers)
    client.post("http://zep/", json={"password": needle}, headers=headers)
    if told:
        client.get("http://zep/", params={"q": needle}, auth=("me", needle))
    return transcript.shown()


@MODEST
@given(needle=secret)
def test_transcripts(needle: str) -> None:
    assert not leaks(needle, exchanged(Redactor([needle]), needle, told=True))


@MODEST
@given(needle=plain)
def test_transcripts_with_secrets_of_others(needle: str) -> None:
    shown = exchanged(Redactor(), needle, told=False).replace(f'"echo": "{needle}"', "")
    assert needle not in shown


@MODEST
@given(needle=secret)
def test_reports(needle: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("reports")
    records = [
        record(
            f"a.py::test[{needle}]", "failed", name=f"a scenario of {needle}", reason=needle, evidence=evidence(needle)
        )
    ]
    seen = Observations(
        troubles=(str(CannotTell(f"zep said {needle!r}", f"Look at {percent(needle)}.", code="not-zep")),),
        target=TargetSeen(name="remote", deployed=True),
        parts={"zep": PartSeen(version=needle, url=f"http://me:{percent(needle)}@zep")},
        left_behind=(f"session {needle}",),
    )
    concluded = conclude(
        records, seen, Gate(), requirements=load_requirements(), exit_status=1, seed=1, prefix="zc-1",
        started=datetime.now(UTC), duration=1.0,
    )  # fmt: skip
    reports = Reports(Redactor([needle]), beside=[Events(folder / "events.ndjson")])
    reports(ScenarioEnded(record=records[0]))
    reports(StepEnded(nodeid=records[0].nodeid, step={"text": needle}))
    reports(RunEnded(document=concluded.report, folder=folder))
    assert (reports.where(), [*reports.complaints()]) == (f"reports: {folder}/", [])
    assert {path.name for path in folder.iterdir()} == {*WRITERS, "events.ndjson"}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert not leaks(needle, path.name + path.read_text()), path.name
    assert not leaks(needle, "\n".join(commands(json.loads((folder / "conformance.json").read_text()))))
    assert json.loads((folder / "conformance.json").read_text())["exit_code"] == 1


@MODEST
@given(needle=secret)
def test_failures(needle: str) -> None:
    shown = Failure(
        requirements=(), scenario=needle, step=needle, complaint=f"expected {needle!r}", exchanges="",
        logs=(("zep", f"a log of\n{needle}"),), rerun=needle,
    )  # fmt: skip
    assert not leaks(needle, Redactor([needle])(str(shown)))


@MODEST
@given(needle=secret)
def test_failures_in_a_terminal(needle: str) -> None:
    found = record(
        "a", "failed", name=f"of {needle}", reason=needle, evidence=evidence(f"{needle} {'x' * 70} {needle}")
    )
    clean = Record.from_json(Redactor([needle]).everywhere(found.as_json()))
    for lines in screenfuls([clean, clean], load_requirements(), rest="reports/conformance.json"):
        assert not leaks(needle, "\n".join(lines))


@MODEST
@given(needle=secret)
def test_reports_of_pytest(needle: str) -> None:
    report = pytest.TestReport(
        "a.py::test", ("a.py", 1, "test"), {}, "failed", f"E  {needle}", "call",
        [("Captured stdout call", needle), ("Captured log call", percent(needle))], 0.1, 0, 1, [("said", needle)],
    )  # fmt: skip
    output.clean_report(report, Redactor([needle]))
    assert not leaks(needle, f"{report.longrepr}\n{report.sections}\n{report.user_properties}")
    skipped = pytest.TestReport("a.py::test", ("a.py", 1, "test"), {}, "skipped", ("a.py", 1, needle), "setup")
    output.clean_report(skipped, Redactor([needle]))
    assert not leaks(needle, str(skipped.longrepr))


def test_settings_know_the_passwords_in_urls() -> None:
    assert passwords_in("http://zep:8000/a@b") == []
    assert passwords_in("http://me:p%40ss%2Fword@zep:8000/") == ["p%40ss%2Fword", "p@ss/word"]
    assert "hunter2hunter2" in Settings(zep_url="https://me:hunter2hunter2@zep").secrets()


def test_a_run_with_wrong_settings_knows_what_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEP_TOKEN", "a-token-from-a-variable")
    monkeypatch.setenv("ZEP_CONFORMANCE_WAIT_LIMIT", "soon")
    found = default_settings({"langflux_api_key": "a-key-from-an-option", "reports": None})
    assert {"a-token-from-a-variable", "a-key-from-an-option"} <= set(found.secrets())
    assert found.reports == Path("reports")


# -- a whole run ------------------------------------------------------------------------------------------------

LEAKY = """
import logging, os, urllib.parse, warnings
import pytest

NEEDLE = os.environ["ZEP_TOKEN"]

@pytest.fixture(autouse=True)
def leaky(request, record_property):
    record_property("said", NEEDLE)
    print("printed", NEEDLE)
    logging.getLogger("leaky").error("logged %s", NEEDLE)
    try:
        raise ValueError(NEEDLE)
    except ValueError:
        logging.getLogger("leaky").exception("raised")
    warnings.warn(f"warned of {urllib.parse.quote(NEEDLE, safe='')}")
    held = {"the header": NEEDLE}
    yield
    if HOW == "fails":
        raise AssertionError(f"the server said {NEEDLE} of {held!r}")
    if HOW == "breaks":
        raise RuntimeError(NEEDLE)
"""


@pytest.mark.parametrize("how", ["passes", "fails", "breaks"])
def test_a_whole_run_with_everything_shown(tmp_path: Path, how: str) -> None:
    """Whatever somebody adds to the suite, and however much they ask pytest to show."""
    needle = 'n33dle-"with"-$(quotes)-&-%41-and-more'
    (tmp_path / "leaky.py").write_text(f"HOW = {how!r}\n{LEAKY}")
    command = [
        sys.executable, "-m", "zep_conformance", "run", "-p", "leaky", "-p", "no:cacheprovider", "--target", "embedded",
        "-m", "API-3", "-vv", "-rA", "-l", "--log-level=DEBUG", "--log-cli-level=DEBUG", "--log-file=all.log",
        "--setup-show", "--durations=3", "--full-trace", "--events", "events.ndjson",
    ]  # fmt: skip
    environment = {**os.environ, "ZEP_TOKEN": needle, "PYTHONPATH": str(tmp_path), "CI": ""}
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert finished.returncode == {"passes": 0, "fails": 2, "breaks": 2}[how], finished.stdout
    assert finished.stdout.count(HIDDEN) > 3
    assert how != "passes" or f"printed {HIDDEN}" in finished.stdout.partition("= PASSES =")[2]
    written = {"stdout": finished.stdout, "stderr": finished.stderr}
    written |= {path.name: path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert {"all.log", "events.ndjson", *WRITERS} <= set(written)
    for name, text in written.items():
        if not name.startswith("leaky"):
            assert not leaks(needle, text), (name, leaks(needle, text), text)


def test_what_is_mistyped_is_not_repeated(tmp_path: Path) -> None:
    for words_given in (["--zep-tokn=n33dle-n33dle-n33dle"], ["--zep-tokn", "n33dle-n33dle-n33dle"]):
        command = [sys.executable, "-m", "zep_conformance", "run", "--target", "embedded", *words_given]
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 2
        assert "--zep-tokn" in finished.stderr
        assert "n33dle" not in finished.stdout + finished.stderr


def test_logging_is_left_as_it_was() -> None:
    before = logging.getLogRecordFactory()

    class Plugins:
        @staticmethod
        def hasplugin(_: str) -> bool:
            return False

    class Configuration:
        pluginmanager = Plugins()

    with output.clean(Configuration(), Redactor(["a-secret-of-somebody"])), warnings.catch_warnings():  # type: ignore[arg-type]
        made = logging.getLogRecordFactory()("a", 20, "a.py", 1, "said %s", ("a-secret-of-somebody",), None)
        assert made.getMessage() == f"said {HIDDEN}"
        wrong = logging.getLogRecordFactory()("a", 20, "a.py", 1, "said %d", ("no number",), None)
        assert wrong.args == ("no number",)
    assert logging.getLogRecordFactory() is before
