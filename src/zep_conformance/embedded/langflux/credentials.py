"""Credentials: masked where they are shown, and what the nodes of a flow get of them.

They lie unencrypted in the database file, which only its owner may read: nobody else has what is tried out here.
"""

from __future__ import annotations

from typing import Any

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.langflux.flow import Node
from zep_conformance.embedded.langflux.nodes import CREDENTIAL_TYPES
from zep_conformance.embedded.langflux.store import LangFluxStore

MASK = "_FLOWISE_BLANK_07167752-1a71-43b1-bf8f-4f32252165db"
"""What is shown instead of a password: Flowise's own constant, one and the same for every password."""


class Credentials:
    """The credentials of a store."""

    def __init__(self, store: LangFluxStore, behaviours: Behaviours) -> None:
        self._store, self._behaviours = store, behaviours

    def secret(self, node: Node, field: str) -> str:
        """Return a field of the credential that a node has selected; "" where it has none."""
        credential = self._store.credential(node.credential) if node.credential else None
        return str(credential["fields"].get(field) or "") if credential else ""

    def shown(self, credential_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Return a credential's fields for showing: in clear only what its type declares to be no password."""
        inputs = CREDENTIAL_TYPES.get(credential_type, {}).get("inputs", [])
        passwords = {field["name"] for field in inputs if field["type"] == "password"}
        plain = {field["name"] for field in inputs} - passwords
        if "unlisted-field-shown" in self._behaviours:
            plain = set(fields) - passwords
        return {name: value if name in plain else MASK for name, value in fields.items()}
