"""The mutations and recorded behaviours under their old type, for what still asks for that."""

from __future__ import annotations

from zep_conformance.embedded.langflux.mutations import MUTATIONS
from zep_conformance.embedded.langflux.recorded_behaviours import RECORDED_BEHAVIOURS
from zep_conformance.facts.departures import Departure

RECORDED = tuple(
    Departure(one.name, one.part, one.about, one.breaks, recorded=True, deviation=one.deviation)
    for one in RECORDED_BEHAVIOURS
)
CATALOGUE = RECORDED + tuple(Departure(one.name, one.part, one.about, one.breaks) for one in MUTATIONS.values())
