"""The linter of the features: each rule finds what it is for, and the suite's own features break none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.gherkin_lint import MOST_STEPS, RULES, Tags, lint
from zep_conformance import suite

TAGS = Tags(requirements={"STORE-1"}, others={"DEV-1"})
GOOD = """\
Feature: One
  @STORE-1
  Scenario: First
    Given something
    And something else
    When somebody asks
    Then there is an answer
    But no other

  @STORE-1
  Scenario Outline: Second
    When somebody asks for <what>
    Then there is an answer

    Examples:
      | what |
      | one  |

    @DEV-1
    Examples:
      | what |
      | two  |
"""

OUTLINE = GOOD[GOOD.rindex("  @STORE-1") :]
BACKGROUND = "    Given a thing\n" + "    And another\n" * (MOST_STEPS - 2)
CASES = [
    ("name", 3, "Scenario: First", "Scenario:"),
    ("steps", 3, "    And something else\n", "    And something else\n" * (MOST_STEPS - 3)),
    ("given-when-then", 8, "But no other", "When somebody asks again"),
    ("given-when-then", 7, "Then there is an answer\n    But", "Given there is an answer\n    Then"),
    ("given-when-then", 6, "And something else\n    When", "And something else\n    Given"),
    ("given-when-then", 4, "Given something\n", "And something\n"),
    ("given-when-then", 3, "    Then there is an answer\n    But no other\n", ""),
    ("examples", 15, " for <what>", ""),
    ("examples", 15, "for <what>", "for <what> and <more>"),
    ("examples", 22, "| two  |", "| one  |"),
    ("examples", 3, "Given something\n", "Given something <odd>\n"),
    ("tags", 2, "@STORE-1\n  Scenario: First", "@STORE-1 @SHOP-1\n  Scenario: First"),
    ("tags", 3, "@STORE-1\n  Scenario: First", "@DEV-1\n  Scenario: First"),
    ("tags", 19, "@DEV-1", "@DEV-99"),
    ("syntax", 5, "And something else", "something else"),
    ("given-when-then", 3, "Feature: One\n", "Feature: One\n  Background:\n    When all is done\n\n"),
    ("given-when-then", 3, "Feature: One\n", "Feature: One\n  Background:\n    Then all is well\n\n"),
    ("steps", 19, "Feature: One\n", f"Feature: One\n  Background:\n{BACKGROUND}"),
    ("examples", 20, "      | two  |\n", ""),
    ("examples", 20, "| what |\n      | two  |", "| what | what |\n      | two  | 2    |"),
    ("examples", 16, "for <what>", "for this\n      | <more> |"),
    ("examples", 11, GOOD[GOOD.index(" for <what>") :], "\n    Then there is an answer\n"),
    ("tags", 1, "Feature: One", "@STORE-1\nFeature: One"),
    ("tags", 1, "Feature: One", "@SHOP-1\nFeature: One"),
    ("tags", 14, "  @STORE-1\n  Scenario Outline: Second\n", "  Scenario Outline: Second\n"),
    (
        "tags",
        20,
        OUTLINE,
        OUTLINE.removeprefix("  @STORE-1\n").replace("    Examples", "    @STORE-1\n    Examples", 1),
    ),
    ("syntax", 1, GOOD, "Feature: One\n"),
    ("syntax", 1, GOOD, ""),
]
"""A rule, the line that it finds, and what is changed in GOOD for that."""


def problems(folder: Path, *texts: str) -> list[str]:
    """Return `file:line: rule` of each problem of features with these texts."""
    files = [folder / f"{number}.feature" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return [f"{one.file.name}:{one.line}: {one.rule}" for one in lint(files, TAGS)]


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(("rule", "line", "old", "new"), CASES)
def test_each_rule_finds_what_it_is_for(tmp_path: Path, rule: str, line: int, old: str, new: str) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert f"0.feature:{line}: {rule}" in found, found
    assert {one.partition(": ")[2] for one in found} == {rule}


@pytest.mark.parametrize(("rule", "line", "old", "new"), [case for case in CASES if "Feature" not in case[2]])
def test_each_rule_finds_it_in_a_rule_of_gherkin(tmp_path: Path, rule: str, line: int, old: str, new: str) -> None:
    text = GOOD.replace(old, new, 1).replace("Feature: One\n", "Feature: One\n  Rule: Some\n")
    assert f"0.feature:{line + 1}: {rule}" in problems(tmp_path, text)


@pytest.mark.parametrize(
    "using",
    ['for this\n      """\n      <what> <b>\n      """', "for this\n      | <what> |"],
    ids=["a doc string", "a table"],
)
def test_a_column_that_a_step_uses_below_its_line_is_used(tmp_path: Path, using: str) -> None:
    assert problems(tmp_path, GOOD.replace("for <what>", using)) == []


def test_a_background_of_what_is_given_is_well(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("One\n", "One\n  Background:\n    Given a thing\n    And more\n", 1)) == []


def test_what_is_no_text_is_found(tmp_path: Path) -> None:
    (tmp_path / "one.feature").write_bytes(b"\xff\xfe")
    assert [one.rule for one in lint([tmp_path / "one.feature"], TAGS)] == ["syntax"]


def test_a_name_is_found_in_two_files(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD, "Feature: Two\n\n" + GOOD.split("\n\n")[0].partition("\n")[2]) == [
        "0.feature:3: name",
        "1.feature:4: name",
    ]


def test_every_rule_is_tried_here() -> None:
    assert {rule for rule, *_ in CASES} == RULES.keys() | {"syntax"}


@pytest.mark.parametrize(("folder", "code"), [(None, 0), ("broken", 1), ("empty", 1)])
def test_the_command_says_what_is_wrong_by_its_exit_code(tmp_path: Path, folder: str | None, code: int) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "one.feature").write_text("Feature: One\n\n  Scenario: Untagged\n    Then it is well\n")
    command = [sys.executable, "-m", "tests.support.gherkin_lint", *([str(tmp_path / folder)] if folder else [])]
    ended = subprocess.run(command, cwd=suite.root(), capture_output=True, text=True, timeout=170, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert bool(ended.stdout) == bool(code)
    if folder == "broken":
        assert ended.stdout.strip().endswith("one.feature:3: tags: it is tagged with no requirement")
