"""Mutations and recorded behaviours: named once, well described, and each breaking something that can be noticed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from zep_conformance.cli.main import main
from zep_conformance.errors import CannotTell
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.mutations import Mutation
from zep_conformance.facts.recorded_behaviours import RecordedBehaviour
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.mutation import runner
from zep_conformance.mutation.asked import names_by_part, planted_in_servers
from zep_conformance.mutation.catalogue import MUTATIONS, RECORDED_BEHAVIOURS, Planted
from zep_conformance.settings import Settings

ROOT = Path(__file__).parents[2]
ALL: list[Planted] = [*RECORDED_BEHAVIOURS, *MUTATIONS]


def full_name(one: Planted) -> str:
    return one.full_name


@pytest.mark.parametrize("one", ALL, ids=full_name)
def test_it_is_well_described(one: Planted) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name), "the name is not in kebab-case"
    assert one.part in ("zep", "langflux", "model", "nlp", "files", "page")
    assert one.about
    assert not one.about.endswith(".")
    assert set(one.breaks) <= load_requirements().keys(), "it breaks a requirement that there is not"


def test_names_are_unique() -> None:
    counts = Counter(one.full_name for one in ALL)
    assert [name for name, count in counts.items() if count > 1] == []


def test_a_mutation_breaks_a_requirement() -> None:
    assert [one.full_name for one in MUTATIONS if not one.breaks] == []
    assert len(MUTATIONS) >= 150


def test_a_recorded_behaviour_is_known_as_a_deviation_that_there_is() -> None:
    known = {one.deviation for one in RECORDED_BEHAVIOURS if one.deviation}
    assert known <= load_deviations().keys()
    assert "DEV-1" in known


def test_every_mutation_and_known_deviation_must_be_noticed() -> None:
    known = {one for one in RECORDED_BEHAVIOURS if one.deviation}
    assert {*runner.to_be_noticed(), *runner.PAGE} == {*MUTATIONS, *known}


def test_every_requirement_of_the_page_has_mutations() -> None:
    assert runner.scope_of(runner.PAGE) == "AUTH-8 or UI-1 or UI-2 or UI-3 or UI-4"


# -- what a run is asked to plant ---------------------------------------------------------------------------------


def test_a_run_of_no_mutation_imports_none() -> None:
    """Who plants nothing does not pay for it: importing them all takes a tenth of a second."""
    code = (
        "import sys; from zep_conformance.settings import Settings; from zep_conformance import targets;"
        "targets.choose(Settings(recorded_behaviours='all'), 'embedded');"
        "print([name for name in sys.modules if name.endswith(('mutations', 'mutation.catalogue'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=170, check=True)
    assert set(re.findall(r"'([^']*)'", done.stdout)) <= {"zep_conformance.facts.mutations"}


@pytest.fixture(autouse=True)
def _unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says how many cores there are."""
    for name in ("GOMAXPROCS", "EMBEDDED_ZEP_FREEZE"):
        monkeypatch.delenv(name, raising=False)


def test_names_go_to_their_parts() -> None:
    settings = Settings(
        mutations="zep:lastn-ignored, files:zep-latest", recorded_behaviours="langflux:session-is-chat-id"
    )
    assert planted_in_servers(settings) == {
        "recorded_behaviours": {"langflux": ["session-is-chat-id"]},
        "mutations": {"zep": ["lastn-ignored"], "files": ["zep-latest"]},
        "environment": {},
    }


@pytest.mark.parametrize("asked", ["none", "all"])
def test_all_recorded_behaviours_or_none(asked: str) -> None:
    assert planted_in_servers(Settings(recorded_behaviours=asked)) == {
        "recorded_behaviours": asked,
        "mutations": {},
        "environment": {},
    }


def test_the_cores_that_zep_is_told_go_to_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMAXPROCS", "1")
    assert planted_in_servers(Settings())["environment"] == {"GOMAXPROCS": "1"}


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"mutations": "zep:lastn-ignord"}, "Did you mean zep:lastn-ignored"),
        ({"mutations": "zep:token-count-reset"}, "It is one of --recorded-behaviours."),
        ({"recorded_behaviours": "zep:lastn-ignored"}, "It is one of --mutations."),
        ({"recorded_behaviours": "al"}, "docs/mutations.md lists them"),
    ],
)
def test_a_name_that_there_is_not_is_refused_with_what_is_close(given: dict[str, str], advice: str) -> None:
    with pytest.raises(CannotTell) as refused:
        names_by_part(Settings(**given), next(iter(given)))
    assert refused.value.what.endswith(f"there is no {next(iter(given.values()))!r}")
    assert advice in refused.value.advice


