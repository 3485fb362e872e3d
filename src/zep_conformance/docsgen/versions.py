"""Which requirements hold on which LangFlux version: the table in docs/versions.md, from runs that were made.

    python -m zep_conformance.docsgen --measured reports/conformance.json    # keeps what a run came to

What is kept of a run is a small file a version in docs/data/: outcomes and deviations, no texts and no addresses; and
only of requirements that LangFlux has a part in, since those of Zep alone are the same with each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.version import Version

from zep_conformance import suite
from zep_conformance.docsgen import cells, head
from zep_conformance.errors import CannotTell
from zep_conformance.facts import deviations, requirements

DATA = suite.root() / "docs" / "data"


def condensed(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a run's report. Raises CannotTell where it has no version, or did not end."""
    parts = report["parts"]
    if report["trouble"] or {"zep", "langflux"} - set(parts) or report["outcomes"]["error"]:
        advice = "Give one of a whole run with both, in which nothing broke."
        raise CannotTell("this report says nothing of a LangFlux version with a Zep", advice, code="report-incomplete")
    return {
        "langflux": parts["langflux"]["version"],
        "zep": parts["zep"]["version"],
        "measured": report["started"][:10],
        "requirements": {one["id"]: _condensed(one) for one in report["requirements"] if one["id"] in concerned()},
    }


def concerned() -> dict[str, requirements.Requirement]:
    """Return the requirements that LangFlux has a part in, by id."""
    known = requirements.load_requirements()
    return {identifier: one for identifier, one in known.items() if "langflux" in one.needs}


def _condensed(requirement: Mapping[str, Any]) -> dict[str, Any]:
    found = requirement["scenarios"]
    known = sorted({one["deviation"] for one in found if one["outcome"] == "deviation"}, key=_number)
    return {
        "outcome": requirement["outcome"],
        "tried": sum(one["outcome"] != "skipped" for one in found),
        **({"deviations": known} if known else {}),
    }


def keep(report: Path, data: Path = DATA) -> Path:
    """Keep what a run came to, in place of what is kept of that version. Return the file.

    Raises CannotTell for what is no report of a whole run with a LangFlux.
    """
    try:
        found = condensed(json.loads(report.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        advice = "Give a conformance.json."
        raise CannotTell(f"{report} can't be read as a report: {error}", advice, code="report-unreadable") from None
    data.mkdir(parents=True, exist_ok=True)
    path = data / f"langflux-{found['langflux']}.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path


def kept(data: Path = DATA) -> list[dict[str, Any]]:
    """Return what is kept, oldest version first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in data.glob("langflux-*.json")]
    return sorted(found, key=lambda one: Version(one["langflux"]))


def table(data: Path = DATA) -> str:
    """Return the page's table and the deviations in it, as Markdown."""
    runs = kept(data)
    lines = head("", "requirement", *(f"LangFlux {run['langflux']}" for run in runs))
    for identifier, requirement in concerned().items():
        held = (_held(run["requirements"].get(identifier, {"outcome": "skipped"})) for run in runs)
        lines.append(cells(f"**{identifier}** {requirement.text}", *held))
    return "\n".join([*lines, "", *_notes(runs), ""])


def _held(found: Mapping[str, Any]) -> str:
    if found["outcome"] == "deviation":
        return ", ".join(found["deviations"])
    return {"passed": "holds", "skipped": "not tried"}.get(found["outcome"], "**does not hold**")


def _notes(runs: list[dict[str, Any]]) -> list[str]:
    """When each was measured, and what the deviations in the table are."""
    when = ", ".join(f"{run['langflux']} with Zep {run['zep']} on {run['measured']}" for run in runs)
    shown = {one for run in runs for found in run["requirements"].values() for one in found.get("deviations", [])}
    known = deviations.load_deviations()
    return [f"Measured: {when}.", "", *(f"- {one}: {known[one].what}" for one in sorted(shown, key=_number))]


def _number(identifier: str) -> int:
    return int(identifier.rpartition("-")[2])
