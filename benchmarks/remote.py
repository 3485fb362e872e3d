"""What a remote run costs over loopback, against the embedded run: the same servers, one started by the run, one not.

Runs them in turns; prints the median of each and of the rounds' ratios. The figure to hold: at most 1.1.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jwt

from benchmarks.rounds import in_turns

ROOT = Path(__file__).parent.parent
LIMIT = 1.1
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
# What an embedded target offers and a remote one can't is left out of both.
SAME = ["-q", "--seed", "1", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--without", "control"]


def timed(arguments: list[str], environment: dict[str, str]) -> float:
    """Seconds of one run of the suite, as a whole process."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", *SAME, *arguments]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    return time.perf_counter() - start


def ratio(pair: tuple[float, float]) -> float:
    """The remote run against the embedded one."""
    return pair[1] / pair[0]


def main() -> None:
    """Serve, measure in turns, print."""
    secret = base64.urlsafe_b64encode(secrets.token_bytes(64)).decode()
    ports = [word for part in ("zep", "langflux", "model", "nlp") for word in (f"--{part}-port", "0")]
    serve = subprocess.Popen(
        [sys.executable, "-m", "zep_conformance", "serve", "--recorded-behaviours", "none", *ports],
        env={**ENVIRONMENT, "ZEP_AUTH_SECRET": secret},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serve.stdout is not None
    urls = json.loads(serve.stdout.readline())
    remote = {
        **ENVIRONMENT,
        "ZEP_CONFORMANCE_TARGET": "remote",
        "ZEP_URL": urls["zep"],
        "ZEP_TOKEN": jwt.encode({}, secret, "HS256"),
        "ZEP_AUTH_SECRET": secret,
        "LANGFLUX_URL": urls["langflux"],
        "LANGFLUX_API_KEY": urls["langflux_api_key"],
        "MODEL_URL": urls["model"],
    }
    embedded = {**ENVIRONMENT, "ZEP_CONFORMANCE_TARGET": "embedded"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            arguments = [f"--reports={folder}"]

            def both(*further: str) -> tuple[float, float]:
                return timed([*arguments, *further], embedded), timed([*arguments, *further], remote)

            both("-m", "API-3")  # compiles what is not compiled yet, and does not count
            pairs = in_turns(both, figure=ratio, limit=LIMIT)
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait()
    one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    figures = {"embedded_seconds": one, "remote_seconds": other, "ratio": statistics.median(map(ratio, pairs))}
    shown = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({**shown, "rounds": len(pairs), "at_most": LIMIT}))


if __name__ == "__main__":
    main()
