"""Chatflows of LangFlux (Flowise) as data: nodes on a canvas, the edges between them, and what is sent to save them.

flow = with_zep_memory(template, definition, base_url="http://zep:8000")     # as a person does on the canvas
flow = with_model(flow, model_url="http://model:8080/v1", credential=key)
httpx.post(f"{langflux}/api/v1/chatflows", json=chatflow_body("a chatbot", flow))
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MODEL, BUFFER_MEMORY, ZEP_MEMORY, CHAIN = "chatOpenAI", "bufferMemory", "ZepMemory", "conversationChain"
"""The names of the nodes of the documented chatflow."""
MODEL_CREDENTIAL, ZEP_CREDENTIAL = "openAIApi", "zepMemoryApi"
"""The kinds of credential that the first and the third of them take."""
MODEL_KEY = "sk-none-is-needed-here"
"""What a model credential holds where the model server asks for no key."""


def canvas_node(
    definition: Mapping[str, Any],
    *,
    inputs: Mapping[str, Any] | None = None,
    credential: str = "",
    position: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    """Return a node as it lies on the canvas once a person has put it there.

    definition: what /api/v1/nodes says of it. inputs: what differs from its defaults. credential: the id of the one
    that it uses. position: x and y in pixels.
    """
    name, classes = definition["name"], definition["baseClasses"]
    identity, given = f"{name}_0", definition.get("inputs", [])
    described = [{**one, "id": f"{identity}-input-{one['name']}-{one['type']}"} for one in given]
    # What has the type of a class is joined by an edge; anything else is filled in, the credential first.
    fields = [one for one in described if one["type"][:1].islower()]
    if definition.get("credential"):
        fields.insert(0, {**definition["credential"], "id": f"{identity}-input-credential-credential"})
    output = f"{identity}-output-{name}-{'|'.join(classes)}"
    data = {
        **{key: value for key, value in definition.items() if key not in ("inputs", "filePath", "icon")},
        "id": identity,
        "inputParams": fields,
        "inputAnchors": [one for one in described if one not in fields],
        "inputs": {one["name"]: one.get("default", "") for one in given} | dict(inputs or {}),
        "outputAnchors": [{"id": output, "name": name, "label": definition["type"], "type": " | ".join(classes)}],
        "outputs": {},
        "selected": False,
        "credential": credential,
    }
    place = dict(zip("xy", position, strict=True))
    shown = {"position": place, "positionAbsolute": place, "width": 300, "height": 400, "selected": False}
    return {"id": identity, "type": "customNode", **shown, "data": data}


def canvas_edge(source: Mapping[str, Any], target: Mapping[str, Any], anchor: str) -> dict[str, Any]:
    """Return the edge from a node's output to the anchor called `anchor` of another node, whether it has one or not."""
    begins = source["data"]["outputAnchors"][0]["id"]
    anchors = {one["name"]: one["id"] for one in target["data"]["inputAnchors"]}
    ends = anchors.get(anchor, f"{target['id']}-input-{anchor}")
    joined = {"source": source["id"], "sourceHandle": begins, "target": target["id"], "targetHandle": ends}
    return {**joined, "type": "buttonedge", "id": "-".join(joined.values())}


def conversation_chain(
    *, model: Mapping[str, Any], memory: Mapping[str, Any], definition: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the flow in which a conversation chain talks to a model and remembers in a memory.

    model, memory: nodes on the canvas. definition: of the chain.
    """
    joined = {"model": model, "memory": memory}
    references = {anchor: f"{{{{{node['id']}.data.instance}}}}" for anchor, node in joined.items()}
    chain = canvas_node(definition, inputs=references, position=(420, 120))
    edges = [canvas_edge(node, chain, anchor) for anchor, node in joined.items()]
    return {"nodes": [model, memory, chain], "edges": edges}


def with_zep_memory(
    template: Mapping[str, Any],
    definition: Mapping[str, Any],
    *,
    base_url: str,
    credential: str = "",
    session: str = "",
) -> dict[str, Any]:
    """Return a conversation chain with its Buffer Memory replaced by Zep Memory, as a person does on the canvas.

    definition: of ZepMemory. credential: id of a Zep credential. session: the node's own Session Id.
    Raises AssertionError when the template has no Buffer Memory to replace.
    """
    flow: dict[str, Any] = json.loads(json.dumps(template))
    old = next((one for one in flow["nodes"] if one["data"]["name"] == BUFFER_MEMORY), None)
    assert old is not None, "the template has no Buffer Memory"
    inputs = {"baseURL": base_url, "sessionId": session}
    new = {**old, **{key: canvas_node(definition, inputs=inputs, credential=credential)[key] for key in ("id", "data")}}
    flow["nodes"] = [one for one in flow["nodes"] if one is not old] + [new]
    for edge in flow["edges"]:
        if edge["source"] == old["id"]:
            edge["source"] = new["id"]
            edge["sourceHandle"] = new["data"]["outputAnchors"][0]["id"]
            edge["id"] = f"{new['id']}-{edge['target']}"
    # The chain refers to its memory by the node's id.
    text = json.dumps(flow).replace(f"{{{{{old['id']}.data.instance}}}}", f"{{{{{new['id']}.data.instance}}}}")
    replaced: dict[str, Any] = json.loads(text)
    return replaced


def with_model(flow: Mapping[str, Any], *, model_url: str, credential: str) -> dict[str, Any]:
    """Return a flow with its ChatOpenAI pointed at a model server. Raises AssertionError when it has none.

    model_url: with /v1. credential: id of a model credential.
    """
    changed: dict[str, Any] = json.loads(json.dumps(flow))
    for node in changed["nodes"]:
        if node["data"]["name"] == MODEL:
            node["data"]["credential"] = credential
            node["data"]["inputs"]["basepath"] = model_url
            return changed
    raise AssertionError("the template has no ChatOpenAI node")


def chatflow_body(name: str, flow: Mapping[str, Any]) -> dict[str, Any]:
    """Return what POST /api/v1/chatflows takes to save a flow under a name."""
    return {"name": name, "flowData": json.dumps(flow), "deployed": False, "isPublic": False, "type": "CHATFLOW"}


def credential_body(name: str, kind: str, secret: str) -> dict[str, Any]:
    """Return what POST /api/v1/credentials takes to keep a secret. kind: MODEL_CREDENTIAL or ZEP_CREDENTIAL."""
    field = {MODEL_CREDENTIAL: "openAIApiKey", ZEP_CREDENTIAL: "apiKey"}[kind]
    return {"name": name, "credentialName": kind, "plainDataObj": {field: secret}}


def node_path(name: str) -> str:
    """Return the API path of a node's definition."""
    return f"/api/v1/nodes/{name}"
