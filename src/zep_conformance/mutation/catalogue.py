"""Every departure that there is: of embedded servers, deployment files and the page. Makes docs/departures.md."""

from __future__ import annotations

from zep_conformance.clients.page.defects import CATALOGUE as PAGE
from zep_conformance.deployment_files.defects import PLANTED as FILES
from zep_conformance.embedded.langflux.departures import CATALOGUE as LANGFLUX
from zep_conformance.embedded.zep.departures import CATALOGUE as ZEP
from zep_conformance.facts.departures import Departure

__all__ = ["CATALOGUE", "PAGE", "full_name", "list_departures"]

CATALOGUE: tuple[Departure, ...] = ZEP + LANGFLUX + FILES
"""Those that need nothing but this project: of the embedded servers, and of our deployment files."""


def full_name(departure: Departure) -> str:
    """As --departures wants it."""
    return f"{departure.part}:{departure.name}"


def list_departures() -> str:
    """docs/departures.md."""
    lines = [
        "# Departures: how the embedded servers, our deployment files and the page can be other than documented",
        "",
        "Made by `python -m zep_conformance.mutation.runner --list`. Switched on by `--departures part:name,…`.",
    ]
    tables = {
        "Recorded: what Zep 0.27.2 and Flowise 2.2.8 do": [one for one in CATALOGUE if one.recorded],
        "Planted: what a scenario must notice": [one for one in CATALOGUE if not one.recorded],
        "Planted between LangFlux and the browser": PAGE,
    }
    for title, departures in tables.items():
        lines += ["", f"## {title}", "", "| departure | part | breaks | known as | what then happens |"]
        lines.append("|---|---|---|---|---|")
        for one in departures:
            about = one.about.replace("|", "\\|")
            cells = (f"`{one.name}`", one.part, ", ".join(one.breaks), one.deviation or "", about)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
