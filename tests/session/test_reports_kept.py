"""The reports of a run that could tell are not replaced by those of one that could not."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from pathlib import Path

import pytest

from tests.support.runs import report_in, run
from zep_conformance.report.folder import INCOMPLETE, place, write


def report(folder: Path, verdict: str) -> None:
    write(folder / "conformance.json", json.dumps({"verdict": verdict}))


@pytest.mark.parametrize(
    ("earlier", "stays"),
    [("conforms", True), ("conforms as far as asked", True), ("does not conform", True), ("could not tell", False)],
)
def test_an_earlier_report_stays_where_it_could_tell(tmp_path: Path, earlier: str, stays: bool) -> None:
    report(tmp_path, earlier)
    assert place(tmp_path, is_whole=False) == (tmp_path / INCOMPLETE if stays else tmp_path)
    assert place(tmp_path, is_whole=True) == tmp_path


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[" * 100_000])
def test_what_is_no_report_does_not_stay(tmp_path: Path, text: str) -> None:
    (tmp_path / "conformance.json").write_text(text)
    assert place(tmp_path, is_whole=False) == tmp_path
    assert place(tmp_path / "none", is_whole=False) == tmp_path / "none"


def test_what_stood_beside_a_report_goes_with_it_and_nobody_elses_files(tmp_path: Path) -> None:
    aside = tmp_path / INCOMPLETE
    for name in ("conformance.json", "summary.md", "junit.xml", "logs/zep.log"):
        write(aside / name, "text")
    place(tmp_path, is_whole=True)
    assert not aside.exists()
    write(aside / "summary.md", "text")
    write(aside / "mine.txt", "text")
    place(tmp_path, is_whole=True)
    assert [path.name for path in aside.iterdir()] == ["mine.txt"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write(tmp_path / "here" / "a.txt", "before")
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "here" / "a.txt", "after \ud800")
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["a.txt"]
    assert (tmp_path / "here" / "a.txt").read_text() == "before"


def test_a_typing_error_costs_no_report(tmp_path: Path) -> None:
    first = run(tmp_path, "-q", "-m", "API-3", "--seed", "7")
    assert first.returncode == 0, first.stdout
    before = report_in(tmp_path)
    properties = {
        one.get("name"): one.get("value")
        for one in xml.etree.ElementTree.parse(tmp_path / "reports" / "junit.xml").iter("property")
    }
    assert properties["verdict"] == before["verdict"] == "conforms as far as asked"
    assert properties["basis"] == before["basis"]["words"]
    assert "not selected" in str(properties["must-unchecked"])
    kept = {path: path.read_text() for path in (tmp_path / "reports").rglob("*") if path.is_file()}
    wrong = run(tmp_path, "-q", "--require", "API-3O")
    assert wrong.returncode == 2
    assert "no requirement API-3O; there is API-3" in " ".join(wrong.stdout.split())
    assert "reports: reports/incomplete/ (reports/ has those of an earlier run still)" in " ".join(wrong.stdout.split())
    assert {path: path.read_text() for path in kept} == kept
    aside = json.loads((tmp_path / "reports" / INCOMPLETE / "conformance.json").read_text())
    assert "no requirement API-3O" in aside["trouble"]
    assert not list((tmp_path / "reports").glob(".*"))
