"""Mutations and recorded behaviours of the embedded servers: where they stand, and how they are planted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import zep_conformance.embedded.zep
from tests.support.properties import broken
from tests.support.zep_asked import asking, fresh
from zep_conformance.embedded.zep.mutations import MUTATIONS
from zep_conformance.facts.mutations import Mutations, around
from zep_conformance.facts.recorded_behaviours import recorded_behaviours

ZEP = Path(str(zep_conformance.embedded.zep.__file__)).parent


def names_in_the_server() -> set[str]:
    """What stands in quotes in the embedded Zep, but where mutations and recorded behaviours are declared."""
    sources = [path for path in ZEP.glob("*.py") if path.stem != "recorded_behaviours"]
    return set(re.findall(r'"([^"\n]*)"', "".join(path.read_text(encoding="utf-8") for path in sources)))


def test_the_server_knows_no_mutation() -> None:
    assert names_in_the_server() & set(MUTATIONS) == set()


def test_every_recorded_behaviour_is_a_switch_in_the_server() -> None:
    assert {one.name for one in recorded_behaviours("zep")} <= names_in_the_server()


def test_mutations_of_one_method_add_up(tmp_path: Path) -> None:
    session, planted = fresh(), ["content-trimmed", "roles-lost", "messages-doubled", "lastn-off-by-one"]
    with broken(tmp_path, ["zep"], {"zep": planted}) as fleet, asking(fleet) as zep:
        zep.ask("POST", "sessions", session, "memory", body={"messages": [{"role": "ai", "content": " tea "}]})
        messages = zep.get("sessions", session, "memory", lastn=3)["messages"]
    assert [(one["role"], one["content"]) for one in messages] == [("human", "tea")] * 2


class Greeter:
    def greet(self, name: str) -> str:
        return f"Hello {name}"


def declared() -> Mutations:
    mutations = Mutations("zep")

    @mutations.mutation("louder", "It shouts", "STORE-1")
    def _(greeter: Greeter) -> None:
        around(greeter, "greet")(lambda greet, name: greet(name).upper())

    @mutations.mutation("twice", "It says it twice", "STORE-1")
    def _(greeter: Greeter) -> None:
        around(greeter, "greet")(lambda greet, name: greet(name) * 2)

    @mutations.mutation("renamed", "It is another part of the part", "STORE-2", into="name")
    def _(names: list[str]) -> None:
        names.append("Alice")

    return mutations


def test_what_is_planted_goes_around_what_is_there() -> None:
    greeter, other = Greeter(), Greeter()
    declared().plant(["twice", "louder", "renamed"], greeter)
    assert (greeter.greet("Bob"), other.greet("Bob")) == ("HELLO BOBHELLO BOB", "Hello Bob")


def test_a_mutation_is_planted_into_what_it_was_declared_for() -> None:
    names: list[str] = []
    declared().plant(["louder", "renamed"], names, into="name")
    assert names == ["Alice"]


def test_files_of_mutations_are_put_together_once() -> None:
    one, other = declared(), Mutations("zep")
    other.mutation("last", "It comes last", "STORE-1")(print)
    assert list(Mutations("zep", one, other)) == ["louder", "twice", "renamed", "last"]
    with pytest.raises(ValueError, match="two mutations zep:louder"):
        Mutations("zep", one, one)


def test_a_misspelt_mutation_is_refused_with_what_is_close() -> None:
    with pytest.raises(KeyError, match="did you mean louder"):
        declared().plant(["luoder"], Greeter())
