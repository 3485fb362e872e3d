"""Which LangFlux versions there are locks for, and where each is installed.

A lock is a folder `fixtures/data/langflux-<version>/`: package.json and package-lock.json as npm wants them (without
download addresses, so that any registry will do), and about.toml with what was measured when it was installed.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from zep_conformance import suite
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import LANGFLUX_VERSION

DEFAULT = LANGFLUX_VERSION
"""The version that is installed where none is named: the one that the recordings were made with."""
COMPLETE = "complete"
"""The file whose presence says that an installation came to its end."""


@dataclass(frozen=True)
class Lock:
    """A version that can be installed. node: the Node.js versions it runs on, any of them.

    disk, download: gigabytes that it takes, and that npm fetches at most. minutes: what an installation took, from
    and to, on two cores; the upper one with a compiled sqlite3 and nothing in npm's cache.
    """

    version: str
    source: Path
    node: tuple[SpecifierSet, ...]
    disk: float
    download: float
    minutes: tuple[int, int]

    @property
    def folder(self) -> Path:
        """Where it is installed: in the cache, in a folder of its own for each content of the lock."""
        digest = hashlib.sha256(b"".join((self.source / name).read_bytes() for name in self.files))
        return cache() / f"langflux-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def files(self) -> tuple[str, str]:
        """What npm needs of it."""
        return ("package-lock.json", "package.json")

    @property
    def nodes(self) -> str:
        """The Node.js versions in words: "18 (from 18.15) or 20"."""
        return " or ".join(_in_words(each) for each in self.node)

    def runs_on(self, node: str) -> bool:
        """Whether it runs on this version of Node.js ("v20.11.1")."""
        try:
            return any(each.contains(Version(node.removeprefix("v"))) for each in self.node)
        except InvalidVersion:
            return False


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for what is worth keeping: $ZEP_CONFORMANCE_CACHE, or zep-conformance in the user's cache."""
    if chosen := environment.get("ZEP_CONFORMANCE_CACHE"):
        return Path(chosen)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zep-conformance"


def versions() -> list[str]:
    """The versions that there is a lock for, oldest first."""
    found = (path.parent.name.removeprefix("langflux-") for path in suite.data().glob("langflux-*/about.toml"))
    return sorted(found, key=Version)


def lock(version: str) -> Lock:
    """The lock of a version. Raises CannotTell where there is none."""
    if version not in versions():
        raise CannotTell(
            f"no committed lock for LangFlux {version}",
            f"There are locks for {', '.join(versions())}; any other can be given running, with --langflux-url.",
        )
    source = suite.data() / f"langflux-{version}"
    about = tomllib.loads((source / "about.toml").read_text(encoding="utf-8"))
    return Lock(
        version,
        source,
        tuple(SpecifierSet(each) for each in about["node"]),
        float(about["disk"]),
        float(about["download"]),
        (about["minutes"][0], about["minutes"][1]),
    )


def _in_words(versions: SpecifierSet) -> str:
    """A range within one major version: ">=18.15,<19" is "18 (from 18.15)"."""
    lowest = next(each.version for each in versions if each.operator == ">=")
    major = lowest.partition(".")[0]
    return major if lowest == major else f"{major} (from {lowest})"
