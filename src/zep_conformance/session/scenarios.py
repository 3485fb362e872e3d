"""What is known of a scenario before it runs: its name, where it stands, and its steps."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import Any

import pytest
from pytest_bdd.parser import Scenario, ScenarioTemplate

from zep_conformance.report.evidence import Step

# Nothing public tells of steps before they run: docs/decisions/0009. By its name, since the package has a function of
# the same one. Absent before pytest-bdd 9, which notes it at the function.
_TEMPLATES = getattr(import_module("pytest_bdd.scenario"), "scenario_wrapper_template_registry", None)
_WRITTEN: pytest.StashKey[Scenario | None] = pytest.StashKey()


def written(item: pytest.Item) -> Scenario | None:
    """Return the scenario that a test carries out, an outline's with its example's values; None where it is none."""
    if _WRITTEN not in item.stash:
        function = getattr(item, "function", None)
        template = _template(function) if function is not None else None
        values = getattr(getattr(item, "callspec", None), "params", {}).get("_pytest_bdd_example", {})
        item.stash[_WRITTEN] = template.render(values) if template is not None else None
    return item.stash[_WRITTEN]


def _template(function: Any) -> ScenarioTemplate | None:
    """Return the scenario that a test function was made for, None for any other."""
    found: ScenarioTemplate | None
    found = getattr(function, "__scenario__", None) if _TEMPLATES is None else _TEMPLATES.get(function)
    return found


def place(item: pytest.Item) -> tuple[str, int]:
    """Return the path of a scenario's feature, from the top of the suite, and its line there; "" and 0 for none."""
    scenario = written(item)
    if scenario is None:
        return "", 0
    return PurePath(scenario.feature.rel_filename).as_posix(), scenario.line_number


def feature(item: pytest.Item) -> str:
    """Return the title of a scenario's feature."""
    scenario = written(item)
    return item.path.name if scenario is None else scenario.feature.name or item.path.name


def title(item: pytest.Item) -> str:
    """Return a scenario's name, with the example of an outline that it is."""
    scenario = written(item)
    name = item.name if scenario is None else scenario.name
    return name + (f" [{item.name.partition('[')[2]}" if "[" in item.name else "")


def steps(item: pytest.Item) -> list[Step]:
    """Return the steps of a scenario, none of which has run."""
    scenario = written(item)
    found = [] if scenario is None else scenario.steps
    return [Step(text=text(one), keyword=one.keyword.strip(), line=one.line_number) for one in found]


def text(step: Any) -> str:
    """Return a step as it is written."""
    return f"{step.keyword.strip()} {step.name}"
