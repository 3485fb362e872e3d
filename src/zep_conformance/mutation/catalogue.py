"""Every mutation and every recorded behaviour that there is, of all parts."""

from __future__ import annotations

from zep_conformance.clients.page import mutations as page
from zep_conformance.deployment_files import shipped as files
from zep_conformance.embedded.langflux import mutations as langflux
from zep_conformance.embedded.zep import mutations as zep
from zep_conformance.facts.mutations import Mutation
from zep_conformance.facts.recorded_behaviours import RecordedBehaviour, recorded_behaviours

Planted = Mutation | RecordedBehaviour
"""What can be planted in a part, to see who notices."""

RECORDED_BEHAVIOURS: tuple[RecordedBehaviour, ...] = (*recorded_behaviours("zep"), *recorded_behaviours("langflux"))
"""What the recorded versions do beside their documentation."""

WITHOUT_PAGE: tuple[Mutation, ...] = (*zep.MUTATIONS.values(), *langflux.MUTATIONS.values(), *files.MUTATIONS.values())
"""The mutations that need nothing but this project: of the embedded servers, and of our deployment files."""

PAGE: tuple[Mutation, ...] = tuple(page.MUTATIONS.values())
"""The mutations of LangFlux's page, which need the real one."""

MUTATIONS = WITHOUT_PAGE + PAGE
