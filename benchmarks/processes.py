"""How long until the first scenario on target `processes`, against LangFlux's own start, in turns.

Prints the median of each and their ratio. The figure to hold: at most 1.2. Needs an installed LangFlux
(`zep-conformance install-langflux`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from zep_conformance.targets.processes import installation as langflux_install

ROOT = Path(__file__).parent.parent
LIMIT = 1.2
VERSION = langflux_install.DEFAULT


def bare(folder: Path) -> float:
    """Seconds from starting LangFlux by itself, with an empty state, to its first answer."""
    state = Path(tempfile.mkdtemp(dir=folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    installed = langflux_install.installed(VERSION)
    assert installed is not None, "zep-conformance install-langflux comes first"
    started = time.perf_counter()
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            langflux_install.command(VERSION, installed),
            env={**os.environ, **langflux_install.environment(state, port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        while not _answers(f"http://127.0.0.1:{port}/api/v1/ping"):
            assert process.poll() is None, (state / "log").read_text()[-500:]
            time.sleep(0.02)
        return time.perf_counter() - started
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1.0).status_code == 200
    except httpx.HTTPError:
        return False


def first_scenario(folder: Path) -> float:
    """Seconds from the command to the end of the first scenario."""
    command = [sys.executable, "-m", "pytest", "-v", "--target", "processes", "--langflux-version", VERSION]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, f"--reports={folder / 'reports'}", "-p", "no:cacheprovider", "-m", "DEPLOY-1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdout is not None
    seconds = next(time.perf_counter() - started for line in process.stdout if "PASSED" in line)
    process.stdout.read()
    process.wait()
    return seconds


def main(rounds: int = 3) -> None:
    """Measure in turns, print. A first round does not count: it fills the disk's cache."""
    with tempfile.TemporaryDirectory() as name:
        pairs = [(bare(Path(name)), first_scenario(Path(name))) for _ in range(rounds + 1)][1:]
    alone = statistics.median(pair[0] for pair in pairs)
    first = statistics.median(pair[1] for pair in pairs)
    # Each round by itself: how busy the machine is differs more between rounds than within one.
    ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
    figures = {"langflux_seconds": alone, "first_scenario_seconds": first, "ratio": ratio}
    print(json.dumps({name: round(value, 2) for name, value in figures.items()} | {"at_most": LIMIT}))


if __name__ == "__main__":
    main()
