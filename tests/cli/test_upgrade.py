"""`zep-conformance upgrade`: what it runs, what it says, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import ENVIRONMENT, report_in
from zep_conformance.cli.main import main
from zep_conformance.cli.upgrade import requirements


def upgrade(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zep_conformance", "upgrade", "--target", "embedded", "-q", *options]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_an_upgrade_of_the_embedded_servers_loses_nothing(tmp_path: Path) -> None:
    ran = upgrade(tmp_path, "--from", "0.20.1", "--recorded-behaviours", "all")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    outcomes = {one["id"]: one["outcome"] for one in report_in(tmp_path)["requirements"]}
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} == {f"UPGRADE-{n}" for n in range(1, 9)}


def test_what_an_upgrade_loses_is_shown_by_its_path(tmp_path: Path) -> None:
    ran = upgrade(tmp_path, "--mutations", "zep:upgrade-drops-nested-metadata")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "metadata.plan: 'object' came" in " ".join(ran.stdout.split())


def test_the_same_version_twice_tells_nothing(tmp_path: Path) -> None:
    ran = upgrade(tmp_path, "--from", "0.27.2", "--to", "0.27.2")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "are the same version" in ran.stdout


@pytest.mark.parametrize("target", ["processes", "containers"])
def test_without_anything_to_upgrade_to_it_is_refused(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upgrade", "--target", target]) == 2
    assert "nothing to upgrade to" in capsys.readouterr().err


def test_only_what_is_upgraded_is_asked() -> None:
    assert requirements(zep=False, langflux=True, back=False, target="processes") == ["UPGRADE-7"]
    assert "UPGRADE-8" not in requirements(zep=True, langflux=False, back=False, target="processes")
    assert requirements(zep=True, langflux=False, back=True, target="processes")[-1] == "UPGRADE-8"
