"""The report as a page: what it says, what it leaves out, and how large it gets."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from tests.support import reports
from tests.support.needles import MODEST, leaks, secret
from tests.support.records import evidence, record
from tests.support.reports import large, report, unpacked
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.terminal import NOT_A_DEPLOYMENT
from zep_conformance.report.writers.html import ROOM, SHOWN, TEMPLATES, drawing, failing, packing, render
from zep_conformance.session.verdict import Gate

HOSTILE = "</script><img src=x onerror=alert(1)> & \"'` {{ 7 * 7 }} \u2028 \x00 \x1b[31m \ud800 \u202e"
ROOT = Path(__file__).parent.parent.parent


class Text(HTMLParser):
    """Reads a page's words, and the elements that it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags = "", []
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag

    def handle_data(self, data: str) -> None:
        if self._within not in ("script", "style"):
            self.words += data

    def handle_endtag(self, tag: str) -> None:
        self._within = ""
        if tag in ("p", "li", "dd", "dt", "h1", "h2", "h3", "pre", "td", "th", "span", "summary"):
            self.words += " "


def words(page: str) -> str:
    return " ".join(Text(page).words.split())


def in_this_order(text: str, parts: tuple[str, ...]) -> None:
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"{part!r} does not come after {text[max(0, at - 60) : at]!r}"
        at = found + len(part)


def test_what_weakens_the_verdict_comes_first() -> None:
    found = words(
        render(
            report(
                record("one", "passed", "STORE-1"),
                record("two", "failed", "API-5", reason="it forgot", evidence=evidence("it forgot")),
                record("three", "skipped", "UI-1", reason="no capability ui: there is no page"),
                record("four", "deviation", "API-4", reason="DEV-6: as known", deviation="DEV-6", evidence=evidence()),
                record("five", "error", "AUTH-1", reason="KeyError: 1", evidence=evidence("KeyError: 1")),
                record("six", "passed", "API-6", reason="DEV-4 is fixed here: it is", fixed=True, deviation="DEV-4"),
                record("seven", "passed", "API-6", repeated="Zep was frozen for 60 s"),
                ended=("the time limit of 300 s is over",),
                left_behind=("session zc-1-a (APIError)",),
            )
        )
    )
    in_this_order(
        found,
        (
            "Does not conform",
            "exit code 1 (it is 1 on any failure)",
            "What weakens this verdict",
            "The time limit of 300 s is over",
            "MUST, and not checked:",
            "UI-1: no capability ui: there is no page",
            "The suite itself broke in 1 scenario",
            "1 scenario failed as this version is known to: DEV-6.",
            "Scenario seven: Zep was frozen for 60 s",
            "session zc-1-a (APIError)",
            "Failures 2 causes",
            "it forgot",
            "KeyError: 1",
            "This says nothing about the deployment".lower()[5:],
            "Known deviations",
            "DEV-4",
            "fixed here",
            "DEV-6",
            "as known",
            "Requirements in the documentation’s order",
            "STORE-1",
            "holds, in 1 scenario",
            "UI-1",
            "not checked: no capability ui: there is no page",
            "API-5",
            "does not hold: 1 of 1 scenario failed",
            "How the parts came up",
            "Environment",
            "sha256:abc",
            "seed 7",
        ),
    )


def test_a_run_on_our_own_servers_says_so_at_once() -> None:
    seen = reports.SEEN.target
    assert seen is not None
    found = words(render(report(record("one", "passed"), target=type(seen)(name="embedded", deployed=False))))
    in_this_order(found, ("Conforms as far as asked", "What weakens this verdict", NOT_A_DEPLOYMENT, "Requirements"))
    assert NOT_A_DEPLOYMENT not in words(render(report(record("one", "passed"))))


def test_a_run_that_could_not_tell_says_why() -> None:
    found = words(render(report(troubles=("zep can't be reached [unreachable]\nIs it up?",), target=None, parts={})))
    in_this_order(
        found, ("Could not tell", "The run could not tell anything:", "zep can't be reached", "No scenario ran")
    )


