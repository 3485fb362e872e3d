"""The marketplace: one template, the "Conversation Chain" (in 2023 "Simple Conversational Chain").

Its flow is put together from the nodes' descriptions in the shape in which Flowise's canvas saves a flow.
"""

from __future__ import annotations

import json
from typing import Any

from zep_conformance.embedded.langflux.nodes import NODES
from zep_conformance.facts.flows import BUFFER_MEMORY, CHAIN, MODEL, canvas_node, conversation_chain


def templates() -> list[dict[str, Any]]:
    """What GET /api/v1/marketplaces/templates lists."""
    model = canvas_node(NODES[MODEL], inputs={"modelName": "gpt-4o-mini"})
    memory = canvas_node(NODES[BUFFER_MEMORY], position=(0, 480))
    about = {
        "description": "A chat with a model that remembers what was said",
        "usecases": ["Chatbot"],
        "framework": ["Langchain"],
        "badge": "POPULAR",
    }
    flow = about | conversation_chain(model=model, memory=memory, definition=NODES[CHAIN])
    template = {
        "id": 0,
        "templateName": "Conversation Chain",
        "flowData": json.dumps(flow),
        **about,
        "categories": ["Chat Models", "Memory", "Chains"],
        "type": "Chatflow",
    }
    return [template]
