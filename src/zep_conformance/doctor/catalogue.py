"""Every finding that there can be, by its code: what is seen, why, and what to do.

The words in braces are filled in from what was found. docs/doctor.md holds the same as a table.
"""

from __future__ import annotations

from zep_conformance.doctor.entries import LAYERS, Entry
from zep_conformance.doctor.entries_door import DOOR
from zep_conformance.doctor.entries_parts import LANGFLUX, MODEL, STORE, VIEW
from zep_conformance.doctor.entries_reaching import HTTP, NETWORK, URL

CATALOGUE: dict[str, Entry] = {
    entry.code: entry
    for entry in sorted(
        (*URL, *NETWORK, *HTTP, *DOOR, *STORE, *MODEL, *LANGFLUX, *VIEW),
        key=lambda entry: LAYERS.index(entry.layer),
    )
}
"""Every finding but `ok`, by its code, in the order of the layers."""
