"""The reports of a run that could tell are not replaced by those of one that could not."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from pathlib import Path

import pytest

from tests.support.runs import report_in, run
from zep_conformance.report.folder import FILES, runs, write, written
from zep_conformance.report.writers import WRITERS


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
    kept = {path: path.read_bytes() for path in (tmp_path / "reports").rglob("*") if path.is_file()}
    wrong = run(tmp_path, "-q", "--require", "API-3O")
    assert wrong.returncode == 2
    assert "no requirement API-3O; there is API-3" in " ".join(wrong.stdout.split())
    older, newer = runs(tmp_path / "reports")
    assert f"reports: reports/{newer.name}/ (latest is an earlier run still)" in " ".join(wrong.stdout.split())
    assert {path: path.read_bytes() for path in kept} == kept
    aside = json.loads((newer / "conformance.json").read_text())
    assert "no requirement API-3O" in aside["trouble"]
    assert not list((tmp_path / "reports").glob(".*"))
    assert {path.name for path in written(older)} >= {"conformance.json", "summary.md", "junit.xml"}
    assert not list(older.glob(".junit*"))


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_all_of_a_run_is_in_its_folder_and_so_many_are_kept(tmp_path: Path, workers: tuple[str, ...]) -> None:
    for _ in range(2):
        again = run(tmp_path, "-q", "-m", "API-3", "--keep-runs", "1", *workers)
        assert again.returncode == 0, again.stdout
        (only,) = runs(tmp_path / "reports")
        assert f"reports: reports/{only.name}/ (latest)" in " ".join(again.stdout.split())
    found = {path.name for path in (tmp_path / "reports").iterdir()}
    assert found == {only.name, "latest", *(file for file in WRITERS if "." in file and not file.endswith(".gz"))}
    assert set(written(only)) == {path for path in only.rglob("*") if path.is_file() and path.name != FILES}
