"""Which versions the suite was measured on, and which of them stands for one that nobody has measured.

The measurements are in docs/data/: a small file for each Zep by itself (`zep-0.23.0.json`), and for each pair of a Zep
with a LangFlux (`zep-0.23.0-langflux-2.2.8.json`), made of the reports of whole runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from packaging.version import InvalidVersion, Version

from zep_conformance import suite

PARTS = ("zep", "langflux")
_NAME = re.compile(r"zep-(?P<zep>.+?)(?:-langflux-(?P<langflux>.+))?\.json")


@cache
def measured_versions(part: str) -> tuple[str, ...]:
    """Return the versions of a part ("zep", "langflux") that whole runs were made on, oldest first."""
    names = (_NAME.fullmatch(path.name) for path in suite.measurements().glob("zep-*.json"))
    return tuple(sorted({name[part] for name in names if name and name[part]}, key=Version))


def standing_for(version: str, measured: Iterable[str]) -> str:
    """Return the measured version that a version is taken for: itself, where it is one of them.

    Else the newest of those before it, since what a version does is as a rule what the one before it did; the oldest
    where it is older than all; itself where none is measured, or it is no version.
    """
    found = sorted(measured, key=Version)
    try:
        wanted = Version(version)
    except InvalidVersion:
        return version
    if not found:
        return version
    before = [one for one in found if Version(one) <= wanted]
    return before[-1] if before else found[0]


def taken_for(part: str, version: str) -> str:
    """Return the measured version that stands for this one of a part, by the rule of `standing_for`."""
    return standing_for(version, measured_versions(part))


def remarks(versions: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each part whose version nobody has measured. versions: by part; what is no version is passed."""
    for part, version in versions.items():
        stand_in = taken_for(part, version)
        if _differ(version, stand_in):
            where = "before" if Version(stand_in) < Version(version) else "after"
            why = f"the nearest measured version {where} it"
            yield f"nobody has measured {part} {version}: its deviations are taken to be those of {stand_in}, {why}"


def _differ(one: str, other: str) -> bool:
    try:
        return Version(one) != Version(other)
    except InvalidVersion:
        return False
