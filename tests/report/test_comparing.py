"""Two reports beside each other: what is better and worse, and what else differs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kept_runs import document, read_back
from tests.support.needles import MODEST
from tests.support.records import record
from zep_conformance.report.comparing import BETTER, CHECKED, FAILING, UNCHECKED, WORSE, Comparison, compare, page
from zep_conformance.report.latencies import MISSING, SLOWER
from zep_conformance.report.outcomes import OUTCOMES
from zep_conformance.report.reading import Report, read
from zep_conformance.report.tables import html, markdown, terminal

MIRRORED = {WORSE: {BETTER}, BETTER: {WORSE}, FAILING: {UNCHECKED}, CHECKED: {UNCHECKED},
            UNCHECKED: {FAILING, CHECKED}}  # fmt: skip


def report(folder: Path, *outcomes: str, **more: Any) -> Report:
    """A report with a scenario of each of these outcomes, named by its number; "" for none."""
    records = [
        record(f"s{number}", outcome, deviation="DEV-1" if outcome == "deviation" else None)
        for number, outcome in enumerate(outcomes)
        if outcome
    ]
    return read_back(folder, document(*records, **more))


def kinds(comparison: Comparison) -> dict[str, str]:
    return {one.id: one.kind for one in comparison.scenarios}


CASES = [
    ("passed", "failed", WORSE, True),
    ("passed", "deviation", WORSE, True),
    ("deviation", "failed", WORSE, True),
    ("failed", "passed", BETTER, False),
    ("failed", "deviation", BETTER, False),
    ("skipped", "failed", FAILING, True),
    ("error", "failed", FAILING, True),
    ("", "failed", FAILING, True),
    ("not run", "passed", CHECKED, False),
    ("skipped", "deviation", CHECKED, False),
    ("passed", "skipped", UNCHECKED, False),
    ("failed", "error", UNCHECKED, False),
    ("failed", "", UNCHECKED, False),
    ("skipped", "error", None, False),
    ("failed", "failed", None, False),
]


@pytest.mark.parametrize(("then", "now", "kind", "is_worse"), CASES)
def test_what_has_become_of_a_scenario(tmp_path: Path, then: str, now: str, kind: str | None, is_worse: bool) -> None:
    found = compare(report(tmp_path, then, "passed"), report(tmp_path, now, "passed"))
    assert kinds(found) == ({"s0": kind} if kind else {})
    assert found.is_worse is is_worse


some = st.lists(st.sampled_from([*OUTCOMES, ""]), min_size=1, max_size=6)


@MODEST
@given(outcomes=some)
def test_a_report_is_as_itself(tmp_path_factory: pytest.TempPathFactory, outcomes: list[str]) -> None:
    one = report(tmp_path_factory.mktemp("reports"), *outcomes)
    found = compare(one, one)
    assert not found.scenarios and not found.requirements and not found.appeared and not found.gone
    assert not found.is_worse
    assert found.is_empty or found.circumstances == [
        "that run could not tell anything",
        "this run could not tell anything",
    ]


@MODEST
@given(before=some, after=some)
def test_one_way_mirrors_the_other(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("reports")
    then, now = report(folder, *before), report(folder, *after)
    there, back = compare(then, now), compare(now, then)
    for of in ("scenarios", "requirements"):
        forth = {one.id: one for one in getattr(there, of)}
        other = {one.id: one for one in getattr(back, of)}
        assert set(forth) == set(other)
        for identifier, one in forth.items():
            assert other[identifier].kind in MIRRORED[one.kind]
            assert (other[identifier].then, other[identifier].now) == (one.now, one.then)
    assert (there.appeared, there.gone) == (back.gone, back.appeared)


def test_deviations_come_and_go(tmp_path: Path) -> None:
    then = read_back(tmp_path, document(*(record(f"s{n}", "deviation", deviation=f"DEV-{n}") for n in (2, 10))))
    now = read_back(tmp_path, document(record("s2", "deviation", deviation="DEV-2"), record("s10", "passed"),
                                       record("x", "deviation", deviation="DEV-9")))  # fmt: skip
    found = compare(then, now)
    assert (found.appeared, found.gone) == (["DEV-9"], ["DEV-10"])


def test_what_else_differs_comes_first(tmp_path: Path) -> None:
    then = report(tmp_path, "passed", versions={"zep": "0.27.2", "langflux": "2.2.8"})
    now = report(
        tmp_path,
        "passed",
        target="embedded",
        versions={"zep": "0.26.0"},
        tool={"version": "9", "name": "zep-conformance"},
    )
    found = compare(then, now)
    assert found.circumstances[:3] == [
        "target remote then, embedded now", "langflux 2.2.8 then, absent now", "zep 0.27.2 then, 0.26.0 now",
    ]  # fmt: skip
    assert any(one.startswith("zep-conformance ") and one.endswith(" then, 9 now") for one in found.circumstances)
    shown = terminal(page(found))
    assert shown.index("not the same: target remote") < shown.index("not the same: langflux")
    assert not found.is_worse


def test_the_port_of_an_own_server_is_no_difference_and_an_address_is(tmp_path: Path) -> None:
    def at(url: str) -> Report:
        return read_back(tmp_path, document(record("a", "passed"), parts={"zep": {"version": "1", "url": url}}))

    assert compare(at("http://127.0.0.1:1"), at("http://127.0.0.1:2")).is_empty
    assert compare(at("http://zep-a"), at("http://zep-b")).circumstances == [
        "zep's URL http://zep-a then, http://zep-b now"
    ]


def test_settings_that_differ_are_said(tmp_path: Path) -> None:
    then = report(tmp_path, "passed", settings={"mutations": "zep:x", "target": "remote"})
    now = report(tmp_path, "passed", settings={"load-users": "3"}, seed=8)
    assert compare(then, now).circumstances == [
        "--mutations zep:x then, not given now", "seed 7 then, 8 now", "--load-users not given then, 3 now",
    ]  # fmt: skip


def measured(*values: float, samples: bool = True) -> dict[str, Any]:
    found = document(record("s", "passed", measurements={"write": {"count": len(values), "p50": 1.0, "p95": 2.0}}))
    for requirement in found["requirements"]:
        for scenario in requirement["scenarios"]:
            scenario["samples"] = {"write": list(values)} if samples else {}
    return found


def test_slower_is_said_where_it_is_more_than_chance(tmp_path: Path) -> None:
    slow, fast = [10.0 + n / 10 for n in range(25)], [5.0 + n / 10 for n in range(25)]
    found = compare(read_back(tmp_path, measured(*fast)), read_back(tmp_path, measured(*slow)))
    assert [one.judged for one in found.latencies] == [SLOWER]
    assert not found.is_empty and not found.is_worse
    without = compare(read_back(tmp_path, measured(*fast, samples=False)), read_back(tmp_path, measured(*slow)))
    assert [one.judged for one in without.latencies] == [MISSING]
    assert "no samples" in terminal(page(without))


def test_a_report_of_the_format_before_is_compared(tmp_path: Path) -> None:
    now = document(record("a", "failed"), record("b", "passed"))
    older = copy.deepcopy(now) | {"format": 1}
    for key in ("basis", "gate", "evidence", "capabilities", "ended"):
        del older[key]
    for requirement in older["requirements"]:
        del requirement["checked"], requirement["left_out"]
        for scenario in requirement["scenarios"]:
            scenario["outcome"] = "passed"
            for key in ("steps", "started", "measurements", "deviation", "reason"):
                scenario.pop(key, None)
    found = compare(read_back(tmp_path, older), read_back(tmp_path, now))
    assert kinds(found) == {"a": WORSE}


HOSTILE = "<script>alert(1)</script> [red]x[/red] | `a` \x1b[31m"


def test_every_form_shows_texts_as_texts(tmp_path: Path) -> None:
    then = read_back(tmp_path, document(record("a", "passed", name=HOSTILE)))
    now = read_back(tmp_path, document(record("a", "failed", name=HOSTILE)))
    shown = page(compare(then, now))
    assert "<script>" not in html(shown) and "&lt;script&gt;" in html(shown)
    assert "<script>" not in markdown(shown)
    text = terminal(shown)
    assert "[red]x[/red]" in " ".join(text.split()) and "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_file_is_read_from_where_it_is(tmp_path: Path) -> None:
    found = read_back(tmp_path, document(record("a", "passed")))
    assert found.scenarios["a"].requirements == ("API-1",)
    assert read(found.path) == found
