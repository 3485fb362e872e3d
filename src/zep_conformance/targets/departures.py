"""What `--departures` asks for: in which ways servers, deployment files or the page are not to be as documented."""

from __future__ import annotations

import difflib
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings, names_in


def departures_by_part(text: str) -> dict[str, list[str]]:
    """The departures of embedded servers that `--departures` names, by part; the page looks for its own.

    Raises CannotTell for one that there is not.
    """
    from zep_conformance.clients.page.defects import CATALOGUE as PAGE
    from zep_conformance.deployment_files.defects import PLANTED as FILES
    from zep_conformance.embedded.langflux.departures import CATALOGUE as LANGFLUX
    from zep_conformance.embedded.zep.departures import CATALOGUE as ZEP

    known = [f"{departure.part}:{departure.name}" for departure in (*ZEP, *LANGFLUX, *FILES, *PAGE)]
    found: dict[str, list[str]] = {}
    for departure in names_in(text):
        if departure not in known:
            close = difflib.get_close_matches(departure, known, n=3)
            raise CannotTell(
                f"--departures: there is no {departure!r}",
                f"Did you mean {' or '.join(close)}?" if close else "docs/departures.md lists them, as part:name.",
            )
        part, _, name = departure.partition(":")
        if part != "page":
            found.setdefault(part, []).append(name)
    return found


def changes(settings: Settings) -> dict[str, Any]:
    """Return the arguments of `processes.wiring.parts_for` that say in what the parts are not as documented.

    Raises CannotTell for a departure that there is not.
    """
    from zep_conformance.embedded.langflux.departures import RECORDED as LANGFLUX
    from zep_conformance.embedded.zep.departures import RECORDED as ZEP

    recorded = {"zep": {one.name for one in ZEP}, "langflux": {one.name for one in LANGFLUX}}
    asked = departures_by_part(settings.departures)
    behaviours = {part: [name for name in names if name in recorded.get(part, ())] for part, names in asked.items()}
    mutations = {part: [name for name in names if name not in recorded.get(part, ())] for part, names in asked.items()}
    return {"recorded_behaviours": "all" if settings.manner == "faithful" else behaviours, "mutations": mutations}
