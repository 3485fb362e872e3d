"""A chatflow's JSON read: which node ends it, and which model and memory that node refers to.

The rules are those of Flowise 2.2.8 (`packages/server/src/utils/index.ts`): edges say which node ends the
flow and what is connected to it; its inputs name the connected nodes as `{{id.data.instance}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from zep_conformance.embedded.langflux.answers import read_json

_REFERENCE = re.compile(r"\{\{([^.{}]+)\.data\.instance\}\}")
_BRACES = re.compile(r"\{\{question\}\}|\{\{|\}\}|\{([^{}]*)\}")
_ENDING_CATEGORIES = frozenset({"Chains", "Agents", "Engine", "Multi Agents", "Sequential Agents"})
_RUNNABLE = {
    "conversationChain": "chain",
    "chatOpenAI": "model",
    "ZepMemory": "memory",
    "bufferMemory": "memory",
}


class FlowError(Exception):
    """A flow that can't be run; says why."""


@dataclass(frozen=True)
class Node:
    """One node. inputs: what is filled in on it. credential: the id of its credential, or ""."""

    id: str
    name: str
    label: str
    category: str
    inputs: Mapping[str, Any]
    credential: str

    def input(self, name: str) -> str:
        """An input as text; "" where it is not filled in."""
        value = self.inputs.get(name)
        return "" if value is None else str(value)

    def changed(self, inputs: Mapping[str, Any]) -> Node:
        """The node with other inputs."""
        return Node(self.id, self.name, self.label, self.category, {**self.inputs, **inputs}, self.credential)


@dataclass(frozen=True)
class Flow:
    """A flow as it runs. ending: the chain that answers. model, memory: what it refers to.

    session_node: the memory node whose Session Id counts and whose label is the memory type: the one that the
    first edge from a memory node starts at. memories: every memory node, wired or not.
    """

    ending: Node
    model: Node
    memory: Node
    session_node: Node | None
    memories: tuple[Node, ...]


def _node(raw: dict[str, Any]) -> Node:
    data = raw.get("data") or {}
    inputs = data.get("inputs") or {}
    name, label, category, credential = (
        str(data.get(field) or "") for field in ("name", "label", "category", "credential")
    )
    return Node(str(raw.get("id")), name, label, category, inputs, credential)


def _graph(flow_data: str) -> tuple[dict[str, Node], list[tuple[str, str]]]:
    """(nodes by id, edges as (source, target)). Raises FlowError for text that is no flow."""
    try:
        raw = read_json(flow_data)
        nodes = {node.id: node for node in map(_node, raw["nodes"])}
        edges = [(str(edge["source"]), str(edge["target"])) for edge in raw["edges"]]
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise FlowError("The flow's data is not a flow") from error
    return nodes, edges


def check(flow_data: Any) -> None:
    """Raise FlowError unless `flow_data` is the JSON of a flow, runnable or not."""
    if not isinstance(flow_data, str):
        raise FlowError('"undefined" is not valid JSON')
    _graph(flow_data)


def _ending(nodes: dict[str, Node], edges: list[tuple[str, str]]) -> Node:
    sources, targets = {source for source, _ in edges}, {target for _, target in edges}
    ends = [node for node in nodes.values() if node.id in targets and node.id not in sources]
    if len(nodes) == 1:
        ends = list(nodes.values())
    if not ends:
        raise FlowError("Ending nodes not found")
    fitting = [node for node in ends if node.category in _ENDING_CATEGORIES]
    if not fitting:
        raise FlowError("Ending node must be either a Chain or Agent or Engine")
    return fitting[0] if len(fitting) == 1 else fitting[-1]


@lru_cache(maxsize=256)
def parse(flow_data: str) -> Flow:
    """The flow of this JSON. Raises FlowError when it has no end, or parts of it are missing or unknown."""
    nodes, edges = _graph(flow_data)
    ending = _ending(nodes, edges)

    def connected(anchor: str, kind: str) -> Node:
        found = _REFERENCE.search(ending.input(anchor))
        node = nodes.get(found[1]) if found else None
        # A reference without an edge is never filled in: Flowise builds only what edges lead to.
        if node is None or (node.id, ending.id) not in edges:
            raise FlowError(f"{ending.label} ({ending.id}) has no {kind} connected")
        if _RUNNABLE.get(node.name) != kind:
            raise FlowError(f"{node.label} ({node.id}) can't be run by the embedded server")
        return node

    if _RUNNABLE.get(ending.name) != "chain":
        raise FlowError(f"{ending.label} ({ending.id}) can't be run by the embedded server")
    memories = tuple(node for node in nodes.values() if node.category == "Memory")
    wired = (nodes[source] for source, _ in edges if source in nodes and nodes[source] in memories)
    return Flow(ending, connected("model", "model"), connected("memory", "memory"), next(wired, None), memories)


def memories(flow_data: str) -> tuple[Node, ...]:
    """Every memory node of a flow, runnable or not. Raises FlowError for text that is no flow."""
    nodes, _ = _graph(flow_data)
    return tuple(node for node in nodes.values() if node.category == "Memory")


def streamable(flow_data: str) -> bool:
    """Whether a flow can stream: a chain at its end, and no model with its streaming switched off.

    Raises FlowError when the flow has no end.
    """
    nodes, edges = _graph(flow_data)
    if _ending(nodes, edges).category != "Chains":
        return False
    models = [node for node in nodes.values() if node.category in ("Chat Models", "LLMs")]
    return bool(models) and all(node.inputs.get("streaming") not in (False, "false") for node in models)


def overridden(node: Node, given: Mapping[str, Any], allowed: Mapping[str, Any]) -> Node:
    """A node with the inputs that a request overrides. allowed: by node label, the inputs that may be.

    given: name to value, or name to {node id: value}.
    """
    listed = allowed.get(node.label) or []
    names = {one.get("name") for one in listed if isinstance(one, dict) and one.get("enabled")}
    changes = {}
    for name, value in given.items():
        if name in names:
            if isinstance(value, dict):
                if node.id not in value:
                    continue
                value = value[node.id]
            changes[name] = value
    return node.changed(changes) if changes else node


def prompt(template: str, question: str) -> str:
    """A system message with its variables filled in: {input} and {{question}} are the question, {{ and }} are
    braces, and braces around a colon (JSON) stay. Raises FlowError for any other variable.
    """

    def fill(found: re.Match[str]) -> str:
        match found.group():
            case "{{question}}" | "{input}":
                return question
            case "{{" | "}}":
                return found.group()[0]
        if ":" in found[1]:
            return found.group()
        raise FlowError(f"Missing value for input variable `{found[1]}`")

    return _BRACES.sub(fill, template)
