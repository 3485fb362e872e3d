"""What is kept of a run's report: outcomes and ids of a whole run on a real version, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.measured import report
from zep_conformance.compatibility.measurements import keep, kept, measurements_of, read_reports, with_kept
from zep_conformance.docsgen.__main__ import main as docsgen
from zep_conformance.errors import CannotTell

EMBEDDED = {"zep": {"version": "0.27.2"}, "langflux": {"version": "2.2.8", "embedded": True}}


def test_outcomes_and_deviations_are_kept_and_no_texts_or_addresses() -> None:
    (found,) = measurements_of([report()])
    assert found.as_json() == {
        "zep": "0.27.2",
        "langflux": "1.8.4",
        "runs": [{"measured": "2026-11-25", "suite": "0.1.0", "target": "processes", "verdict": "does not conform"}],
        "requirements": {
            "API-1": {"outcome": "deviation", "tried": 3, "deviations": ["DEV-2", "DEV-13"], "times": 1},
            "API-2": {"outcome": "passed", "tried": 1, "times": 1},
            "API-3": {"outcome": "failed", "tried": 1, "times": 1},
            "UI-1": {"outcome": "skipped", "tried": 0, "times": 1},
            "STORE-1": {"outcome": "passed", "tried": 1, "times": 1},
        },
    }


def test_several_runs_of_a_pair_come_to_the_worst_that_each_requirement_did() -> None:
    better = report(verdict="conforms")
    for one in better["requirements"]:
        one["outcome"] = "passed"
        one["scenarios"] = [{"outcome": "passed", "deviation": None}]
    (found,) = measurements_of([better, report(), report()])
    assert [found.requirements[name].outcome for name in ("API-1", "API-2", "API-3")] == [
        "deviation", "passed", "failed"
    ]  # fmt: skip
    assert [found.requirements[name].times for name in ("API-1", "API-2", "API-3")] == [2, 3, 2]
    assert found.verdict == "1 of 3 conforms, 2 of 3 does not conform"


def test_each_pair_has_a_file_and_one_behind_the_embedded_langflux_is_of_zep_alone(tmp_path: Path) -> None:
    reports = [report("0.27.2", "3.0.13"), report("0.27.2", "1.10.0"), report("0.9.0"), report(parts=EMBEDDED)]
    written = keep(measurements_of(reports), tmp_path)
    assert {path.name for path in written} == {
        "zep-0.27.2-langflux-3.0.13.json",
        "zep-0.27.2-langflux-1.10.0.json",
        "zep-0.9.0-langflux-1.8.4.json",
        "zep-0.27.2.json",
    }
    assert [(one.zep, one.langflux) for one in kept(tmp_path)] == [
        ("0.9.0", "1.8.4"), ("0.27.2", ""), ("0.27.2", "1.10.0"), ("0.27.2", "3.0.13")
    ]  # fmt: skip
    assert sorted(kept(tmp_path), key=lambda one: one.name) == sorted(
        measurements_of(reports), key=lambda one: one.name
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"trouble": "no Zep"}, "did not come to a verdict"),
        ({"ended": ["the time was over"]}, "did not come to a verdict"),
        ({"verdict": "could not tell"}, "did not come to a verdict"),
        ({"format": 1}, "its format is 1"),
        ({"outcomes": {"error": 1, "not run": 0}}, "broke"),
        ({"outcomes": {"error": 0, "not run": 1}}, "was not run"),
        ({"parts": {"zep": {"version": "unknown"}}}, "does not say its version"),
        ({"parts": {"zep": {"version": "0.27.2"}, "langflux": {"version": "unknown"}}}, "does not say its version"),
        ({"parts": {"langflux": {"version": "2.2.8"}}}, "does not say its version"),
        ({"parts": {"zep": {"version": "0.27.2", "embedded": True}}}, "the embedded one"),
        ({"target": {"name": "embedded", "deployed": False}}, "the embedded one"),
        ({"parts": {"zep": {"version": "1.0.2"}}}, "another product"),
        ({"merged": {"from": "2026-11-25T08-33-03Z"}}, "run once more"),
        ({"settings": {"mutations": "page:blank"}}, "mutations were planted"),
        (
            {"requirements": [{"id": "API-1", "left_out": [{"why": "not selected", "scenarios": 1}]}]},
            "scenarios were chosen",
        ),
    ],
)
def test_a_run_that_says_nothing_of_a_version_is_refused(tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    path = tmp_path / "conformance.json"
    path.write_text(json.dumps(report(**changed)))
    with pytest.raises(CannotTell, match=why) as raised:
        read_reports([path])
    assert raised.value.code == "report-incomplete"
    assert str(path) in raised.value.what


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "conformance.json"
    path.write_text(text)
    done = CliRunner().invoke(docsgen, ["--measured", str(path)])
    assert done.exit_code == 2
    assert "conformance.json" in done.output
    assert all(len(line) <= 80 for line in done.output.splitlines() if str(tmp_path) not in line)


def test_a_later_run_is_joined_with_what_is_kept_of_the_same_version(tmp_path: Path) -> None:
    keep(measurements_of([report()]), tmp_path)
    later = measurements_of([report(started="2026-11-27T08:33:03+00:00"), report("0.26.0")])
    keep(with_kept(later, tmp_path), tmp_path)
    assert [(one.name, len(one.runs)) for one in kept(tmp_path)] == [
        ("zep-0.26.0-langflux-1.8.4", 1),
        ("zep-0.27.2-langflux-1.8.4", 2),
    ]
    assert [run.measured for run in kept(tmp_path)[1].runs] == ["2026-11-25", "2026-11-27"]


def test_a_version_is_kept_without_its_v() -> None:
    (found,) = measurements_of([report("v0.27.2", "v1.8.4")])
    assert found.name == "zep-0.27.2-langflux-1.8.4"


def test_a_version_that_would_lead_out_of_the_folder_is_refused() -> None:
    with pytest.raises(CannotTell, match="does not say its version"):
        measurements_of([report("../../0.27.2")])
