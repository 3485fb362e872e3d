"""Where settings come from, and which goes before which."""

from __future__ import annotations

from pathlib import Path

import pytest

from zep_conformance.errors import CannotTell
from zep_conformance.settings import read


def project(folder: Path, *lines: str) -> Path:
    (folder / "pyproject.toml").write_text("\n".join(["[tool.zep-conformance]", *lines]))
    return folder


def test_a_pyproject_sets_what_nothing_else_does(tmp_path: Path) -> None:
    found = read({}, project(tmp_path, 'zep-url = "http://from-file"', "load-users = 3", "read-only = true"))
    assert (found.zep_url, found.load_users, found.read_only) == ("http://from-file", 3, True)


def test_a_variable_goes_before_it_and_an_option_before_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path, 'zep-url = "http://from-file"')
    monkeypatch.setenv("ZEP_URL", "http://from-variable")
    assert read({}, folder).zep_url == "http://from-variable"
    assert read({"zep_url": "http://from-option"}, folder).zep_url == "http://from-option"


def test_other_tables_and_no_file_set_nothing(tmp_path: Path) -> None:
    assert read({}, tmp_path).load_users == 12
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nload-users = 3\n")
    assert read({}, tmp_path).load_users == 12


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('zep-ulr = "x"', "zep-url"),
        ("load_users = 3", "load-users"),
        ('zep-token = "abcdefgh"', r"\$ZEP_TOKEN"),
        ("load-users = 0", "load-users in pyproject.toml"),
        ("load-users = [", "can't be read"),
    ],
)
def test_what_is_wrong_is_named_with_what_helps(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(CannotTell, match=said) as caught:
        read({}, project(tmp_path, line))
    assert "abcdefgh" not in str(caught.value)
