"""What it means to move from one version to another, and how it is said."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.support.measured import measurement
from zep_conformance.cli.main import main
from zep_conformance.compatibility.measurements import Held, kept
from zep_conformance.compatibility.upgrade import compare
from zep_conformance.facts.deviations import load_deviations


def subjects(changes: object) -> set[str]:
    assert isinstance(changes, tuple)
    return {one.subject for one in changes}


def test_what_fails_after_it_and_held_before_gets_worse_and_the_other_way_round() -> None:
    measured = [
        measurement("0.23.0", STORE_1="passed", STORE_3="failed", SEARCH_3="skipped", AUTH_1="failed"),
        measurement("0.27.2", STORE_1="failed", STORE_3="passed", SEARCH_3="failed", AUTH_1="failed"),
    ]
    answer = compare({"zep": ("0.23.0", "0.27.2")}, measured)
    assert (subjects(answer.worse), subjects(answer.better), answer.code) == ({"STORE-1"}, {"STORE-3"}, 1)
    back = compare({"zep": ("0.27.2", "0.23.0")}, measured)
    assert (subjects(back.worse), subjects(back.better), back.code) == ({"STORE-3"}, {"STORE-1"}, 1)


def test_what_failed_in_some_runs_only_is_no_change() -> None:
    now_and_then = replace(
        measurement("0.24.0"),
        runs=measurement("0.24.0").runs * 2,
        requirements={"CLEAR-2": Held(outcome="failed", tried=1, times=1)},
    )
    measured = [now_and_then, measurement("0.27.2", CLEAR_2="passed")]
    assert not compare({"zep": ("0.24.0", "0.27.2")}, measured).better
    assert compare({"zep": ("0.27.2", "0.24.0")}, measured).code == 0


def test_a_deviation_that_begins_on_the_way_gets_worse_and_its_requirement_is_not_told_again() -> None:
    measured = [measurement("0.27.2", one, API_6="passed") for one in ("1.8.4", "2.2.8", "3.0.13")]
    answer = compare({"langflux": ("1.8.4", "2.2.8")}, measured)
    assert subjects(answer.worse) == {"DEV-4"}
    assert {"DEV-3", "DEV-6", "DEV-10"} <= subjects(answer.stays)
    assert "DEV-1" not in subjects(answer.stays)  # of Zep alone, which does not move
    assert answer.code == 1
    assert subjects(compare({"langflux": ("2.2.8", "3.0.13")}, measured).worse) == {"DEV-19"}
    assert compare({"langflux": ("2.2.8", "1.8.4")}, measured).code == 0


def test_what_to_do_is_told_of_the_way_that_is_gone_and_of_no_other() -> None:
    measured = [measurement("0.27.2", one) for one in ("1.8.4", "2.2.8", "3.0.13")]

    def told(*move: str) -> str:
        return " ".join(one.why for one in compare({"langflux": (move[0], move[1])}, measured).to_do)

    assert "Server-Sent Events" in told("1.8.4", "2.2.8") and "accounts" not in told("1.8.4", "2.2.8")
    assert "accounts" in told("2.2.8", "3.0.13") and "Server-Sent Events" not in told("2.2.8", "3.0.13")
    assert "accounts" not in told("3.0.13", "1.8.4")


def test_a_setting_that_mends_a_deviation_is_told() -> None:
    measured = [measurement("0.23.0"), measurement("0.27.2")]
    answer = compare({"zep": ("0.23.0", "0.27.2")}, measured)
    mended = {one.id: one.mended_by for one in load_deviations().values() if one.mended_by and "zep" in one.versions}
    assert {one.subject: one.what for one in answer.to_do if one.subject in mended} == mended


@pytest.mark.parametrize(
    ("version", "taken_for"), [("0.21.0", "0.20.1"), ("0.26.9", "0.23.0"), ("0.28.0", "0.27.2"), ("0.9", "0.20.1")]
)
def test_for_a_version_that_nobody_has_measured_the_nearest_stands_and_nothing_is_sure(
    version: str, taken_for: str
) -> None:
    measured = [measurement("0.27.2"), measurement("0.20.1"), measurement("0.23.0")]
    answer = compare({"zep": (version, "0.27.2")}, measured)
    assert [(one.version, one.taken_for) for one in answer.unmeasured] == [(version, taken_for)]
    assert answer.code == 2


def test_both_at_once_are_compared_by_their_pairs() -> None:
    measured = [
        measurement("0.23.0", "1.8.4", API_3="passed"),
        measurement("0.27.2", "1.8.4", API_3="passed"),
        measurement("0.27.2", "2.2.8", API_3="failed"),
    ]
    answer = compare({"zep": ("0.23.0", "0.27.2"), "langflux": ("1.8.4", "2.2.8")}, measured)
    assert {"API-3", "DEV-4"} <= subjects(answer.worse)
    assert [one.title for one in answer.rests_on] == [
        "Zep 0.23.0 with LangFlux 1.8.4",
        "Zep 0.27.2 with LangFlux 2.2.8",
    ]


def test_what_holds_of_the_way_back_is_told_of_that_alone() -> None:
    measured = [measurement("0.25.0"), measurement("0.27.2")]

    def told(*move: str) -> str:
        return " ".join(one.why for one in compare({"zep": (move[0], move[1])}, measured).to_do)

    assert "older Zep does not know" in told("0.27.2", "0.25.0")
    assert "older Zep does not know" not in told("0.25.0", "0.27.2")


def test_a_pair_that_nobody_has_measured_together_is_named() -> None:
    measured = [measurement("0.23.0"), measurement("0.27.2"), measurement("0.27.2", "2.2.8")]
    moves = {"zep": ("0.23.0", "0.27.2"), "langflux": ("2.2.8", "2.2.8")}
    assert compare(moves, measured).apart == ("Zep 0.23.0 with LangFlux 2.2.8",)
    assert not compare({"zep": ("0.23.0", "0.27.2")}, measured).apart


def test_a_version_spelt_shorter_is_the_measured_one() -> None:
    answer = compare({"zep": ("0.23", "0.27.2")}, [measurement("0.23.0"), measurement("0.27.2")])
    assert (answer.moves["zep"], answer.code) == (("0.23.0", "0.27.2"), 0)


@pytest.mark.parametrize(
    "words", ["--zep 0.23.0..0.27.2", "--langflux 1.8.4..3.0.13", "--zep 0.27.2 --langflux 2.2.8..1.8.4"]
)
def test_it_is_said_in_80_columns_and_for_machines(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["can-i-upgrade", *shlex.split(words)])
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert main(["can-i-upgrade", *shlex.split(words), "--format", "json"]) == code
    body = json.loads(capsys.readouterr().out)
    assert body["exit_code"] == code and body["answer"] in shown
    for one in body["worse"] + body["better"] + body["stays"]:
        assert re.search(rf"^  {one['subject']}: ", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("", "nothing is to be moved"),
        ("--zep 0.27.2", "nothing is to be moved"),
        ("--zep 0.23.0..latest", "names no versions"),
        ("--zep 0.27.2..1.0.2", "Zep 1.x is another product"),
        ("--langflux ..2.2.8", "names no versions"),
    ],
)
def test_what_names_no_move_is_refused(words: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["can-i-upgrade", *shlex.split(words)]) == 2
    assert what in capsys.readouterr().err


def test_what_is_kept_answers_the_questions_of_the_documentation() -> None:
    zeps = [one.zep for one in kept() if not one.langflux]
    for one, other in pairwise(zeps):
        assert compare({"zep": (one, other)}).code != 2
