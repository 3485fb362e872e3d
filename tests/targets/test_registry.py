"""Which targets there are, and what each says of itself."""

from __future__ import annotations

import pytest

from zep_conformance.errors import CannotTell
from zep_conformance.settings import CAPABILITIES, TARGETS, for_target
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import Target, choose, named, names


def test_every_folder_with_a_target_is_found() -> None:
    assert names() == ["compose", "containers", "embedded", "processes", "remote"]


def test_the_settings_know_which_targets_use_them_for_every_target_that_there_is() -> None:
    assert sorted(TARGETS) == names()


def test_a_target_that_no_setting_knows_is_not_left_unchecked() -> None:
    with pytest.raises(CannotTell, match="was given, and target kubernetes does not use it"):
        for_target(read_settings({"seed": 4}), "kubernetes")


@pytest.mark.parametrize("name", names())
def test_a_target_is_called_as_its_folder_and_offers_known_capabilities(name: str) -> None:
    found = named(name)
    assert issubclass(found, Target) and found.name == name
    assert found.offers <= set(CAPABILITIES)


@pytest.mark.parametrize("name", ["nowhere", "embedded:x", "auto", ""])
def test_a_name_that_is_none_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(CannotTell, match=r"There are: auto, compose:PATH, containers, embedded, processes, remote\."):
        choose(read_settings({}), name)


def test_a_target_is_entitled_as_it_was_given() -> None:
    assert choose(read_settings({"target": "compose:../zep"}), "compose:../zep").title == "compose:../zep"
    assert choose(read_settings({"target": "auto"}), "embedded").title == "embedded"
