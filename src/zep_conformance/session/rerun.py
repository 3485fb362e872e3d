"""The command that runs just one scenario again, against the same parts and with the same generated people."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

from zep_conformance import suite
from zep_conformance.session.run import RUN
from zep_conformance.settings import SETTINGS, Settings


def rerun_command(item: pytest.Item) -> str:
    """Return the command that runs a scenario again, or just that example of an outline: as a shell takes it.

    Its test is named by its place in the suite, where `zep-conformance run` finds it from any folder.
    """
    run = item.config.stash[RUN]
    test = f"{item.path.relative_to(suite.root()).as_posix()}::{item.nodeid.partition('::')[2]}"
    words = ["zep-conformance", "run", shlex.quote(test)]
    return " ".join([*words, *given_again(run.settings, target=run.target_name, seed=run.seed, hidden=run.redactor)])


def given_again(settings: Settings, *, target: str, seed: int, hidden: Callable[[str], str]) -> list[str]:
    """Return the options, quoted for a shell, that give each setting which differs from its default.

    target: what `auto` chose, where it did. hidden: takes secrets out of a text; what has one is given by its variable.
    """
    words = ["--target", shlex.quote(target), "--seed", str(seed)]
    for field, setting in SETTINGS.items():
        if field in ("target", "seed") or not settings.is_given(field):
            continue
        text = str(getattr(settings, field))
        if setting.is_flag:
            words.append(setting.option)
        elif setting.is_secret or hidden(text) != text:
            words += [setting.option, f'"${setting.variable}"']
        elif text.startswith(("-", "@")):  # pytest takes @FILE for options in a file
            words.append(shlex.quote(f"{setting.option}={text}"))
        else:
            words += [setting.option, shlex.quote(text)]
    return words
