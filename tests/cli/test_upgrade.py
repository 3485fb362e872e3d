"""`zep-conformance upgrade`: what it runs, what it says, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import ENVIRONMENT, report_in
from zep_conformance.cli.main import main
from zep_conformance.cli.upgrade import requirements
from zep_conformance.errors import CannotTell
from zep_conformance.targets.base import Upgrade
from zep_conformance.targets.upgrading import refuse_same


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


def test_two_that_say_the_same_version_tell_nothing() -> None:
    upgrade = Upgrade(before="one/zep", after="another/zep")
    refuse_same("zep", upgrade, {"before": "0.23.0", "after": "0.27.2"})
    with pytest.raises(CannotTell, match="one/zep and another/zep are the same version"):
        refuse_same("zep", upgrade, {"before": "0.27.2", "after": "0.27.2"})


@pytest.mark.parametrize(
    ("options", "part"), [(["--from", "--to"], "Zep"), (["--from-langflux", "--to-langflux"], "LangFlux")]
)
def test_one_version_given_twice_is_refused(options: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = options
    assert main(["upgrade", "--target", "embedded", before, "0.27.2", after, "0.27.2"]) == 2
    assert f"{part}: 0.27.2 is what it is to be upgraded from and to" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["processes", "containers"])
def test_without_anything_to_upgrade_to_it_is_refused(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upgrade", "--target", target]) == 2
    assert "nothing to upgrade to" in capsys.readouterr().err


def test_only_what_is_upgraded_is_asked() -> None:
    assert requirements(zep=False, langflux=True, back=False, target="processes") == ["UPGRADE-7"]
    assert "UPGRADE-8" not in requirements(zep=True, langflux=False, back=False, target="processes")
    assert requirements(zep=True, langflux=False, back=True, target="processes")[-1] == "UPGRADE-8"
