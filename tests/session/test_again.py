"""--failed: what failed last is run once more, and merged with the run that it failed in."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.kept_runs import BEGAN, document, kept
from tests.support.records import evidence, record
from tests.support.runs import replay, report_in, run
from zep_conformance.clients.recorded import builds
from zep_conformance.errors import CannotTell
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.document import merging_in_words
from zep_conformance.report.exchanges import read as read_exchanges
from zep_conformance.report.folder import EXCHANGES, REPORT, runs
from zep_conformance.report.observations import Known, Observations, PartSeen, TargetSeen
from zep_conformance.session.again import Again, taken_up
from zep_conformance.session.verdict import Gate, conclude
from zep_conformance.settings import Settings
from zep_conformance.settings.sources import read_settings

RECORDS = (
    record("a", "failed", "API-1", evidence=evidence("it forgot")),
    record("b", "error", "API-2"),
    record("c", "passed", "API-1", measurements={"write": {"count": 9, "p50": 1.0}}, samples={"write": [1.0] * 9}),
    record("d", "skipped", "API-3", reason="no capability ui: there is no page"),
    record("e", "deviation", "API-4", deviation="DEV-5", reason="DEV-5", evidence=evidence("as known")),
)


@pytest.fixture(autouse=True)
def _nothing_else_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZEP_CONFORMANCE_TARGET", raising=False)


def settings(reports: Path, **given: Any) -> Settings:
    return read_settings({"reports": str(reports), "failed": True, **given})


def again(reports: Path, **more: Any) -> Again:
    kept(reports, document(*RECORDS, **more))
    return taken_up(settings(reports))


def observed(version: str = "0.27.2", target: str = "remote") -> Observations:
    scenarios = {
        one.nodeid: Known(name=one.name, requirements=one.requirements, selected=one.nodeid in "ab") for one in RECORDS
    }
    scenarios["new"] = Known(name="New", requirements=("API-5",), selected=False)
    parts = {"zep": PartSeen(version=version)}
    return Observations(target=TargetSeen(name=target, deployed=True), parts=parts, scenarios=scenarios)


def concluded(found: Again, *now: Any) -> dict[str, Any]:
    records, seen, merged = found.merged(now, observed())
    return conclude(
        records, seen, Gate(), requirements=load_requirements(), exit_status=0, seed=7, prefix="zc-1",
        started=BEGAN, duration=1.0, merged=merged,
    ).report  # fmt: skip


def test_what_failed_and_what_broke_is_run(tmp_path: Path) -> None:
    found = again(tmp_path)
    assert found.nodeids == {"a", "b"}
    taken = found.taken(settings(tmp_path))
    assert (taken.target, taken.seed) == ("remote", 7)
    assert " ".join(found.lines()).startswith("--failed: 2 scenarios of the run 2026-")


def test_what_passed_now_is_so_and_the_rest_is_as_before(tmp_path: Path) -> None:
    found = concluded(
        again(tmp_path), replace(RECORDS[0], outcome="passed", evidence=None), replace(RECORDS[1], outcome="passed")
    )
    outcomes = {one["nodeid"]: one["outcome"] for each in found["requirements"] for one in each["scenarios"]}
    assert outcomes == {"a": "passed", "b": "passed", "c": "passed", "d": "skipped", "e": "deviation"}
    assert (found["exit_code"], found["verdict"]) == (0, "conforms as far as asked")
    assert found["merged"]["again"] == ["a", "b"] and found["merged"]["run"].startswith("2026-")
    assert [one["nodeid"] for one in found["evidence"]] == ["e"]
    by_id = {one["id"]: one for one in found["requirements"]}
    assert by_id["API-1"]["checked"] == "checked" and by_id["API-5"]["checked"] == "not checked"
    before = {one["nodeid"]: one for each in document(*RECORDS)["requirements"] for one in each["scenarios"]}
    after = {one["nodeid"]: one for each in found["requirements"] for one in each["scenarios"]}
    assert all(after[nodeid] == before[nodeid] for nodeid in "cde")


def test_what_fails_still_fails_the_merged_run(tmp_path: Path) -> None:
    found = concluded(again(tmp_path), RECORDS[0], replace(RECORDS[1], outcome="passed"))
    assert (found["exit_code"], found["verdict"]) == (1, "does not conform")


def test_what_was_not_run_after_all_is_not_as_before(tmp_path: Path) -> None:
    found = concluded(again(tmp_path), replace(RECORDS[0], outcome="passed", evidence=None))
    outcomes = {one["nodeid"]: one["outcome"] for each in found["requirements"] for one in each["scenarios"]}
    assert outcomes["b"] == "not run"
    assert found["verdict"] == "could not tell"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target": "embedded"}, "had --target remote, and this one: embedded"),
        ({"seed": 8}, "had --seed 7, and this one: 8"),
        ({"mutations": "zep:lastn-ignored"}, "had --mutations not given, and this one: zep:lastn-ignored"),
    ],
)
def test_another_run_is_not_merged(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    found = again(tmp_path)
    with pytest.raises(CannotTell, match=said) as refused:
        found.taken(settings(tmp_path, **given))
    assert refused.value.code == "runs-differ"
    for fine in ({"target": "remote"}, {"seed": 7}, {"fail_on": "must"}):
        found.taken(settings(tmp_path, **fine))


def test_settings_of_then_that_are_missing_now_are_refused(tmp_path: Path) -> None:
    found = again(tmp_path, settings={"mutations": "zep:lastn-ignored"})
    with pytest.raises(CannotTell, match="had --mutations zep:lastn-ignored, and this one: not given"):
        found.taken(settings(tmp_path))


def test_other_versions_are_not_merged(tmp_path: Path) -> None:
    found = again(tmp_path)
    found.check(observed())
    with pytest.raises(CannotTell, match=r"zep 0\.27\.2 then, 0\.26\.0 now"):
        found.check(observed("0.26.0"))
    with pytest.raises(CannotTell, match=r"had zep-conformance 0\.0\.1"):
        again(tmp_path, tool={"name": "zep-conformance", "version": "0.0.1"}).taken(settings(tmp_path))


def test_nothing_to_run_can_not_tell(tmp_path: Path) -> None:
    with pytest.raises(CannotTell) as none:
        taken_up(settings(tmp_path))
    assert none.value.code == "report-unreadable"
    kept(tmp_path, document(record("a", "passed"), record("b", "skipped")))
    with pytest.raises(CannotTell) as nothing:
        taken_up(settings(tmp_path))
    assert nothing.value.code == "nothing-failed"


def _exchanges(report: Path) -> dict[str | None, list[dict[str, Any]]]:
    """Return the exchanges beside a report, by scenario."""
    found: dict[str | None, list[dict[str, Any]]] = {}
    for one in read_exchanges(report.with_name(EXCHANGES)):
        found.setdefault(one["nodeid"], []).append(one)
    return found


@pytest.mark.parametrize("content", [None, b"no archive", gzip.compress(b"{}\n")], ids=["none", "no archive", "cut"])
def test_exchanges_that_are_not_there_are_said_to_be_missing(tmp_path: Path, content: bytes | None) -> None:
    found = again(tmp_path)
    if content is not None:
        (found.report.path.with_name(EXCHANGES)).write_bytes(content)
    taken, missing = found.exchanges({"c"})
    assert taken == {} and missing.startswith("no exchanges were taken over from it: ")
    assert missing.endswith("there is none") == (content is None)
    about = {"run": "2026", "again": ["a"], "missing": missing}
    assert merging_in_words(about).endswith(missing)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_run_is_completed(tmp_path: Path, workers: tuple[str, ...]) -> None:
    first = run(tmp_path, "-q", "-m", "API-3 or API-6", "--target", "embedded", "--seed", "7", *workers)
    assert first.returncode == 0, first.stdout
    nothing = run(tmp_path, "-q", "--failed")
    assert nothing.returncode == 2 and "[nothing-failed]" in nothing.stdout
    path = tmp_path / "reports" / "latest" / REPORT
    found = json.loads(path.read_text())
    before = _exchanges(path)
    victim = ""
    for requirement in found["requirements"]:
        for scenario in requirement["scenarios"]:
            victim = victim or scenario["nodeid"]
            if scenario["nodeid"] == victim:
                scenario["outcome"] = requirement["outcome"] = "failed"
    path.write_text(json.dumps(found))
    second = run(tmp_path, "-q", "--failed", *workers)
    assert second.returncode == 0, second.stdout
    assert "merged with the run" in second.stdout and "1 passed" in second.stdout
    merged = report_in(tmp_path)
    assert (merged["merged"]["again"], merged["seed"], merged["target"]["name"]) == ([victim], 7, "embedded")
    assert merged["outcomes"] == found["outcomes"] | {"passed": found["outcomes"]["passed"]}
    assert merged["basis"] == found["basis"]
    assert "the verdict rests on both runs" in (tmp_path / "reports" / "summary.md").read_text()
    assert len(runs(tmp_path / "reports")) == 3
    after = _exchanges(tmp_path / "reports" / "latest" / REPORT)
    ran = {one["nodeid"] for each in found["requirements"] for one in each["scenarios"] if one["outcome"] != "skipped"}
    made = after.pop(None, [])
    assert set(after) == set(before) == ran and victim in ran
    assert after[victim] != before[victim]
    assert {nodeid for nodeid in ran if after[nodeid] == before[nodeid]} == ran - {victim}
    assert merged["prefix"] in str(after[victim]) and merged["prefix"] not in str(before)
    assert all(builds(one["request"]["url"]) and one["prefix"] != merged["prefix"] for one in made)
    judged = replay(tmp_path / "reports" / "latest")
    assert judged.returncode == 0, judged.stdout
    assert f"judged again: {len(ran)} the same, 0 differ, 0 can't be told" in " ".join(judged.stdout.split())
    other = run(tmp_path, "-q", "--failed", "--seed", "8")
    assert other.returncode == 2
