"""Features, requirements and deviations fit each other."""

from __future__ import annotations

import re
import tomllib

import pytest
from pytest_bdd.feature import get_features
from pytest_bdd.parser import ScenarioTemplate

from zep_conformance import suite
from zep_conformance.harness import load_deviations, load_requirements
from zep_conformance.settings import CAPABILITIES

REQUIREMENTS, DEVIATIONS = load_requirements(), load_deviations()
SCENARIOS: list[ScenarioTemplate] = [
    scenario for feature in get_features([str(suite.root() / "features")]) for scenario in feature.scenarios.values()
]


def tags_of(scenario: ScenarioTemplate) -> set[str]:
    return set(scenario.tags) | {tag for examples in scenario.examples for tag in examples.tags or ()}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_names_requirements_and_nothing_unknown(scenario: ScenarioTemplate) -> None:
    tags = tags_of(scenario)
    allowed = REQUIREMENTS.keys() | DEVIATIONS.keys() | {f"needs-{capability}" for capability in CAPABILITIES}
    allowed |= {"reads-only"}
    assert tags & REQUIREMENTS.keys(), "it checks no requirement"
    assert tags <= allowed, f"unknown tags: {tags - allowed}"


@pytest.mark.parametrize("identifier", DEVIATIONS)
def test_every_deviation_has_a_scenario_of_its_requirement(identifier: str) -> None:
    scenarios = [scenario for scenario in SCENARIOS if identifier in tags_of(scenario)]
    assert scenarios, "no scenario shows it"
    requirement = DEVIATIONS[identifier].requirement
    assert requirement in REQUIREMENTS
    assert all(requirement in tags_of(scenario) for scenario in scenarios)


def test_requirements_name_known_capabilities_and_deviations() -> None:
    for requirement in REQUIREMENTS.values():
        assert set(requirement.needs) <= set(CAPABILITIES), requirement.id
        assert set(requirement.deviations) <= DEVIATIONS.keys(), requirement.id


COVERED = {
    "STORE": 4, "SUMMARY": 2, "SEARCH": 3, "ENRICH": 3, "LATENCY": 1, "SESSION": 4, "BADINPUT": 1, "DEPLOY": 6,
    "API": 7, "AUTH": 7, "LOAD": 1,
}  # fmt: skip
"""Of each section, how many requirements from the first on must have a scenario; those of UI and FAULT are below."""


@pytest.mark.parametrize(
    "identifier",
    [f"{section}-{number}" for section, count in COVERED.items() for number in range(1, count + 1)]
    + ["UI-5", "FAULT-1", "FAULT-2", "FAULT-3"],
)
def test_requirement_has_a_scenario(identifier: str) -> None:
    assert any(identifier in tags_of(scenario) for scenario in SCENARIOS)


def test_readme_says_how_many_requirements_have_scenarios() -> None:
    covered = {tag for scenario in SCENARIOS for tag in tags_of(scenario)} & REQUIREMENTS.keys()
    assert f"{len(covered)} of the {len(REQUIREMENTS)} requirements" in (suite.root() / "README.md").read_text()


def test_oldest_versions_are_those_that_the_project_allows() -> None:
    project = tomllib.loads((suite.root() / "pyproject.toml").read_text())["project"]
    allowed = dict(re.match(r"([\w-]+)>=([\d.]+)", text).groups() for text in project["dependencies"])
    lines = (suite.root() / "constraints-oldest.txt").read_text().splitlines()
    oldest = dict(line.split("==") for line in lines if "==" in line)
    assert oldest.keys() == allowed.keys()
    for name, version in allowed.items():
        assert oldest[name].startswith(version), name
