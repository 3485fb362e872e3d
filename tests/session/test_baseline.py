"""What fails a run: levels, deviations, and a baseline."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import record
from tests.support.runs import report_in, run
from zep_conformance.errors import CannotTell
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.basis import Basis
from zep_conformance.report.observations import Observations, PartSeen, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.report.reading import Report
from zep_conformance.session.baseline import read_baseline
from zep_conformance.session.verdict import Gate, Verdict

MUST = frozenset({"API-1", "API-2"})


def document(*records: Record, **changed: Any) -> dict[str, Any]:
    """As much of a report as a baseline is read from."""
    from zep_conformance.report.outcomes import worst

    ids = sorted({identifier for one in records for identifier in one.requirements})
    return {
        "format": 1,
        "tool": {"name": "zep-conformance", "version": "0"},
        "started": "2026-11-01T10:00:00+00:00",
        "verdict": "conforms",
        "target": {"name": "remote", "deployed": True},
        "parts": {"zep": {"version": "0.27.2", "url": "http://zep"}},
        "requirements": [
            {
                "id": identifier,
                "outcome": worst(one.outcome for one in records if identifier in one.requirements),
                "scenarios": [
                    {"nodeid": one.nodeid, "outcome": one.outcome, "mended": one.fixed}
                    for one in records
                    if identifier in one.requirements
                ],
            }
            for identifier in ids
        ],
        **changed,
    }


def read(folder: Path, *records: Record, **changed: Any) -> Report:
    path = folder / "before.json"
    path.write_text(json.dumps(document(*records, **changed)))
    return read_baseline(path)


def observed(name: str = "remote", **versions: str) -> Observations:
    return Observations(
        target=TargetSeen(name=name, deployed=True),
        parts={part: PartSeen(version=version) for part, version in (versions or {"zep": "0.27.2"}).items()},
    )


def judged(gate: Gate, *records: Record, observations: Observations | None = None, settled: bool = True) -> Verdict:
    seen = observations or observed()
    return gate.verdict(records, seen, Basis.of(records, seen, load_requirements()), settled=settled)


@pytest.mark.parametrize(
    ("fail_on", "records", "code"),
    [
        ("must", [record("a", "failed", "API-5")], 0),
        ("must", [record("a", "failed", "API-5", "API-1")], 1),
        ("must", [record("a", "failed", "API-5"), record("b", "failed", "API-1")], 1),
        ("must", [record("a", "failed", "API-5"), record("b", "error", "API-1")], 2),
        ("must", [record("a", "deviation", "API-1")], 0),
        ("should", [record("a", "failed", "API-5")], 1),
        ("should", [record("a", "deviation", "API-1")], 0),
        ("deviation", [record("a", "deviation", "API-1")], 1),
        ("deviation", [record("a", "passed", "API-1")], 0),
        ("deviation", [record("a", "skipped", "API-1")], 2),
    ],
)
def test_fail_on(fail_on: str, records: list[Record], code: int) -> None:
    assert judged(Gate(fail_on=fail_on, must=MUST), *records).code == code


def test_what_does_not_count_is_said() -> None:
    found = judged(Gate(fail_on="must", must=MUST), record("a", "failed", "API-5"))
    assert [one.nodeid for one in found.uncounted] == ["a"]
    assert "does not count with --fail-on must: Scenario a (API-5)" in "\n".join(found.remarks())
    assert found.name == "conforms as far as asked"


class TestAgainstABaseline:
    @pytest.mark.parametrize("then", ["passed", "deviation", "skipped", "error"])
    def test_what_fails_now_and_did_not_then_is_worse(self, tmp_path: Path, then: str) -> None:
        found = judged(Gate(baseline=read(tmp_path, record("a", then))), record("a", "failed"))
        assert (found.code, found.name) == (1, "does not conform")
        assert found.comparison is not None
        assert [(change.record.nodeid, change.then) for change in found.comparison.changes["worse"]] == [("a", then)]

    def test_what_failed_then_too_is_known(self, tmp_path: Path) -> None:
        found = judged(Gate(baseline=read(tmp_path, record("a", "failed"))), record("a", "failed"))
        assert (found.code, found.name) == (0, "does not conform")
        assert str(found).startswith("does not conform, but no worse than the baseline: 1 of ")
        assert not found.failing
        assert "worse than then: nothing" in list(found.remarks())

    def test_one_that_is_worse_fails_among_known_ones(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "failed"), record("b", "passed"))
        found = judged(Gate(baseline=before), record("a", "failed"), record("b", "failed"))
        assert found.code == 1
        assert [one.nodeid for one in found.failing] == ["b"]

    def test_what_is_better_is_said(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "failed"), record("b", "failed"), record("c", "deviation"))
        now = (record("a", "passed"), record("b", "deviation"), record("c", "passed"))
        found = judged(Gate(baseline=before), *now)
        assert found.code == 0 and found.comparison is not None
        assert [change.record.nodeid for change in found.comparison.changes["better"]] == ["a", "b", "c"]

    def test_what_is_not_checked_any_more_is_said(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "failed"), record("b", "skipped"), record("c", "passed"))
        now = (record("a", "skipped"), record("b", "skipped"), record("c", "passed"))
        found = judged(Gate(baseline=before), *now)
        assert found.comparison is not None
        assert [change.record.nodeid for change in found.comparison.changes["unchecked"]] == ["a"]
        assert not found.comparison.changes["better"]

    @pytest.mark.parametrize("number", [1, 2])
    def test_reports_of_either_format_can_be_read(self, tmp_path: Path, number: int) -> None:
        before = read(tmp_path, record("a", "failed"), format=number)
        assert judged(Gate(baseline=before), record("a", "failed")).code == 0

    def test_a_new_scenario_is_judged_by_its_requirements(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "failed", "API-1"), record("b", "passed", "API-2"))
        gate = Gate(baseline=before)
        assert judged(gate, record("new", "failed", "API-1")).code == 0
        assert judged(gate, record("new", "failed", "API-1", "API-2")).code == 1
        assert judged(gate, record("new", "failed", "API-7")).code == 1

    def test_an_error_is_never_excused(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "failed"), record("b", "error"))
        assert judged(Gate(baseline=before), record("a", "failed"), record("b", "error")).code == 2

    def test_an_interrupted_run_does_not_pass(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "failed"))
        found = judged(Gate(baseline=before), record("a", "failed"), settled=False)
        assert (found.code, found.name) == (2, "could not tell")

    def test_deviations_that_count(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "deviation"), record("b", "passed"))
        gate = Gate(fail_on="deviation", baseline=before)
        assert judged(gate, record("a", "deviation")).code == 0
        assert judged(gate, record("b", "deviation")).code == 1
        assert judged(gate, record("a", "failed")).code == 1

    def test_fixed_deviations_in_a_strict_run(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "deviation"), record("b", "passed", fixed=True))
        gate = Gate(strict_deviations=True, baseline=before)
        assert judged(gate, record("b", "passed", fixed=True)).code == 0
        assert judged(gate, record("a", "passed", fixed=True)).code == 1

    def test_other_targets_and_versions_are_said(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "passed"), verdict="could not tell")
        now = observed("embedded", zep="0.26.0", langflux="2")
        found = judged(Gate(baseline=before), record("a", "passed"), observations=now)
        assert next(line for line in found.remarks() if line.startswith("not the same")) == (
            "not the same as then: target remote then, embedded now; langflux absent then, 2 now; "
            "zep 0.27.2 then, 0.26.0 now; that run could not tell anything"
        )

    def test_many_changes_are_counted(self, tmp_path: Path) -> None:
        before = read(tmp_path, record("a", "passed"))
        lines = list(judged(Gate(baseline=before), *(record(f"n{n}", "failed") for n in range(13))).remarks())
        assert sum(line.startswith("worse: ") for line in lines) == 11
        assert "worse: 3 more, all in the report" in lines


FOREIGN = {
    "no JSON": "{",
    "a deep one": "[" * 100_000,
    "no report": "[]",
    "somebody else's": '{"tool": {"name": "other"}, "format": 1}',
    "another format": json.dumps(document(format=3)),
    "no requirements": json.dumps({"tool": {"name": "zep-conformance"}, "format": 1}),
    "an unknown outcome": json.dumps(document(record("a", "maybe"), record("a", "passed"))).replace("passed", "maybe"),
    "parts that are none": json.dumps(document(parts=3)),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_foreign_file_is_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(FOREIGN[case])
    with pytest.raises(CannotTell, match=r"--baseline: .*foreign\.json"):
        read_baseline(path)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match="can't be read"):
        read_baseline(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CannotTell, match="is not JSON"):
        read_baseline(tmp_path / "binary")


# -- whole runs -------------------------------------------------------------------------------------------------

BROKEN = ("-m", "API-6 or API-3", "--recorded-behaviours", "langflux:delete-by-session-keeps-zep")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run in which API-6 failed."""
    folder = tmp_path_factory.mktemp("before")
    assert run(folder, *BROKEN).returncode == 1
    report_in(folder)
    return folder / "reports" / "conformance.json"


