"""The marketplace: one template, the "Conversation Chain" (in 2023 "Simple Conversational Chain").

Its flow is put together from the nodes' descriptions in the shape in which Flowise's canvas saves a flow: an
id for every input and output, and edges that name both.
"""

from __future__ import annotations

import json
from typing import Any

from zep_conformance.embedded.langflux.nodes import NODES

_CANVAS_TYPES = frozenset(
    {"asyncOptions", "options", "string", "number", "boolean", "password", "json", "file", "credential"}
)
"""Inputs of these types are filled in on the node; any other is an anchor for an edge."""


def canvas_node(name: str, x: int, y: int, **inputs: Any) -> dict[str, Any]:
    """A node as it lies on the canvas at (x, y), in pixels, with its defaults and `inputs`."""
    node = NODES[name]
    ident = f"{name}_0"
    described = [{**one, "id": f"{ident}-input-{one['name']}-{one['type']}"} for one in node["inputs"]]
    parameters = [one for one in described if one["type"] in _CANVAS_TYPES]
    if "credential" in node:
        parameters.insert(0, {**node["credential"], "id": f"{ident}-input-credential-credential"})
    classes = "|".join(node["baseClasses"])
    output = {
        "id": f"{ident}-output-{name}-{classes}",
        "name": name,
        "label": node["type"],
        "type": " | ".join(node["baseClasses"]),
    }
    data = {
        "id": ident,
        **{key: node[key] for key in ("label", "version", "name", "type", "baseClasses", "category")},
        "description": node["description"],
        "inputParams": parameters,
        "inputAnchors": [one for one in described if one["type"] not in _CANVAS_TYPES],
        "inputs": {one["name"]: one.get("default", "") for one in node["inputs"]} | inputs,
        "outputAnchors": [output],
        "outputs": {},
        "selected": False,
    }
    position = {"x": x, "y": y}
    return {
        "id": ident,
        "position": position,
        "positionAbsolute": position,
        "type": "customNode",
        "data": data,
        "width": 300,
        "height": 400,
        "selected": False,
    }


def canvas_edge(source: dict[str, Any], target: dict[str, Any], anchor: str) -> dict[str, Any]:
    """The edge from a node's output to the anchor named `anchor` of another node."""
    out = source["data"]["outputAnchors"][0]["id"]
    into = next(one["id"] for one in target["data"]["inputAnchors"] if one["name"] == anchor)
    return {
        "source": source["id"],
        "sourceHandle": out,
        "target": target["id"],
        "targetHandle": into,
        "type": "buttonedge",
        "id": f"{source['id']}-{out}-{target['id']}-{into}",
    }


def templates() -> list[dict[str, Any]]:
    """What GET /api/v1/marketplaces/templates lists."""
    model = canvas_node("chatOpenAI", 0, 0, modelName="gpt-4o-mini")
    memory = canvas_node("bufferMemory", 0, 480)
    references = {"model": "{{chatOpenAI_0.data.instance}}", "memory": "{{bufferMemory_0.data.instance}}"}
    chain = canvas_node("conversationChain", 420, 120, **references)
    edges = [canvas_edge(model, chain, "model"), canvas_edge(memory, chain, "memory")]
    about = {
        "description": "A chat with a model that remembers what was said",
        "usecases": ["Chatbot"],
        "framework": ["Langchain"],
        "badge": "POPULAR",
    }
    flow = {**about, "nodes": [model, memory, chain], "edges": edges}
    template = {
        "id": 0,
        "templateName": "Conversation Chain",
        "flowData": json.dumps(flow),
        **about,
        "categories": ["Chat Models", "Memory", "Chains"],
        "type": "Chatflow",
    }
    return [template]