def test_a_failure_has_everything_that_one_asks_for() -> None:
    told = evidence(
        "the memory is not what was written\nassert 2 differences:\n  [0].role: 'ai' came, 'human' was expected\n"
        "  [1]: nothing came, 'Hi' was expected\nassert False",
        steps=(
            {"text": "Given a session", "line": 3, "outcome": "passed", "duration": 0.1},
            {"text": "Then it is read", "line": 4, "outcome": "failed", "duration": 0.1},
            {"text": "And more", "line": 5, "outcome": "not run", "duration": 0},
        ),
        exchanges=tuple({**evidence("GET /memory").exchanges[0], "status": status} for status in (404, 200)),
        rerun="zep-conformance run this",
    )
    page = render(report(record("one", "failed", "STORE-1", reason="x", evidence=told)))
    in_this_order(
        words(page),
        (
            "the memory is not what was written failed",
            "STORE-1 MUST Messages written to a session come back unchanged and in order the documentation",
            "Scenario one",
            "Then it is read (line 4)",
            "where expected came",
            "[0].role 'human' 'ai'",
            "[1] 'Hi' nothing",
            "The last request",
            "→ 200",
            "Run just this again",
            "zep-conformance run this",
            "The whole evidence: 3 steps, 3 requests, 1 log, 1 attachment",
        ),
    )
    (rest,) = unpacked(page, "packed")
    in_this_order(words(rest), ("Given a session passed", "And more not run", "1 other request left", "What zep"))
    assert "assert False" not in words(page)


def test_those_of_one_cause_are_one() -> None:
    alike = [
        record(f"{number}", "failed", ("STORE-1", "API-5")[number % 2], evidence=evidence(f"found {number} of them"))
        for number in range(5)
    ]
    page = render(report(*alike, record("else", "failed", "API-5", evidence=evidence("another thing"))))
    found = words(page)
    assert "Failures 2 causes" in found
    in_this_order(
        found, ("5 scenarios of STORE-1, API-5", "4 more failed alike", "STORE-1 MUST", "Scenario 2", "API-5")
    )
    assert len(unpacked(page, "packed")) == 6


def test_where_the_suite_itself_broke_it_says_how_and_not_where_first() -> None:
    broken = {"name": "x", "outcome": "error", "reason": "KeyError: 'sessionId'"}
    traceback = {"complaint": "self = <Visit object at 0x7fd7c25f4850>\n>   yield\nE   KeyError: 'sessionId'"}
    found = failing.Scenario(number=0, found=broken, evidence=traceback).complaint
    assert found.title == "KeyError: 'sessionId'"
    assert found.blocks == [traceback["complaint"]]


def test_passed_scenarios_are_not_in_the_page_itself() -> None:
    page = render(report(*(record(f"number {number}", "passed", "STORE-1") for number in range(3))))
    assert "number 1" not in page
    listed = unpacked(page, "listed")
    assert listed["name"] == [f"Scenario number {number}" for number in range(3)]
    assert {listed["outcomes"][one] for one in listed["outcome"]} == {"passed"}


def test_what_fails_and_does_not_count_says_so() -> None:
    found = words(render(report(record("one", "failed", "API-5", evidence=evidence()), gate=Gate(fail_on="must"))))
    in_this_order(found, ("1 scenario failed and do not count with --fail-on must", "gate does not count"))


def test_measurements_are_drawn() -> None:
    figures = {"count": 25, "min": 1.0, "p25": 2.0, "p50": 3.0, "p75": 4.0, "p95": 9.0, "p99": 10.0, "max": 2400.0}
    once = {"count": 1, "p50": 250.0, "p95": 250.0, "p99": 250.0, "max": 250.0}
    page = render(
        report(
            record("one", "passed", measurements={"write": figures, "time to summary": once}),
            record("two", "passed", measurements={"time to summary": {**once, "max": 4000.0}}),
        )
    )
    assert 'aria-label="write: p50 3 ms, p95 9 ms, p99 10 ms, max 2.4 s"' in page
    assert 'aria-label="summary: p50 250 ms, max 4 s"' in page
    in_this_order(
        words(page), ("How long it took", "write 25 1 ms 2 ms 3 ms 4 ms 9 ms 10 ms 2.4 s", "Enrichment", "summary 2")
    )
    assert 'aria-label="zep: pull from 0.10 to 4.00 s, ready from 4.00 to 6.00 s"' in page
    assert "How long it took" not in render(report(record("one", "passed")))


