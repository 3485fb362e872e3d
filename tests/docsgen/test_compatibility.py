"""docs/compatibility.md and what is made beside it: of what is kept of whole runs."""

from __future__ import annotations

import json
import xml.etree.ElementTree

from tests.support.measured import measurement, report
from zep_conformance import suite
from zep_conformance.clients.families import FAMILIES, family_of
from zep_conformance.compatibility.measurements import kept, measurements_of
from zep_conformance.docsgen import compatibility
from zep_conformance.facts.servers import NEWEST_LANGFLUX, ZEP_VERSION
from zep_conformance.targets.processes import installation as langflux_install

LISTS_NO_MESSAGES = ("0.20.1",)
"""Versions that most scenarios can't be asked of: they have no …/messages (DEV-18)."""


def section(page: str, title: str) -> list[str]:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()


def test_the_table_has_a_column_for_each_version_oldest_first_and_rows_where_they_differ() -> None:
    reports = [report("0.27.2", one) for one in ("1.8.4", "1.10.0", "3.0.13")]
    lines = section(compatibility.page(measurements_of(reports)), "LangFlux in front of Zep")
    assert "| requirement | 1.8.4 on 0.27.2 | 1.10.0 on 0.27.2 | 3.0.13 on 0.27.2 |" in lines
    rows = {line.split("**")[1]: line for line in lines if line.startswith("| **")}
    assert rows["API-1"].endswith("| DEV-2, DEV-13 | DEV-2, DEV-13 | DEV-2, DEV-13 |")
    assert rows["API-3"].endswith("| **does not hold** | **does not hold** | **does not hold** |")
    assert "API-2" not in rows and "UI-1" not in rows and "STORE-1" not in rows
    assert "Hold on each of them: API-2." in lines
    assert any(line.startswith("Not tried on any: ") and "UI-1" in line and "API-7" in line for line in lines)


def test_what_changes_from_one_to_the_next_is_told() -> None:
    measured = [
        measurement("0.23.0", STORE_3="failed"),
        measurement("0.24.0", STORE_3="passed"),
        measurement("0.25.0", STORE_3="passed"),
    ]
    lines = section(compatibility.page(measured), "From one Zep to the next")
    assert lines[1].startswith("- 0.23.0 to 0.24.0: better: STORE-3 (")
    assert lines[2] == "- 0.24.0 to 0.25.0: nothing that the suite sees"


def test_the_form_for_machines_has_every_measurement_and_the_ranges() -> None:
    body = json.loads(compatibility.machine_readable([measurement("0.23.0", STORE_3="failed")]))
    assert body["measured"][0]["zep"] == "0.23.0"
    assert body["measured"][0]["requirements"]["STORE-3"]["outcome"] == "failed"
    assert set(body["deviations"]["DEV-2"]["versions"]) == {"zep", "langflux"}


def test_a_badge_says_what_a_measurement_came_to() -> None:
    (wrong,) = measurements_of([report()])
    assert compatibility.badge(wrong) == {
        "label": "Zep 0.27.2 with LangFlux 1.8.4",
        "message": "does not conform",
        "color": "red",
    }
    (known,) = measurements_of([report(verdict="conforms as far as asked")])
    assert compatibility.badge(known)["message"] == "conforms, 2 known deviations"
    assert compatibility.badge(measurement("0.27.2"))["color"] == "brightgreen"
    for one in (wrong, known, measurement("0.27.2")):
        said = compatibility.badge(one)
        assert json.loads(compatibility.badge_data(one)) == {"schemaVersion": 1, **said}
        drawn = xml.etree.ElementTree.fromstring(compatibility.badge_picture(one))
        assert drawn.get("aria-label") == f"{said['label']}: {said['message']}"


def test_every_version_with_a_lock_and_the_newest_zep_are_measured_and_conform() -> None:
    assert set(langflux_install.versions()) <= {one.langflux for one in kept()}
    assert NEWEST_LANGFLUX in {one.langflux for one in kept()}
    assert ZEP_VERSION in {one.zep for one in kept()}
    for one in kept():
        if one.zep not in LISTS_NO_MESSAGES:
            assert any(run.verdict.startswith("conforms") for run in one.runs), one.title
            # What failed in some runs only is explained in the page's text.
            assert all(held.outcome != "failed" or held.times < len(one.runs) for held in one.requirements.values())


def test_the_page_of_langflux_names_each_family() -> None:
    page = (suite.root() / "docs" / "versions.md").read_text()
    assert [line.split("|")[1].strip() for line in page.splitlines() if line.startswith(("| 1", "| 2", "| 3"))] == [
        family.name for family in FAMILIES
    ]
    assert {family_of(version).name for version in langflux_install.versions()} == {"1.8", "2.2", "3.0"}
