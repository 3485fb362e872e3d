"""The command `zep-conformance check-files`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import typer

from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.report import show
from zep_conformance.deployment_files.sources import load
from zep_conformance.doctor.report import as_json, console, exit_code
from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.terminal import wrapped

COLUMNS = 80
"""Of what is said when it could not tell."""


def main(paths: Sequence[Path], *, as_machine: bool) -> int:
    """Look at the files and say what is found. Returns 0 fit, 1 a fault was found, 2 it could not tell."""
    began = time.monotonic()
    try:
        findings = examine(load(paths))
    except CannotTell as error:
        what, advice = complaint(error)
        for line in wrapped([what], COLUMNS):
            typer.secho(line, fg="red", err=True)
        for line in wrapped([f"  {advice}"], COLUMNS):
            typer.echo(line, err=True)
        return 2
    seconds = time.monotonic() - began
    if as_machine:
        typer.echo(as_json(findings, seconds))
    else:
        show(console(), findings, seconds)
    return exit_code(findings)


def complaint(error: CannotTell) -> tuple[str, str]:
    """Why it could not tell, and what to do, without what looks like a secret."""
    hidden = Redactor()
    return hidden(error.what), hidden(error.advice)
