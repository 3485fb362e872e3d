"""Features, requirements and deviations fit each other."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable

import jsonschema
import pytest
from pytest_bdd.feature import get_features
from pytest_bdd.parser import ScenarioTemplate

from zep_conformance import suite
from zep_conformance.docsgen.requirements import scenarios, targets_for
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.settings import CAPABILITIES

REQUIREMENTS, DEVIATIONS = load_requirements(), load_deviations()
SCENARIOS: list[ScenarioTemplate] = [
    scenario for feature in get_features([str(suite.root() / "features")]) for scenario in feature.scenarios.values()
]


def tags_of(scenario: ScenarioTemplate) -> set[str]:
    return set(scenario.tags) | {tag for examples in scenario.examples for tag in examples.tags or ()}


@pytest.mark.parametrize("identifier", DEVIATIONS)
def test_every_deviation_has_a_scenario_of_its_requirement(identifier: str) -> None:
    scenarios = [scenario for scenario in SCENARIOS if identifier in tags_of(scenario)]
    assert scenarios, "no scenario shows it"
    requirement = DEVIATIONS[identifier].requirement
    assert requirement in REQUIREMENTS
    for scenario in scenarios:
        tags = tags_of(scenario)
        assert requirement in tags or any(
            identifier in REQUIREMENTS[tag].deviations for tag in tags & set(REQUIREMENTS)
        )


def test_requirements_name_known_capabilities_and_deviations() -> None:
    for requirement in REQUIREMENTS.values():
        assert set(requirement.needs) <= set(CAPABILITIES), requirement.id
        assert set(requirement.deviations) <= DEVIATIONS.keys(), requirement.id


@pytest.mark.parametrize("identifier", REQUIREMENTS)
def test_every_requirement_has_a_scenario(identifier: str) -> None:
    assert any(identifier in scenario.tags for scenario in scenarios())


def test_every_requirement_can_be_checked_on_some_target() -> None:
    for requirement in REQUIREMENTS.values():
        needs = [scenario.needs(REQUIREMENTS) for scenario in scenarios() if requirement.id in scenario.tags]
        assert any(targets_for(one) for one in needs), requirement.id


@pytest.mark.parametrize("kind", ["requirements", "deviations"])
def test_data_fit_their_schema(kind: str) -> None:
    data = tomllib.loads((suite.data() / f"{kind}.toml").read_text())
    jsonschema.validate(data, json.loads((suite.data() / f"{kind}.schema.json").read_text()))


@pytest.mark.parametrize("kind", ["requirements", "deviations"])
@pytest.mark.parametrize("change", [lambda one: one.update(extra=1), lambda one: one.update(id="no id"), dict.popitem])
def test_the_schema_refuses_what_is_none(kind: str, change: Callable[[dict[str, object]], object]) -> None:
    data = tomllib.loads((suite.data() / f"{kind}.toml").read_text())
    change(data[kind.removesuffix("s")][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads((suite.data() / f"{kind}.schema.json").read_text()))


def test_readme_says_how_many_requirements_there_are() -> None:
    assert f"all {len(REQUIREMENTS)} requirements" in (suite.root() / "README.md").read_text()


def test_oldest_versions_are_those_that_the_project_allows() -> None:
    project = tomllib.loads((suite.root() / "pyproject.toml").read_text())["project"]
    allowed = dict(re.match(r"([\w-]+)>=([\d.]+)", text).groups() for text in project["dependencies"])
    lines = (suite.root() / "constraints-oldest.txt").read_text().splitlines()
    oldest = dict(line.split("==") for line in lines if "==" in line)
    assert oldest.keys() == allowed.keys()
    for name, version in allowed.items():
        assert oldest[name].startswith(version), name