def narrow(finished: subprocess.CompletedProcess[str]) -> str:
    """What is said in conclusion, which must fit a terminal of 80 columns."""
    said = finished.stdout.partition(" conformance ---")[2].partition("=== short test summary")[0]
    assert all(len(line) <= 80 for line in said.splitlines()), said
    return " ".join(said.split())


def test_a_run_that_is_no_worse(tmp_path: Path, before: Path) -> None:
    finished = run(tmp_path, *BROKEN, "--baseline", str(before))
    assert finished.returncode == 0, finished.stdout
    said = narrow(finished)
    assert "does not conform, but no worse than the baseline: 2 of " in said
    assert "worse than then: nothing" in said
    found = report_in(tmp_path)
    assert (found["verdict"], found["exit_code"]) == ("does not conform", 0)
    assert found["gate"]["failing"] == []
    assert len(found["gate"]["baseline"]["known"]) == found["outcomes"]["failed"] > 0
    assert "no worse than the baseline" in (tmp_path / "reports" / "summary.md").read_text()


@pytest.mark.nightly
def test_a_run_that_is_worse_on_two_workers(tmp_path: Path, before: Path) -> None:
    behaviours = "langflux:delete-by-session-keeps-zep,zep:token-count-reset"
    words = ("-m", "API-6 or STORE-2", "--recorded-behaviours", behaviours, "-n", "2", "--baseline", str(before))
    finished = run(tmp_path, *words)
    assert finished.returncode == 1, finished.stdout
    assert "worse: A message has a token count" in narrow(finished)
    report = report_in(tmp_path)
    assert report["gate"]["baseline"]["known"]
    # Whatever any worker has made begins with the prefix that the report says.
    assert set(re.findall(r"zc-[0-9a-f]{8}", finished.stdout)) == {report["prefix"]}


