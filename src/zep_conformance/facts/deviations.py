"""Deviations: known issues of real versions, as data (fixtures/data/deviations.toml).

A scenario tagged with one (`@DEV-4`) still runs on a matching version. It is then expected to fail in the stated
way, and reported as a deviation; any other failure is a failure, and a pass is shown as fixed. One that shows now and
then is a deviation either way. One that a setting mends is the deployment's own: it fails, unless it is accepted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from zep_conformance import suite
from zep_conformance.facts.measured import taken_for


@dataclass(frozen=True)
class Deviation:
    """One known issue. versions: by part, those it was measured on; all must match.

    expect: a regular expression that the failure's text must contain. mended_by: what an operator can set so that it
    does not show, "" where there is nothing. intermittent: whether it shows now and then, so that a pass says nothing.
    anywhere: whether it may be what any scenario fails with, tagged with it or not.
    """

    id: str
    versions: Mapping[str, SpecifierSet]
    requirement: str
    what: str
    expect: re.Pattern[str]
    evidence: str
    mended_by: str = ""
    intermittent: bool = False
    anywhere: bool = False

    def applies(self, versions: Mapping[str, str]) -> bool:
        """Return whether it is expected of parts of these versions; a part whose version is unknown never deviates.

        A version that nobody has measured is taken for the measured one that stands for it.
        """
        try:
            return all(
                part in versions and specifier.contains(Version(taken_for(part, versions[part])), prereleases=True)
                for part, specifier in self.versions.items()
            )
        except InvalidVersion:
            return False


def load_deviations(path: Path | None = None) -> dict[str, Deviation]:
    """Return the deviations by id; those of the suite without a path.

    Raises KeyError, TypeError or ValueError for a bad entry.
    """
    path = path or suite.data() / "deviations.toml"
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["deviation"]
    for entry in entries:
        entry["versions"] = {part: SpecifierSet(text) for part, text in entry["versions"].items()}
        entry["expect"] = re.compile(entry["expect"], re.DOTALL)
    return {entry["id"]: Deviation(**entry) for entry in entries}
