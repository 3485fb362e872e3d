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
_ENDING_CATEGORIES = frozenset({"Chains", "Agents", "Engine", "Multi Agents", "Sequential Agents"})
_RUNNABLE = {"conversationChain": "chain", "chatOpenAI": "model", "ZepMemory": "memory"}


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
        """Return an input as text; "" where it is not filled in."""
        value = self.inputs.get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Flow:
    """A flow as it runs. ending: the chain that answers. model, memory: what it refers to."""

    ending: Node
    model: Node
    memory: Node


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


def check_flow(flow_data: Any) -> None:
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
def runnable_flow(flow_data: str) -> Flow:
    """Return the flow of this JSON. Raises FlowError when it has no end, or parts of it are missing or unknown."""
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
    return Flow(ending, connected("model", "model"), connected("memory", "memory"))


def memory_nodes(flow_data: str) -> tuple[Node, ...]:
    """Return every memory node of a flow, runnable or not. Raises FlowError for text that is no flow."""
    nodes, _ = _graph(flow_data)
    return tuple(node for node in nodes.values() if node.category == "Memory")


def streamable(flow_data: str) -> bool:
    """Return whether a flow can stream: a chain at its end, and no model with its streaming switched off.

    Raises FlowError when the flow has no end.
    """
    nodes, edges = _graph(flow_data)
    if _ending(nodes, edges).category != "Chains":
        return False
    models = [node for node in nodes.values() if node.category in ("Chat Models", "LLMs")]
    return bool(models) and all(node.inputs.get("streaming") not in (False, "false") for node in models)
