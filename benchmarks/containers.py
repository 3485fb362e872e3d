"""How long until the first scenario on `containers`, against `docker compose up --wait` of the same images.

The composed project is the documented one: PostgreSQL's health check as in Zep's own docker-compose.yaml, the others'
as in their images. Side by side, in turns; the images are those of `eval "$(.ci/images)"`. Prints the median of each
and their ratio. The figure to hold: at most 1.1.
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

ROOT = Path(__file__).parent.parent
LIMIT = 1.1
PROJECT = "zep-conformance-benchmark"
# As on anybody's machine: compiled modules are kept, by a first round that does not count.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def composed() -> dict[str, object]:
    """The project: the parts that the target starts, wired in the same way."""
    zep = {
        "ZEP_OPENAI_API_KEY": "none-is-needed-here",
        "ZEP_LLM_OPENAI_ENDPOINT": "http://model:8080/v1",
        "ZEP_NLP_SERVER_URL": "http://nlp:5557",
        "ZEP_STORE_TYPE": "postgres",
        "ZEP_STORE_POSTGRES_DSN": "postgres://postgres:postgres@postgres:5432/postgres?sslmode=disable",
    }
    secured = {**zep, "ZEP_AUTH_REQUIRED": "true", "ZEP_AUTH_SECRET": "not-a-secret-in-a-benchmark"}
    check = {"test": ["CMD", "pg_isready", "-q", "-U", "postgres"], "interval": "5s", "timeout": "5s", "retries": 5}
    after = {"postgres": {"condition": "service_healthy"}}
    image = {part: os.environ[f"{part.upper()}_IMAGE"] for part in ("zep", "nlp", "postgres", "langflux", "model")}
    return {
        "services": {
            "postgres": {
                "image": image["postgres"],
                "environment": {"POSTGRES_PASSWORD": "postgres"},
                "healthcheck": check,
            },
            "nlp": {"image": image["nlp"], "ports": ["127.0.0.1::5557"]},
            "zep": {"image": image["zep"], "environment": zep, "depends_on": after, "ports": ["127.0.0.1::8000"]},
            "zep-secured": {
                "image": image["zep"],
                "environment": secured,
                "depends_on": after,
                "ports": ["127.0.0.1::8000"],
            },
            "langflux": {"image": image["langflux"], "ports": ["127.0.0.1::3000"]},
            "model": {
                "image": image["model"],
                "command": ["serve", "--part", "model", "--from-environment", "--host", "0.0.0.0"],
                "ports": ["127.0.0.1::8080"],
            },
        }
    }


def compose_up(file: str) -> float:
    """Seconds of `docker compose up --wait`; everything is removed after that."""
    command = [*compose(), "-p", PROJECT, "-f", file]
    start = time.perf_counter()
    subprocess.run([*command, "up", "-d", "--wait"], check=True, capture_output=True)
    seconds = time.perf_counter() - start
    subprocess.run([*command, "down", "-v", "-t", "0"], check=True, capture_output=True)
    return seconds


def compose() -> list[str]:
    """The command, of version 2. Exits where there is none: version 1 can't wait."""
    command = ["docker", "compose"]
    if subprocess.run([*command, "version"], capture_output=True).returncode:
        sys.exit("no docker compose of version 2: install it as a plugin of the docker command")
    return command


def first_scenario(reports: str) -> float:
    """Seconds from the command to the end of the first scenario."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-v", "--target", "containers", f"--reports={reports}", "-m", "DEPLOY-1"]
    process = subprocess.Popen(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    seconds = 0.0
    for line in process.stdout:
        if "PASSED" in line and not seconds:
            seconds = time.perf_counter() - start
    if process.wait() or not seconds:
        sys.exit("the run on containers did not pass")
    return seconds


def main(rounds: int = 3) -> None:
    """Measure in turns, print."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "compose.yaml")
        file.write_text(json.dumps(composed()))
        pairs = [(compose_up(str(file)), first_scenario(folder)) for _ in range(rounds + 1)][1:]
    up, first = (statistics.median(column) for column in zip(*pairs, strict=True))
    figures = {"compose_up_wait_seconds": up, "first_scenario_seconds": first, "ratio": first / up}
    print(json.dumps({name: round(value, 2) for name, value in figures.items()} | {"at_most": LIMIT}))


if __name__ == "__main__":
    main()
