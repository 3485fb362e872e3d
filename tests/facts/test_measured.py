"""A version that nobody has measured: which measured one stands for it, and that it is said."""

from __future__ import annotations

import pytest

from zep_conformance.facts import measured
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.measured import remarks, standing_for, taken_for

MEASURED = ["0.27.2", "0.20.1", "0.9.0", "0.23.0"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.23.0", "0.23.0"),
        ("0.23.1", "0.23.0"),
        ("0.27.1", "0.23.0"),
        ("0.27.2.post1", "0.27.2"),
        ("1.0", "0.27.2"),
        ("0.10.0", "0.9.0"),
        ("0.8.1", "0.9.0"),
        ("unknown", "unknown"),
    ],
)
def test_the_newest_measured_before_it_stands_for_a_version(version: str, expected: str) -> None:
    assert standing_for(version, MEASURED) == expected


def test_where_none_is_measured_a_version_stands_for_itself() -> None:
    assert standing_for("0.23.0", []) == "0.23.0"


def test_a_newer_version_than_all_deviates_as_the_newest_does() -> None:
    found = load_deviations()
    assert found["DEV-1"].applies({"zep": "0.99.0"})
    assert found["DEV-4"].applies({"langflux": "99.0.0"})
    assert not found["DEV-4"].applies({"langflux": "1.8.5"})  # taken for 1.8.4
    assert not found["DEV-1"].applies({"zep": "unknown"})


def test_a_version_that_nobody_has_measured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "measured_versions", lambda part: MEASURED if part == "zep" else ["2.2.8"])
    lines = list(remarks({"zep": "0.24.0", "langflux": "1.4.0"}))
    assert ["zep 0.24.0" in lines[0], "those of 0.23.0" in lines[0], "before it" in lines[0]] == [True] * 3
    assert ["langflux 1.4.0" in lines[1], "those of 2.2.8" in lines[1], "after it" in lines[1]] == [True] * 3
    assert not list(remarks({"zep": "0.23.0", "langflux": "unknown"}))


def test_what_is_measured_is_named_by_its_files() -> None:
    assert taken_for("zep", "0.27.2") == "0.27.2"
    assert {"1.8.4", "2.2.8", "3.0.13"} <= set(measured.measured_versions("langflux"))
