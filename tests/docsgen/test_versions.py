"""The table of LangFlux's versions: what is kept of a run, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from zep_conformance import suite
from zep_conformance.clients.families import FAMILIES, family_of
from zep_conformance.docsgen import versions
from zep_conformance.docsgen.__main__ import main as docsgen
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import NEWEST_LANGFLUX
from zep_conformance.targets.processes import installation as langflux_install


def report(version: str = "1.8.4", **changed: Any) -> dict[str, Any]:
    """A run's report, as far as it matters here."""

    def scenario(outcome: str, deviation: str | None = None) -> dict[str, Any]:
        return {"name": "A secret text", "outcome": outcome, "deviation": deviation}

    outcomes = {
        "API-1": ("deviation", [scenario("passed"), scenario("deviation", "DEV-13"), scenario("deviation", "DEV-2")]),
        "API-2": ("passed", [scenario("passed"), scenario("skipped")]),
        "API-3": ("failed", [scenario("failed")]),
        "UI-1": ("skipped", []),
        "STORE-1": ("passed", [scenario("passed")]),
    }
    return {
        "started": "2026-11-25T08:33:03+00:00",
        "trouble": None,
        "outcomes": {"error": 0},
        "parts": {"zep": {"version": "0.27.2"}, "langflux": {"version": version, "url": "http://somewhere"}},
        "requirements": [
            {"id": name, "outcome": outcome, "scenarios": scenarios} for name, (outcome, scenarios) in outcomes.items()
        ],
    } | changed


def test_outcomes_and_deviations_of_what_concerns_langflux_are_kept() -> None:
    kept = versions.condensed(report())
    assert kept == {
        "langflux": "1.8.4",
        "zep": "0.27.2",
        "measured": "2026-11-25",
        "requirements": {
            "API-1": {"outcome": "deviation", "tried": 3, "deviations": ["DEV-2", "DEV-13"]},
            "API-2": {"outcome": "passed", "tried": 1},
            "API-3": {"outcome": "failed", "tried": 1},
            "UI-1": {"outcome": "skipped", "tried": 0},
        },
    }


@pytest.mark.parametrize(
    "changed",
    [{"trouble": "no Zep"}, {"parts": {"zep": {"version": "0.27.2"}}}, {"outcomes": {"error": 1}}],
    ids=["a run that could not tell", "a run without LangFlux", "a run in which the harness broke"],
)
def test_a_run_that_says_nothing_of_a_version_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = tmp_path / "conformance.json"
    path.write_text(json.dumps(report(**changed)))
    with pytest.raises(CannotTell, match="says nothing of a LangFlux version"):
        versions.keep(path, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "conformance.json"
    path.write_text(text)
    done = CliRunner().invoke(docsgen, ["--measured", str(path)])
    assert done.exit_code == 2
    assert "conformance.json" in done.output


def test_the_table_has_a_column_for_each_version_oldest_first(tmp_path: Path) -> None:
    for version in ("3.0.13", "1.10.0", "1.8.4"):
        path = tmp_path / f"{version}.json"
        path.write_text(json.dumps(report(version)))
        versions.keep(path, tmp_path / "data")
    lines = versions.table(tmp_path / "data").splitlines()
    assert lines[0] == "| requirement | LangFlux 1.8.4 | LangFlux 1.10.0 | LangFlux 3.0.13 |"
    rows = {line.split("**")[1]: line for line in lines if line.startswith("| **")}
    assert rows["API-1"].endswith("| DEV-2, DEV-13 | DEV-2, DEV-13 | DEV-2, DEV-13 |")
    assert rows["API-2"].endswith("| holds | holds | holds |")
    assert rows["API-3"].endswith("| **does not hold** | **does not hold** | **does not hold** |")
    assert rows["UI-1"].endswith("| not tried | not tried | not tried |")
    assert rows["API-7"].endswith("| not tried | not tried | not tried |")  # newer than the runs
    assert "STORE-1" not in rows
    assert [line[2:7] for line in lines if line.startswith("- DEV")] == ["DEV-2", "DEV-1"]


def test_every_version_with_a_lock_is_measured_and_conforms() -> None:
    kept = {run["langflux"]: run for run in versions.kept()}
    assert set(kept) == set(langflux_install.versions())
    assert NEWEST_LANGFLUX in kept
    for run in kept.values():
        assert {found["outcome"] for found in run["requirements"].values()} <= {"passed", "deviation", "skipped"}


def test_the_page_names_each_family() -> None:
    page = (suite.root() / "docs" / "versions.md").read_text()
    assert [line.split("|")[1].strip() for line in page.splitlines() if line.startswith(("| 1", "| 2", "| 3"))] == [
        family.name for family in FAMILIES
    ]
    assert {family_of(version).name for version in langflux_install.versions()} == {"1.8", "2.2", "3.0"}
