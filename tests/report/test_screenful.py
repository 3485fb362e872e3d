"""Failures in a terminal: a screenful each, and commands that a shell still understands."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.records import evidence, record
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.causes import by_cause
from zep_conformance.report.differences import MOST, explained, shortened, told
from zep_conformance.report.outcomes import Record
from zep_conformance.report.screenful import LINES, screenfuls
from zep_conformance.report.shell import COLUMNS, command_lines
from zep_conformance.report.transcript import came, said

REQUIREMENTS = load_requirements()
LONG = "word " * 400 + "'" + "x" * 700 + "'"


def shown(*records: Record) -> list[list[str]]:
    return list(screenfuls(records, REQUIREMENTS, rest="reports/conformance.json"))


@pytest.mark.parametrize("outcome", ["failed", "error"])
def test_whatever_there_is_fits_a_screen(outcome: str) -> None:
    exchange = {
        "request": f"curl -i {shlex.quote(LONG)}",
        "status": 500,
        "milliseconds": 1.0,
        "answer": LONG,
        "times": 3,
    }
    step = {"text": LONG, "line": 3, "outcome": "failed", "duration": 0.1}
    told = evidence(
        f"{LONG}\n" * 40, steps=(step,), exchanges=(exchange,) * 9, rerun=f"zep-conformance run {shlex.quote(LONG)}",
        attached=(f"reports/now/page/{'a' * 60}/screenshot.png",),
    )  # fmt: skip
    alike = [record(f"n{n}", outcome, *list(REQUIREMENTS)[:9], name=LONG, reason="so", evidence=told) for n in range(9)]
    (lines,) = shown(*alike)
    assert len(lines) <= LINES, lines
    assert all(len(line) <= COLUMNS for line in lines), lines
    assert "8 more failed alike, such as:" in lines
    assert any(line.startswith("the rest: reports/conformance.json") for line in lines)


def test_it_has_what_one_needs_in_the_order_in_which_it_is_read() -> None:
    exchanges = tuple(
        {"request": f"curl -i -H \"authorization: Bearer $ZEP_TOKEN\" http://zep/{n}", "status": 200,
         "milliseconds": 3.0, "answer": "OK", "times": 1}
        for n in range(3)
    )  # fmt: skip
    steps = (
        {"text": "Given Alice", "line": 1, "outcome": "passed", "duration": 0.1},
        {"text": "When she talks", "line": 2, "outcome": "failed", "duration": 0.1},
        {"text": "Then she is remembered", "line": 3, "outcome": "not run", "duration": 0.0},
    )
    (lines,) = shown(record("a", "failed", evidence=evidence("it forgot", steps=steps, exchanges=exchanges)))
    in_order = (
        "✗ Scenario a", "API-1 (MUST): ", "  source: ", "failed at: When she talks (line 2)", "  it forgot",
        "the last of 4 requests:", "curl -i", "→ 200 in 3 ms: OK", "again:", "zep-conformance run", "the rest: ",
    )  # fmt: skip
    text = "\n".join(lines)
    positions = [text.find(one) for one in in_order]
    assert -1 not in positions and positions == sorted(positions), text
    assert "$ZEP_TOKEN" in text and "http://zep/2" in text and "http://zep/1" not in text


def test_where_a_long_path_leads_and_what_else_is_there_is_said() -> None:
    folder = f"/srv/{'reports/' * 9}2026-11-28T00-00-24Z-36692e83"
    page = f"{folder}/page/the_chat_of_a_saved_chatflow_remembers_after_a_reload"
    attached = (f"{page}/screenshot.png", f"{page}/page.txt", "no trace.zip: the browser is gone")
    failed = record("a", "failed", evidence=evidence(attached=attached))
    (lines,) = screenfuls([failed], REQUIREMENTS, rest=f"{folder}/conformance.json")
    assert f"the rest: {folder}/conformance.json" in lines
    shown = " ".join(" ".join(lines).split())
    assert shown.endswith(
        "beside it: page/the_chat_of_a_saved_chatflow_remembers_after_a_reload/ (screenshot.png, page.txt)"
    )
    assert sum(-(-len(line) // COLUMNS) for line in lines) <= LINES


def test_of_no_answer_the_request_without_one_is_shown() -> None:
    exchanges = [
        {"request": f"curl -i http://zep/{one}", "status": status, "milliseconds": 5000.0, "answer": "", "error": error,
         "by": "", "times": 1}
        for one, status, error in (("read", 0, "ReadTimeout: timed out"), ("write", 200, ""))
    ]  # fmt: skip
    for complaint, request in (
        ("Zep is frozen: it has not answered a read", "http://zep/read"),
        ("ReadTimeout: timed out (GET /read)", "http://zep/read"),
        ("no message came", "http://zep/write"),
    ):
        (lines,) = shown(record("a", "failed", evidence=evidence(complaint, exchanges=exchanges)))
        assert [line for line in lines if line.startswith("curl")] == [f"curl -i {request}"]
        assert ("the last request without an answer, of 3:" in lines) is request.endswith("read")


def test_the_command_that_runs_it_again_is_whole() -> None:
    rerun = f"zep-conformance run features/test_features.py::test_{'a' * 60} {'--rate 20 ' * 30}--seed 7"
    exchange = {"request": f"curl {LONG}", "status": 500, "milliseconds": 1.0, "answer": LONG, "times": 1}
    told = evidence(f"{LONG}\n" * 40, exchanges=(exchange,) * 3, rerun=rerun)
    (lines,) = shown(*(record(f"n{n}", "failed", *list(REQUIREMENTS)[:2], name=LONG, evidence=told) for n in range(4)))
    assert len(lines) <= LINES
    again = "\n".join(lines).partition("\nagain:\n")[2].partition("\nthe rest:")[0]
    assert again.replace("\\\n", "") == rerun


@pytest.mark.parametrize("place", [f"/tmp/{'a' * 90}/b.yaml", f"http://127.0.0.1:8000/{'a' * 80}?lastn=1"])
def test_a_long_path_or_url_is_not_broken(place: str) -> None:
    (lines,) = shown(record("a", "failed", evidence=evidence(f"{place}, line 10: no Zep", attached=())))
    assert f"{place}, line 10: no Zep" in " ".join(" ".join(lines).split())
    assert [line for line in lines if len(line) > COLUMNS] == [f"{place},"]


@pytest.mark.parametrize(
    ("error", "likely"),
    [
        ("ReadTimeout: timed out", "it hangs, or waits for something"),
        ("ConnectError: [Errno 111] Connection refused", "nothing listens there"),
        ("ConnectTimeout: timed out", "a firewall drops what is sent there"),
        ("ConnectError: [Errno -2] Name or service not known", "the name of the host is misspelt"),
        ("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "its certificate is not one"),
        ("RemoteProtocolError: Server disconnected without sending a response.", "it crashed, was restarted"),
    ],
)
def test_of_a_request_without_an_answer_it_says_for_how_long_and_why(error: str, likely: str) -> None:
    exchange = {
        "request": "curl -i http://zep/",
        "status": 0,
        "milliseconds": 30012.0,
        "answer": "",
        "error": error,
        "times": 1,
    }
    (lines,) = shown(record("a", "failed", evidence=evidence("no answer", exchanges=(exchange,))))
    text = " ".join(" ".join(lines).split())
    assert f"→ no answer after 30.0 s: {error}; likely {likely}" in text
    assert "→ 0" not in text


def test_an_answer_that_breaks_off_is_said_to() -> None:
    exchange = {"status": 200, "milliseconds": 1500.0, "answer": "data: one", "error": "ReadError: gone", "times": 1}
    assert (came(exchange), said(exchange)) == (
        "200 in 1.5 s",
        "data: one\n(it broke off: ReadError: gone; likely it crashed, was restarted, or a proxy before it hung up)",
    )


def test_who_asked_is_said_where_it_is_not_the_scenario() -> None:
    exchange = {"request": "curl -i http://zep/", "status": 200, "milliseconds": 3.0, "answer": "", "error": "",
                "by": "a stranger: with garbage, GET /api/v1/user", "times": 1}  # fmt: skip
    (lines,) = shown(record("a", "failed", evidence=evidence("not refused", exchanges=(exchange,), left_out=327)))
    assert "one of 328 requests, by a stranger: with garbage, GET /api/v1/user:" in lines


def test_failures_of_one_cause_are_one() -> None:
    refused = [
        record(f"r{n}", "failed", evidence=evidence(f"ReadTimeout at zc-0a1b2c3d-{n} after {n} s")) for n in range(4)
    ]
    other = record("o", "failed", evidence=evidence("it forgot"))
    broken = record("b", "error", reason="KeyError: 1", evidence=evidence("it forgot"))
    known = [record(f"k{n}", "failed", deviation="DEV-15", evidence=evidence(f"cause {n}")) for n in "ab"]
    places = [
        record(
            f"d{n}", "failed", evidence=evidence(f"assert {n} differences:\n  {path}: 1 came, {n} was expected\nand")
        )
        for n, path in ((2, "[0].role"), (3, "[7].role"), (4, "[0].content"))
    ]
    assert [[one.nodeid for one in cause] for cause in by_cause(places)] == [["d2", "d3"], ["d4"]]
    passed = record("p", "passed")
    found = by_cause([*refused, passed, other, broken, *known])
    assert [[one.nodeid for one in cause] for cause in found] == [["r0", "r1", "r2", "r3"], ["o"], ["b"], ["ka", "kb"]]
    assert shown(passed) == []


@settings(max_examples=25)
@given(words=st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200), min_size=1, max_size=4))
def test_a_broken_command_is_the_same_command(words: list[str]) -> None:
    lines = command_lines(f"printf '%s\\n' {shlex.join(words)}")
    assert all(len(line) <= COLUMNS for line in lines)
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "".join(f"{word}\n" for word in words), lines


def test_a_variable_in_a_command_stays_one() -> None:
    command = f'printf %s "authorization: Bearer $ZEP_TOKEN" {"x" * 90}'
    done = subprocess.run(
        ["bash", "-c", "\n".join(command_lines(command))], capture_output=True, text=True, env={"ZEP_TOKEN": "t"}
    )
    assert done.stdout == "authorization: Bearer t" + "x" * 90


class TestDifferences:
    def test_they_are_told_by_their_paths(self) -> None:
        came = {"messages": [{"role": "ai", "content": "Hello"}, {"role": "human"}], "more": 1}
        expected = {"messages": [{"role": "ai", "content": "Hallo"}], "less": None}
        assert explained(came, expected) == [
            "4 differences:",
            "less: nothing came, None was expected",
            "messages[0].content: 'Hello' came, 'Hallo' was expected",
            "messages[1]: {'role': 'human'} came, nothing was expected",
            "more: 1 came, nothing was expected",
        ]
        assert explained([("ai", "a")], [("ai", "b")]) == ["1 difference:", "[0][1]: 'a' came, 'b' was expected"]

    @pytest.mark.parametrize(("came", "expected"), [("a", "b"), (1, 2), ([1], {"a": 1}), (None, [])])
    def test_what_is_better_shown_whole_is(self, came: object, expected: object) -> None:
        assert explained(came, expected) is None

    def test_many_are_counted(self) -> None:
        lines = explained(list(range(MOST + 70)), [None] * (MOST + 70))
        assert lines is not None and len(lines) == MOST + 2
        assert (lines[0], lines[-1]) == (f"{MOST + 70} differences:", "and 70 more")

    def test_of_long_texts_it_is_told_where_they_begin_to_differ(self) -> None:
        text = "a line of it\n" * 8_000
        came = f"{text[:70_000]}X{text[70_001:]}"
        count, first, lengths = explained(came, text) or ()
        assert count == "1 difference:" and first.startswith("[70000]: '…") and "X" in first
        assert lengths == "in line 5385; 104000 characters came, 104000 were expected"
        assert len(first) < 5000
        inside = explained({"messages": [{"content": came}]}, {"messages": [{"content": text}]})
        assert inside is not None and inside[1].startswith("messages[0].content[70000]: '…")

    def test_of_sets_it_is_told_what_is_in_one_only(self) -> None:
        assert explained({"ids": {"a", "b"}}, {"ids": {"b", "c"}}) == [
            "2 differences:",
            "ids{}: 'a' came, nothing was expected",
            "ids{}: nothing came, 'c' was expected",
        ]

    @settings(max_examples=50)
    @given(
        begin=st.text("abc ", max_size=400), came=st.text("xyz'\n", max_size=400), expected=st.text("uvw", max_size=400)
    )
    def test_both_values_are_shown_where_they_differ_however_long_they_are(
        self, begin: str, came: str, expected: str
    ) -> None:
        (_, line) = explained([begin + came + "1"], [begin + expected + "2"]) or ()
        short = shortened(line, 146)
        found = told(short)
        assert found is not None and len(short) <= 160
        assert found.came != found.expected or "nothing" in short
        assert shortened("no difference at all " * 20, 146) == "no difference at all " * 20
