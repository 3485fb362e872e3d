"""A Zep that freezes: the run says so once, and what it does then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import report_in, run
from zep_conformance import suite
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for
from zep_conformance.session.freezes import MANY
from zep_conformance.session.run import Run
from zep_conformance.settings import Settings
from zep_conformance.targets import Deployment

AS_RECORDED = ("-q", "--recorded-behaviours", "all", "--freeze-after", "1", "--accept", "DEV-7,DEV-14")


def conclusion(output: str) -> str:
    return output.rpartition("- conformance -")[2]


def test_where_every_turn_freezes_it_the_run_says_so_and_ends(tmp_path: Path) -> None:
    finished = run(tmp_path, *AS_RECORDED, "-m", "STORE-4 or LATENCY-2", GOMAXPROCS="1", EMBEDDED_ZEP_FREEZE="4")
    assert finished.returncode == 1, finished.stdout
    said = conclusion(finished.stdout)
    assert said.count("DEV-15 fails this run") == 1
    assert "GOMAXPROCS=8" in said
    assert "Zep freezes at turns of a chat: nothing else was asked" in finished.stdout
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


# -- a scenario about something else ----------------------------------------------------------------------------

SCENARIO = "lastn returns exactly the newest messages"
PLUGIN = ("-p", "tests.support.freezing_zep")


def variables(times: int, **more: str) -> dict[str, str]:
    """The variables of a run in which Zep freezes so many times in the scenario, for 5 s."""
    known = {"FREEZE_IN": SCENARIO, "FREEZE_TIMES": str(times), "PYTHONPATH": str(suite.root())}
    return {**known, "GOMAXPROCS": "2", "EMBEDDED_ZEP_FREEZE": "5", **more}


def scenarios(folder: Path) -> list[dict[str, Any]]:
    return [one for found in report_in(folder)["requirements"] for one in found["scenarios"]]


@pytest.mark.parametrize("parallel", [(), pytest.param(("-n", "1"), marks=pytest.mark.nightly)])
def test_a_scenario_that_it_froze_in_is_carried_out_once_more(tmp_path: Path, parallel: tuple[str, ...]) -> None:
    options = (*PLUGIN, *AS_RECORDED, *parallel, "-m", "STORE-4")
    finished = run(tmp_path, *options, **variables(1))
    assert finished.returncode == 0, finished.stdout
    said = " ".join(conclusion(finished.stdout).split())
    assert f"carried out once more, since Zep was frozen (DEV-15): {SCENARIO}" in said
    assert said.count("DEV-15") == 1
    found = scenarios(tmp_path)
    assert {one["outcome"] for one in found} == {"passed"}
    [why] = (one["repeated"] for one in found if one["repeated"])
    assert why.startswith("DEV-15: Zep was frozen for ")
    junit = (tmp_path / "reports" / "junit.xml").read_text()
    assert junit.count("<testcase") == len(found) and 'failures="0"' in junit
    assert report_in(tmp_path)["left_behind"] == []


@pytest.mark.nightly
def test_and_no_third_time(tmp_path: Path) -> None:
    options = (*PLUGIN, *AS_RECORDED, "-k", "lastn and 1-1")
    finished = run(tmp_path, *options, **variables(9))
    assert finished.returncode == 1, finished.stdout
    [one] = scenarios(tmp_path)
    assert (one["outcome"], one["deviation"]) == ("failed", "DEV-15")
    assert conclusion(finished.stdout).count("DEV-15 fails this run") == 1
    accepted = run(tmp_path, *options, "--accept", "DEV-7,DEV-14,DEV-15", **variables(9))
    assert accepted.returncode == 0, accepted.stdout
    assert conclusion(accepted.stdout).count("DEV-15") == 1


@pytest.mark.parametrize(
    ("times", "once", "repeated"),
    [
        pytest.param(9, "", 0, id="in a repetition", marks=pytest.mark.nightly),
        pytest.param(9, "yes", MANY - 1, id="in several scenarios"),
    ],
)
def test_where_it_freezes_again_and_again_the_run_ends(tmp_path: Path, times: int, once: str, repeated: int) -> None:
    options = (*PLUGIN, *AS_RECORDED, "-m", "STORE-4 and not comes-last")
    finished = run(tmp_path, *options, **variables(times, FREEZE_ONCE=once))
    assert finished.returncode == 1, finished.stdout
    assert "Zep freezes again and again: nothing else was asked" in " ".join(finished.stdout.split())
    assert conclusion(finished.stdout).count("DEV-15 fails this run") == 1
    found = scenarios(tmp_path)
    assert [one["deviation"] for one in found if one["outcome"] == "failed"] == ["DEV-15"]
    failed = [one["id"] for one in report_in(tmp_path)["requirements"] if one["outcome"] == "failed"]
    assert failed == ["LATENCY-2"]  # and not what the scenario is about
    assert len([one for one in found if one["repeated"] and one["outcome"] == "passed"]) == repeated
    accepted = run(tmp_path, *options, "--accept", "DEV-7,DEV-14,DEV-15", **variables(times, FREEZE_ONCE=once))
    assert "nothing else was asked" not in accepted.stdout
    assert "not run" not in {one["outcome"] for one in scenarios(tmp_path)}


def test_when_it_has_frozen_no_more_is_written_at_once_than_in_a_turn() -> None:
    about = Run.of(Settings(seed=1))
    about._deployment = Deployment(target="embedded", own=True)
    assert not about.writes_little
    about.freezes.count = 1
    assert about.writes_little


@pytest.fixture
def few_cores(tmp_path: Path) -> Iterator[str]:
    """The URL of a Zep of two cores, with all recorded behaviours, that freezes for 4 s."""
    environment = {"GOMAXPROCS": "2", "EMBEDDED_ZEP_FREEZE": "4"}
    parts = parts_for(
        ["zep", "nlp", "model"], recorded_behaviours="all", data=tmp_path / "data", environment=environment
    )
    with Fleet(parts) as running:
        yield running.url("zep")


def test_where_others_use_it_the_first_freeze_ends_the_run(tmp_path: Path, few_cores: str) -> None:
    remote = ("-q", "--target", "remote", "--zep-url", few_cores, "--freeze-after", "1")
    finished = run(tmp_path, *PLUGIN, *remote, "-k", "lastn_returns", **variables(1))
    assert finished.returncode == 1, finished.stdout
    assert "Zep is frozen, and others use it: nothing else was asked" in finished.stdout
    assert conclusion(finished.stdout).count("DEV-15 fails this run") == 1
    assert [one["outcome"] for one in scenarios(tmp_path) if one["outcome"] != "not run"] == ["failed"]
    assert report_in(tmp_path)["left_behind"] == []


def test_where_others_use_it_no_burst_is_sent(tmp_path: Path, few_cores: str) -> None:
    remote = ("-q", "--target", "remote", "--zep-url", few_cores, "-m", "LOAD-1 or LOAD-2 or STORE-4")
    finished = run(tmp_path, *remote)
    assert finished.returncode == 0, finished.stdout
    assert "skipped (2 scenarios): no capability load: others use this Zep" in " ".join(finished.stdout.split())
    assert run(tmp_path, *remote, "--allow-load", "--freeze-after", "1").returncode == 1


def test_where_others_use_it_batches_are_small(tmp_path: Path, few_cores: str) -> None:
    remote = ("-q", "--target", "remote", "--zep-url", few_cores, "-m", "STORE-4")
    finished = run(tmp_path, *remote, "-p", "tests.support.largest_batch", PYTHONPATH=str(suite.root()))
    assert finished.returncode == 0, finished.stdout
    assert "messages in a request, at most: 2" in finished.stdout
