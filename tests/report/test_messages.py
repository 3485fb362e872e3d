"""The report as Cucumber Messages: held to their schema, and to what their viewers go by."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jsonschema
import pytest

from tests.support.documents import report
from tests.support.records import evidence, record
from tests.support.schemas import AWKWARD, must_fit
from zep_conformance.report.observations import Known
from zep_conformance.report.writers import messages

WHEN = "2026-05-04T03:02:01.250+00:00"


def read(*found: Any, **seen: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the messages of a run: each one's kind, and the message."""
    lines = [json.loads(line) for line in messages.render(report(*found, **seen)).splitlines()]
    for line in lines:
        must_fit("cucumber", line)
    read = [(kind, message) for line in lines for kind, message in line.items()]
    must_hang_together(read)
    return read


def must_hang_together(found: list[tuple[str, dict[str, Any]]]) -> None:
    """Check that each message names what there is, and that what begins ends."""
    of = {kind: [message for other, message in found if other == kind] for kind, _ in found}
    order = [kind for kind, _ in found]
    assert order[0] == "meta" and order[-1] == "testRunFinished"
    ids = [one["id"] for kind, one in found if "id" in one]
    ids += [step["id"] for one in of.get("testCase", []) for step in one["testSteps"]]
    assert len(ids) == len(set(ids))
    pickles = {one["id"]: one for one in of.get("pickle", [])}
    assert {one["uri"] for one in of.get("pickle", [])} <= {one["uri"] for one in of.get("gherkinDocument", [])}
    assert {one["uri"] for one in of.get("source", [])} == {one["uri"] for one in of.get("gherkinDocument", [])}
    steps = {}
    for case in of.get("testCase", []):
        told = [step["pickleStepId"] for step in case["testSteps"] if "pickleStepId" in step]
        assert told == [step["id"] for step in pickles[case["pickleId"]]["steps"]]
        steps[case["id"]] = [step["id"] for step in case["testSteps"]]
    assert max(Counter(case["pickleId"] for case in of.get("testCase", [])).values(), default=1) == 1
    begun = {one["id"]: one["testCaseId"] for one in of.get("testCaseStarted", [])}
    assert [one["testCaseStartedId"] for one in of.get("testCaseFinished", [])] == list(begun)
    for kind in ("testStepStarted", "testStepFinished"):
        told = [(begun[one["testCaseStartedId"]], one["testStepId"]) for one in of.get(kind, [])]
        assert told == [(case, step) for case in begun.values() for step in steps[case]]


def statuses(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [one["testStepResult"]["status"] for kind, one in found if kind == "testStepFinished"]


def steps(*outcomes: str) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"text": f"Given {n}", "keyword": "Given", "line": n, "outcome": one, "duration": 0.25}
        for n, one in enumerate(outcomes)
    )


@pytest.mark.parametrize(
    ("outcome", "reached", "expected"),
    [
        ("passed", ("passed", "passed"), ["PASSED", "PASSED"]),
        ("failed", ("passed", "failed", "not run"), ["PASSED", "FAILED", "SKIPPED"]),
        ("error", ("failed", "not run"), ["FAILED", "SKIPPED"]),
        ("deviation", ("passed", "failed", "not run"), ["PASSED", "PENDING", "SKIPPED"]),
        ("skipped", ("not run", "not run"), ["SKIPPED", "SKIPPED"]),
        ("not run", ("passed", "failed", "not run"), ["PASSED", "SKIPPED", "SKIPPED"]),
    ],
)
def test_each_step_has_its_status(outcome: str, reached: tuple[str, ...], expected: list[str]) -> None:
    found = read(record("a", outcome, reason="because", steps=steps(*reached), started=WHEN))
    assert statuses(found) == expected
    results = [one["testStepResult"] for kind, one in found if kind == "testStepFinished"]
    said = [one.get("message") for one in results]
    assert said.count("because") == (outcome != "passed")
    deciding = next((n for n, status in enumerate(expected) if status != "PASSED"), None)
    assert deciding is None or said[deciding] == "because"


@pytest.mark.parametrize(
    ("outcome", "reached", "expected"),
    [
        ("error", ("not run", "not run"), ["FAILED", "SKIPPED", "SKIPPED"]),
        ("failed", ("passed", "passed"), ["PASSED", "PASSED", "FAILED"]),
        ("deviation", ("passed",), ["PASSED", "PENDING"]),
        ("error", (), ["FAILED", "SKIPPED"]),
    ],
)
def test_what_failed_outside_the_steps_has_a_hook(outcome: str, reached: tuple[str, ...], expected: list[str]) -> None:
    found = read(record("a", outcome, reason="because", steps=steps(*reached), started=WHEN))
    assert statuses(found) == expected
    [case] = [one for kind, one in found if kind == "testCase"]
    [hook] = [one for kind, one in found if kind == "hook"]
    assert [step.get("hookId") for step in case["testSteps"]].count(hook["id"]) == 1


