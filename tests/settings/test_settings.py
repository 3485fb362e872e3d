"""Where settings come from, and which goes before which."""

from __future__ import annotations

from pathlib import Path

import pytest

from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import read_settings


def project(folder: Path, *lines: str) -> Path:
    (folder / "pyproject.toml").write_text("\n".join(["[tool.zep-conformance]", *lines]))
    return folder


def test_a_pyproject_sets_what_nothing_else_does(tmp_path: Path) -> None:
    found = read_settings({}, project(tmp_path, 'zep-url = "http://from-file"', "load-users = 3", "read-only = true"))
    assert (found.zep_url, found.load_users, found.read_only) == ("http://from-file", 3, True)


def test_a_variable_goes_before_it_and_an_option_before_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path, 'zep-url = "http://from-file"')
    monkeypatch.setenv("ZEP_URL", "http://from-variable")
    assert read_settings({}, folder).zep_url == "http://from-variable"
    assert read_settings({"zep_url": "http://from-option"}, folder).zep_url == "http://from-option"


def test_other_tables_and_no_file_set_nothing(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path).load_users == 12
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nload-users = 3\n")
    assert read_settings({}, tmp_path).load_users == 12


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
        read_settings({}, project(tmp_path, line))
    assert "abcdefgh" not in str(caught.value)


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEP_URL", "")
    assert read_settings({}).zep_url is None


@pytest.mark.parametrize("name", ["TARGET", "KEEP", "RATE", "zep_url", "zep_conformance_target"])
def test_a_variable_of_another_name_sets_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = read_settings({})
    monkeypatch.setenv(name, "1")
    assert read_settings({}) == before


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEP_CONFORMANCE_SEED", "many")
    with pytest.raises(CannotTell, match=r"\$ZEP_CONFORMANCE_SEED: "):
        read_settings({})


@pytest.mark.parametrize(
    ("name", "meant"), [("ZEP_CONFORMANCE_TARGT", "TARGET"), ("ZEP_CONFORMANCE_MANNER", "RECORDED_BEHAVIOURS")]
)
def test_a_misspelt_or_renamed_variable_of_ours_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(CannotTell, match=f"ZEP_CONFORMANCE_{meant}"):
        read_settings({})


def test_secrets_do_not_show_in_a_repr() -> None:
    assert "hunter2hunter2" not in repr(read_settings({"zep_token": "hunter2hunter2"}))
