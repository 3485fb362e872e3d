"""The one builder of chatflows: what the suite, the doctor and the embedded LangFlux save."""

from __future__ import annotations

import json

import pytest

from zep_conformance.embedded.langflux.nodes import NODES, templates
from zep_conformance.facts.flows import (
    CHAIN,
    MODEL,
    ZEP_MEMORY,
    canvas_node,
    conversation_chain,
    with_model,
    with_zep_memory,
)


class TestChatflow:
    template = {  # noqa: RUF012
        "nodes": [
            {"id": "chatOpenAI_0", "data": {"id": "chatOpenAI_0", "name": "chatOpenAI", "inputs": {}}},
            {"id": "bufferMemory_0", "data": {"id": "bufferMemory_0", "name": "bufferMemory", "inputs": {}}},
            {
                "id": "conversationChain_0",
                "data": {
                    "id": "conversationChain_0",
                    "name": "conversationChain",
                    "inputs": {"memory": "{{bufferMemory_0.data.instance}}"},
                },
            },
        ],
        "edges": [{"source": "bufferMemory_0", "sourceHandle": "x", "target": "conversationChain_0", "id": "e"}],
    }
    node = {  # noqa: RUF012
        "name": "ZepMemory",
        "type": "ZepMemory",
        "baseClasses": ["ZepMemory"],
        "inputs": [{"name": "k", "type": "number", "default": "10"}],
    }

    def test_zep_memory_takes_the_place_of_buffer_memory(self) -> None:
        flow = with_zep_memory(self.template, self.node, base_url="http://zep", credential="c", session="s")
        assert "bufferMemory" not in json.dumps(flow)
        zep = next(node for node in flow["nodes"] if node["data"]["name"] == "ZepMemory")
        assert zep["data"]["inputs"] == {"k": "10", "baseURL": "http://zep", "sessionId": "s"}
        assert zep["data"]["credential"] == "c"
        chain = next(node for node in flow["nodes"] if node["data"]["name"] == "conversationChain")
        assert chain["data"]["inputs"]["memory"] == "{{ZepMemory_0.data.instance}}"
        assert flow["edges"][0]["source"] == "ZepMemory_0"

    def test_the_template_itself_is_left_alone(self) -> None:
        before = json.dumps(self.template)
        with_model(
            with_zep_memory(self.template, self.node, base_url="http://zep"), model_url="http://m/v1", credential="c"
        )
        assert json.dumps(self.template) == before

    def test_a_chain_without_an_input_for_a_memory_is_joined_all_the_same(self) -> None:
        """What it makes of that is for LangFlux to say."""
        node = canvas_node(self.node)
        flow = conversation_chain(model=node, memory=node, definition={**self.node, "name": CHAIN})
        assert [one["targetHandle"].split("-")[-1] for one in flow["edges"]] == ["model", "memory"]

    def test_a_template_without_buffer_memory_is_said_so(self) -> None:
        with pytest.raises(AssertionError, match="no Buffer Memory"):
            with_zep_memory({"nodes": [], "edges": []}, self.node, base_url="http://zep")


def test_a_flow_built_by_itself_is_the_template_with_its_memory_replaced() -> None:
    template = json.loads(templates()[0]["flowData"])
    replaced = with_zep_memory(template, NODES[ZEP_MEMORY], base_url="http://zep", credential="c")
    replaced = with_model(replaced, model_url="http://model/v1", credential="k")
    model = canvas_node(
        NODES[MODEL], inputs={"modelName": "gpt-4o-mini", "basepath": "http://model/v1"}, credential="k"
    )
    memory = canvas_node(NODES[ZEP_MEMORY], inputs={"baseURL": "http://zep"}, credential="c")
    built = conversation_chain(model=model, memory=memory, definition=NODES[CHAIN])
    by_id = {node["id"]: node["data"] for node in replaced["nodes"]}
    assert {node["id"]: node["data"] for node in built["nodes"]} == by_id
    joined = {(edge["source"], edge["sourceHandle"], edge["target"], edge["targetHandle"]) for edge in built["edges"]}
    assert joined == {
        (edge["source"], edge["sourceHandle"], edge["target"], edge["targetHandle"]) for edge in replaced["edges"]
    }


def test_what_is_joined_by_an_edge_is_no_field() -> None:
    data = canvas_node(NODES[CHAIN])["data"]
    assert {"model", "memory"} <= {one["name"] for one in data["inputAnchors"]}
    assert not {"model", "memory"} & {one["name"] for one in data["inputParams"]}
