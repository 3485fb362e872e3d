"""What a Zep comes to be told: by a variable, by the config.yaml that is put into it, or by the one in its image."""

from __future__ import annotations

from zep_conformance.deployment_files.located import Place
from zep_conformance.deployment_files.model import Application
from zep_conformance.facts.zep_settings import ALIASES, DEFAULTS, variable_of

_OTHER_NAMES = {variable: alias for alias, variable in ALIASES.items()}


def setting(zep: Application, key: str) -> str | None:
    """Return what a setting of a Zep comes to, "" where it is nothing; None where the files do not say.

    key: as in config.yaml, `llm.service`.
    """
    variable = variable_of(key)
    for name in (variable, _OTHER_NAMES.get(variable, variable)):
        value = zep.variables.get(name)
        if value is not None and value.text != "":
            return value.text
    if zep.variables_unseen:
        return None
    if zep.config is None:
        return DEFAULTS.get(key, "")
    return "" if zep.config.seen and not zep.config.problem else None


def has(zep: Application, key: str) -> bool | None:
    """Tell whether a setting of a Zep is anything; None where the files do not say."""
    variable = variable_of(key)
    if any(zep.is_set(name) for name in (variable, _OTHER_NAMES.get(variable, variable))):
        return True
    found = setting(zep, key)
    return None if found is None else bool(found)


def place_of(zep: Application, *keys: str) -> Place:
    """Return where the first of these settings that stands anywhere stands; that of the Zep where none does."""
    found = (zep.variables.get(variable_of(key)) for key in keys)
    return next((one.place for one in found if one is not None), zep.place)


def called(zep: Application, key: str) -> str:
    """Return what a setting is called where it stands, or is to stand: a variable, or a key of config.yaml."""
    value = zep.variables.get(variable_of(key))
    return (value.key if value else "") or variable_of(key)
