"""Make every generated page of docs/: `python -m zep_conformance.docsgen`, or `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from zep_conformance.docsgen.pages import PAGES
from zep_conformance.docsgen.versions import keep
from zep_conformance.errors import CannotTell


@click.command("python -m zep_conformance.docsgen")
@click.option("--check", is_flag=True, help="Write nothing; say which pages are stale, and exit with 1 if one is.")
@click.option(
    "--measured",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="REPORT",
    help="Keep what the run of this conformance.json came to in docs/data/ first, for docs/versions.md.",
)
def main(*, check: bool, measured: tuple[Path, ...]) -> None:
    """Make every generated page of docs/ again, and name those that have changed.

    Exit code 0: done, 1: a page is stale (--check), 2: a report that is none.
    """
    try:
        for report in measured:
            click.echo(f"kept in {keep(report)}")
    except CannotTell as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
    stale = [page for page in PAGES if page.is_stale()]
    for page in stale:
        click.echo(f"{'stale' if check else 'written'}: docs/{page.name}")
        if not check:
            page.path.write_text(page.fresh(), encoding="utf-8")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
