"""The command `zep-conformance check-files`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from zep_conformance.cli.options import write
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.report import show
from zep_conformance.deployment_files.sarif import sarif
from zep_conformance.deployment_files.sources import load
from zep_conformance.doctor.report import as_json, console, exit_code


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_machine", is_flag=True, help="For machines.")
@click.option(
    "--sarif",
    "to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the findings to FILE too, as SARIF 2.1.0: for GitHub's code scanning, and for editors.",
)
def command(*, paths: tuple[Path, ...], as_machine: bool, to: Path | None) -> int:
    """Say what is wrong with deployment files, without deploying them: render.yaml, fly.toml, a Compose project,
    Kubernetes manifests.

    PATHS are folders, or files. Exit code 0: fit, 1: a fault was found, 2: could not tell.
    """
    began = time.monotonic()
    findings = examine(load(paths))
    seconds = time.monotonic() - began
    if to is not None:
        write(to, sarif(findings), force=True)
    if as_machine:
        click.echo(as_json(findings, seconds))
    else:
        show(console(), findings, seconds)
    return exit_code(findings)
