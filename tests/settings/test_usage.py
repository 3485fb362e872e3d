"""Which targets use a setting: what the chosen one does not use is refused, or named where it may be another's."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from zep_conformance.errors import CannotTell
from zep_conformance.settings import SETTINGS, for_target
from zep_conformance.settings.sources import read_settings

ZEP, LANGFLUX = {"zep_url": "http://zep"}, {"langflux_url": "http://langflux"}
VALUES: dict[str, Any] = {
    "target": "remote", "read_only": True, "max_requests": 9, "time_limit": "5m", "rate": 2.5, "without": "ui",
    "seed": 4, "sequences": 2, "wait_limit": 3.5, "latency_budget": 70, "message_window": 6, "load_users": 3,
    "deployment_files": "x", "freeze_after": 4, "allow_load": True, "thorough": True,
    **ZEP, **LANGFLUX, "zep_token": "t", "zep_auth_secret": "s", "langflux_api_key": "k", "langflux_user": "u",
    "langflux_password": "p", "browser": sys.executable, "zep_url_from_langflux": "http://there",
    "model_url": "http://model/v1", "chatflow": "c", "zep_image": "i", "nlp_image": "i", "postgres_image": "i",
    "langflux_image": "i", "model_image": "i", "registry": "r", "keep": True, "fresh": True, "langflux_command": "x",
    "langflux_version": "2.2.8", "install_langflux": True, "zep_binary": "z", "postgres_dsn": "postgres://d",
    "recorded_behaviours": "all", "embedding_model": "m", "mutations": "zep:lastn-ignored", "reports": "r",
    "events": "e", "keep_runs": 3, "formats": "junit", "failed": True,
    "fail_on": "must", "accept": "DEV-7", "require": "must", "baseline": "b", "strict_deviations": True,
    "from_zep": "0.20.1", "to_zep": "z", "from_langflux": "1.8.4", "to_langflux": "3.0.13", "and_back": True,
}  # fmt: skip
"""Of each setting a value that is not its default."""
ALWAYS = "E C K P R"
# Who uses it: given alone; given with a Zep; given with a LangFlux. E embedded, C containers, K compose, P processes,
# R remote.
TABLE: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(
        ("target", "read_only", "max_requests", "rate", "without", "seed", "sequences", "wait_limit", "latency_budget",
         "load_users", "deployment_files", "langflux_url", "reports", "keep_runs", "events", "formats", "failed",
         "fail_on", "accept", "baseline", "strict_deviations", "time_limit", "require", "freeze_after",
         "thorough"),
        (ALWAYS, ALWAYS, ALWAYS),
    ),
    "message_window": ("C K R", ALWAYS, "C K R"),
    "allow_load": ("R", "E C P R", "R"),
    "zep_url": ("E C P R", "E C P R", "E C P R"),
    "zep_token": ("K R", ALWAYS, "K R"),
    "zep_auth_secret": ("K", ALWAYS, "K"),
    "langflux_api_key": ("", "", ALWAYS),
    "langflux_user": ("", "", ALWAYS),
    "langflux_password": ("", "", ALWAYS),
    "chatflow": ("", "", ALWAYS),
    "browser": ("C P", "C P", ALWAYS),
    "zep_url_from_langflux": ("", "E C P", "E C K R"),
    "model_url": ("C K P", "C K P", ALWAYS),
    "zep_image": ("C", "C", "C"),
    "nlp_image": ("C", "C", "C"),
    "postgres_image": ("C", "C", "C"),
    "registry": ("C", "C", "C"),
    "langflux_image": ("C", "C", ""),
    "model_image": ("C K", "C K", "C K"),
    "keep": ("C", "C", "C"),
    "fresh": ("C", "C", "C"),
    "langflux_command": ("P", "P", ""),
    "langflux_version": ("P", "P", ""),
    "install_langflux": ("P", "P", ""),
    "zep_binary": ("P", "P", "P"),
    "postgres_dsn": ("", "", ""),
    "recorded_behaviours": ("E K P", "E K P", "E P"),
    "embedding_model": ("E P", "E P", "E P"),
    "mutations": ("E P", "E P", "E P"),
    "from_zep": ("E", "", "E"),
    "to_zep": ("C E", "", "C E"),
    "from_langflux": ("E", "E", ""),
    "to_langflux": ("C E P", "C E P", ""),
    "and_back": ("E", "E", "E"),
}  # fmt: skip
TARGETS = {"E": "embedded", "C": "containers", "K": "compose:../zep", "P": "processes", "R": "remote"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)


def test_every_setting_is_in_the_table() -> None:
    assert TABLE.keys() == SETTINGS.keys() == VALUES.keys()


@pytest.mark.parametrize("letter", TARGETS)
@pytest.mark.parametrize("beside", [0, 1, 2], ids=["alone", "with a Zep", "with a LangFlux"])
@pytest.mark.parametrize("field", TABLE)
def test_every_setting_on_every_target(field: str, beside: int, letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is given beside it is there by variables: those are named and left out where the target has no use for them.
    for name in ((), ZEP, LANGFLUX)[beside]:
        monkeypatch.setenv(SETTINGS[name].variable, VALUES[name])
    settings = read_settings({field: VALUES[field]})
    target = TARGETS[letter]
    if letter in TABLE[field][beside].split():
        used, _ = for_target(settings, target)
        assert getattr(used, field) == getattr(settings, field)
        return
    with pytest.raises(CannotTell) as caught:
        for_target(settings, target)
    assert caught.value.code == "setting-unused"
    assert caught.value.what.startswith(SETTINGS[field].option)
    assert f"target {target.partition(':')[0]} does not use it" in caught.value.what


@pytest.mark.parametrize("field", TABLE)
def test_a_variable_is_refused_where_it_is_ours_alone_and_else_named(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = SETTINGS[field].variable
    for letter, target in TARGETS.items():
        monkeypatch.setenv(variable, "1" if VALUES[field] is True else str(VALUES[field]))
        settings = read_settings({})
        if letter in TABLE[field][0].split():
            assert for_target(settings, target) == (settings, [])
        elif variable.startswith("ZEP_CONFORMANCE_"):
            with pytest.raises(CannotTell, match=rf"\${variable}"):
                for_target(settings, target)
        else:
            used, named = for_target(settings, target)
            assert named == [f"${variable}"]
            assert getattr(used, field) == SETTINGS[field].default


@pytest.mark.parametrize(
    ("options", "target", "complaint"),
    [
        ({"keep": True, "fresh": True}, "containers", "--keep was given, and target containers does not use it with"),
        ({"langflux_command": "x", "langflux_version": "2.2.8"}, "processes", "--langflux-version was given"),
        ({"postgres_dsn": "postgres://d"}, "processes", "does not use it without --zep-binary"),
        ({"model_image": "i", "model_url": "http://m"}, "compose:x", "does not use it with --model-url"),
        ({"zep_binary": "z", "recorded_behaviours": "zep:x"}, "processes", "--recorded-behaviours zep:x was given"),
        ({"mutations": "langflux:x"}, "processes", "--mutations langflux:x"),
        ({"mutations": "page:x"}, "embedded", "--mutations page:x was given, and target embedded does not use it"),
        ({"mutations": "files:x", "deployment_files": "y"}, "embedded", "--mutations files:x"),
        ({"mutations": "files:x"}, "remote", "--mutations files:x"),
    ],
)
def test_what_contradicts_each_other_is_refused(options: dict[str, Any], target: str, complaint: str) -> None:
    with pytest.raises(CannotTell) as caught:
        for_target(read_settings(options), target)
    assert complaint in caught.value.what


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"mutations": "page:x"}, "containers"),
        ({"mutations": "page:x", **LANGFLUX}, "remote"),
        ({"mutations": "files:x,zep:y,langflux:z"}, "embedded"),
        ({"recorded_behaviours": "langflux:x"}, "compose:x"),
        ({"postgres_dsn": "postgres://d", "zep_binary": "z"}, "processes"),
        ({"langflux_command": "x", "langflux_api_key": "k"}, "processes"),
        ({"message_window": 6, "zep_binary": "z"}, "processes"),
    ],
)
def test_what_belongs_together_is_used(options: dict[str, Any], target: str) -> None:
    settings = read_settings(options)
    assert for_target(settings, target) == (settings, [])


def test_a_key_of_the_table_is_refused_like_an_option(tmp_path: Any) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.zep-conformance]\nkeep = true\n")
    with pytest.raises(CannotTell, match=r"keep in pyproject\.toml was given"):
        for_target(read_settings({}, tmp_path), "remote")
