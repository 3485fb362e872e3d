"""A run that can't begin, on whatever target: two lines and exit code 2, a report that says so, and no traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import runs

CASES = {
    "no such project": ("compose:nowhere", ()),
    "a project without an engine": ("compose:project", ()),
    "a project beside a URL": ("compose:project", ("--zep-url", "http://127.0.0.1:1")),
    "containers without an engine": ("containers", ()),
    "a Zep that is no program": ("processes", ("--zep-binary", "project/docker-compose.yaml")),
    "nowhere to look": ("remote", ()),
    "nobody at the URL": ("remote", ("--zep-url", "http://127.0.0.1:1")),
    "a mutation that there is not": ("embedded", ("--mutations", "zep:x")),
    "deployment files that are not there": ("embedded", ("--deployment-files", "nowhere")),
    "a baseline that is none": ("embedded", ("--baseline", "project/docker-compose.yaml")),
}


@pytest.mark.parametrize(("target", "options"), CASES.values(), ids=CASES)
def test_it_is_said_in_two_lines(target: str, options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "docker-compose.yaml").write_text("services: {zep: {image: ghcr.io/getzep/zep-cloud}}\n")
    variables = runs.environment(tmp_path) | {"DOCKER_HOST": "unix:///nonexistent.sock", "COLUMNS": "80"}
    ended = subprocess.run(
        [sys.executable, "-m", "zep_conformance", "run", "--target", target, *options],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    trouble = json.loads((tmp_path / "reports" / "conformance.json").read_text())["trouble"]
    assert re.fullmatch(r".+\n  .+ \[[a-z0-9-]+\]", trouble), trouble
    assert trouble.partition("\n")[0][:40] in ended.stdout
