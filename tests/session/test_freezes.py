"""A Zep that freezes: the run says so once, and what it does then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runs import report_in, run

AS_RECORDED = ("-q", "--recorded-behaviours", "all", "--freeze-after", "1", "--accept", "DEV-7,DEV-14")


def conclusion(output: str) -> str:
    return output.rpartition("- conformance -")[2]


def test_where_every_turn_freezes_it_the_run_says_so_and_ends(tmp_path: Path) -> None:
    finished = run(tmp_path, *AS_RECORDED, "-m", "STORE-4 or LATENCY-2", GOMAXPROCS="1", EMBEDDED_ZEP_FREEZE="4")
    assert finished.returncode == 1, finished.stdout
    said = conclusion(finished.stdout)
    assert said.count("DEV-15 fails this run") == 1
    assert "GOMAXPROCS=8" in said
    assert "Zep freezes at every turn of a chat: nothing else was asked" in finished.stdout
    found = report_in(tmp_path)
    assert found["outcomes"]["failed"] == 1 and found["outcomes"]["passed"] == 0
    assert found["left_behind"] == []


def test_where_a_burst_freezes_it_that_scenario_says_so(tmp_path: Path) -> None:
    options = (*AS_RECORDED, "-m", "STORE-4 or LATENCY-2 or LOAD-2")
    finished = run(tmp_path, *options, GOMAXPROCS="2", EMBEDDED_ZEP_FREEZE="4")
    assert finished.returncode == 1, finished.stdout
    assert conclusion(finished.stdout).count("DEV-15 fails this run") == 1
    outcomes = {one["id"]: one["outcome"] for one in report_in(tmp_path)["requirements"] if one["scenarios"]}
    assert outcomes == {"STORE-4": "passed", "LATENCY-2": "passed", "LOAD-2": "failed"}
    accepted = run(tmp_path, *options, "--accept", "DEV-7,DEV-14,DEV-15", GOMAXPROCS="2", EMBEDDED_ZEP_FREEZE="4")
    assert accepted.returncode == 0, accepted.stdout
    assert conclusion(accepted.stdout).count("DEV-15") == 1


@pytest.mark.parametrize("cores", ["8", ""])
def test_with_cores_enough_nothing_freezes(tmp_path: Path, cores: str) -> None:
    finished = run(tmp_path, *AS_RECORDED, "-m", "LATENCY-2 or LOAD-2", GOMAXPROCS=cores, EMBEDDED_ZEP_FREEZE="60")
    assert finished.returncode == 0, finished.stdout
    assert "DEV-15" not in finished.stdout
