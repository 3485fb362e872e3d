"""Every finding about deployment files that there can be, by its code. docs/deployment-files.md holds the same.

The words in braces are filled in from what was found: never with the value of a secret.
"""

from __future__ import annotations

from zep_conformance.deployment_files.entries_inside import IMAGE, SECRETS, SETTINGS, STORE
from zep_conformance.deployment_files.entries_outside import APPLICATIONS, EXPOSURE, HEALTH, PORT, WIRING
from zep_conformance.doctor.catalogue import Entry

ASPECTS = ("applications", "image", "settings", "wiring", "port", "health", "secrets", "exposure", "store")
"""The sides that are looked at, in this order."""

_ALL = [*APPLICATIONS, *IMAGE, *SETTINGS, *WIRING, *PORT, *HEALTH, *SECRETS, *EXPOSURE, *STORE]
CATALOGUE: dict[str, Entry] = {entry.code: entry for entry in _ALL}
"""Every finding but `ok`, by its code, in the order of the aspects."""
