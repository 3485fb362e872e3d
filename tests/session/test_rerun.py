"""The command that a failure gives to run just this again: a shell takes it, and it gives the same settings."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from zep_conformance.redaction.redactor import Redactor
from zep_conformance.session.classification import given_again
from zep_conformance.session.plugin import pytest_addoption
from zep_conformance.settings import SETTINGS, Settings
from zep_conformance.settings.sources import read_settings

TEXTS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip)
NUMBERS: dict[str, Any] = {
    "max_requests": st.integers(1, 10**6),
    "time_limit": st.floats(0.01, 1e6),
    "load_users": st.integers(1, 99),
    "keep_runs": st.integers(1, 99),
    "sequences": st.integers(1, 99),
    "message_window": st.integers(1, 99),
    "rate": st.floats(0.01, 1e6),
    "wait_limit": st.floats(0.01, 1e6),
    "freeze_after": st.floats(0.01, 1e6),
    "latency_budget": st.floats(0.01, 1e6),
}
CHOICES: dict[str, Any] = {
    "without": st.sampled_from(["ui", "ui, control"]),
    "fail_on": st.sampled_from(["must", "deviation"]),
    "accept": st.sampled_from(["DEV-7", "DEV-7, DEV-14"]),
    "formats": st.sampled_from(["all", "html, junit"]),
    "require": st.sampled_from(["must", "all", "API-1, must"]),
    "browser": st.just(sys.executable),
    "target": st.sampled_from(["embedded", "compose:../a folder/zep's"]),
    "seed": st.integers(0, 10**6),
}


def values(field: str) -> Any:
    """Return a strategy for what a setting may be given as."""
    if SETTINGS[field].is_flag:
        return st.just(True)
    return NUMBERS.get(field, CHOICES.get(field, TEXTS))


# The command names its scenario: --failed, which chooses among all, is not in it.
OPTIONS = st.fixed_dictionaries({}, optional={field: values(field) for field in SETTINGS if field != "failed"})


def parsed(words: list[str]) -> dict[str, Any]:
    """Return what pytest makes of these words, by its own parser and the plugin's options."""
    parser = pytest.Parser(_ispytest=True)
    pytest_addoption(parser, pytest.PytestPluginManager())
    found = parser.parse(words)
    return {field: getattr(found, f"zc_{field}") for field in SETTINGS}


def plain(settings: Settings) -> dict[str, Any]:
    """Return the values, secrets in clear."""
    found = {field: getattr(settings, field) for field in SETTINGS}
    return {field: one.get_secret_value() if isinstance(one, SecretStr) else one for field, one in found.items()}


@given(OPTIONS)
def test_the_words_parsed_again_are_the_same_settings(options: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for setting in SETTINGS.values():
            patch.delenv(setting.variable, raising=False)
        settings = read_settings(options)
        seed = 7 if settings.seed is None else settings.seed
        hidden = Redactor(settings.secrets())
        line = " ".join(given_again(settings, target=settings.target, seed=seed, hidden=hidden))
        for secret in settings.secrets():
            assert len(secret) < 8 or secret not in line
        # What a shell puts in place of the variables.
        values_of = {
            f"{setting.option}=${setting.variable}": f"{setting.option}={plain(settings)[field]}"
            for field, setting in SETTINGS.items()
        }
        words = [values_of.get(word, word) for word in shlex.split(line)]
        again = read_settings(parsed(words))
        assert plain(again) == {**plain(settings), "seed": seed}


def test_a_shell_takes_it() -> None:
    settings = read_settings(
        {"zep_token": "hunter2hunter2", "langflux_command": 'it\'s "mine" $HOME `id` ; ü', "keep": True}
    )
    line = " ".join(given_again(settings, target="containers", seed=3, hidden=Redactor(settings.secrets())))
    taken = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {line}"], env={"ZEP_TOKEN": "hunter2hunter2"}, capture_output=True, text=True
    ).stdout.splitlines()  # fmt: skip
    assert "hunter2" not in line
    assert taken == [
        "--target", "containers", "--seed", "3", "--zep-token=hunter2hunter2", "--keep",
        "--langflux-command", "it's \"mine\" $HOME `id` ; ü",
    ]  # fmt: skip
