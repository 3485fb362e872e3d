"""Steps are found among those of the suite as pytest-bdd finds them, but at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zep_conformance.session import lookup

ROOT = Path(__file__).parents[2]
COMPARES = """
from zep_conformance.session import lookup
from zep_conformance.session.scenarios import written

def pytest_collection_finish(session):
    theirs, manager = lookup._BDD.find_fixturedefs_for_step, session._fixturemanager
    seen = set()
    for item in session.items:
        for step in written(item).steps:
            if (step.type, step.name) not in seen:
                seen.add((step.type, step.name))
                assert [*lookup._found(step, manager, item)] == [*theirs(step, manager, item)] != [], step
    print("compared:", len(seen))
"""


@pytest.mark.skipif(lookup._CONTEXTS is None, reason="this pytest-bdd is left to find steps by itself")
def test_each_step_of_the_suite_is_found_as_pytest_bdd_finds_it(tmp_path: Path) -> None:
    (tmp_path / "compares.py").write_text(COMPARES)
    command = [sys.executable, "-m", "pytest", "features", "--collect-only", "-qq", "-s", "-p", "compares"]
    known = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, env=known, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout.partition("compared: ")[2].split()[0]) > 300


def test_pytest_bdd_finds_steps_by_itself_again_afterwards() -> None:
    before = getattr(lookup._BDD, lookup._FIND)
    with lookup.at_once():
        pass
    assert getattr(lookup._BDD, lookup._FIND) is before
