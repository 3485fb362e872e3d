"""Every error has a code that is known, and every code that is known is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import zep_conformance
from zep_conformance import errors
from zep_conformance.cli.explain import explanations
from zep_conformance.errors import CannotTell, ConformanceError, HarnessError, PartDied, PortTaken
from zep_conformance.facts.causes import causes
from zep_conformance.facts.codes import codes

SOURCES = Path(zep_conformance.__file__).parent
KNOWN = {one.code for one in explanations()}
"""What `zep-conformance explain` knows."""
NEED_A_CODE = {"CannotTell", "ConformanceError", "LimitReached"}
"""Errors that have no code of their own: whoever raises one gives it."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if not name.startswith("_suite/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_every_error_is_raised_with_a_code() -> None:
    without = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in NEED_A_CODE
        and not any(word.arg == "code" for word in node.keywords)
    ]
    assert without == []


def test_every_code_that_is_given_is_known() -> None:
    given = {
        word.value.value: f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "code" and isinstance(word.value, ast.Constant) and word.value.value
    }
    assert len(given) > 50
    assert {code: where for code, where in given.items() if code not in {*KNOWN, "ok"}} == {}


def test_every_code_that_is_known_is_used() -> None:
    written = {node.value for _, tree in modules() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    written |= {one.code for one in causes()}
    assert sorted(set(codes("errors")) - written) == []


def test_no_code_stands_for_two_things() -> None:
    assert set(codes("errors")).isdisjoint({*codes("doctor"), *codes("deployment-files")})


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_codes_are_words_with_hyphens(code: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)


def test_every_error_of_ours_has_the_one_root() -> None:
    ours = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(ours) > 6 and all(issubclass(one, ConformanceError) for one in ours)
    drawn = errors.__doc__ or ""
    assert all(one.__name__ in drawn for one in ours), "the hierarchy in the docstring lacks one"


def test_a_user_sees_two_lines_that_end_with_the_code() -> None:
    assert str(CannotTell("it is not there", "Give it.", code="file-unreadable")) == (
        "it is not there\n  Give it. [file-unreadable]"
    )
    assert str(ConformanceError("it is not there", code="max-requests")) == "it is not there [max-requests]"
    assert str(PortTaken(part="zep", host="h", port=1)).endswith("[port-taken]")
    assert HarnessError("x").code == "harness-broken"


def test_an_error_comes_out_of_another_process_as_it_went_in() -> None:
    died = PartDied(part="zep", how="ended with exit code 1", log="one\ntwo\n")
    kept = CannotTell.from_json(died.as_json())
    assert (kept.what, kept.advice, kept.code) == (died.what, died.advice, died.code)
    assert died.what == "zep ended with exit code 1; its log ends: two"
