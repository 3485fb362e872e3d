"""Recorded behaviours: what a real version does beside its documentation, as recordings show it.

They are data (fixtures/data/recorded_behaviours.toml); each is a switch in the embedded server of its part.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from packaging.specifiers import SpecifierSet

from zep_conformance import suite
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.measured import taken_for
from zep_conformance.facts.servers import LANGFLUX_VERSION, ZEP_VERSION

RECORDED = {"zep": ZEP_VERSION, "langflux": LANGFLUX_VERSION}
"""The version of each part whose recording comes with the suite."""
_ALIKE = {"zep": SpecifierSet(f">=0.20.1,<={ZEP_VERSION}"), "langflux": SpecifierSet(f"=={LANGFLUX_VERSION}")}
"""The versions that show what is no deviation: those whose recordings, and sources, are alike in it."""


@dataclass(frozen=True)
class RecordedBehaviour:
    """One thing that a real version does beside its documentation, which an embedded server can do as well.

    name: kebab-case, what then happens. part: "zep" or "langflux". about: what then happens, as a sentence. breaks: ids
    of the requirements that do not hold because of it, empty where none speaks of it. deviation: the DEV-n id under
    which it is known, where it has one. versions: those that show it, where it has none and others than those that are
    like the recorded one do.
    """

    name: str
    part: str
    about: str
    breaks: tuple[str, ...] = ()
    deviation: str | None = None
    versions: str = ""

    @property
    def full_name(self) -> str:
        """Part and name, as --recorded-behaviours wants it: `zep:token-count-reset`."""
        return f"{self.part}:{self.name}"


@cache
def recorded_behaviours(part: str) -> tuple[RecordedBehaviour, ...]:
    """Return all that there are of a part. Raises KeyError or TypeError for a bad entry."""
    path = suite.data() / "recorded_behaviours.toml"
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["recorded_behaviour"]
    found = (RecordedBehaviour(**{**entry, "breaks": tuple(entry["breaks"])}) for entry in entries)
    return tuple(one for one in found if one.part == part)


def shown_by(part: str, version: str) -> frozenset[str]:
    """Return the names of those that a real server of this version is known to show.

    One that is known as a deviation is shown by the versions that deviate, any other by those that it names, or else by
    those that are like the one that was recorded.
    """
    deviations = load_deviations()
    seen = {**RECORDED, part: version}

    def is_shown(one: RecordedBehaviour) -> bool:
        if one.deviation:
            return deviations[one.deviation].applies(seen)
        return taken_for(part, version) in (SpecifierSet(one.versions) if one.versions else _ALIKE[part])

    return frozenset(one.name for one in recorded_behaviours(part) if is_shown(one))
