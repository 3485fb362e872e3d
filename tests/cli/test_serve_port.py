"""The embedded servers in the foreground: what keeps them from starting is said as by any command."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from zep_conformance.cli.main import main
from zep_conformance.processes.parts import listen


def test_a_port_in_use_is_said_with_the_option_that_helps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with listen("another", "127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--part", "model", "--model-port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.splitlines() == [
        f"port {port} on 127.0.0.1, for model, is in use",
        "  Give another with --model-port, or 0 for a free one. [port-taken]",
    ]
    assert list(tmp_path.iterdir()) == []
