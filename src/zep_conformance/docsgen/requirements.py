"""Which scenario checks which requirement, and on which targets it can run: docs/requirements.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache

from pytest_bdd.feature import get_features

from zep_conformance import suite
from zep_conformance.docsgen import cells, head
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import SOURCES, Requirement, load_requirements
from zep_conformance.settings import CAPABILITIES
from zep_conformance.targets import named, names


@dataclass(frozen=True)
class Scenario:
    """One scenario of a feature. tags: its own and those of its examples."""

    name: str
    file: str
    tags: frozenset[str]

    def needs(self, requirements: Mapping[str, Requirement]) -> frozenset[str]:
        """Return the capabilities without which it is skipped."""
        own = {tag.removeprefix("needs-") for tag in self.tags if tag.startswith("needs-")}
        own |= {need for tag in self.tags & requirements.keys() for need in requirements[tag].needs}
        return frozenset(own if "reads-only" in self.tags else own | {"write"})


@cache
def scenarios() -> tuple[Scenario, ...]:
    """Return every scenario of the suite, in the order of its features."""
    return tuple(
        Scenario(
            found.name,
            feature.rel_filename.rpartition("/")[2],
            frozenset(found.tags | {tag for examples in found.examples for tag in examples.tags or ()}),
        )
        for feature in get_features([str(suite.root() / "features")])
        for found in feature.scenarios.values()
    )


def targets_for(needs: Set[str]) -> list[str]:
    """Return the targets that can offer all of these capabilities."""
    return [name for name in names() if needs <= named(name).offers]


def page() -> str:
    """Return docs/requirements.md."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    requirements, deviations = load_requirements(), load_deviations()
    yield "# Requirements, and the scenarios that check them"
    yield ""
    yield "Made by `python -m zep_conformance.docsgen`. A scenario runs where a target offers what it needs; what each"
    yield "can offer at most is in the last table. What held on which version: [compatibility.md](compatibility.md)."
    for section, title in SOURCES.items():
        yield from head(f"From {title}", "requirement", "level", "what is promised", "scenarios", "targets")
        for one in requirements.values():
            if one.source == section:
                yield _row(one, requirements)
    shown_by = "Known deviations, and the scenarios that show them"
    yield from head(shown_by, "deviation", "requirement", "versions", "what happens", "scenarios")
    for deviation in deviations.values():
        versions = ", ".join(f"{part} {specifier}" for part, specifier in deviation.versions.items())
        shown = "; ".join(_link(found) for found in scenarios() if deviation.id in found.tags)
        yield cells(deviation.id, deviation.requirement, versions, deviation.what, shown)
    yield from head("What a target can offer at most", "capability", *names())
    for capability in CAPABILITIES:
        yield cells(f"`{capability}`", *("yes" if capability in named(name).offers else "" for name in names()))


def _row(one: Requirement, requirements: Mapping[str, Requirement]) -> str:
    found = [scenario for scenario in scenarios() if one.id in scenario.tags]
    able = {target for scenario in found for target in targets_for(scenario.needs(requirements))}
    links = "; ".join(map(_link, found)) or "**none**"
    return cells(one.id, one.level, one.text, links, ", ".join(name for name in names() if name in able))


def _link(scenario: Scenario) -> str:
    return f"[{scenario.name}](../features/{scenario.file})"
