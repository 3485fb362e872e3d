"""Nothing secret is written: needles are planted wherever one could come from, and looked for in every output."""

from __future__ import annotations

import contextlib
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
from hypothesis import strategies as st

from tests.support.needles import MODEST, leaks, percent, plain, secret, text_in
from tests.support.records import evidence, record
from tests.support.runs import run
from zep_conformance.clients.http import hooked
from zep_conformance.errors import CannotTell
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.redaction import output
from zep_conformance.redaction.documents import JsonCleaner
from zep_conformance.redaction.redactor import HIDDEN, Redactor
from zep_conformance.report.annotations import commands
from zep_conformance.report.events import RunEnded, ScenarioEnded, StepEnded
from zep_conformance.report.exchanges import Packer
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


def packed_exchanges(redactor: Redactor, needle: str) -> bytes:
    """The whole exchanges of a scenario in which a needle stands wherever a server or the suite can put it."""
    transcript = Transcript(redactor)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/away"):
            raise httpx.ConnectError(f"no way to {needle}")
        headers = {"set-cookie": f"sid={percent(needle)}", "x-echo": percent(needle)}
        if request.url.path.endswith("/stream"):
            line = "data:" + json.dumps({"event": "token", "data": needle}) + "\n\n"
            return httpx.Response(200, content=iter([line.encode()]), headers={"content-type": "text/event-stream"})
        body = {"echo": [needle, {"inner": json.dumps({"token": needle})}], needle: 1}
        return httpx.Response(200, content=iter([json.dumps(body).encode()]), headers=headers)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    hooked(client, {"response": [transcript.answered], "failure": [transcript.failed]})
    headers = {"authorization": f"Bearer {percent(needle)}", "cookie": f"sid={percent(needle)}"}
    client.get(f"http://zep/{percent(needle)}?key={percent(needle)}", headers=headers)
    client.post("http://zep/", json={"password": needle, "said": f"it is {needle}"}, headers=headers)
    client.post("http://zep/", content=f"a text of {needle}")
    with client.stream("GET", "http://zep/stream") as streamed:
        streamed.read()
    with contextlib.suppress(httpx.ConnectError):
        client.get("http://zep/away")
    found = [*transcript.whole.taken(lambda _: "zep")]
    assert len(found) == 5
    return Packer(redactor).packed(found, nodeid=f"a.py::test[{needle}]", attempt=1)


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
    packed = packed_exchanges(Redactor([needle]), needle)
    reports(RunEnded(document=concluded.report, folder=folder, exchanges={records[0].nodeid: packed}))
    assert (reports.where(), [*reports.complaints()]) == (f"reports: {folder}/", [])
    assert {path.name for path in folder.iterdir()} == {*WRITERS, "events.ndjson"}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert not leaks(needle, path.name + text_in(path)), path.name
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


def test_a_run_with_wrong_settings_says_what_was_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZEP_CONFORMANCE_TARGET", raising=False)
    wrong = {"rate": "fast", "target": "remote", "seed": "7"}
    assert (default_settings(wrong).target, default_settings(wrong).seed) == ("remote", 7)
    assert (default_settings({"seed": "x"}).target, default_settings({"seed": "x"}).seed) == ("auto", None)
    (tmp_path / "pyproject.toml").write_text('[tool.zep-conformance]\ntarget = "compose:zep"\nrate = "fast"\n')
    assert default_settings({}).target == "compose:zep"
    (tmp_path / "pyproject.toml").write_text('[tool.zep-conformance]\ntarget = "embedded"\nnonsense = 1\n')
    assert default_settings({"target": "remote"}).target == "remote"


def test_the_header_has_the_target_that_was_given(tmp_path: Path) -> None:
    ended = run(tmp_path, "--target", "embedded", "--rate", "fast", "--seed", "7")
    assert ended.returncode == 2
    assert "target embedded, seed 7" in ended.stdout and "--rate: " in ended.stdout


def test_a_run_with_wrong_settings_knows_what_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEP_TOKEN", "a-token-from-a-variable")
    monkeypatch.setenv("ZEP_CONFORMANCE_WAIT_LIMIT", "soon")
    found = default_settings({"langflux_api_key": "a-key-from-an-option", "reports": None})
    assert {"a-token-from-a-variable", "a-key-from-an-option"} <= set(found.secrets())
    assert found.reports == Path("reports")


