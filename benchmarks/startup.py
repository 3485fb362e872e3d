"""How long until the first scenario, against `pytest --collect-only` of an empty folder.

Prints the median of each and of the rounds' differences. The figure to hold: at most 1.0 s more.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rounds import in_turns

ROOT = Path(__file__).parent.parent
LIMIT = 1.0
# As on anybody's machine: compiled modules are kept, by a first round that does not count.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def empty(folder: str) -> float:
    """Seconds of `pytest --collect-only` where there is nothing to collect, without our plugin."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:zep_conformance", "-p", "no:cacheprovider"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - start


def first_scenario(reports: str) -> float:
    """Seconds from the command to the end of the first scenario."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-v", "--target", "embedded", f"--reports={reports}"]
    process = subprocess.Popen(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "PASSED" in line:
            break
    seconds = time.perf_counter() - start
    process.send_signal(signal.SIGINT)  # what comes after it is not measured
    process.stdout.read()
    process.wait()
    return seconds


def difference(pair: tuple[float, float]) -> float:
    """What comes on top of collecting nothing."""
    return pair[1] - pair[0]


def main() -> None:
    """Measure in turns, print."""
    with tempfile.TemporaryDirectory() as folder:

        def both() -> tuple[float, float]:
            return empty(folder), first_scenario(folder)

        both()
        pairs = in_turns(both, figure=difference, limit=LIMIT)
    nothing, first = (statistics.median(column) for column in zip(*pairs, strict=True))
    figures = {"empty_seconds": nothing, "first_scenario_seconds": first}
    figures["difference"] = statistics.median(map(difference, pairs))
    shown = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({**shown, "rounds": len(pairs), "at_most": LIMIT}))


if __name__ == "__main__":
    main()
