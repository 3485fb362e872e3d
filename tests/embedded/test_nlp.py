"""What the embedded NLP server finds in texts."""

from __future__ import annotations

import pytest

from zep_conformance.embedded.nlp import entities


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi, my name is Ada Lovelace and I live in Lisbon", [("Ada Lovelace", "PERSON"), ("Lisbon", "GPE")]),
        ("Hello Ann-Marie O'Neil", [("Ann-Marie O'Neil", "PERSON")]),
        ("Tea is good. Coffee too, says Bob", [("Bob", "PERSON")]),
        ("nothing at all", []),
        ("", []),
    ],
)
def test_names_are_found_by_their_capitals(text: str, found: list[tuple[str, str]]) -> None:
    assert [(one["name"], one["label"]) for one in entities(text)] == found


@pytest.mark.timeout(10)
def test_a_long_text_takes_no_longer_than_its_parts() -> None:
    """For each name all that goes before it was searched: 20 s."""
    [bob, rome] = entities("He met Bob in Rome today. " * 4000)
    assert [(one["name"], one["label"], len(one["matches"])) for one in (bob, rome)] == [
        ("Bob", "PERSON", 4000),
        ("Rome", "GPE", 4000),
    ]


def test_each_place_of_a_name_is_listed_once() -> None:
    text = "We met Zoë; I like Zoë"
    [entity] = entities(text)
    assert [text[one["start"] : one["end"]] for one in entity["matches"]] == ["Zoë", "Zoë"]
    assert [one["start"] for one in entity["matches"]] == [7, 19]
