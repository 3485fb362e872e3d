"""A table of findings in a page of the documentation, made from their catalogue.

`python -m zep_conformance.docsgen.doctor docs/doctor.md` writes it into the page, between its two marks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from zep_conformance.doctor.catalogue import CATALOGUE, Entry

BEGIN, END = "<!-- findings: begin -->", "<!-- findings: end -->"


def table(catalogue: Mapping[str, Entry] = CATALOGUE) -> str:
    """The findings of a catalogue as Markdown, a table a layer."""
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
    """A text with its words to be filled in shown as such."""
    return re.sub(r"\{(\w+)\}", r"*\1*", text.replace("|", "\\|"))


def write(path: Path, catalogue: Mapping[str, Entry] = CATALOGUE) -> None:
    """Write the table into a page that has the two marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{table(catalogue)}\n{END}{after}")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