@pytest.mark.parametrize("target", ["embedded", "containers", "processes", "remote", "compose:nowhere"])
def test_a_name_that_there_is_not_ends_a_run_on_every_target(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "features", "-q", "-p", "no:cacheprovider", "-m", "STORE-4"]
    command += ["--target", target, "--mutations", "langflux:lastn-ignored", "--reports", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 2, done.stdout
    assert "--mutations: there is no 'langflux:lastn-ignored'" in done.stdout


# -- the command --------------------------------------------------------------------------------------------------


def test_an_unknown_name_is_refused_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "--only", "no-such-mutation"]) == 2
    assert "no-such-mutation" in capsys.readouterr().err


def test_what_nothing_could_notice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "--only", "zep:json-as-text"]) == 2
    assert "breaks no requirement" in capsys.readouterr().err


def test_options_of_a_run_are_for_the_page_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "--target", "remote"]) == 2
    assert "takes no --target without --page" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--share", "2"], "--share '2' is no share"),
        (["--share", "0/4"], "there is no such share"),
        (["--share", "5/4"], "there is no such share"),
        (["--share", "1/4", "--page"], "--share is not for --page"),
        (["--share", "1/4", "--only", "zep:lastn-ignored"], "--share is not for --only"),
        (["--share", "1/4", "--all-scenarios"], "--share is not for --all-scenarios"),
        (["--all-scenarios", "--page"], "--all-scenarios is not for --page"),
    ],
)
def test_a_share_that_there_is_not_is_refused(options: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", *options]) == 2
    assert why in " ".join(capsys.readouterr().err.split())


def test_the_shares_are_all_mutations_each_once() -> None:
    every = runner.to_be_noticed()
    shares = [runner.share_of(every, number, 4) for number in range(1, 5)]
    assert sorted(one.full_name for share in shares for one in share) == sorted(one.full_name for one in every)
    assert {one.part for one in every} == {one.part for share in shares[:1] for one in share}


def test_a_share_ends_each_run_with_the_first_scenario_that_notices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    every = runner.to_be_noticed()
    number = 1 + [one.full_name for one in every].index("zep:lastn-ignored")
    report = tmp_path / "mutants.json"
    assert main(["mutants", "--share", f"{number}/{len(every)}", "--report", str(report)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"
    (trial,) = json.loads(report.read_text(encoding="utf-8"))["runs"]
    assert trial["mutation"] == "zep:lastn-ignored"
    assert len(trial["noticed_by"]) == 1


@pytest.mark.parametrize("name", ["langflux:ai-turn-forgotten", "files:nlp-not-wired", "zep:unescaped-slash-404"])
def test_one_is_noticed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "mutants.json"
    assert main(["mutants", "--only", name, "--report", str(report)]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"
    assert f"`{name}`" in report.with_suffix(".md").read_text(encoding="utf-8")


# -- what a trial tells -------------------------------------------------------------------------------------------

SOME = Mutation("some-mutation", "zep", "It does something", ("STORE-1",), plant=print)


def test_a_mutation_is_noticed_by_a_failure_of_what_it_breaks() -> None:
    def trial(outcome: str, requirement: str, exit_code: int, trouble: str = "") -> runner.Trial:
        seen = runner.SeenScenario("x", "f:1", outcome, [requirement])
        return runner.Trial(SOME, exit_code=exit_code, trouble=trouble, scenarios={"x": seen})

    assert trial("failed", "STORE-1", 1).passed
    assert not trial("failed", "STORE-2", 1).passed
    assert not trial("error", "STORE-1", 2).passed
    assert not trial("passed", "STORE-1", 0).passed
    assert not trial("failed", "STORE-1", 1, trouble="stopped after 90 s").passed


def test_a_scenario_that_no_mutation_made_fail_is_listed() -> None:
    def trial(planted: Mutation | RecordedBehaviour | None, **outcomes: str) -> runner.Trial:
        seen = {name: runner.SeenScenario(name, "f.feature:1", outcome) for name, outcome in outcomes.items()}
        return runner.Trial(planted, scenarios=seen)

    unchanged = trial(None, one="passed", other="passed", skipped="skipped")
    assert runner.never_failed([unchanged, trial(SOME, one="failed", other="error")]) == ["f.feature: other"]
