"""The nodes, credential types and template that the embedded LangFlux has (fixtures/data/langflux-nodes.json).

Names, types, versions and defaults are those of the LangFlux that was recorded, since flows refer to them; the
descriptions are our own.
"""

from __future__ import annotations

import json
from typing import Any

from zep_conformance import suite
from zep_conformance.facts.flows import BUFFER_MEMORY, CHAIN, MODEL, canvas_node, conversation_chain

_DEFINED = json.loads((suite.data() / "langflux-nodes.json").read_text(encoding="utf-8"))
NODES: dict[str, dict[str, Any]] = {node["name"]: node for node in _DEFINED["nodes"]}
"""Each node by its name, as GET /api/v1/nodes/{name} shows it."""
CREDENTIAL_TYPES: dict[str, dict[str, Any]] = {kind["name"]: kind for kind in _DEFINED["credential_types"]}
"""Each type of credential by its name, as GET /api/v1/components-credentials/{name} shows it."""
SYSTEM_MESSAGE: str = next(one["default"] for one in NODES[CHAIN]["inputs"] if one["name"] == "systemMessagePrompt")
"""The Conversation Chain's System Message when it has none."""


def templates() -> list[dict[str, Any]]:
    """Return the marketplace: the "Conversation Chain" alone (in 2023 "Simple Conversational Chain")."""
    memory = canvas_node(NODES[BUFFER_MEMORY], position=(0, 480))
    flow = conversation_chain(model=canvas_node(NODES[MODEL]), memory=memory, definition=NODES[CHAIN])
    return [{"id": 0, "templateName": "Conversation Chain", "flowData": json.dumps(flow), "type": "Chatflow"}]
