"""What a run imports: at every start somebody waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.runs import ENVIRONMENT

NOTES_MODULES = """
import sys
from pathlib import Path

def pytest_unconfigure():
    Path("modules").write_text("\\n".join(name for name, module in sys.modules.items() if module is not None))
"""


def test_what_a_run_does_not_use_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "notes_modules.py").write_text(NOTES_MODULES)
    command = [sys.executable, "-m", "zep_conformance", "run", "--target", "embedded", "-m", "API-3"]
    known = {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [*command, "-p", "notes_modules"], cwd=tmp_path, env=known, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    imported = {*(tmp_path / "modules").read_text().splitlines()}
    assert imported >= {"httpx", "faker", "pytest_bdd"}
    unused = {"hypothesis", "schemathesis", "anyio.pytest_plugin", "faker.contrib.pytest.plugin", "httpx._main", "rich"}
    assert not unused & imported
