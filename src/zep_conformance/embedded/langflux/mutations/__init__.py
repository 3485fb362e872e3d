"""The mutations of the embedded LangFlux: faults planted on purpose, to prove that a scenario notices each.

No recorded version has them. Each is put around the services, see `services.Services`, before the first request.
"""

from zep_conformance.embedded.langflux.mutations import clearing, credentials, keeping, turns, upgrade
from zep_conformance.facts.mutations import Mutations

MUTATIONS = Mutations(
    "langflux", turns.MUTATIONS, keeping.MUTATIONS, clearing.MUTATIONS, credentials.MUTATIONS, upgrade.MUTATIONS
)
"""All of them."""
