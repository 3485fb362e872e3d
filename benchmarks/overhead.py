"""What the suite costs: the embedded run as a whole process, against replaying its own requests bare with httpx.

The requests of one run are recorded first (order, bodies and headers as sent, polls included). Then each round
runs, one after the other on the same machine:

- the suite: `pytest` from its start to its exit, servers and removal included;
- the bare replay: a Python process that starts the same embedded servers, sends the same requests one after the
  other over kept connections with httpx, stops and starts the same parts in between, looks at nothing, and exits.

Prints the median of each, the median of the rounds' ratios, what of the replay went into stopping and starting parts,
and the suite's peak memory. The figure to hold: at most 2.0.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.rounds import in_turns

ROOT = Path(__file__).parent.parent
SUITE = [sys.executable, "-m", "pytest", "-q", "--target", "embedded", "--seed", "1", "-p", "no:cacheprovider"]
# Hypothesis is there for the project's own tests only; its plugin would import it at the end of every run.
SUITE += ["-p", "no:hypothesispytest"]
LIMIT = 2.0
# As on anybody's machine: compiled modules are kept. The first, recorded run fills the caches for both.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run_suite(reports: str, record: Path | None = None) -> tuple[float, float]:
    """Seconds and peak memory (MB, all processes: proportional where the system tells) of one run."""
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)} | ({"RECORD_REQUESTS_TO": str(record)} if record else {})
    plugin = ["-p", "benchmarks.recorder"] if record else []
    start = time.perf_counter()
    process = subprocess.Popen(
        [*SUITE, f"--reports={reports}", *plugin], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    peak = 0.0
    watched = psutil.Process(process.pid)
    while True:
        try:
            process.wait(0.05 if record else None)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _memory(watched))
    seconds = time.perf_counter() - start
    assert process.stdout is not None
    assert process.returncode == 0, process.stdout.read()
    return seconds, peak


def _memory(process: psutil.Process) -> float:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += getattr(one.memory_full_info(), "pss", 0) or one.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


def replay(requests: Path) -> tuple[float, float]:
    """Seconds of one bare replay, from the start of its process to its end, and those of them for control."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.bare_replay", str(requests)]
    done = subprocess.run(command, check=True, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE)
    return time.perf_counter() - start, json.loads(done.stdout)["control_seconds"]


def ratio(pair: tuple[float, float]) -> float:
    """The suite against the bare replay."""
    return pair[0] / pair[1]


def main() -> None:
    """Record, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder, "requests.jsonl")
        _, peak = run_suite(folder, requests)
        count = sum('"control"' not in line[:10] for line in requests.read_text().splitlines()[1:])
        controls = []

        def both() -> tuple[float, float]:
            seconds = run_suite(folder)[0]
            replayed, control = replay(requests)
            controls.append(control)
            return seconds, replayed

        pairs = in_turns(both, figure=ratio, limit=LIMIT)
    suite, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        json.dumps(
            {
                "requests": count,
                "suite_seconds": round(suite, 2),
                "bare_replay_seconds": round(bare, 2),
                "of_which_control": round(statistics.median(controls), 2),
                "ratio": round(statistics.median(map(ratio, pairs)), 2),
                "rounds": len(pairs),
                "at_most": LIMIT,
                "peak_memory_mb": round(peak),
            }
        )
    )


if __name__ == "__main__":
    main()
