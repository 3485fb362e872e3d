"""Schemathesis over the description that the embedded Zep serves: does it answer as it says, whatever is asked?

It looks at statuses, content types and the JSON of answers, at well made requests that are refused and malformed ones
that are taken, at methods that are not there, at tokens that do not count, and at what is deleted and still found.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.properties import EVERY_NIGHT, broken
from zep_conformance.clients import tokens

HERE = Path(__file__).parents[1] / "support"
SECRET = tokens.make_secret()
THOROUGH = ("--max-time", "300") if EVERY_NIGHT else ("--max-examples", "10", "--generation-deterministic")
"""How long it goes on; the description is covered in any case, which takes some 850 requests."""
HASTY = ("--phases", "coverage", "--max-failures", "1", "--no-shrink", "--generation-deterministic")
"""Enough where something is known to be wrong."""


def fuzz(folder: Path, part: str, *options: str, planted: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """A run of Schemathesis against an embedded Zep: exit code 0 when it found nothing, 1 when it found something.

    folder: for what the server and Schemathesis leave. part: zep or zep-secured. options: further ones.
    planted: mutations and recorded behaviours.
    """
    with broken(folder / "data", [part, "nlp"], {"zep": planted}, secrets={"zep-secured": SECRET}) as fleet:
        command = [str(Path(sys.executable).with_name("schemathesis"))]
        command += ["--config-file", str(HERE / "schemathesis.toml"), "run", f"{fleet.url(part)}/openapi.json"]
        command += ["--no-color", "--suppress-health-check", "all", "--warnings", "off", *options]
        if part == "zep-secured":
            command += ["-H", f"Authorization: Bearer {tokens.make_token(SECRET)}"]
        paths = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_formats", "PYTHONPATH": paths}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", ["zep", pytest.param("zep-secured", marks=pytest.mark.nightly)])
def test_the_server_answers_as_it_describes(tmp_path: Path, part: str) -> None:
    done = fuzz(tmp_path, part, "--continue-on-failure", *THOROUGH)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 selected / 20 total" in done.stdout, "not every operation was asked"


@pytest.mark.parametrize(
    ("planted", "part", "path", "finding"),
    [
        ("malformed-500", "zep", "/api/v1/user/{userId}", "Server error"),
        pytest.param(
            *("uuid-malformed", "zep", "/api/v1/sessions/{sessionId}/memory", "Response violates schema"),
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            *(
                "bad-paging-ignored",
                "zep",
                "/api/v1/sessions/{sessionId}/messages",
                "Schema-violating request accepted",
            ),
            marks=pytest.mark.nightly,
        ),
        (
            "open-memory-read",
            "zep-secured",
            "/api/v1/sessions/{sessionId}/memory",
            "API accepts requests without authentication",
        ),
    ],
)
def test_what_is_planted_is_found(tmp_path: Path, planted: str, part: str, path: str, finding: str) -> None:
    done = fuzz(tmp_path, part, "--include-path", path, *HASTY, planted=[planted])
    assert done.returncode == 1, done.stdout + done.stderr
    assert finding in done.stdout
