"""Make every generated page of docs/: `python -m zep_conformance.docsgen`, or `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from zep_conformance.compatibility.measurements import keep, read_reports, with_kept
from zep_conformance.docsgen.pages import pages
from zep_conformance.errors import CannotTell
from zep_conformance.report.terminal import wrapped

_COLUMNS = 80


@click.command("python -m zep_conformance.docsgen")
@click.option("--check", is_flag=True, help="Write nothing; say which pages are stale, and exit with 1 if one is.")
@click.option(
    "--measured",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="REPORT",
    help="First keep what whole runs came to in docs/data/: every conformance.json of a version or pair at once.",
)
@click.option(
    "--added",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="REPORT",
    help="The same of further runs, which are joined with what is kept there already.",
)
def main(*, check: bool, measured: tuple[Path, ...], added: tuple[Path, ...]) -> None:
    """Make every generated page of docs/ again, and name those that have changed.

    Exit code 0: done, 1: a page is stale (--check), 2: a report that is none.
    """
    try:
        for path in [*keep(read_reports(measured)), *keep(with_kept(read_reports(added)))]:
            click.echo(f"kept in {path}")
    except CannotTell as error:
        for line in wrapped([error.what, f"  {error.advice} [{error.code}]"], _COLUMNS):
            click.echo(line, err=True)
        sys.exit(2)
    stale = [page for page in pages() if page.is_stale()]
    for page in stale:
        click.echo(f"{'stale' if check else 'written'}: docs/{page.name}")
        if not check:
            page.path.parent.mkdir(parents=True, exist_ok=True)
            page.path.write_text(page.fresh(), encoding="utf-8")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
