"""A linter for the features: `python -m tests.support.gherkin_lint [FOLDER]`, part of `make lint`.

Prints a line for each thing that is wrong, `file:line: rule: what`. Exit code 0: nothing is, 1: something is. The rules
are RULES. None of PyPI's linters knows that a tag is a requirement, or does without Behave.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gherkin.errors import CompositeParserException, ParserException
from gherkin.parser import Parser

from zep_conformance import suite
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.settings import CAPABILITIES

MOST_STEPS = 16
KEYWORDS = ("Given", "When", "Then")
"""Each stands once at most, in this order; And and But go on."""

Found = Iterator[tuple[int, str]]
"""The line that something is wrong in, and what it is."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a feature file."""

    file: Path
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.what}"


@dataclass(frozen=True)
class Tags:
    """The tags that there are. requirements: those of which a scenario has one. others: the rest."""

    requirements: Collection[str]
    others: Collection[str]

    @classmethod
    def known(cls) -> Tags:
        """Return those of this suite."""
        needs = {f"needs-{capability}" for capability in CAPABILITIES}
        return cls(load_requirements().keys(), load_deviations().keys() | needs | {"reads-only"})


@dataclass(frozen=True)
class Linted:
    """One scenario as gherkin-official parses it, and what rules know beside. named: how often each name is used."""

    node: dict[str, Any]
    tags: Tags
    named: Counter[str]

    @property
    def line(self) -> int:
        """The line of its name."""
        line: int = self.node["location"]["line"]
        return line

    def at(self, node: dict[str, Any], what: str) -> tuple[int, str]:
        """Return what is wrong with a part of it."""
        return node["location"]["line"], what


def names(scenario: Linted) -> Found:
    """Find a scenario without a name, or with that of another."""
    name = scenario.node["name"]
    if not name:
        yield scenario.line, "it has no name"
    elif scenario.named[name] > 1:
        yield scenario.line, f"{scenario.named[name]} scenarios are called {name!r}"


def few_steps(scenario: Linted) -> Found:
    """Find a scenario with too many steps."""
    if (count := len(scenario.node["steps"])) > MOST_STEPS:
        yield scenario.line, f"it has {count} steps; {MOST_STEPS} are enough"


def given_when_then(scenario: Linted) -> Found:
    """Find keywords that stand twice or in another order, and a scenario that checks nothing."""
    place = -1
    for step in scenario.node["steps"]:
        keyword = step["keyword"].strip()
        if keyword in KEYWORDS:
            if KEYWORDS.index(keyword) <= place:
                yield scenario.at(step, f"{keyword} after {KEYWORDS[place]}: make it a scenario of its own")
            place = KEYWORDS.index(keyword)
        elif place < 0:
            yield scenario.at(step, f"it begins with {keyword}")
    if place != KEYWORDS.index("Then"):
        yield scenario.line, "it does not end with Then: it checks nothing"


def examples(scenario: Linted) -> Found:
    """Find columns that no step uses, placeholders without a column, rows that stand twice, outlines without any."""
    used = set(re.findall(r"<([^<>]+)>", " ".join(step["text"] for step in scenario.node["steps"])))
    if used and not scenario.node["examples"]:
        yield scenario.line, f"no examples for {', '.join(sorted(used))}"
    rows: Counter[tuple[str, ...]] = Counter()
    for table in scenario.node["examples"]:
        columns = [cell["value"] for cell in (table.get("tableHeader") or {"cells": []})["cells"]]
        for column in columns:
            if column not in used:
                yield scenario.at(table, f"no step uses the column {column}")
        for placeholder in sorted(used - set(columns)):
            yield scenario.at(table, f"there is no column {placeholder}")
        for row in table["tableBody"]:
            values = tuple(cell["value"] for cell in row["cells"])
            rows[values] += 1
            if rows[values] == 2:
                yield scenario.at(row, f"this example stands twice: {', '.join(values)}")


def known_tags(scenario: Linted) -> Found:
    """Find tags that mean nothing, and a scenario that checks no requirement."""
    nodes = [*scenario.node["tags"], *(tag for table in scenario.node["examples"] for tag in table["tags"])]
    found = {node["name"].removeprefix("@"): node for node in nodes}
    for tag, node in found.items():
        if tag not in scenario.tags.requirements and tag not in scenario.tags.others:
            yield scenario.at(node, f"@{tag} is neither a requirement, a deviation nor a capability")
    if not found.keys() & set(scenario.tags.requirements):
        yield scenario.line, "it is tagged with no requirement"


RULES: dict[str, Callable[[Linted], Found]] = {
    "name": names,
    "steps": few_steps,
    "given-when-then": given_when_then,
    "examples": examples,
    "tags": known_tags,
}
"""What is checked of each scenario, by the name that a problem is printed with; `syntax` is the parser's."""


def lint(files: Collection[Path], tags: Tags) -> list[Problem]:
    """Return what is wrong in feature files."""
    problems, parsed = list[Problem](), list[tuple[Path, dict[str, Any]]]()
    for file in files:
        try:
            feature = Parser().parse(file.read_text(encoding="utf-8")).get("feature") or {"children": []}
        except CompositeParserException as error:
            problems += [_syntax(file, one) for one in error.errors]
        except ParserException as error:
            problems.append(_syntax(file, error))
        else:
            parsed += [(file, child["scenario"]) for child in feature["children"] if "scenario" in child]
    named = Counter(node["name"] for _, node in parsed)
    for file, node in parsed:
        scenario = Linted(node, tags, named)
        problems += [Problem(file, line, rule, what) for rule, check in RULES.items() for line, what in check(scenario)]
    return problems


def _syntax(file: Path, error: ParserException) -> Problem:
    return Problem(file, error.location["line"], "syntax", str(error).partition(": ")[2])


def main() -> int:
    """Lint the features, or those of another folder; returns the exit code."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else suite.root() / "features"
    files = sorted(folder.rglob("*.feature"))
    problems = lint(files, Tags.known())
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    if not files:
        sys.stdout.write(f"{folder}: there is no feature file\n")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
