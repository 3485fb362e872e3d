"""Findings about deployment files on a terminal: by file, with their lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from zep_conformance.deployment_files.findings import ASPECTS, FileFinding
from zep_conformance.deployment_files.sources import KINDS, Kind
from zep_conformance.doctor.findings import Finding
from zep_conformance.doctor.report import show_group, show_verdict

_COLUMN = max(map(len, ASPECTS))


def show(console: Console, findings: Sequence[FileFinding], seconds: float) -> None:
    """Print the findings for people."""
    kind: Kind
    for kind, called in KINDS.items():
        of_kind = [finding for finding in findings if finding.part == kind]
        for file in dict.fromkeys(finding.file for finding in of_kind):
            rows: list[tuple[Finding, str]] = [
                (finding, with_line(finding)) for finding in of_kind if finding.file == file
            ]
            show_group(console, file, rows, kind=called, column=_COLUMN)
    show_verdict(console, findings, seconds)


def with_line(finding: FileFinding) -> str:
    """Return a finding's symptom with its line before it, where it is about one."""
    return finding.symptom if finding.line is None else f"line {finding.line}: {finding.symptom}"
