"""Findings on a terminal, and for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from zep_conformance.doctor.findings import LAYERS, Finding, faults

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "fault": ("FAULT", "bold red")}
_LOOKED_AT = {
    "zep": ("URL", "name", "TCP", "TLS", "HTTP", "version", "token", "store", "NLP"),
    "langflux": ("URL", "name", "TCP", "TLS", "HTTP", "version", "key", "view"),
    "model": ("URL", "name", "TCP", "TLS", "HTTP", "model"),
}


def exit_code(findings: Sequence[Finding]) -> int:
    """0 fit, 1 a fault was found, 2 nothing was examined."""
    if not findings:
        return 2
    return 1 if faults(list(findings)) else 0


def as_json(findings: Sequence[Finding], seconds: float) -> str:
    """Return the findings for machines."""
    body = {
        "schema": 1,
        "fit": exit_code(findings) == 0,
        "seconds": round(seconds, 3),
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(body, indent=2, ensure_ascii=False)


def console() -> Console:
    """Return the terminal to write to: as wide as it is, at most 120; 80 where there is none, or what $COLUMNS says."""
    width = None
    if "COLUMNS" not in os.environ and sys.stdout.isatty():
        width = min(os.get_terminal_size(sys.stdout.fileno()).columns, 120)
    return Console(highlight=False, emoji=False, width=width)


def show(console: Console, findings: Sequence[Finding], seconds: float) -> None:
    """Show the findings to people."""
    for part, group in groupby(findings, key=lambda finding: finding.part):
        found = list(group)
        rows = [(finding, finding.symptom) for finding in found]
        show_group(console, part, rows, unseen=_unseen(part, found))
    show_verdict(console, findings, seconds)


def show_group(
    console: Console,
    title: str,
    rows: Sequence[tuple[Finding, str]],
    *,
    kind: str = "",
    column: int = 7,
    unseen: Sequence[str] = (),
) -> None:
    """Print findings that belong together, each with its symptom as it is shown. column: columns for the layer's name.

    kind: what that is which the title names; a title is never broken, so that a path stays one.
    unseen: layers that could not be examined.
    """
    titles = [f"{title} ({kind})" if kind else title]
    if kind and cell_len(titles[0]) > console.width:
        titles = [title, f"  ({kind})"]
    for line in titles:
        console.print(Text(line, style="bold"), soft_wrap=True)
    for finding, symptom in rows:
        mark, style = MARKS[finding.verdict]
        paragraphs: list[_Words] = [[(symptom, "")]]
        if finding.verdict != "ok":
            paragraphs += [
                [("why:", "dim"), (finding.cause, "")],
                [("to do:", "dim"), (finding.advice, ""), (f"[{finding.code}]", "dim")],
            ]
        _show_row(console, Text(mark, style=style), finding.layer, paragraphs, column=column)
    if unseen:
        words: _Words = [(f"not looked at: {', '.join(unseen)}", "dim")]
        _show_row(console, Text("-", style="dim"), "", [words], column=column)
    console.print()


_Words = list[tuple[str, str]]
"""Pieces of a text, each with its style."""


def _show_row(console: Console, mark: Text, layer: str, paragraphs: Sequence[_Words], *, column: int) -> None:
    """Print one row: a mark, a layer, and its texts, which are broken between words only, if that can be."""
    beginning = Text("  ") + mark + Text(" " * (6 - mark.cell_len) + layer.ljust(column + 1))
    indent = beginning.cell_len
    first = True
    for paragraph in paragraphs:
        for line in _broken(paragraph, console.width - indent, console.width):
            if first:
                console.print(
                    beginning + (line if line.cell_len <= console.width - indent else Text("")), soft_wrap=True
                )
            if not first or line.cell_len > console.width - indent:
                fits = line.cell_len <= console.width - indent
                console.print(Text(" " * indent if fits else "") + line, soft_wrap=True)
            first = False


def _broken(paragraph: _Words, width: int, whole: int) -> list[Text]:
    """Return the lines of a paragraph. What is longer than a line (a URL) has one for itself, as wide as the terminal.

    width, whole: columns of a line, and of the terminal.
    """
    lines: list[Text] = []
    line = Text()
    for text, style in paragraph:
        for word in text.split():
            if cell_len(word) > width:
                lines += [line] if line else []
                pieces = [word] if cell_len(word) <= whole else chop_cells(word, whole)
                lines += [Text(piece, style=style) for piece in pieces]
                line = Text()
            elif line.cell_len + bool(line) + cell_len(word) > width:
                lines.append(line)
                line = Text(word, style=style)
            else:
                line = line + Text(" " * bool(line)) + Text(word, style=style)
    return [*lines, line] if line or not lines else lines


def show_verdict(console: Console, findings: Sequence[Finding], seconds: float) -> None:
    """Show what it all comes to, in one line."""
    wrong = len(faults(list(findings)))
    notes = sum(finding.verdict == "note" for finding in findings)
    verdict = Text(f"{wrong} fault{'s' * (wrong > 1)}", style="bold red") if wrong else Text("fit", style="bold green")
    others = f", {notes} note{'s' * (notes > 1)}" if notes else ""
    console.print(verdict + Text(f"{others}, in {seconds:.1f} s"))


def _unseen(part: str, findings: list[Finding]) -> list[str]:
    """Return the layers behind a broken one, which could not be examined."""
    wrong = faults(findings)
    if not wrong:
        return []
    last = max((LAYERS.index(finding.layer) for finding in findings if finding.layer != "view"), default=-1)
    return [layer for layer in _LOOKED_AT[part] if LAYERS.index(layer) > last and layer != "view"]
