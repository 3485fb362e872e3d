"""The pages of docs/ that are made from what the project knows: whole ones, and parts of others between two marks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zep_conformance import suite
from zep_conformance.docsgen import findings, mutations, requirements, versions
from zep_conformance.facts.codes import codes


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
        """Return where it is."""
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


PAGES = (
    GeneratedPage("requirements.md", requirements.page),
    GeneratedPage("mutations.md", mutations.page),
    GeneratedPage("doctor.md", lambda: findings.table(codes("doctor")), "findings"),
    GeneratedPage("deployment-files.md", lambda: findings.table(codes("deployment-files")), "findings"),
    GeneratedPage("versions.md", versions.table, "versions"),
)
