"""Mutations and recorded behaviours of the embedded servers: where they stand, and how they are planted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import zep_conformance.embedded
from tests.support.properties import broken
from tests.support.zep_asked import asking, fresh
from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.langflux import mutations as langflux
from zep_conformance.embedded.zep import mutations as zep_mutations
from zep_conformance.facts.mutations import Mutations, around
from zep_conformance.facts.recorded_behaviours import recorded_behaviours, shown_by
from zep_conformance.facts.servers import ZEP_VERSION

EMBEDDED = Path(str(zep_conformance.embedded.__file__)).parent
MUTATIONS = {"zep": zep_mutations.MUTATIONS, "langflux": langflux.MUTATIONS}


def names_in_the_server(part: str) -> set[str]:
    """What stands in quotes in an embedded server, but where its mutations are declared."""
    sources = [path for path in (EMBEDDED / part).glob("*.py") if path.stem != "mutations"]
    return set(re.findall(r'"([^"\n]*)"', "".join(path.read_text(encoding="utf-8") for path in sources)))


@pytest.mark.parametrize("part", MUTATIONS)
def test_the_server_knows_no_mutation(part: str) -> None:
    assert names_in_the_server(part) & set(MUTATIONS[part]) == set()


@pytest.mark.parametrize("part", MUTATIONS)
def test_every_recorded_behaviour_is_a_switch_in_the_server(part: str) -> None:
    assert {one.name for one in recorded_behaviours(part)} <= names_in_the_server(part)


def test_all_are_those_of_the_recorded_version() -> None:
    assert Behaviours("zep", "all").active == shown_by("zep", ZEP_VERSION)
    assert "no-message-routes" in shown_by("zep", "0.20.1") - Behaviours("zep", "all").active


@pytest.mark.parametrize("version", ["1.8.4", "2.2.8", "3.0.13"])
def test_one_that_names_its_versions_is_shown_by_those(version: str) -> None:
    assert "clear-misses-node-session" in shown_by("langflux", version)


def test_one_that_names_none_is_shown_by_what_is_like_the_recorded_version() -> None:
    assert "question-checked-late" in shown_by("langflux", "2.2.8") - shown_by("langflux", "3.0.13")


def test_a_misspelt_recorded_behaviour_is_refused_where_it_is_asked_for_and_where_it_is_a_switch() -> None:
    with pytest.raises(KeyError, match=r"unknown recorded behaviour 'token-count-rest'; known: .*token-count-reset"):
        Behaviours("zep", ["token-count-rest"])
    with pytest.raises(KeyError, match="unknown recorded behaviour 'json-as-txt'"):
        _ = "json-as-txt" in Behaviours("zep")


@pytest.mark.parametrize(("body", "status"), [({"text": "tea"}, 500), ({"metadata": {"a": 1}}, 500), ({}, 400)])
def test_where_searches_are_broken_what_is_none_is_refused_as_ever(tmp_path: Path, body: object, status: int) -> None:
    with broken(tmp_path, ["zep", "nlp"], {"zep": ["search-broken"]}) as fleet, asking(fleet) as zep:
        assert zep.client.post(f"/api/v1/sessions/{fresh()}/search", json=body).status_code == status


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
