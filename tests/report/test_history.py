"""The history of kept runs, their flaky scenarios, and requirements beside several reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kept_runs import document, kept, read_back
from tests.support.records import record
from zep_conformance.errors import CannotTell
from zep_conformance.report import matrix as matrices
from zep_conformance.report.folder import REPORT
from zep_conformance.report.history import history, page
from zep_conformance.report.tables import html, markdown, terminal


def runs(reports: Path, *outcomes: str, version: str = "0.27.2", begin: int = 0) -> None:
    """Keep runs in which scenario a came to these outcomes, and scenario b passed."""
    for second, outcome in enumerate(outcomes, begin):
        records = [record("b", "passed", measurements={"write": {"count": 25, "p50": 1.0, "p95": 2.0 + second}})]
        records += [record("a", outcome)] if outcome else []
        kept(reports, document(*records, second=second, versions={"zep": version}), second)


@pytest.mark.parametrize(
    ("outcomes", "rate"),
    [
        (("passed", "failed", "passed"), 1.0),
        (("passed", "passed", "failed"), 0.5),
        (("passed", "skipped", "failed", "error", "failed"), 0.5),
        (("passed", "skipped", "passed"), None),
        (("failed", "failed"), None),
        (("passed",), None),
        (("", "passed", "deviation"), 1.0),
    ],
)
def test_what_changed_its_outcome_is_flaky(tmp_path: Path, outcomes: tuple[str, ...], rate: float | None) -> None:
    runs(tmp_path, *outcomes)
    (series,) = history(tmp_path).series
    assert [(one.nodeid, one.rate) for one in series.flaky()] == ([("a", rate)] if rate is not None else [])
    assert [report.started for report in series.reports] == sorted(report.started for report in series.reports)


def test_a_merged_run_says_something_of_what_it_ran(tmp_path: Path) -> None:
    for second, (one, other) in enumerate([("failed", "passed"), ("passed", "failed"), ("failed", "passed")]):
        merged = {"run": "x", "started": "x", "again": ["a"]} if second else None
        found = document(record("a", one), record("b", other), second=second, merged=merged)
        kept(tmp_path, found, second)
    (series,) = history(tmp_path).series
    assert [(each.nodeid, each.rate) for each in series.flaky()] == [("a", 1.0)]
    assert "(merged)" in terminal(page(history(tmp_path)))


def test_other_versions_make_nothing_flaky(tmp_path: Path) -> None:
    runs(tmp_path, "passed", "passed")
    runs(tmp_path, "failed", "failed", version="0.26.0", begin=5)
    found = history(tmp_path)
    assert [one.about for one in found.series] == ["remote, zep 0.27.2", "remote, zep 0.26.0"]
    assert not any(one.flaky() for one in found.series)


def test_the_flakiest_comes_first(tmp_path: Path) -> None:
    for second, (one, other) in enumerate([("passed", "passed"), ("passed", "failed"), ("failed", "passed")]):
        kept(tmp_path, document(record("a", one), record("b", other), second=second), second)
    (series,) = history(tmp_path).series
    assert [(each.nodeid, each.rate) for each in series.flaky()] == [("b", 1.0), ("a", 0.5)]
    text = terminal(page(history(tmp_path)))
    assert text.startswith("3 runs, 2 flaky scenarios")
    assert text.index("Flaky scenarios") < text.index("2026-11-26 23:17:19")
    assert max(map(len, text.splitlines())) <= 80


def test_a_run_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    runs(tmp_path, "passed", "passed")
    broken = kept(tmp_path, document(second=9), 9)
    (broken.path / REPORT).write_text("{")
    found = history(tmp_path)
    assert [f"{broken.path / REPORT} is not JSON"] == list(found.unreadable)
    assert "can't be read" in markdown(page(found)) and "can't be read" in html(page(found)).replace("&#39;", "'")
    with pytest.raises(CannotTell, match="no run that can be read is kept"):
        history(tmp_path / "none")


def test_requirements_that_differ_come_first(tmp_path: Path) -> None:
    one = read_back(tmp_path, document(record("a", "passed", "API-1"), record("b", "passed", "API-2")), "one.json")
    two = read_back(tmp_path, document(record("a", "passed", "API-1"), record("b", "failed", "API-2")), "two.json")
    found = matrices.matrix([one, two])
    assert [line.id for line in found.lines if line.differs] == ["API-2"]
    assert (found.lines[0].id, found.lines[0].outcomes) == ("API-2", ("passed", "failed"))
    assert len(found.lines) == len(one.requirements)
    text = terminal(matrices.page(found, signs=True))
    row = next(line for line in text.splitlines() if "API-2" in line)
    assert "≠" in row and row.index("✓") < row.index("✗")
    assert "✓ passed, ✗ failed" in text and "[2] remote (zep 0.27.2)" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "**failed**" in markdown(matrices.page(found, signs=False))
