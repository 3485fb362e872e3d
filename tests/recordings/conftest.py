"""What the tests of the commands that record and replay share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.replaying import Shell, running
from zep_conformance.processes.fleet import Fleet


@pytest.fixture(scope="module")
def recorded_servers() -> Iterator[Fleet]:
    """Start servers that answer as recorded, for a whole module."""
    with running() as fleet:
        yield fleet


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return what runs the commands as a shell would."""
    return Shell(capsys, monkeypatch)
