"""The deployment files that come with this project, as they are, or with mutations planted in their texts.

The mutations are data (fixtures/data/deployment_mutations.toml): what somebody has done to such files, or could.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from zep_conformance import suite
from zep_conformance.deployment_files.sources import Sources, load
from zep_conformance.errors import HarnessError
from zep_conformance.facts.mutations import Mutations

_KEY = "sk-" + "3f9c1a7be0d24865" * 3
"""What «key» stands for: it looks like a key of OpenAI's, and is none."""


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


def _mutations() -> Mutations:
    made = Mutations("files")
    path = suite.data() / "deployment_mutations.toml"
    for one in tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]:
        made.mutation(one["name"], one["about"], *one["breaks"])(partial(_change, one["changes"]))
    return made


def _change(changes: Iterable[tuple[str, str, str]], texts: dict[str, str]) -> None:
    """Replace texts that must be in a file once. Raises HarnessError where one is not."""
    for file, old, new in changes:
        if texts[file].count(old) != 1:
            raise HarnessError(f"a mutation does not fit {file} any more: {old!r}")
        texts[file] = texts[file].replace(old, new.replace("«key»", _KEY))


MUTATIONS = _mutations()
