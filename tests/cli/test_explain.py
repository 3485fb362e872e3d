"""`zep-conformance explain`: every code, in 80 columns, for people and for machines."""

from __future__ import annotations

import json
import re

import pytest

from zep_conformance.cli.explain import Explanation, explanations
from zep_conformance.cli.main import main


def test_a_code_is_explained_with_its_cause_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "engine-missing"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("engine-missing: error, containers and Compose\n  no container engine answers\n  why: ")
    assert "\n  to do: " in shown


def test_it_is_taken_with_its_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "[tcp-refused]"]) == 0
    assert "connection refused by ADDRESS port PORT" in capsys.readouterr().out


def test_a_code_that_two_rooms_have_is_explained_for_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "embedding-width"]) == 0
    shown = capsys.readouterr().out
    assert "the doctor: NLP" in shown and "deployment files: settings" in shown


def test_what_each_kind_of_file_fills_in_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "openai-key-missing"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Fly.io: Set it with `fly secrets set`. Compose: Put it into .env and hand it on as ${NAME}." in shown
    assert main(["explain", "port-closed"]) == 0
    assert 'Compose: Add ports: - "PORT:PORT".' in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("one", explanations(), ids=lambda one: f"{one.room}: {one.code}")
def test_cause_and_advice_are_more_than_a_word_to_be_filled_in(one: Explanation) -> None:
    assert not any(re.search(r"^[A-Z_]+$|\bHOW\b", text) for text in (one.cause, one.advice))


def test_without_a_code_every_one_is_listed_by_room(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out
    for one in explanations():
        assert f"  {one.code}: " in shown
    assert "\nthe doctor: TCP\n" in shown and shown.startswith("the command line\n")


@pytest.mark.parametrize("code", [None, *sorted({one.code for one in explanations()})])
def test_it_fits_80_columns(code: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *([code] if code else [])]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_the_list_says_of_each_what_it_means() -> None:
    meanings = [one.meaning for one in explanations() if one.room.startswith("causes: ")]
    assert sorted({one for one in meanings if meanings.count(one) > 1}) == []


def test_a_misspelt_one_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "engine-mising"]) == 2
    assert "Did you mean engine-missing" in capsys.readouterr().err
    assert main(["explain", "zzzz"]) == 2
    assert "all are listed" in capsys.readouterr().err


def test_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "part-died", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["codes"]
    assert found["code"] == "part-died" and found["verdict"] == "error" and found["cause"] and found["advice"]
    assert main(["explain", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["codes"]) == len(explanations())


def test_no_text_has_something_left_to_fill_in() -> None:
    for one in explanations():
        for text in (one.meaning, one.cause, one.advice):
            assert text and not re.search(r"(?<![${]){(?!{)", text), one
