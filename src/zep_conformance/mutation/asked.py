"""What `--mutations` and `--recorded-behaviours` ask for, held against what there is."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import CORES, EMBEDDED_FREEZE
from zep_conformance.settings import Settings, names_in, option

OPTIONS = ("mutations", "recorded_behaviours")
"""The settings that name what is planted."""


def refuse_unknown_names(settings: Settings) -> None:
    """Check what a run is asked to plant, on whatever target. Raises CannotTell for a name that there is not."""
    for setting in OPTIONS:
        names_by_part(settings, setting)


def names_by_part(settings: Settings, setting: str) -> dict[str, list[str]]:
    """Return the names that a setting of `OPTIONS` lists, by part; none for "none" and "all".

    Raises CannotTell for a name that there is not, with those that are close.
    """
    asked = getattr(settings, setting)
    if asked in ("", "none", "all"):
        return {}  # the catalogue is a tenth of a second to import
    from zep_conformance.mutation import catalogue

    known = {
        "mutations": [one.full_name for one in catalogue.MUTATIONS],
        "recorded_behaviours": [one.full_name for one in catalogue.RECORDED_BEHAVIOURS],
    }
    found: dict[str, list[str]] = {}
    for name in names_in(asked):
        if name not in known[setting]:
            elsewhere = next((option(other) for other, names in known.items() if name in names), "")
            raise unknown_name(name, known[setting], given=option(setting), belongs_to=elsewhere)
        part, _, short = name.partition(":")
        found.setdefault(part, []).append(short)
    return found


def unknown_name(name: str, known: Sequence[str], *, given: str, belongs_to: str = "") -> CannotTell:
    """Return the error for a name that there is not, with those that are close.

    known: the names that there are. given: the option that has it. belongs_to: the option that takes it, if one does.
    """
    close = difflib.get_close_matches(name, known, n=3)
    advice = f"Did you mean {' or '.join(close)}?" if close else "docs/mutations.md lists them, as part:name."
    if belongs_to:
        advice = f"It is one of {belongs_to}."
    return CannotTell(f"{given}: there is no {name!r}", advice, code="mutation-unknown")


def planted_in_servers(settings: Settings) -> dict[str, Any]:
    """Return the arguments of `processes.parts.parts_for` that say in what the parts are not as documented.

    How many cores Zep has is said by the variable that says it to the real one.
    Raises CannotTell for a name that there is not.
    """
    asked = settings.recorded_behaviours
    return {
        "recorded_behaviours": asked if asked in ("none", "all") else names_by_part(settings, "recorded_behaviours"),
        "mutations": names_by_part(settings, "mutations"),
        "environment": {name: value for name in (CORES, EMBEDDED_FREEZE) if (value := os.environ.get(name))},
    }
