"""The command `zep-conformance annotate`: a report as GitHub's annotations."""

from __future__ import annotations

import json
from pathlib import Path

import click

from zep_conformance.errors import CannotTell
from zep_conformance.report.annotations import commands


@click.command()
@click.argument("report", type=click.Path(path_type=Path), default=Path("reports/conformance.json"))
def command(*, report: Path) -> int:
    """Print what failed in REPORT, by default reports/conformance.json, as GitHub's runner takes it from a step's
    output: it shows that on the job's page, and at the lines of the features.

    Exit code 0, whatever it says; 2: there is no such report.
    """
    advice = "Give the conformance.json of a run of this version."
    try:
        found = list(commands(json.loads(report.read_text(encoding="utf-8"))))
    except (OSError, ValueError) as error:
        raise CannotTell(f"{report} can't be read: {error}", advice, code="report-unreadable") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise CannotTell(f"{report} is no report that is known here", advice, code="report-unreadable") from error
    for line in found:
        click.echo(line)
    return 0
