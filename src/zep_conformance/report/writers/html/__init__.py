"""reports/index.html: the report as one page that needs nothing else, for whoever wants to see it.

`view` is what it says, `failing` what failed, `drawing` where the marks of its drawings stand, `packing` how it
carries what is unfolded on demand; templates/ is how all of that looks. It loads nothing, and its content security
policy allows nothing but its own script and style.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zep_conformance.report.document import target_of
from zep_conformance.report.events import RunEnded
from zep_conformance.report.folder import INDEX
from zep_conformance.report.transcript import said
from zep_conformance.report.writers.base import AtEnd
from zep_conformance.report.writers.html import drawing, failing, packing, view
from zep_conformance.settings import sources

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment

TEMPLATES = Path(__file__).parent / "templates"
SHOWN, NAMED = 12, 1000
"""Causes that stand in the page itself, and scenarios that are named under them; the rest is packed, or counted."""
ROOM = 450_000
"""Characters that the packed evidence may have."""


class Page(AtEnd):
    """Writes the page."""

    file = INDEX

    def text(self, event: RunEnded) -> str:
        """Return it as HTML."""
        return render(event.document)


@cache
def _environment() -> Environment:
    # Where a run starts this is not needed, nor at its end where nobody wants the page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["time"] = view.in_words
    made.filters["said"] = said
    return made


def _compiled() -> BytecodeCache | None:
    """Return where compiled templates are kept, since compiling takes most of a small page; None where none can be."""
    from jinja2 import FileSystemBytecodeCache

    folder = sources.cache() / "page"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


def render(report: Mapping[str, Any]) -> str:
    """Return the page of a report (see `report.document`), which has no secrets any more.

    Screenshots that it names are read from where they are; one that is not there is said to be missing.
    """
    clean = packing.showable(dict(report))
    requirements = view.in_order(clean)
    by_nodeid = failing.scenarios_of(clean, requirements)
    scenarios = [*by_nodeid.values()]
    causes = failing.causes(scenarios)
    pictures = [*failing.pictures(scenarios)]
    deviations = view.deviations(scenarios)
    packed, unpacked = packing.packed_within(_carried(causes, deviations), ROOM)
    number_of = {one.found["nodeid"]: cause.number for cause in causes for one in cause.scenarios}
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    return _environment().get_template("index.html.jinja").render(
        report=clean,
        target=target_of(clean),
        style=style,
        script=script,
        policy={"style": packing.allowed(style), "script": packing.allowed(script)},
        tone=view.tone(clean),
        verdict=view.verdict(clean),
        fails_on=view.fails_on(clean),
        weaknesses=[*view.weaknesses(clean, scenarios)],
        shares=view.outcome_shares(clean),
        causes=causes,
        shown=SHOWN,
        named=NAMED,
        deviations=deviations,
        chapters=view.chapters(requirements, by_nodeid, number_of),
        latencies=view.latencies(scenarios),
        enrichments=view.enrichments(scenarios),
        timeline=drawing.timeline((clean["target"] or {}).get("timeline") or []),
        pictures=pictures,
        others_pictures=[one for one in pictures if not any(one.is_of(cause.first) for cause in causes[:SHOWN])],
        packed=packed,
        unpacked=unpacked,
        listed=packing.packed(view.listed(scenarios)),
    )  # fmt: skip


def _carried(causes: Sequence[failing.Cause], deviations: Sequence[view.Deviation]) -> list[str]:
    """Return what is unfolded on demand, as pieces of the page, and note in each scenario which is its own.

    What comes last is what there may be no room for: of those that failed alike all but the first.
    """
    pieces: Any = _environment().get_template("pieces.html.jinja").module
    carried: list[str] = []

    def carry(scenario: failing.Scenario, piece: Callable[[failing.Scenario], str]) -> None:
        scenario.part = len(carried)
        carried.append(str(piece(scenario)))

    for cause in causes:
        carry(cause.first, pieces.evidence if cause.number <= SHOWN else pieces.whole)
    alike = [one for cause in causes for one in cause.others][:NAMED]
    for one in [*alike, *(one for deviation in deviations for one in deviation.shown[:NAMED])]:
        carry(one, pieces.whole)
    return carried
