"""The report in the Common Test Report Format."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.support.documents import OWN_SERVERS, report
from tests.support.records import evidence, record
from tests.support.schemas import AWKWARD, must_fit
from zep_conformance.report.observations import Known
from zep_conformance.report.outcomes import OUTCOMES
from zep_conformance.report.writers import ctrf


def read(*found: Any, **seen: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(ctrf.render(report(*found, **seen)))
    must_fit("ctrf", read)
    return read["results"]  # type: ignore[no-any-return]


def test_each_outcome_has_its_status_and_is_counted() -> None:
    results = read(*(record(one, one, reason=f"it {one}") for one in OUTCOMES))
    assert {test["rawStatus"]: test["status"] for test in results["tests"]} == {
        "passed": "passed", "failed": "failed", "skipped": "skipped",
        "deviation": "other", "error": "other", "not run": "other",
    }  # fmt: skip
    summary = results["summary"]
    counted = {name: summary[name] for name in ("tests", "passed", "failed", "skipped", "pending", "other")}
    assert counted == {"tests": 6, "passed": 1, "failed": 1, "skipped": 1, "pending": 0, "other": 3}
    assert (summary["stop"] - summary["start"], summary["duration"]) == (1500, 1500)


def test_a_failure_says_what_came_and_how_to_run_it_again() -> None:
    [test] = read(record("a", "failed", "STORE-1", "API-1", reason="it forgot", evidence=evidence("it forgot")))[
        "tests"
    ]
    assert (test["message"], test["tags"], test["extra"]["level"]) == ("it forgot", ["STORE-1", "API-1"], "MUST")
    assert "it forgot" in test["trace"] and "curl it forgot" in test["trace"]
    assert test["stdout"] == ["zep:", "a log of", "it forgot"]
    assert test["extra"]["rerun"] == "zep-conformance run it forgot"


def test_examples_of_an_outline_are_tests_of_their_own_and_the_same_in_every_run() -> None:
    examples = [record(f"f.py::test_a[{one}]", "passed", name=f"A [{one}]") for one in ("x", "y", "x-y")]
    first, second = ([test["id"] for test in read(*examples)["tests"]] for _ in range(2))
    assert first == second and len(set(first)) == 3


def test_any_text_survives() -> None:
    [test] = read(record("a", "failed", name=AWKWARD, reason=AWKWARD, evidence=evidence(AWKWARD)))["tests"]
    assert test["name"] == test["message"] == AWKWARD


def test_a_run_without_any_scenario_says_why() -> None:
    results = read(troubles=("zep is away\nStart it.",), target=None, parts={})
    assert (results["tests"], results["summary"]["tests"]) == ([], 0)
    assert (results["environment"]["healthy"], results["extra"]["trouble"]) == (False, "zep is away\nStart it.")
    assert (results["extra"]["verdict"], results["extra"]["exit_code"]) == ("could not tell", 2)


def test_a_run_that_was_interrupted_has_what_it_did_not_come_to() -> None:
    known = Known(name="B", requirements=("API-2",), selected=True, feature="features/sessions.feature", line=3)
    results = read(record("a", "passed"), scenarios={"b": known}, exit_status=2)
    assert [(test["name"], test["rawStatus"]) for test in results["tests"]] == [
        ("Scenario a", "passed"),
        ("B", "not run"),
    ]
    assert results["extra"]["verdict"] == "could not tell"


def test_the_suites_own_servers_are_no_deployment() -> None:
    assert read(record("a", "passed"), target=OWN_SERVERS)["environment"]["extra"]["deployed"] is False
    assert read(record("a", "passed"))["environment"]["extra"]["deployed"] is True


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(jsonschema.ValidationError):
        must_fit("ctrf", {"results": {"tool": {"name": "x"}}})