@pytest.mark.parametrize("values", [[5.0], [0.0], [0.5, 400.0], [10.0, 200.0], [3.0, 3.1], [1e-9, 1e9], []])
def test_an_axis_has_room_and_ticks(values: list[float]) -> None:
    axis = drawing.Axis.of(values)
    stands = [axis.at(value) for value in values]
    assert all(0 <= at <= 100 for at in stands) and stands == sorted(stands)
    assert len(axis.ticks) >= 2 and len(axis.ticks) < 25
    assert [at for _, at in axis.ticks] == sorted({at for _, at in axis.ticks})


def test_a_hostile_text_is_but_a_text() -> None:
    told = evidence(f"{HOSTILE}\n  .{HOSTILE}: {HOSTILE} came, {HOSTILE} was expected\nmore")
    page = render(
        report(
            record("one", "failed", name=HOSTILE, feature=HOSTILE, reason=HOSTILE, evidence=told, repeated=HOSTILE),
            record("two", "failed", name=HOSTILE, feature=HOSTILE, reason=HOSTILE, evidence=told),
            record("three", "deviation", reason=f"DEV-1: {HOSTILE}", deviation="DEV-1", evidence=told),
            record("four", "passed", measurements={HOSTILE: {"count": 1, "p50": 1.0, "max": 2.0}}),
            left_behind=(HOSTILE,),
            ended=(HOSTILE,),
            troubles=(HOSTILE,),
            capabilities={HOSTILE: HOSTILE},
            parts={HOSTILE: type(reports.SEEN.parts["zep"])(version=HOSTILE, url=HOSTILE, digest=HOSTILE)},
        )
    )
    page.encode()
    for text in (page, *unpacked(page, "packed")):
        found = Text(text)
        assert not [tag for tag, attributes in found.tags if tag == "img" or "onerror" in attributes]
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text)
        assert "{{" not in text or "{{ 7 * 7 }}" in found.words
    assert [tag for tag, _ in Text(page).tags].count("script") == 3
    assert "</script><img src=x onerror=alert(1)>" in Text(page).words


def test_the_page_may_load_nothing() -> None:
    page = render(report(record("one", "failed", evidence=evidence())))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    allowed = dict(part.strip().partition(" ")[::2] for part in html.unescape(policy[1]).split(";"))
    assert allowed["default-src"] == "'none'" and allowed["img-src"] == "data:"
    assert "connect-src" not in allowed and "unsafe" not in policy[1]
    for name, kind in (("style.css", "style-src"), ("script.js", "script-src")):
        text = (TEMPLATES / name).read_text()
        assert allowed[kind] == packing.allowed(text)
        assert text in page
        assert "http:" not in text and "https:" not in text
    outside = [
        attributes.get("href") or attributes.get("src")
        for tag, attributes in Text(page).tags
        if tag in ("a", "img", "link", "script") and not (attributes.get("href") or "#").startswith(("#", "data:"))
    ]
    assert not outside
    assert "style=" not in re.sub(r"<(style|script)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)


def test_headings_are_in_order() -> None:
    page = render(report(record("one", "failed", evidence=evidence()), record("two", "passed", "STORE-1")))
    levels = [int(tag[1]) for tag, _ in Text(page).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))
    assert '<html lang="en">' in page


def test_a_screenshot_is_in_the_page_and_one_too_many_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"x" * 100
    monkeypatch.setattr(failing, "PICTURES", 150)
    for name, content in (("one.png", png), ("two.png", png), ("text.png", b"a text"), ("page.txt", b"words")):
        (tmp_path / name).write_bytes(content)
    attached = tuple(str(tmp_path / name) for name in ("one.png", "two.png", "text.png", "gone.png", "page.txt"))
    page = render(report(record("one", "failed", evidence=evidence(attached=attached))))
    pictures = [attributes for tag, attributes in Text(page).tags if tag == "img"]
    assert [one["src"][:30] for one in pictures] == ["data:image/png;base64,iVBORw0K"]
    assert pictures[0]["alt"] == "LangFlux’s page where the scenario “Scenario one” ended"
    assert page.index("<img ") < page.index("The whole evidence: ") < page.index("The documentation, introduction")
    assert words(page).count("it is too large for this page") == 2
    assert words(page).count("it is not there any more") == 1


