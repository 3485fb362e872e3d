"""Known deviations that a setting mends, which fail unless they are accepted; and those that show now and then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import record
from tests.support.runs import report_in, run
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for
from zep_conformance.report.basis import Basis
from zep_conformance.report.observations import Observations
from zep_conformance.session.verdict import Gate

AS_RECORDED = ("-q", "--recorded-behaviours", "all")


def shown(folder: Path) -> dict[str, set[str]]:
    """The outcomes of the scenarios that a deviation is named with, by deviation."""
    found: dict[str, set[str]] = {}
    for one in (scenario for requirement in report_in(folder)["requirements"] for scenario in requirement["scenarios"]):
        if one["deviation"]:
            found.setdefault(one["deviation"], set()).add(one["outcome"])
    return found


def test_what_a_setting_mends_fails_with_that_advice(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "AUTH-6 or AUTH-7", *AS_RECORDED)
    assert finished.returncode == 1, finished.stdout
    conclusion = finished.stdout.rpartition("- conformance -")[2]
    for identifier, advice in (("DEV-7", "ZEP_SERVER_WEB_ENABLED=false"), ("DEV-14", "ZEP_AUTH_SECRET")):
        assert conclusion.count(f"{identifier} fails this run") == 1
        assert advice in conclusion
    assert shown(tmp_path) == {"DEV-7": {"failed"}, "DEV-14": {"failed"}}


def test_what_is_accepted_by_name_does_not_fail(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "AUTH-6 or AUTH-7", *AS_RECORDED, "--accept", "DEV-7,DEV-14")
    assert finished.returncode == 0, finished.stdout
    assert "known deviation (3 scenarios): DEV-7" in finished.stdout
    assert report_in(tmp_path)["gate"]["accepted"] == ["DEV-14", "DEV-7"]


def test_one_that_is_not_accepted_still_fails(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "AUTH-6 or AUTH-7", *AS_RECORDED, ZEP_CONFORMANCE_ACCEPT="DEV-14")
    assert finished.returncode == 1, finished.stdout
    assert shown(tmp_path) == {"DEV-7": {"failed"}, "DEV-14": {"deviation"}}


def test_only_deviations_that_there_are_can_be_accepted(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "AUTH-6", "--accept", "DEV-7,DEV-99")
    assert finished.returncode == 2
    assert "--accept: no deviation DEV-99" in finished.stdout


@pytest.mark.parametrize(("accepted", "fails"), [((), True), (("DEV-2",), False), (("DEV-4",), True)])
def test_what_is_accepted_does_not_fail_with_known_deviations_either(accepted: tuple[str, ...], fails: bool) -> None:
    gate = Gate(fail_on="deviation", accepted=accepted, deviations=load_deviations())
    records = [record("a", "deviation", deviation="DEV-2")]
    verdict = gate.verdict(records, Observations(), Basis.of(records, Observations(), load_requirements()))
    assert (verdict.code == 1) is fails


# -- now and then -----------------------------------------------------------------------------------------------


NOW_AND_THEN = ("DEV-5", "DEV-16")
"""The deviations of STORE-2."""


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Zep that is none of ours as far as it says, and shows no deviation at all."""
    behaviours: dict[str, Any] = {"zep": ["json-as-text"]}
    parts = parts_for(["zep", "nlp", "model"], recorded_behaviours=behaviours, data=tmp_path_factory.mktemp("data"))
    with Fleet(parts) as running:
        yield running.url("zep")


def test_one_that_shows_now_and_then_is_never_fixed(tmp_path: Path, better: str) -> None:
    remote = ("-q", "--target", "remote", "--zep-url", better, "-m", "STORE-2 or DEPLOY-1")
    finished = run(tmp_path, *remote, "--strict-deviations")
    assert finished.returncode == 0, finished.stdout
    said = " ".join(finished.stdout.split())
    for identifier in NOW_AND_THEN:
        assert f"{identifier}: {load_deviations()[identifier].what} (now and then)" in said
    assert "fixed" not in finished.stdout
    assert shown(tmp_path) == {one: {"deviation"} for one in NOW_AND_THEN}
    assert run(tmp_path, *remote, "--fail-on", "deviation").returncode == 1


def test_others_are_fixed_where_they_do_not_show(tmp_path: Path, better: str) -> None:
    finished = run(tmp_path, "-q", "--target", "remote", "--zep-url", better, "-m", "SESSION-2 and DEV-9")
    assert finished.returncode == 0, finished.stdout
    assert "DEV-9 is fixed here" in finished.stdout
