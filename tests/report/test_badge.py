"""The badge: green is said of a deployment only, and of what was checked."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

from tests.support.documents import OWN_SERVERS, report
from tests.support.records import record
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.events import RunEnded
from zep_conformance.report.writers.badge import BadgeData, BadgePicture, badge

ALL = tuple(record(one, "passed", one) for one in load_requirements())
MUST = tuple(record(one.id, "passed", one.id) for one in load_requirements().values() if one.level == "MUST")
COUNT = len(ALL)


@pytest.mark.parametrize(
    ("found", "seen", "message", "color"),
    [
        (ALL, {}, f"conforms: {COUNT} of {COUNT} checked", "brightgreen"),
        (MUST, {}, f"conforms: {len(MUST)} of {COUNT} checked", "green"),
        (ALL[:9], {}, f"conforms: 9 of {COUNT} checked", "yellow"),
        ((*ALL, record("d", "deviation", "API-4")), {}, f"conforms: {COUNT} of {COUNT} checked, 1 deviates", "yellow"),
        ((*ALL, record("f", "failed", "API-4")), {}, f"does not conform: 1 failed, {COUNT} of {COUNT} checked", "red"),
        ((), {"troubles": ("zep is away",)}, "could not tell", "lightgrey"),
        (ALL[:1], {"exit_status": 2}, "could not tell", "lightgrey"),
    ],
)
def test_it_says_the_verdict_and_what_that_rests_on(found: Any, seen: Any, message: str, color: str) -> None:
    assert badge(report(*found, **seen)) == {"label": "zep-conformance", "message": message, "color": color}


def test_what_a_baseline_excuses_is_not_green() -> None:
    excused = report(*ALL, record("f", "failed", "API-4")) | {"exit_code": 0}
    assert badge(excused)["color"] == "orange"


@pytest.mark.parametrize("more", [(), (record("d", "deviation", "API-4"),), (record("f", "failed", "API-4"),)])
def test_a_run_on_the_suites_own_servers_says_so_and_is_never_green(more: Any) -> None:
    found = badge(report(*ALL, *more, target=OWN_SERVERS))
    assert found["label"] == "zep-conformance (own servers)"
    assert found["color"] in ("lightgrey", "red")


def test_data_and_picture_say_the_same(tmp_path: Path) -> None:
    event = RunEnded(document=report(*ALL[:9]), folder=tmp_path)
    data, picture = json.loads(BadgeData().text(event)), xml.etree.ElementTree.fromstring(BadgePicture().text(event))
    # https://shields.io/badges/endpoint-badge
    assert data == {"schemaVersion": 1, **badge(event.document)}
    texts = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [data["label"], data["message"]]
    assert picture.get("aria-label") == f"{data['label']}: {data['message']}"
