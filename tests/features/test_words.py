"""The words of steps: those of all modules share their fixtures' names, and are told apart all the same."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from zep_conformance import suite

ONE = """
from pytest_bdd import parsers
from fixtures.words import given, then

@given("a thing", target_fixture="thing")
def thing(): ...

@given(parsers.parse("{count:d} things"))
def things(count): ...

@then(parsers.re("(?P<count>[0-9]+) are left"), converters={"count": int})
def left(count): ...
"""
ANOTHER = """
from fixtures.words import given

@given("nothing")
def nothing(): ...
"""


def steps_of(text: str) -> dict[str, Any]:
    """Return the steps of a module, by the names of their fixtures."""
    module = ModuleType("steps_of_a_test")
    exec(text, module.__dict__)
    found = {name: one for name, one in vars(module).items() if name.startswith("pytestbdd_")}
    return {name: one._get_wrapped_function()() for name, one in found.items()}


def test_the_steps_of_several_modules_share_names() -> None:
    one, another = steps_of(ONE), steps_of(ANOTHER)
    assert len(one) == 3
    assert another.keys() < one.keys()


def test_a_step_is_known_by_its_words() -> None:
    thing, things, left = steps_of(ONE).values()
    matching = [one.parser.is_matching("2 things") for one in (thing, things, left)]
    assert matching == [False, True, False]
    assert things.parser.parse_arguments("2 things") == {"count": 2}
    assert left.parser.parse_arguments("12 are left") == {"count": "12"}
    assert (thing.target_fixture, left.converters, left.type) == ("thing", {"count": int}, "then")


def test_every_step_of_the_suite_is_made_by_these_words() -> None:
    modules = list((suite.root() / "steps").glob("*.py"))
    taken = [line for one in modules for line in one.read_text().splitlines() if line.startswith("from pytest_bdd ")]
    assert taken
    assert set(taken) == {"from pytest_bdd import parsers"}