def test_a_failure_has_its_evidence_attached_to_its_step() -> None:
    found = read(record("a", "failed", steps=steps("passed", "failed"), started=WHEN, evidence=evidence("it forgot")))
    attached = {one["fileName"]: one for kind, one in found if kind == "attachment"}
    assert attached.keys() == {"requests.txt", "log of zep.txt", "files.txt", "run just this again.txt"}
    failed = next(
        one for kind, one in found if kind == "testStepFinished" and one["testStepResult"]["status"] == "FAILED"
    )
    assert {one["testStepId"] for one in attached.values()} == {failed["testStepId"]}
    assert failed["testStepResult"]["message"] == "it forgot"
    assert "curl it forgot" in attached["requests.txt"]["body"]


def test_moments_are_those_of_the_scenario_and_its_steps() -> None:
    found = read(record("a", "passed", steps=steps("passed", "passed"), started=WHEN, duration=2.0))
    at = {kind: one["timestamp"] for kind, one in found if "timestamp" in one}
    assert at["testCaseStarted"]["nanos"] == 250_000_000
    ends = [one["timestamp"] for kind, one in found if kind == "testStepFinished"]
    assert [one["nanos"] for one in ends] == [500_000_000, 750_000_000]
    assert at["testCaseFinished"]["seconds"] == at["testCaseStarted"]["seconds"] + 2
    assert at["testRunFinished"]["seconds"] >= at["testRunStarted"]["seconds"]


SESSIONS = "features/sessions.feature"


def test_a_scenario_is_the_one_that_the_feature_has() -> None:
    found = read(
        record("f.py::test_a[garbage]", "passed", name="A", feature="features/authentication.feature", line=37),
        record("f.py::test_a[not valid yet]", "skipped", name="A", feature="features/authentication.feature", line=37),
        record("f.py::test_a[[hidden] after signing]", "passed", feature="features/authentication.feature", line=37),
    )
    pickles = {one["id"]: one for kind, one in found if kind == "pickle"}
    cases = [pickles[one["pickleId"]] for kind, one in found if kind == "testCase"]
    assert [one["steps"][0]["text"].rpartition(" is ")[2] for one in cases] == [
        "changed after signing", "garbage", "not valid yet",
    ]  # fmt: skip
    assert [one["uri"] for kind, one in found if kind == "source"] == ["features/authentication.feature"]


def test_what_the_suite_does_not_have_is_shown_as_reported() -> None:
    found = read(
        record("a", "passed", name=AWKWARD, feature=SESSIONS, line=99_999, steps=steps("passed"), started=WHEN),
        record("b", "passed", name="B", feature="features/gone.feature", steps=steps("passed", "passed"), started=WHEN),
        record("c", "passed", name="C", feature="", started=WHEN),
    )
    assert [one["uri"] for kind, one in found if kind == "source"] == [
        "reported/", "reported/features/gone.feature", SESSIONS, f"reported/{SESSIONS}",
    ]  # fmt: skip
    names = {one["name"] for kind, one in found if kind == "pickle" and one["uri"].startswith("reported/")}
    assert names == {" ".join(AWKWARD.split()), "B", "C"}
    assert len([one for kind, one in found if kind == "testCaseFinished"]) == 3


def test_any_text_survives() -> None:
    wrong = record(
        "a", "failed", name=AWKWARD, reason=AWKWARD, steps=steps("failed"), started=WHEN, evidence=evidence(AWKWARD)
    )
    found = read(wrong)
    assert AWKWARD in [one["testStepResult"].get("message") for kind, one in found if kind == "testStepFinished"]


def test_a_run_without_any_scenario_says_why() -> None:
    found = read(troubles=("zep is away\nStart it.",), target=None, parts={})
    assert [kind for kind, _ in found] == ["meta", "testRunStarted", "hook", "testRunFinished"]
    assert found[-1][1]["success"] is False and "zep is away" in found[-1][1]["message"]


def test_a_run_that_was_interrupted_has_cases_that_never_started() -> None:
    known = Known(name="B", requirements=("API-2",), selected=True, feature=SESSIONS, line=3)
    found = read(record("a", "passed", steps=steps("passed"), started=WHEN), scenarios={"b": known}, exit_status=2)
    count = Counter(kind for kind, _ in found)
    assert (count["testCase"], count["testCaseStarted"], count["testCaseFinished"]) == (2, 1, 1)
    assert found[-1][1]["success"] is False


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(jsonschema.ValidationError):
        must_fit("cucumber", {"testRunFinished": {"success": "yes"}})