def test_a_screenshot_of_what_is_not_shown_as_a_failure_is_below(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    attached = (str(tmp_path / "one.png"),)
    deviates = record("one", "deviation", deviation="DEV-1", evidence=evidence(attached=attached))
    page = render(report(deviates, record("two", "failed", evidence=evidence())))
    assert page.index('<h2 id="pictures">') < page.index("<img ")


def test_a_long_request_is_cut_where_it_is_the_first_thing_that_is_read() -> None:
    exchange = {"request": "curl " + "x" * 9000, "status": 200, "milliseconds": 1.0, "answer": "OK", "times": 1}
    page = render(report(record("one", "failed", evidence=evidence(exchanges=(exchange,)))))
    assert "x" * 2900 in page and "x" * 3100 not in page
    assert "9005 characters; all of them are in the whole evidence below." in words(page)


def test_an_older_report_can_be_shown() -> None:
    older = report(record("one", "failed", evidence=evidence()), record("two", "passed"))
    del older["gate"]["accepted"]
    for requirement in older["requirements"]:
        for scenario in requirement["scenarios"]:
            scenario.pop("repeated", None)
    del older["target"]["timeline"]
    for name in ("settings", "environment"):
        older.pop(name, None)
    assert "Does not conform" in words(render(json.loads(json.dumps(older))))


@MODEST
@given(needle=secret)
def test_no_secret_is_in_it(needle: str) -> None:
    told = evidence(f"expected {needle!r}\n  .a: {needle} came, 'b' was expected")
    found = report(
        record("one", "failed", name=f"of {needle}", reason=needle, evidence=told),
        record("two", "failed", name=f"of {needle}", reason=needle, evidence=told),
        record("three", "passed", name=needle),
        left_behind=(f"session {needle}",),
        ended=(needle,),
    )
    page = render(Redactor([needle]).everywhere(found))
    carried = [*unpacked(page, "packed"), json.dumps(unpacked(page, "listed"), ensure_ascii=False)]
    shown = re.sub(r'<script type="text/plain".*?</script>', "", page, flags=re.DOTALL)
    for text in (shown, *carried):
        assert not leaks(needle, text)
    assert "[hidden]" in shown and any("[hidden]" in text for text in carried)


def test_a_full_run_is_under_a_megabyte() -> None:
    size = len(render(large(230, 100)).encode())
    assert size < 1_000_000, size
    assert len(render(large(230, 0)).encode()) < 150_000


@pytest.mark.nightly
def test_five_thousand_scenarios_are_under_three_megabytes() -> None:
    page = render(large(5000, 400))
    assert len(page.encode()) < 3_000_000
    assert len(unpacked(page, "listed")["name"]) == 5000
    assert len(unpacked(page, "packed")) > SHOWN


def test_what_there_is_no_room_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zep_conformance.report.writers.html.ROOM", 40_000)
    assert ROOM > 40_000
    page = render(large(60, 30))
    packed = unpacked(page, "packed")
    assert 0 < len(packed) < 30
    assert words(page).count("There was no room for it in this page") == 30 - len(packed)
    places = {int(attributes["data-part"]) for _, attributes in Text(page).tags if "data-part" in attributes}
    assert places == set(range(len(packed)))


def test_it_costs_nothing_until_it_is_wanted() -> None:
    command = "import sys, zep_conformance.report.writers.html as page; print(page.Page.file, 'jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=170, check=True)
    assert done.stdout.strip() == "index.html False"


def test_the_wheel_has_the_templates(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=170)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for template in TEMPLATES.iterdir():
        assert f"zep_conformance/report/writers/html/templates/{template.name}" in names
