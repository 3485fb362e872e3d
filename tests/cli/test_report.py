"""`zep-conformance report …`: forms, exit codes, and what can't be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.kept_runs import document, kept
from tests.support.records import record
from zep_conformance.cli.main import main
from zep_conformance.report.folder import REPORT

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJlLW9mLXNvbWVib2R5"


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a good run and then a bad one are kept, in reports/."""
    monkeypatch.chdir(tmp_path)
    kept(tmp_path / "reports", document(record("a", "passed")), 0)
    kept(tmp_path / "reports", document(record("a", "failed", name=f"Bearer {TOKEN}"), second=1), 1)
    return tmp_path / "reports"


FIRST = "2026-11-26T23-17-19"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((FIRST, "latest"), 1),
        (("latest", FIRST), 0),
        (("reports", "reports/latest"), 0),
        (("reports/conformance.json", FIRST), 0),
        ((f"{FIRST}Z-00000000", "reports"), 1),
        (("nothing", "latest"), 2),
        (("", "latest"), 2),
        (("2026", "latest"), 2),
        (("latest",), 2),
    ],
)
@pytest.mark.usefixtures("reports")
def test_diff_finds_reports_and_ends_with_what_it_found(words: tuple[str, ...], code: int) -> None:
    assert main(["report", "diff", *words]) == code


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json"])
@pytest.mark.parametrize("words", [("diff", FIRST, "latest"), ("history",), ("matrix", FIRST, "latest")])
def test_every_form_is_whole_and_without_secrets(
    reports: Path, words: tuple[str, ...], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["report", *words, "--format", form])
    shown = capsys.readouterr().out
    assert TOKEN not in shown.replace("\n", "") and "2026-11-26" in shown
    if form == "json":
        assert isinstance(json.loads(shown), dict)
    if form == "terminal":
        assert max(map(len, shown.splitlines())) <= 80
    main(["report", *words, "--format", form, "--output", "out"])
    assert (reports.parent / "out").read_text() == shown
    assert main(["report", *words, "--format", form, "--output", "out"]) == 2
    assert main(["report", *words, "--format", form, "--output", "out", "--force"]) in (0, 1)


BROKEN = {
    "cut off": '{"format": 2, "tool": {"name": "zep-conf',
    "no JSON": "PK\x03\x04",
    "empty": "",
    "somebody else's": '{"format": 2, "tool": {"name": "other"}}',
    "another format": '{"format": 9, "tool": {"name": "zep-conformance"}}',
    "damaged": '{"format": 2, "tool": {"name": "zep-conformance"}, "requirements": [{"id": 3}]}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("words", [("diff", "latest"), ("matrix",)], ids=["diff", "matrix"])
def test_what_can_not_be_read_is_two_lines(
    reports: Path, case: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (reports.parent / "broken.json").write_text(BROKEN[case])
    assert main(["report", *words, "broken.json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    what, *advice = shown.err.splitlines()
    assert what.startswith("broken.json ") and " ".join(advice).endswith("[report-unreadable]")


def test_history_of_nothing_is_two_lines(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "history", "nowhere"]) == 2
    assert "no run that can be read is kept in nowhere/" in capsys.readouterr().err
    assert main(["report", "history", str(reports)]) == 0
    (reports / "latest" / REPORT).write_text("{")
    assert main(["report", "history"]) == 0


def test_a_command_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "compare"]) == 2
    assert "compare" in capsys.readouterr().err
