"""What the reports cost: the seconds that a run spends on them, of all its seconds, measured within one run.

Counted is all that writes or is written for later: each exchange noted, cleaned and packed, the document, and every
writer, the page included. The run is one on the embedded servers, from the start of its process to its exit.

Prints the seconds of each of these, and their share of the run. The figure to hold: at most 5 %.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zep_conformance.report import document
from zep_conformance.report.exchanges import Packer
from zep_conformance.report.transcript import Transcript
from zep_conformance.report.writers import Reports

ROOT = Path(__file__).parent.parent
LIMIT = 0.05
SPENT: dict[str, float] = defaultdict(float)
"""Seconds, by what they went into."""


def _timed(what: str, called: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose time is counted."""

    def timed(*given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return called(*given, **named)
        finally:
            SPENT[what] += time.perf_counter() - start

    return timed


def pytest_configure() -> None:
    """Count, in the run itself (`-p benchmarks.reports`)."""
    for what, owner, name in (
        ("noting exchanges", Transcript, "_keep"),
        ("packing exchanges", Packer, "packed"),
        ("the document", document, "document"),
        ("writing", Reports, "__call__"),
    ):
        setattr(owner, name, _timed(what, getattr(owner, name)))


def pytest_unconfigure() -> None:
    """Write down what was counted."""
    Path(os.environ["REPORTS_COST_TO"]).write_text(json.dumps(SPENT))


def main() -> None:
    """Run, and print."""
    with tempfile.TemporaryDirectory() as folder:
        cost = Path(folder, "cost.json")
        command = [sys.executable, "-m", "pytest", "-q", "--target", "embedded", "--seed", "1", f"--reports={folder}/r"]
        command += ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "benchmarks.reports"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "REPORTS_COST_TO": str(cost)}
        start = time.perf_counter()
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        seconds = time.perf_counter() - start
        spent = json.loads(cost.read_text())
    shown = {what: round(one, 3) for what, one in spent.items()}
    share = round(sum(spent.values()) / seconds, 4)
    print(json.dumps({"run_seconds": round(seconds, 2), **shown, "share": share, "at_most": LIMIT}))


if __name__ == "__main__":
    main()
