"""Documents of runs, as small as they may be: made by what makes those of real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.folder import REPORT, RunFolder, write
from zep_conformance.report.observations import Observations, PartSeen, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.report.reading import Report, read
from zep_conformance.session.verdict import Gate, conclude

BEGAN = datetime(2026, 11, 26, 23, 17, 19, tzinfo=UTC)


def document(
    *records: Record, target: str = "remote", second: int = 0, versions: Mapping[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Return the document of a run with these records. more: keys of it that are others."""
    parts = {name: PartSeen(version=version) for name, version in (versions or {"zep": "0.27.2"}).items()}
    seen = Observations(target=TargetSeen(name=target, deployed=True), parts=parts)
    concluded = conclude(
        records, seen, Gate(), requirements=load_requirements(), exit_status=0, seed=7, prefix="zc-1",
        started=BEGAN + timedelta(seconds=second), duration=1.0,
    )  # fmt: skip
    return concluded.report | more


def kept(reports: Path, found: Mapping[str, Any], second: int = 0, **files: str) -> RunFolder:
    """Keep a document as that of a run. files: what else it wrote, as .txt."""
    run = RunFolder.of(reports, started=BEGAN + timedelta(seconds=second), prefix=f"zc-{second:08x}")
    run.hold()
    write(run.path / REPORT, json.dumps(found))
    for name, text in files.items():
        write(run.path / f"{name}.txt", text)
    run.publish(is_whole=found["verdict"] != "could not tell")
    run.close(keep=20)
    return run


def read_back(folder: Path, found: Mapping[str, Any], name: str = "report.json") -> Report:
    """Return a document as it is read from a file."""
    path = folder / name
    path.write_text(json.dumps(found))
    return read(path)
