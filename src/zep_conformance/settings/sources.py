"""Where settings come from: an option goes before its variable, and that before a file.

The file is the pyproject.toml of the current folder: the keys of its table [tool.zep-conformance] are the options
without the dashes in front. Tokens and keys are better in variables than on a command line, where the machine's other
users can read them.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from zep_conformance.errors import CannotTell
from zep_conformance.settings import OURS, SECRETS, SETTINGS, URLS, Settings

RENAMED = {"manner": "recorded-behaviours", "departures": "mutations"}
"""What an option was called before, without its dashes."""
_NO_SETTINGS = ("CACHE", "VENV")
"""What else is called ZEP_CONFORMANCE_…: where things are kept, whatever is run."""


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder to keep things in: $ZEP_CONFORMANCE_CACHE, or zep-conformance in the user's cache."""
    if chosen := environment.get("ZEP_CONFORMANCE_CACHE"):
        return Path(chosen)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zep-conformance"


def close_to(name: str, known: Iterable[str]) -> str:
    """Return the name that is meant by one that there is not, as far as that can be told; else ""."""
    names = list(known)
    if RENAMED.get(name) in names:
        return RENAMED[name]
    return next(iter(difflib.get_close_matches(name, names, n=1)), "")


def read_settings(options: Mapping[str, Any], folder: Path | None = None) -> Settings:
    """Return the settings of options (None where not given), variables, a pyproject.toml and defaults.

    folder: where that file is looked for, the current one by default.
    Raises CannotTell naming the option, variable or key that is wrong, never its value when that is a secret.
    """
    found: dict[str, tuple[str, Any]] = {}
    for name, value in _from_project(folder or Path()).items():
        found[name] = f"{SETTINGS[name].option[2:]} in pyproject.toml", value
    for name, value in _from_variables().items():
        found[name] = f"${SETTINGS[name].variable}", value
    for name, value in options.items():
        if value is not None:
            found[name] = SETTINGS[name].option, value
    try:
        settings = Settings(**{name: value for name, (_, value) in found.items()})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where, _ = found[name]
        what = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        raise CannotTell(what, f"It is: {SETTINGS[name].text}.", code="option-invalid") from None
    settings._given.update({name: where for name, (where, _) in found.items()})
    return settings


def _from_variables() -> dict[str, str]:
    """Return the fields that variables set; an empty one sets none. Raises CannotTell for a misspelt one of ours."""
    known = {one.variable.removeprefix(OURS): one.variable for one in SETTINGS.values()}
    for name in sorted(os.environ):
        mine = name.removeprefix(OURS)
        if mine != name and mine not in known and mine not in _NO_SETTINGS:
            meant = close_to(mine.lower().replace("_", "-"), (one.option[2:] for one in SETTINGS.values()))
            variable = SETTINGS[meant.replace("-", "_")].variable if meant else ""
            advice = f"Did you mean ${variable}?" if variable else "`zep-conformance run --help` lists what there is."
            raise CannotTell(f"${name} is no setting", advice, code="setting-unknown")
    return {name: value for name, one in SETTINGS.items() if (value := os.environ.get(one.variable))}


def _from_project(folder: Path) -> dict[str, Any]:
    """Return the fields that [tool.zep-conformance] sets. Raises CannotTell for a key that can't be there."""
    path = folder / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("zep-conformance", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        advice = "Correct it, or start in another folder."
        raise CannotTell(f"{path} can't be read: {error}", advice, code="settings-unreadable") from None
    known = {one.option[2:]: name for name, one in SETTINGS.items()}
    for key in table:
        if key not in known:
            meant = close_to(key, known)
            advice = f"Did you mean {meant}?" if meant else "`zep-conformance run --help` lists them, with dashes."
            raise CannotTell(f"{path}: [tool.zep-conformance] has no setting {key!r}", advice, code="setting-unknown")
        if known[key] in SECRETS:
            variable = SETTINGS[known[key]].variable
            what = f"{path}: {key} is a secret, and a file is no place for it"
            raise CannotTell(what, f"Set ${variable} instead.", code="setting-is-secret")
    return {known[key]: value for key, value in table.items()}


def default_settings(options: Mapping[str, Any]) -> Settings:
    """Return settings for a run that ends at once, since those that were given are wrong: defaults.

    Only its target, its seed and where its reports go are as they were given, and what must not be shown.
    """
    given = {name: options.get(name) or os.environ.get(one.variable) for name, one in SETTINGS.items()}
    with contextlib.suppress(CannotTell):  # what is wrong may be just that file
        given = {**_from_project(Path()), **{name: value for name, value in given.items() if value}}
    kept: dict[str, Any] = {name: SecretStr(str(given[name])) for name in SECRETS if given.get(name)}
    kept |= {name: str(given[name]) for name in (*URLS, "target") if given.get(name)}
    if (seed := str(given.get("seed"))).isdecimal():
        kept["seed"] = int(seed)
    return Settings.model_construct(reports=Path(given.get("reports") or "reports"), **kept)
