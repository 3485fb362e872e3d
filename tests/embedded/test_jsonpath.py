"""Metadata filters: what is there of SQL/JSON path does what PostgreSQL does."""

from __future__ import annotations

import pytest

from zep_conformance.embedded.zep.jsonpath import compile_path


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ('$ ? (@.topic == "tea")', True),
        ('$ ? (@.topic == "tea" && @.count >= 3)', True),
        ("$ ? (@.count == 3.0)", True),
        ('$ ? (@.count > 3 || @.topic < "sugar")', False),
        ("$ ? (!(@.count > 3))", True),
        ("$ ? (!(@.missing == 1))", True),
        ('$ ? (!(@.count == "3"))', False),
        ("$ ? (@.count != null)", True),
        ('$.system.entities[*] ? (@.Label == "PERSON")', False),
        ('$.people[*] ? (@."first name" == "Ann")', True),
        ("$.people.age ? (@ == 30)", True),
        ("$.people.missing", False),
    ],
)
def test_a_filter_finds_as_postgresql_does(path: str, found: bool) -> None:
    metadata = {"topic": "tea", "count": 3, "people": [{"first name": "Ann"}, {"age": 30}]}
    assert compile_path(path)(metadata) is found