def test_a_run_that_is_better(tmp_path: Path, before: Path) -> None:
    finished = run(tmp_path, *BROKEN[:2], "--baseline", str(before))
    assert finished.returncode == 0
    assert "better: " in narrow(finished)


def test_a_baseline_that_is_none_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "foreign.json").write_text("{}")
    finished = run(tmp_path, ZEP_CONFORMANCE_BASELINE="foreign.json")
    assert finished.returncode == 2
    assert "is no report of zep-conformance" in narrow(finished)
    assert report_in(tmp_path)["requests"] == 0


def test_the_report_may_be_its_own_baseline(tmp_path: Path, before: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "conformance.json").write_text(before.read_text())
    assert run(tmp_path, *BROKEN, "--baseline", "reports/conformance.json").returncode == 0


def test_only_should_failed(tmp_path: Path) -> None:
    words = ("-m", "AUTH-6", "--recorded-behaviours", "zep:admin-without-token")
    assert run(tmp_path, *words).returncode == 1
    finished = run(tmp_path, *words, "--fail-on", "must")
    assert finished.returncode == 0, finished.stdout
    assert "does not count with --fail-on must" in narrow(finished)
    assert report_in(tmp_path)["gate"]["uncounted"]


def test_deviations_fail_where_that_is_asked_for(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "UI-5", "--recorded-behaviours", "all", "--fail-on", "deviation")
    assert finished.returncode == 1, finished.stdout
    assert "known deviations fail this run" in narrow(finished)
    assert run(tmp_path, "--fail-on", "may").returncode == 2
    wrong = run(tmp_path, ZEP_CONFORMANCE_FAIL_ON="may")
    assert wrong.returncode == 2
    assert "must be must, should or deviation" in narrow(wrong)
