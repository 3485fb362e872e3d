"""The commands `zep-conformance report …`: what is made of the reports that runs have left."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from zep_conformance.cli.options import takes_settings, write
from zep_conformance.errors import CannotTell

if TYPE_CHECKING:
    from zep_conformance.report.tables import Page
    from zep_conformance.settings import Settings

FORMATS = ("terminal", "markdown", "html", "json")


@click.group()
def command() -> None:
    """Compare and hand on the reports that runs have left."""


def _shown(called: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that say how its result is shown."""
    called = click.option("--output", type=click.Path(path_type=Path), help="A file for it, in place of the terminal.")(
        called
    )
    called = click.option("--force", is_flag=True, help="Overwrite that file.")(called)
    return click.option(
        "--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True, help="How it is shown."
    )(called)


def _show(
    page: Callable[[], Page], data: Callable[[], dict[str, Any]], form: str, output: Path | None, force: bool
) -> None:
    """Show a result in a form, cleaned of what looks like a secret: a report may have been edited."""
    from zep_conformance.redaction.redactor import Redactor
    from zep_conformance.report import tables

    redactor = Redactor()
    if form == "json":
        text = json.dumps(redactor.everywhere(data()), indent=2, ensure_ascii=False) + "\n"
    else:
        clean = page().clean(redactor)
        color = output is None and sys.stdout.isatty()
        render = {"terminal": lambda one: tables.terminal(one, color=color), "markdown": tables.markdown,
                  "html": tables.html}[form]  # fmt: skip
        text = render(clean)
    if output is None:
        click.echo(text, nl=False)
    else:
        write(output, text, force=force)


@command.command()
@click.argument("then", metavar="A")
@click.argument("now", metavar="B")
@_shown
@takes_settings("reports")
def diff(settings: Settings, then: str, now: str, form: str, output: Path | None, force: bool) -> int:
    """Say what got better and worse from report A to report B.

    A report is a conformance.json, a folder with one, `latest`, or the name of a run (or how it begins). Exit code 0:
    nothing got worse, 1: something did, 2: one of them can't be read. Latencies alone make nothing worse; they are
    called slower only where that is more than chance.
    """
    from zep_conformance.report import comparing
    from zep_conformance.report.reading import find, read

    found = comparing.compare(*(read(find(one, settings.reports)) for one in (then, now)))
    _show(lambda: comparing.page(found), found.as_json, form, output, force)
    return 1 if found.is_worse else 0


@command.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@_shown
@takes_settings("reports")
def history(settings: Settings, folder: Path | None, form: str, output: Path | None, force: bool) -> int:
    """Show what each kept run came to, and which scenarios are flaky.

    FOLDER: where runs are kept, that of --reports by default. A scenario is flaky where its outcome changed between
    runs of the same target and versions.
    """
    from zep_conformance.report import history as histories

    found = histories.history(folder or settings.reports)
    _show(lambda: histories.page(found), found.as_json, form, output, force)
    return 0


@command.command()
@click.argument("files", metavar="REPORT...", nargs=-1, required=True)
@_shown
@takes_settings("reports")
def matrix(settings: Settings, files: tuple[str, ...], form: str, output: Path | None, force: bool) -> int:
    """Show requirements beside reports, such as those of several versions.

    A report is a conformance.json, a folder with one, `latest`, or the name of a run (or how it begins). What is not
    the same in all of them comes first.
    """
    from zep_conformance.report import matrix as matrices
    from zep_conformance.report.reading import find, read

    found = matrices.matrix([read(find(one, settings.reports)) for one in files])
    _show(lambda: matrices.page(found, signs=form == "terminal"), found.as_json, form, output, force)
    return 0


@command.command()
@click.argument("run", required=False, default="latest")
@click.option("--output", type=click.Path(path_type=Path), help="The file.  [default: zep-conformance-RUN.zip]")
@click.option("--force", is_flag=True, help="Overwrite that file.")
@takes_settings("reports")
def bundle(settings: Settings, run: str, output: Path | None, force: bool) -> int:
    """Make one file of a run that can be attached to a report of a bug.

    RUN: `latest`, or what `report diff` takes. Its reports, logs and failed exchanges are in it, the versions of
    everything and the settings; what looks like a secret and the names of hosts are taken out, and pictures are left
    out. It says what is in it.
    """
    from zep_conformance.redaction.redactor import Redactor
    from zep_conformance.report.bundle import bundle as bundled
    from zep_conformance.report.reading import find, read
    from zep_conformance.settings import SETTINGS
    from zep_conformance.settings.sources import read_settings

    report = read(find(run, settings.reports))
    path = output or Path(f"zep-conformance-{Path(report.name).stem}.zip")
    # What this machine is given now may be what somebody has pasted into a report since.
    secrets = read_settings(dict.fromkeys(SETTINGS)).secrets()
    try:
        found = bundled(report, Redactor(secrets))
    except OSError as error:
        raise CannotTell(
            f"{error.filename or report.path.parent} can't be read: {error.strerror}",
            "Give another run.",
            code="report-unreadable",
        ) from None
    write(path, found.content, force=force)
    for line in found.lines():
        click.echo(_fold(line))
    click.echo(_fold(f"{path}: {len(found.content)} bytes; look through it before you hand it on"))
    return 0


def _fold(line: str) -> str:
    """Return a line in 80 columns; what goes on is indented."""
    return fill(line, 80, initial_indent="", subsequent_indent="    ", break_on_hyphens=False, drop_whitespace=True,
                replace_whitespace=False)  # fmt: skip
