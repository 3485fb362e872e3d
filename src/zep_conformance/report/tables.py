"""Lines and tables, for a terminal, as Markdown or as a page: what compares reports says the same in each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO

from zep_conformance.redaction.redactor import Redactor

COLUMNS = 80
WORSE, BETTER, PLAIN = "worse", "better", ""
"""What a row may be marked as."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STYLES = {WORSE: "red", BETTER: "green", PLAIN: ""}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row. mark: WORSE, BETTER or PLAIN."""

    cells: tuple[str, ...]
    mark: str = PLAIN


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with a title. narrow: the columns that need their width, by number; all others share what is left."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[Row]
    narrow: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Page:
    """A title, lines, tables, and lines that explain them."""

    title: str
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()
    legend: Sequence[str] = field(default=())

    def clean(self, redactor: Redactor) -> Page:
        """Return it without secrets: before lines are broken, which would else hide one from cleaning."""
        tables = [
            replace(
                table,
                title=redactor(table.title),
                head=tuple(map(redactor, table.head)),
                rows=[replace(row, cells=tuple(map(redactor, row.cells))) for row in table.rows],
            )
            for table in self.tables
        ]
        return replace(
            self,
            title=redactor(self.title),
            lines=[*map(redactor, self.lines)],
            tables=tables,
            legend=[*map(redactor, self.legend)],
        )


def terminal(page: Page, *, color: bool = False) -> str:
    """Return a page for a terminal of 80 columns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    def text(value: str, style: str = "") -> Text:
        # What a server said must not command a terminal.
        return Text(_CONTROLS.sub("�", value), style=style)

    out = StringIO()
    console = Console(
        file=out, width=COLUMNS, force_terminal=color, color_system="standard" if color else None, highlight=False
    )
    console.print(text(page.title, "bold"))
    for line in page.lines:
        console.print(text(line))
    for table in page.tables:
        shown = RichTable(
            title=text(table.title, "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
            padding=(0, 1, 0, 0),
        )  # fmt: skip
        for number, name in enumerate(table.head):
            shown.add_column(text(name), no_wrap=number in table.narrow, overflow="fold")
        for row in table.rows:
            shown.add_row(*(text(cell, _STYLES[row.mark]) for cell in row.cells))
        console.print()
        console.print(shown)
    if page.legend:
        console.print()
    for line in page.legend:
        console.print(text(line))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def markdown(page: Page) -> str:
    """Return a page as Markdown; what is worse stands in bold."""
    return "\n\n".join(_blocks(page)) + "\n"


def _blocks(page: Page) -> Iterator[str]:
    from zep_conformance.report.writers.summary import text

    yield f"## {text(page.title)}"
    if page.lines:
        yield "\n".join(f"- {text(line)}" for line in page.lines)
    for table in page.tables:
        lines = [f"| {' | '.join(map(text, table.head))} |", "|" + "---|" * len(table.head)]
        for row in table.rows:
            cells = [text(cell) for cell in row.cells]
            if row.mark == WORSE:
                cells = [f"**{cell}**" if cell else "" for cell in cells]
            lines.append(f"| {' | '.join(cells)} |")
        yield f"### {text(table.title)}\n\n" + "\n".join(lines)
    if page.legend:
        yield "\n".join(f"- {text(line)}" for line in page.legend)


def html(page: Page) -> str:
    """Return a page as HTML that needs no other file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("zep_conformance.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("tables.html").render(page=page)
