"""What the document of a run says where hardly anything is known."""

from __future__ import annotations

from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.basis import NOT_BEGUN, Checked
from zep_conformance.report.document import target_of


def test_a_target_that_did_not_come_up_is_named_as_it_was_given() -> None:
    assert target_of({"target": None, "settings": {"target": "processes"}}) == "processes"
    assert target_of({"target": {"name": "remote"}, "settings": {"target": "auto"}}) == "remote"
    assert target_of({"target": None}) == "none"


def test_where_no_scenario_was_known_it_says_why_nothing_was_checked() -> None:
    one = Checked(
        requirement=load_requirements()["SEARCH-3"], outcome="not run", ran=0, left_out={}, otherwise=NOT_BEGUN
    )
    assert one.as_json() == {"checked": "not checked", "left_out": [{"why": NOT_BEGUN, "scenarios": 0}]}
