"""What is named before an upgrade: what one config.yaml says otherwise than another."""

from __future__ import annotations

from pathlib import Path

import pytest

from zep_conformance.deployment_files.config_changes import between_files, changes
from zep_conformance.errors import CannotTell

CONFIG = """
llm:
  model: gpt-3.5-turbo-1106
extractors:
  messages:
    embeddings:
      dimensions: 384
      service: local
auth:
  secret: one-that-nobody-knows
server:
  web_enabled: true
"""


def changed(old: str, new: str) -> list[str]:
    assert old in CONFIG
    return changes(CONFIG, CONFIG.replace(old, new))


def test_what_is_alike_is_not_named() -> None:
    assert changes(CONFIG, CONFIG) == []


def test_another_width_comes_first_with_what_it_costs() -> None:
    first, *_ = changes(CONFIG, CONFIG.replace("384", "1536").replace("gpt-3.5-turbo-1106", "gpt-4o"))
    assert first.startswith("extractors.messages.embeddings.dimensions is 1536, and was 384")
    assert "lose their embeddings" in first


def test_removed_new_and_changed_settings_are_named() -> None:
    assert changed("  web_enabled: true", "  host: 0.0.0.0") == [
        "server.host is new: 0.0.0.0",
        "server.web_enabled is no longer there; it was true",
    ]
    assert changed("gpt-3.5-turbo-1106", "gpt-4o-mini") == ["llm.model is gpt-4o-mini, and was gpt-3.5-turbo-1106"]


def test_a_key_that_zep_does_not_know_is_called_one() -> None:
    [line] = changed("  web_enabled: true", "  web_enabled: true\n  web_port: 80")
    assert "Zep 0.27.2 does not look at it" in line


def test_a_table_that_was_empty_is_not_named_itself() -> None:
    before = CONFIG.replace("llm:", "llm:\n  azure_openai:")
    after = CONFIG.replace("llm:", "llm:\n  azure_openai:\n    llm_deployment: mine")
    assert changes(before, after) == ["llm.azure_openai.llm_deployment is new: mine"]
    assert changes(after, before) == ["llm.azure_openai.llm_deployment is no longer there; it was mine"]


def test_no_secret_is_shown() -> None:
    [line] = changed("one-that-nobody-knows", "another-that-nobody-knows")
    assert "auth.secret is" in line
    assert "nobody-knows" not in line


def test_an_image_without_its_config_is_named() -> None:
    assert "store.type must be set" in changes(CONFIG, None)[0]
    assert changes(None, CONFIG)


def test_what_can_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "before.yaml").write_text(CONFIG)
    (tmp_path / "after.yaml").write_text("llm: [")
    for other in ("after.yaml", "none.yaml"):
        with pytest.raises(CannotTell, match=r"config\.yaml|can't read"):
            between_files(tmp_path / "before.yaml", tmp_path / other)
