"""The deployment files that come with this project, as they are, or broken on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from zep_conformance import suite
from zep_conformance.deployment_files.defects import EDITS
from zep_conformance.deployment_files.sources import Sources, load
from zep_conformance.errors import HarnessError


def folder() -> Path:
    """Where they are."""
    return suite.data() / "deployment"


def shipped(defects: Iterable[str] = ()) -> Sources:
    """The files, under their bare names, with defects planted. Raises KeyError for one that there is not."""
    found = load([folder()])
    texts = {Path(name).name: text for name, text in found.texts.items()}
    for defect in defects:
        for edit in EDITS[defect]:
            if texts[edit.file].count(edit.old) != 1:
                raise HarnessError(f"the defect {defect} does not fit {edit.file} any more: {edit.old!r}")
            texts[edit.file] = texts[edit.file].replace(edit.old, edit.new)
    return Sources(texts, tuple(Path(name).name for name in found.given))
