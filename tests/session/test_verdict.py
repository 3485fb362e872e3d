"""What a run comes to: its exit code, its verdict, its report and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import evidence, record
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.basis import ids_in_words
from zep_conformance.report.document import SCHEMA
from zep_conformance.report.observations import PHASES, Known, Observations, PartSeen, Span, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.session.verdict import Conclusion, Gate, conclude
from zep_conformance.settings import required_ids

SEEN = Observations(
    target=TargetSeen(name="remote", deployed=True),
    parts={"zep": PartSeen(version="0.27.2", url="http://zep"), "nlp": PartSeen(image="nlp", digest="sha256:0")},
    capabilities={"auth": "this Zep is open", "zep": None},
)


def concluded(
    *records: Record, observations: Observations = SEEN, gate: Gate | None = None, exit_status: int = 0
) -> Conclusion:
    found = conclude(
        records,
        observations,
        gate or Gate(),
        requirements=load_requirements(),
        exit_status=exit_status,
        seed=7,
        prefix="zc-1",
        started=datetime.now(UTC),
        duration=1.5,
    )
    jsonschema.validate(found.report, json.loads(SCHEMA.read_text()), cls=jsonschema.Draft202012Validator)
    return found


TOTAL = len(load_requirements())
MUST = sum(one.level == "MUST" for one in load_requirements().values())
TROUBLE = Observations(troubles=("zep at http://zep: refused\n  Is it up?",))


@pytest.mark.parametrize(
    ("outcomes", "observations", "strict", "code"),
    [
        (["passed"], SEEN, False, 0),
        (["passed", "skipped", "deviation"], SEEN, False, 0),
        (["deviation"], SEEN, False, 0),
        (["passed", "failed"], SEEN, False, 1),
        (["failed", "error"], SEEN, False, 1),
        (["passed", "not run"], SEEN, False, 2),
        (["failed", "not run"], SEEN, False, 1),
        (["passed", "error"], SEEN, False, 2),
        (["skipped"], SEEN, False, 2),
        ([], SEEN, False, 2),
        (["passed"], TROUBLE, False, 2),
        (["failed"], TROUBLE, False, 1),
        (["fixed"], SEEN, False, 0),
        (["fixed"], SEEN, True, 1),
    ],
)
def test_the_exit_code(outcomes: list[str], observations: Observations, strict: bool, code: int) -> None:
    records = [
        record("a", "passed", fixed=True) if outcome == "fixed" else record(outcome, outcome) for outcome in outcomes
    ]
    found = concluded(*records, observations=observations, gate=Gate(strict_deviations=strict))
    assert (found.exit_code, found.verdict.code, found.report["exit_code"]) == (code, code, code)
    # One requirement of many was looked at.
    assert found.report["verdict"] == ("conforms as far as asked", "does not conform", "could not tell")[code]


@pytest.mark.parametrize(
    ("exit_status", "outcome", "code"),
    [
        (0, "passed", 0),
        (1, "failed", 1),
        (2, "passed", 2),  # interrupted: it has not seen everything
        (2, "failed", 1),
        (3, "passed", 2),  # an error inside pytest
        (4, "passed", 4),  # words that pytest does not understand: pytest's own status stays
        (5, "passed", 0),
    ],
)
def test_how_pytest_ended(exit_status: int, outcome: str, code: int) -> None:
    assert concluded(record(outcome, outcome), exit_status=exit_status).exit_code == code


def test_the_report_says_what_was_found_out() -> None:
    report = concluded(record("a", "passed", fixed=True)).report
    assert report["target"] == {"name": "remote", "deployed": True, "timeline": []}
    assert report["parts"]["nlp"] == {"version": "unknown", "image": "nlp", "digest": "sha256:0"}
    assert report["capabilities"]["auth"] == {"offered": False, "reason": "this Zep is open"}
    assert report["capabilities"]["zep"] == {"offered": True, "reason": None}
    assert report["prefix"] == "zc-1"
    scenarios = [scenario for one in report["requirements"] for scenario in one["scenarios"]]
    assert [scenario["mended"] for scenario in scenarios] == [True]  # the key that the format is published with


def test_the_report_has_the_evidence_of_what_is_wrong() -> None:
    report = concluded(record("a", "failed", evidence=evidence()), record("b", "passed")).report
    assert [(one["nodeid"], one["complaint"]) for one in report["evidence"]] == [("a", "it forgot")]


def test_without_a_target_the_report_says_why() -> None:
    report = concluded(observations=TROUBLE).report
    assert (report["target"], report["parts"], report["prefix"]) == (None, {}, None)
    assert report["trouble"] == "zep at http://zep: refused\n  Is it up?"


def test_the_lines_end_with_the_verdict_and_the_caution() -> None:
    ours = Observations(target=TargetSeen(name="embedded", deployed=False), left_behind=tuple("abcdefghijkl"))
    lines = list(concluded(record("a", "passed", fixed=True), observations=ours).lines("reports: here/"))
    assert "fixed: Scenario a: " in lines
    assert "left behind: 2 more, all in the report" in lines
    assert lines[-2:] == [
        f"conforms as far as asked: 1 of {TOTAL} requirements checked, {MUST - 1} MUST not (exit code 0)"
        "; reports: here/",
        "These are the suite's own servers: this run says nothing about a deployment.",
    ]


ALL = [record(identifier, "passed", identifier) for identifier in load_requirements()]


class TestWhatAVerdictRestsOn:
    def test_conforms_is_said_after_everything_was_checked(self) -> None:
        found = concluded(*ALL)
        assert str(found.verdict) == f"conforms: {TOTAL} of {TOTAL} requirements checked (exit code 0)"
        assert found.report["basis"]["must_unchecked"] == []

    def test_what_deviates_and_what_fails_is_counted(self) -> None:
        deviating = concluded(*ALL, record("x", "deviation", "API-1"))
        assert f"{TOTAL} of {TOTAL} requirements checked; 1 deviates (exit" in str(deviating.verdict)
        failing = concluded(*ALL, record("x", "failed", "API-1"), record("y", "failed", "API-2"))
        assert f"{TOTAL} of {TOTAL} requirements checked; 2 failed (exit" in str(failing.verdict)

    @pytest.mark.parametrize(
        ("left_out", "why"),
        [
            (record("x", "skipped", "API-1", reason="no capability ui: none"), "no capability ui: none"),
            (record("x", "error", "API-1", reason="KeyError"), "the suite itself broke"),
            (record("x", "not run", "API-1", reason="--time-limit: 9 s are over"), "--time-limit: 9 s are over"),
        ],
    )
    def test_what_did_not_run_is_no_basis(self, left_out: Record, why: str) -> None:
        without = [one for one in ALL if one.requirements != ("API-1",)]
        found = concluded(*without, left_out).report["basis"]
        assert (found["checked"], found["must_checked"]) == (TOTAL - 1, MUST - 1)
        assert found["must_unchecked"] == [{"id": "API-1", "why": why}]
        in_part = concluded(*ALL, left_out).report["basis"]
        assert (in_part["checked"], in_part["in_part"], in_part["must_unchecked"]) == (TOTAL, 1, [])
        assert concluded(*ALL, left_out).report["verdict"] != "conforms"

    def test_a_scenario_that_was_not_selected_leaves_its_requirement_in_part(self) -> None:
        seen = replace(SEEN, scenarios={"x": Known(name="X", requirements=("API-1",), selected=False)})
        found = concluded(*ALL, observations=seen)
        assert str(found.verdict).startswith(f"conforms as far as asked: {TOTAL} of {TOTAL} requirements checked (1 in")
        alone = concluded(ALL[0], observations=seen)
        assert {"id": "API-1", "why": "not selected"} in alone.report["basis"]["must_unchecked"]
        said = "\n".join(alone.lines("no report"))
        assert "MUST not checked: API-1 (not selected)" in said

    def test_a_selected_scenario_without_an_outcome_was_not_run(self) -> None:
        known = Known(name="X", requirements=("API-1",), selected=True)
        found = concluded(*ALL, observations=replace(SEEN, scenarios={"x": known}, ended=("the time is over",)))
        assert (found.exit_code, found.report["verdict"]) == (2, "could not tell")
        assert found.report["outcomes"]["not run"] == 1
        assert "not run: the time is over" in list(found.lines("no report"))
        interrupted = concluded(*ALL, observations=replace(SEEN, scenarios={"x": known}), exit_status=2)
        assert "not run: the run was interrupted" in list(interrupted.lines("no report"))

    @pytest.mark.parametrize(
        ("require", "records", "code"),
        [
            ("must", ALL, 0),
            ("all", ALL[1:], 2),
            (ALL[0].requirements[0], ALL[1:], 2),
            (ALL[0].requirements[0], ALL[:1], 0),
            ("API-1", [*ALL, record("x", "skipped", "API-1", reason="no capability ui: none")], 0),
            ("API-1", [*ALL, record("x", "not run", "API-1", reason="the time is over")], 2),
            ("all", [*ALL[1:], record("x", "failed", "API-1")], 1),
        ],
    )
    def test_what_is_required(self, require: str, records: list[Record], code: int) -> None:
        gate = Gate(require=require, required=required_ids(require))
        found = concluded(*records, gate=gate)
        assert found.exit_code == code
        assert bool(found.report["gate"]["unmet"]) is any(
            f"--require {require}, and not checked: " in line for line in found.lines("")
        )

    def test_what_is_required_and_was_left_out_by_its_name(self) -> None:
        gate = Gate(require="API-1", required=required_ids("API-1"))
        seen = replace(SEEN, scenarios={"x": Known(name="X", requirements=("API-1",), selected=False)})
        found = concluded(*ALL, gate=gate, observations=seen)
        assert "--require API-1, and not checked: API-1 (not selected)" in list(found.lines(""))
        assert found.exit_code == 2


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], ""),
        (["API-1"], "API-1"),
        (["API-1", "API-2"], "API-1, API-2"),
        (["API-1", "API-2", "API-3", "API-5", "UI-6", "UI-7"], "API-1 to API-3, API-5, UI-6, UI-7"),
    ],
)
def test_ids_in_words(ids: list[str], words: str) -> None:
    assert ids_in_words(ids) == words


# -- observations -----------------------------------------------------------------------------------------------

words = st.text(max_size=6)
seconds = st.floats(0, 1e6)
spans = st.builds(Span, part=words, phase=st.sampled_from(PHASES), began=seconds, ended=seconds)
observations = st.builds(
    Observations,
    troubles=st.lists(words, max_size=3, unique=True).map(tuple),
    target=st.none()
    | st.builds(TargetSeen, name=words, deployed=st.booleans(), timeline=st.lists(spans, max_size=2).map(tuple)),
    parts=st.dictionaries(
        words, st.builds(PartSeen, version=words.filter(bool), url=words, image=words, digest=words), max_size=3
    ),
    capabilities=st.dictionaries(words, st.none() | words, max_size=3),
    left_behind=st.lists(words, max_size=3).map(tuple),
    requests=st.integers(0, 1000),
    scenarios=st.dictionaries(
        words,
        st.builds(Known, name=words, requirements=st.lists(words, max_size=2).map(tuple), selected=st.booleans()),
        max_size=3,
    ),
    ended=st.lists(words, max_size=2, unique=True).map(tuple),
)


@given(found=observations)
def test_observations_survive_the_way_from_a_worker(found: Observations) -> None:
    assert Observations.from_json(json.loads(json.dumps(found.as_json()))) == found


@given(one=observations, two=observations, three=observations)
def test_merging_does_not_depend_on_who_is_merged_first(
    one: Observations, two: Observations, three: Observations
) -> None:
    assert one.merged(two).merged(three) == one.merged(two.merged(three))
    assert Observations().merged(one) == one == one.merged(Observations())


@given(one=observations, two=observations)
def test_merging_loses_nothing(one: Observations, two: Observations) -> None:
    both = one.merged(two)
    assert both.requests == one.requests + two.requests
    assert sorted(both.left_behind) == sorted(one.left_behind + two.left_behind)
    assert set(both.troubles) == {*one.troubles, *two.troubles}
    assert set(both.ended) == {*one.ended, *two.ended}
    assert both.scenarios.keys() == one.scenarios.keys() | two.scenarios.keys()
    assert both.parts.keys() == one.parts.keys() | two.parts.keys()
    assert both.capabilities.keys() == one.capabilities.keys() | two.capabilities.keys()
    assert both.target in (one.target, two.target) and (both.target is None) == (one.target is two.target is None)