# -- JSON, string by string --------------------------------------------------------------------------------------


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@MODEST
@given(found=documents, indent=st.sampled_from([None, 2]), letters=st.booleans())
def test_json_without_secrets_stays_as_it_is_to_the_last_blank(found: object, indent: int, letters: bool) -> None:
    redactor = Redactor(["n33dle-of-somebody"])
    text = json.dumps([found, "text", json.dumps(found)], indent=indent, ensure_ascii=letters)
    clean = JsonCleaner(redactor)
    assert (clean(text), clean(text)) == (redactor(text), redactor(text))
    cut = text[: len(text) * 2 // 3]
    assert clean(cut) == redactor(cut)


@MODEST
@given(needle=secret, found=documents, nested=st.booleans(), name=st.sampled_from(["text", "password", "apiKey"]))
def test_a_secret_in_json_is_found(needle: str, found: object, nested: bool, name: str) -> None:
    inner: object = {name: f"it is {needle}", "other": [needle, found]}
    text = json.dumps([found, {"flowData": json.dumps(inner)} if nested else inner, {needle: found}])
    clean = JsonCleaner(Redactor([needle]))
    assert not leaks(needle, clean(text))
    assert not leaks(needle, clean(f"no JSON, {text}"))
    for cut in (text.find(needle) + len(needle), len(text) * 2 // 3):
        assert not leaks(needle, clean(text[:cut]))


@MODEST
@given(needle=plain, texts=st.lists(st.text(max_size=12), max_size=6))
def test_one_secret_among_many_texts_is_found(needle: str, texts: list[str]) -> None:
    redactor = Redactor(["n33dle-of-somebody"])
    assert not redactor.all_clean([*texts, "it is n33dle-of-somebody"])
    assert not redactor.all_clean([f"Bearer {needle}", *texts])
    for known in ([*texts, "n33dle-of-somebody"], [f"api_key={needle}", *texts]):
        assert JsonCleaner(redactor)(json.dumps(known)) == redactor(json.dumps(known))


@MODEST
@given(needle=plain)
def test_a_secret_of_others_in_json_is_found_by_its_name(needle: str) -> None:
    for text in (
        json.dumps({"password": needle}), json.dumps({"flowData": json.dumps({"apiKey": needle})}),
        json.dumps({"password": 12345}), json.dumps({"a": "b", "openAIApiKey" : [1], "token": needle}, indent=1),
    ):  # fmt: skip
        cleaned = JsonCleaner(Redactor())(text)
        assert needle not in cleaned and "12345" not in cleaned and HIDDEN in cleaned


def test_what_is_learnt_later_is_hidden_from_then_on() -> None:
    redactor = Redactor()
    clean = JsonCleaner(redactor)
    text = json.dumps({"said": "n33dle-of-somebody"})
    assert clean(text) == text
    redactor.hide("n33dle-of-somebody")
    assert "n33dle" not in clean(text)


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
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=170)
    assert finished.returncode == {"passes": 0, "fails": 2, "breaks": 2}[how], finished.stdout
    assert finished.stdout.count(HIDDEN) > 3
    assert how != "passes" or f"printed {HIDDEN}" in finished.stdout.partition("= PASSES =")[2]
    written = {"stdout": finished.stdout, "stderr": finished.stderr}
    files = [path for path in tmp_path.rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
    written |= {path.name: text_in(path) for path in files}
    assert {"all.log", "events.ndjson", *WRITERS} - {"har"} <= set(written)
    for name, text in written.items():
        if not name.startswith("leaky"):
            assert not leaks(needle, text), (name, leaks(needle, text), text)


def test_what_is_mistyped_is_not_repeated(tmp_path: Path) -> None:
    for words_given in (["--zep-tokn=n33dle-n33dle-n33dle"], ["--zep-tokn", "n33dle-n33dle-n33dle"]):
        command = [sys.executable, "-m", "zep_conformance", "run", "--target", "embedded", *words_given]
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=170)
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
