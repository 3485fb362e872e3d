"""Servers that several tests of the embedded ones ask, each for a whole module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.zep_asked import Asked, asking
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for


@pytest.fixture(scope="module")
def zep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Start a Zep that keeps every requirement, with nothing beside it."""
    with Fleet(parts_for(["zep"], data=tmp_path_factory.mktemp("data"))) as fleet, asking(fleet) as asked:
        yield asked


@pytest.fixture(scope="module")
def model_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a model server, in a fleet of its own, and return its URL."""
    with Fleet(parts_for(["model"], data=tmp_path_factory.mktemp("model"))) as fleet:
        yield fleet.url("model")
