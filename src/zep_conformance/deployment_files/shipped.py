"""The deployment files that come with this project, as they are, or broken on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from zep_conformance import suite
from zep_conformance.deployment_files.mutations import MUTATIONS
from zep_conformance.deployment_files.sources import Sources, load


def folder() -> Path:
    """Return where they are."""
    return suite.data() / "deployment"


def shipped(mutations: Iterable[str] = ()) -> Sources:
    """Return the files, under their bare names, with the named mutations planted.

    Raises KeyError for a mutation that there is not, HarnessError for two that change the same lines.
    """
    found = load([folder()])
    texts = {Path(name).name: text for name, text in found.texts.items()}
    MUTATIONS.plant(mutations, texts)
    return Sources(texts, tuple(Path(name).name for name in found.given))
