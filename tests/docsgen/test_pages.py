"""The generated pages of docs/: fresh, and found out where they are not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner

from zep_conformance import suite
from zep_conformance.docsgen import __main__ as command
from zep_conformance.docsgen.pages import GeneratedPage, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_page_is_fresh(page: GeneratedPage) -> None:
    """Make them again with `make docs`."""
    assert page.path.read_text(encoding="utf-8") == page.fresh()


def test_a_stale_page_is_named_by_the_check_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    by_hand = "# By hand\n\n<!-- things: begin -->\n\n{}\n<!-- things: end -->\n\nAlso by hand.\n"
    (docs / "part.md").write_text(by_hand.format("old\n"))
    (docs / "whole.md").write_text("new\n")
    monkeypatch.setattr(suite, "root", lambda: tmp_path)
    part = GeneratedPage("part.md", lambda: "new\n", "things")
    both = (part, dataclasses.replace(part, name="whole.md", section=""))
    monkeypatch.setattr(command, "pages", lambda: both)
    checked = CliRunner().invoke(command.main, ["--check"])
    assert (checked.exit_code, checked.output) == (1, "stale: docs/part.md\n")
    assert CliRunner().invoke(command.main).exit_code == 0
    assert (docs / "part.md").read_text() == by_hand.format("new\n")
    checked = CliRunner().invoke(command.main, ["--check"])
    assert (checked.exit_code, checked.output) == (0, "")
