"""The mutations of the embedded Zep: faults planted on purpose, to prove that a scenario notices each.

No recorded version has them. They are put around the parts of an `EmbeddedZep` when it is put together, or change the
environment that configures it; that of the firewall is played by `processes`, since it is none of Zep's.
"""

from zep_conformance.embedded.zep.mutations import admission, answers, enrichment, operation, removal, storing, upgrade
from zep_conformance.facts.mutations import Mutations

MUTATIONS = Mutations(
    "zep",
    storing.MUTATIONS,
    answers.MUTATIONS,
    enrichment.MUTATIONS,
    removal.MUTATIONS,
    operation.MUTATIONS,
    admission.MUTATIONS,
    upgrade.MUTATIONS,
)
"""All of them."""
