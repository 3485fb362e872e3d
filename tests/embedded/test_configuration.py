"""The embedded Zep reads its variables as the real one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from zep_conformance.embedded import applications
from zep_conformance.facts.servers import go_bool

TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


@pytest.mark.parametrize("text", [*TRUE, *FALSE])
def test_what_go_reads_as_true_and_false(text: str) -> None:
    assert go_bool(text) is (text in TRUE)


@pytest.mark.parametrize("text", ["yes", "on", "tRUE", " true", ""])
def test_nothing_else_is_either(text: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        go_bool(text)


@pytest.mark.parametrize("name", ["ZEP_AUTH_REQUIRED", "ZEP_SERVER_WEB_ENABLED"])
def test_zep_does_not_start_with_what_it_can_not_read(tmp_path: Path, name: str) -> None:
    environment = {"ZEP_OPENAI_API_KEY": "sk-none", name: "yes"}
    with pytest.raises(SystemExit, match=f"{name}: 'yes' is neither true nor false"):
        applications.zep_app(database=tmp_path / "zep.sqlite3", environment=environment)


@pytest.mark.parametrize("text", TRUE)
def test_every_spelling_of_true_asks_for_a_secret(tmp_path: Path, text: str) -> None:
    environment = {"ZEP_OPENAI_API_KEY": "sk-none", "ZEP_AUTH_REQUIRED": text}
    with pytest.raises(SystemExit, match="Auth secret not set"):
        applications.zep_app(database=tmp_path / "zep.sqlite3", environment=environment)
