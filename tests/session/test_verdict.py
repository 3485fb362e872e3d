"""What a run comes to: its exit code, its verdict, its report and what is said of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import record
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.document import SCHEMA
from zep_conformance.report.observations import PHASES, Observations, PartSeen, Span, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.session.verdict import Conclusion, Gate, conclude

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


TROUBLE = Observations(troubles=("zep at http://zep: refused\n  Is it up?",))


@pytest.mark.parametrize(
    ("outcomes", "observations", "strict", "code"),
    [
        (["passed"], SEEN, False, 0),
        (["passed", "skipped", "deviation"], SEEN, False, 0),
        (["deviation"], SEEN, False, 0),
        (["passed", "failed"], SEEN, False, 1),
        (["failed", "error"], SEEN, False, 1),
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
    assert found.report["verdict"] == ("conforms", "does not conform", "could not tell")[code]


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
    assert [scenario["mended"] for scenario in scenarios] == [True]  # the key that format 1 is published with


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
        "conforms (exit code 0); reports: here/",
        "These are the suite's own servers: this run says nothing about a deployment.",
    ]


def test_reports_are_written_or_it_is_said_why_not(tmp_path: Path) -> None:
    found = concluded(record("a", "passed"))
    assert found.write(tmp_path / "reports", Redactor()) == f"reports: {tmp_path}/reports/"
    assert json.loads((tmp_path / "reports" / "conformance.json").read_text()) == found.report
    (tmp_path / "file").write_text("")
    assert found.write(tmp_path / "file" / "reports", Redactor()).startswith("no report: ")


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
    assert both.parts.keys() == one.parts.keys() | two.parts.keys()
    assert both.capabilities.keys() == one.capabilities.keys() | two.capabilities.keys()
    assert both.target in (one.target, two.target) and (both.target is None) == (one.target is two.target is None)
