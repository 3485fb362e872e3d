"""The requirements: what the documentation promises, as data (fixtures/data/requirements.toml)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from zep_conformance import suite

TAG = re.compile(r"[A-Z]+-\d+")
"""A scenario tag that names a requirement (`SESSION-3`) or a deviation (`DEV-4`)."""

SOURCES = {
    "intro": "the documentation, introduction",
    "deploy": "the documentation, “Deploy Zep”",
    "digital-ocean": "the documentation, “Guide to Deploy Zep to Digital Ocean”",
    "ui": "the documentation, “Use in LangFlux UI”",
    "api": "the documentation, “Use in LangFlux API”",
    "auth": "the documentation, “Zep Authentication”",
    "zep": "Zep's own documentation of 0.27.2",
    "own": "not written down; what a user of a store may expect",
}


@dataclass(frozen=True)
class Requirement:
    """One documented promise. needs: the capabilities that a target must offer for it to be checked."""

    id: str
    source: str
    level: str
    needs: tuple[str, ...]
    text: str
    deviations: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.id} ({self.level}): {self.text}\n  source: {SOURCES[self.source]}"


def load_requirements(path: Path | None = None) -> dict[str, Requirement]:
    """Return the requirements by id; those of the suite without a path. Raises ValueError naming a bad entry."""
    path = path or suite.data() / "requirements.toml"
    found = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["requirement"]:
        try:
            needs, deviations = tuple(entry["needs"]), tuple(entry.get("deviations", ()))
            requirement = Requirement(entry["id"], entry["source"], entry["level"], needs, entry["text"], deviations)
        except KeyError as error:
            raise ValueError(f"{path}: {entry.get('id', entry)} lacks {error}") from error
        if requirement.source not in SOURCES or requirement.level not in ("MUST", "SHOULD"):
            raise ValueError(f"{path}: {requirement.id} has an unknown source or level")
        found[requirement.id] = requirement
    return found
