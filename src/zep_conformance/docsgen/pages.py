"""The pages of docs/ that are made from what the project knows: whole ones, and parts of others between two marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from zep_conformance import suite
from zep_conformance.compatibility.measurements import kept
from zep_conformance.docsgen import cells, compatibility, head, requirements
from zep_conformance.facts.codes import Code, codes
from zep_conformance.facts.recorded_behaviours import RecordedBehaviour
from zep_conformance.mutation.catalogue import PAGE, RECORDED_BEHAVIOURS, WITHOUT_PAGE, Planted


@dataclass(frozen=True)
class GeneratedPage:
    """One page. make: returns its text, as Markdown. section: where only what is between its marks is made, their name.

    The marks of section `findings` are the lines `<!-- findings: begin -->` and `<!-- findings: end -->`.
    """

    name: str
    make: Callable[[], str]
    section: str = ""

    @property
    def path(self) -> Path:
        """Where it is."""
        return suite.root() / "docs" / self.name

    def fresh(self) -> str:
        """Return the page as it must be, with what is written by hand as it is."""
        if not self.section:
            return self.make()
        begin, end = (f"<!-- {self.section}: {where} -->" for where in ("begin", "end"))
        before, _, rest = self.path.read_text(encoding="utf-8").partition(begin)
        return f"{before}{begin}\n\n{self.make()}\n{end}{rest.partition(end)[2]}"

    def is_stale(self) -> bool:
        """Return whether the page has to be made again."""
        return not self.path.exists() or self.path.read_text(encoding="utf-8") != self.fresh()


def findings_table(catalogue: Mapping[str, Code]) -> str:
    """Return the findings of a catalogue as Markdown, a table a layer."""
    lines = []
    for layer, entries in groupby(catalogue.values(), key=lambda entry: entry.layer):
        lines += [f"### {layer}", "", "| code | symptom | cause | what to do |", "|---|---|---|---|"]
        for entry in entries:
            note = " (note)" if entry.verdict == "note" else ""
            texts = [entry.explained(text, "*{}*".format) for text in (entry.symptom, entry.cause, entry.advice)]
            cells = " | ".join(text.replace("|", "\\|") for text in texts)
            lines.append(f"| `{entry.code}`{note} | {cells} |")
        lines.append("")
    return "\n".join(lines)


def mutations_page() -> str:
    """Return docs/mutations.md."""
    return "\n".join(_mutation_lines()) + "\n"


def _mutation_lines() -> Iterator[str]:
    yield "# Mutations and recorded behaviours: how what is tested can be other than documented"
    yield ""
    yield "Made by `python -m zep_conformance.docsgen`. A *recorded behaviour* is what a real version does beside its"
    yield "documentation; `--recorded-behaviours` switches all of them, or those named, on in the embedded servers. A"
    yield "*mutation* is a fault planted on purpose, by `--mutations part:name,…`, to prove that a check can fail."
    yield from _planted_table("Recorded behaviours: what Zep 0.27.2 and Flowise 2.2.8 do", RECORDED_BEHAVIOURS)
    yield from _planted_table("Mutations of the embedded servers and of our deployment files", WITHOUT_PAGE)
    yield from _planted_table("Mutations of the page, between LangFlux and the browser", PAGE)


def _planted_table(title: str, rows: tuple[Planted, ...]) -> Iterator[str]:
    yield from head(title, "name", "part", "breaks", "known as", "what then happens")
    for one in rows:
        known_as = (one.deviation or "") if isinstance(one, RecordedBehaviour) else ""
        yield cells(f"`{one.name}`", one.part, ", ".join(one.breaks), known_as, one.about)


def pages() -> tuple[GeneratedPage, ...]:
    """Return every generated page of docs/, and what is made for machines beside them."""
    return (
        GeneratedPage("requirements.md", requirements.page),
        GeneratedPage("mutations.md", mutations_page),
        GeneratedPage("doctor.md", lambda: findings_table(codes("doctor")), "findings"),
        GeneratedPage("deployment-files.md", lambda: findings_table(codes("deployment-files")), "findings"),
        GeneratedPage("compatibility.md", compatibility.page, "measured"),
        GeneratedPage("data/compatibility.json", compatibility.machine_readable),
        *(
            GeneratedPage(f"data/badges/{one.name}.{ending}", partial(make, one))
            for one in kept()
            for ending, make in (("json", compatibility.badge_data), ("svg", compatibility.badge_picture))
        ),
    )
