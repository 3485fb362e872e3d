"""The tables of findings in docs/doctor.md and docs/deployment-files.md, made from their catalogues."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby

from zep_conformance.facts.codes import Code


def table(catalogue: Mapping[str, Code]) -> str:
    """Return the findings of a catalogue as Markdown, a table a layer."""
    lines = []
    for layer, entries in groupby(catalogue.values(), key=lambda entry: entry.layer):
        lines += [f"### {layer}", "", "| code | symptom | cause | what to do |", "|---|---|---|---|"]
        for entry in entries:
            note = " (note)" if entry.verdict == "note" else ""
            texts = [_shown(text) for text in (entry.symptom, entry.cause, entry.advice)]
            lines.append(f"| `{entry.code}`{note} | {' | '.join(texts)} |")
        lines.append("")
    return "\n".join(lines)


def _shown(text: str) -> str:
    """Return a text with its words to be filled in shown as such."""
    return re.sub(r"\{(\w+)\}", r"*\1*", text.replace("|", "\\|"))
