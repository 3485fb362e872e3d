"""A linter for the features: `python -m tests.support.gherkin_lint [FOLDER]`, part of `make lint`.

Prints a line for each thing that is wrong, `file:line: rule: what`. Exit code 0: nothing is, 1: something is. The rules
are RULES. None of PyPI's linters knows that a tag is a requirement, or does without Behave.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
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

Around = tuple[dict[str, Any], ...]
"""A feature, the rule in it, if there is one, and the scenario."""


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
        return cls(
            load_requirements().keys(), load_deviations().keys() | needs | {"reads-only", "comes-first", "comes-last"}
        )


@dataclass(frozen=True)
class Linted:
    """One scenario as gherkin-official parses it, and what rules know beside.

    around: the feature that it stands in, and the rule, if it does in one. named: how often each name is used.
    """

    node: dict[str, Any]
    around: tuple[dict[str, Any], ...]
    tags: Tags
    named: Counter[str]

    @property
    def line(self) -> int:
        """The line of its name."""
        line: int = self.node["location"]["line"]
        return line

    @property
    def background(self) -> list[dict[str, Any]]:
        """The steps that are made before its own."""
        children = [child for node in self.around for child in node["children"]]
        return [step for child in children if "background" in child for step in child["background"]["steps"]]

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
    """Find a scenario with too many steps, those of its background included."""
    if (count := len(scenario.background + scenario.node["steps"])) > MOST_STEPS:
        yield scenario.line, f"it has {count} steps; {MOST_STEPS} are enough"


def given_when_then(scenario: Linted) -> Found:
    """Find keywords that stand twice or in another order, a scenario that checks nothing, a background that does."""
    for step in scenario.background:
        if step["keyword"].strip() in KEYWORDS[1:]:
            yield scenario.at(step, "a background has Given only")
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


def placeholders(texts: Iterable[str]) -> set[str]:
    """Return what stands in angle brackets in texts."""
    return set(re.findall(r"<([^<>]+)>", "\n".join(texts)))


def examples(scenario: Linted) -> Found:
    """Find columns that no step uses or that stand twice, placeholders without a column, rows that stand twice.

    And outlines and tables without any example. What a doc string has in brackets may be markup: it needs no column.
    """
    steps = scenario.background + scenario.node["steps"]
    cells = [cell for step in steps for row in step.get("dataTable", {"rows": []})["rows"] for cell in row["cells"]]
    wanted = placeholders([*(step["text"] for step in steps), *(cell["value"] for cell in cells)])
    used = wanted | placeholders(step["docString"]["content"] for step in steps if "docString" in step)
    tables = scenario.node["examples"]
    if not tables and (wanted or "Scenario" != scenario.node["keyword"] != "Example"):
        yield scenario.line, f"no examples for {', '.join(sorted(wanted)) or 'an outline'}"
    rows: Counter[frozenset[tuple[str, str]]] = Counter()
    for table in tables:
        columns = [cell["value"] for cell in table.get("tableHeader", {"cells": []})["cells"]]
        for column, count in Counter(columns).items():
            if column not in used:
                yield scenario.at(table, f"no step uses the column {column}")
            if count > 1:
                yield scenario.at(table, f"{count} columns are called {column}")
        for placeholder in sorted(wanted - set(columns)):
            yield scenario.at(table, f"there is no column {placeholder}")
        if not table["tableBody"]:
            yield scenario.at(table, "there is no example in it")
        for row in table["tableBody"]:
            values = [cell["value"] for cell in row["cells"]]
            example = frozenset(zip(columns, values, strict=True))
            rows[example] += 1
            if rows[example] == 2:
                yield scenario.at(row, f"this example stands twice: {', '.join(values)}")


def known_tags(scenario: Linted) -> Found:
    """Find tags that mean nothing, or stand where nobody looks for them; what checks no requirement."""
    for node in scenario.around:
        for tag in node["tags"]:
            yield scenario.at(tag, f"{tag['name']} stands above a {node['keyword']}: it belongs to each scenario")
    for node in (scenario.node, *scenario.node["examples"]):
        for tag in node["tags"]:
            if tag["name"].removeprefix("@") not in {*scenario.tags.requirements, *scenario.tags.others}:
                yield scenario.at(tag, f"{tag['name']} is neither a requirement, a deviation nor a capability")
    if not _checks_any(scenario.node, scenario.tags):
        for node in scenario.node["examples"] or [scenario.node]:
            if not _checks_any(node, scenario.tags):
                yield scenario.at(node, "it is tagged with no requirement")


def _checks_any(node: dict[str, Any], tags: Tags) -> bool:
    """Return whether a requirement is among the tags of a scenario, or of a table of examples."""
    return any(tag["name"].removeprefix("@") in tags.requirements for tag in node["tags"])


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
    problems, parsed = list[Problem](), list[tuple[Path, Around]]()
    for file in files:
        try:
            document: Any = Parser().parse(file.read_text(encoding="utf-8"))
            found = list(_scenarios(document.get("feature", {"children": []})))
        except CompositeParserException as error:
            problems += [_syntax(file, one) for one in error.errors]
        except ParserException as error:
            problems.append(_syntax(file, error))
        except UnicodeDecodeError:
            problems.append(Problem(file, 1, "syntax", "it is not in UTF-8"))
        else:
            if not found:
                problems.append(Problem(file, 1, "syntax", "there is no scenario in it"))
            parsed += [(file, nodes) for nodes in found]
    named = Counter(node["name"] for _, (*_, node) in parsed)
    for file, (*around, node) in parsed:
        scenario = Linted(node, tuple(around), tags, named)
        problems += [Problem(file, line, rule, what) for rule, check in RULES.items() for line, what in check(scenario)]
    return list(dict.fromkeys(problems))  # each scenario has found what is wrong around it


def _scenarios(node: dict[str, Any], *around: dict[str, Any]) -> Iterator[Around]:
    """Yield each scenario of a feature or a rule, after what it stands in."""
    for child in node["children"]:
        if "rule" in child:
            yield from _scenarios(child["rule"], *around, node)
        elif "scenario" in child:
            yield (*around, node, child["scenario"])


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
