"""The departures of the embedded servers: named once, documented, and each breaking something that can be checked."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from zep_conformance.clients.page.defects import CATALOGUE as PAGE
from zep_conformance.deployment_files.defects import EDITS
from zep_conformance.deployment_files.defects import PLANTED as FILES
from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.langflux.departures import CATALOGUE as LANGFLUX
from zep_conformance.embedded.zep.defects import OPEN_ROUTES
from zep_conformance.embedded.zep.departures import CATALOGUE as ZEP
from zep_conformance.facts.departures import Departure
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.mutation import page as page_mutants
from zep_conformance.mutation import runner as mutants

ROOT = Path(__file__).parents[2]
CATALOGUES = {"zep": ZEP, "langflux": LANGFLUX, "files": FILES, "page": PAGE}
ALL = [departure for catalogue in CATALOGUES.values() for departure in catalogue]
PLANTED = [departure for departure in ALL if not departure.recorded]


def test_the_documentation_is_fresh() -> None:
    text = (ROOT / "docs" / "departures.md").read_text(encoding="utf-8")
    assert text == mutants.list_departures(), "python -m zep_conformance.mutation.runner --list"


@pytest.mark.parametrize("departure", ALL, ids=mutants.full_name)
def test_a_departure_is_well_described(departure: Departure) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", departure.name), "the name is not in kebab-case"
    assert departure in CATALOGUES[departure.part], "it stands in the catalogue of another part"
    assert departure.about
    assert not departure.about.endswith(".")
    assert set(departure.breaks) <= load_requirements().keys(), "it breaks a requirement that there is not"
    assert departure.deviation is None or departure.deviation in load_deviations()


@pytest.mark.parametrize("part", CATALOGUES)
def test_names_are_unique(part: str) -> None:
    counts = Counter(departure.name for departure in CATALOGUES[part])
    assert [name for name, count in counts.items() if count > 1] == []


def test_a_planted_defect_breaks_a_requirement_and_is_no_known_deviation() -> None:
    assert [one.name for one in PLANTED if not one.breaks or one.deviation] == []
    assert len(PLANTED) >= 65


def test_every_planted_defect_is_judged() -> None:
    assert {*mutants.judged(), *page_mutants.PAGE} >= set(PLANTED)


def test_every_requirement_of_the_page_has_defects() -> None:
    assert page_mutants.SCOPE == "AUTH-8 or UI-1 or UI-2 or UI-3 or UI-4"


def test_every_defect_of_the_files_changes_some() -> None:
    assert EDITS.keys() == {one.name for one in FILES}
    assert all(EDITS.values())


@pytest.mark.parametrize("part", ["zep", "langflux"])
def test_every_departure_is_switched_somewhere(part: str) -> None:
    folder = ROOT / "src" / "zep_conformance" / "servers" / part
    sources = [path for path in folder.glob("*.py") if path.name != "departures.py"]
    sources.append(folder.parent / "fleet.py")  # what the part's surroundings do
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    # A planted one stands in defects.py, too; some are switched by a table, or by a name made of parts.
    otherwise = {*OPEN_ROUTES, "hs384-accepted", "hs512-accepted"}
    for departure in CATALOGUES[part]:
        wanted = 1 if departure.recorded else 2
        assert departure.name in otherwise or code.count(f'"{departure.name}"') >= wanted, departure.name


def test_an_unknown_name_is_refused_by_the_servers() -> None:
    with pytest.raises(KeyError, match="no-such-departure"):
        Departures(ZEP, {"no-such-departure"})
    with pytest.raises(KeyError, match="no-such-departure"):
        _ = "no-such-departure" in Departures(ZEP)


@pytest.mark.parametrize("name", ["zep:no-such-departure", "lastn-ignored", "langflux:lastn-ignored"])
def test_an_unknown_name_makes_a_run_that_could_not_tell(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "features", "-q", "-p", "no:cacheprovider", "-m", "STORE-4"]
    command += ["--target", "embedded", "--departures", name, "--reports", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout
    assert f"there is no '{name}'" in done.stdout


def test_an_unknown_name_is_refused_by_the_runner(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.main(["--only", "no-such-departure"]) == 2
    assert "no-such-departure" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["zep:lastn-ignored", "langflux:ai-turn-forgotten", "files:nlp-not-wired"])
def test_a_defect_is_noticed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "mutants.json"
    assert mutants.main(["--only", name, "--report", str(report)]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"
    assert f"`{name}`" in report.with_suffix(".md").read_text(encoding="utf-8")


def test_a_verdict_needs_a_failure_of_what_the_defect_breaks() -> None:
    defect = Departure("some-defect", "zep", "It does something", ("STORE-1",))

    def verdict(outcome: str, requirement: str, exit_code: int) -> mutants.Verdict:
        scenario = {"name": "x", "feature": "f:1", "outcome": outcome, "requirements": [requirement]}
        return mutants.Verdict(defect, exit_code=exit_code, scenarios={"x": scenario})

    assert verdict("failed", "STORE-1", 1).passed
    assert not verdict("failed", "STORE-2", 1).passed
    assert not verdict("error", "STORE-1", 2).passed
    assert not verdict("passed", "STORE-1", 0).passed
    stopped = verdict("failed", "STORE-1", 1)
    stopped.trouble = "stopped after 90 s"
    assert not stopped.passed


def test_a_scenario_that_no_defect_made_fail_is_listed() -> None:
    defect = Departure("some-defect", "zep", "It does something", ("STORE-1",))

    def verdict(broken: Departure | None, **outcomes: str) -> mutants.Verdict:
        scenarios = {
            name: {"name": name, "feature": "f.feature:1", "outcome": outcome, "requirements": ["STORE-1"]}
            for name, outcome in outcomes.items()
        }
        return mutants.Verdict(broken, scenarios=scenarios)

    unbroken = verdict(None, one="passed", other="passed", skipped="skipped")
    assert mutants.never_failed([unbroken, verdict(defect, one="failed", other="error")]) == ["f.feature: other"]
