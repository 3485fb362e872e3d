"""Is the suite flaky? Runs it again and again on the embedded servers, in random order and on two workers.

    python benchmarks/flakiness.py            20 runs
    python benchmarks/flakiness.py --runs 3

Each run has people, texts and an order of its own. Whatever is not the same in all of them is listed. Exit code 0:
every scenario had one outcome throughout; 1: not so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

RUN_LIMIT = 600


def outcomes(folder: Path, number: int) -> dict[str, str]:
    """The outcome of each scenario in one run, by node id."""
    command = [sys.executable, "-m", "zep_conformance", "run", "-q", "-n", "2", "--target", "embedded"]
    order = ["--random-order", f"--random-order-seed={number}", f"--seed={number}", f"--reports={folder}"]
    subprocess.run([*command, *order], check=False, capture_output=True, timeout=RUN_LIMIT)
    report = json.loads((folder / "conformance.json").read_text(encoding="utf-8"))
    return {one["nodeid"]: one["outcome"] for found in report["requirements"] for one in found["scenarios"]}


def main() -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    seen: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number in range(1, runs + 1):
        with tempfile.TemporaryDirectory(prefix="zep-conformance-flakiness-") as folder:
            for nodeid, outcome in outcomes(Path(folder), number).items():
                seen[nodeid][outcome].append(number)
        print(f"run {number} of {runs}", flush=True)
    flaky = {nodeid: found for nodeid, found in seen.items() if len(found) > 1}
    absent = {nodeid for nodeid, found in seen.items() if sum(map(len, found.values())) != runs}
    for nodeid, found in flaky.items():
        print(f"{nodeid}: " + "; ".join(f"{outcome} in runs {numbers}" for outcome, numbers in found.items()))
    for nodeid in absent:
        print(f"{nodeid}: not in every run")
    print(f"{len(seen)} scenarios in {runs} runs: {len(flaky)} flaky")
    return 1 if flaky or absent or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
