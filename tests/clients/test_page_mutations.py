"""Mutations of the page's saving: what is sent to LangFlux lacks just what the mutation's name says."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from zep_conformance.clients.page.mutations import CHATFLOWS, MUTATIONS

ZEP = {"category": "Memory", "inputs": {"baseURL": "http://my-zep:8000"}, "credential": "my-credential"}
CHAIN = {"category": "Chains", "inputs": {"memory": "{{ZepMemory_0.data.instance}}"}, "credential": ""}
FLOW = {
    "nodes": [{"id": "ZepMemory_0", "data": ZEP}, {"id": "chain_0", "data": CHAIN}],
    "edges": [{"targetHandle": "chain_0-input-memory-BaseMemory"}, {"targetHandle": "chain_0-input-model-Base"}],
}


def saved(name: str, method: str) -> str:
    """Return what a mutation makes of saving FLOW: what goes on to LangFlux."""
    handlers: dict[Any, Any] = {}
    MUTATIONS.plant([name], SimpleNamespace(route=handlers.__setitem__))
    sent: list[str] = []
    request = SimpleNamespace(method=method, post_data_json={"flowData": json.dumps(FLOW)})
    route = SimpleNamespace(request=request)
    route.continue_ = lambda post_data: sent.append(json.dumps(json.loads(json.loads(post_data)["flowData"])))
    route.fallback = lambda: sent.append("as it was")
    handlers[CHATFLOWS](route)
    return sent[0]


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("base-url-lost", '"http://my-zep:8000"'),
        ("memory-node-lost", '{"id": "ZepMemory_0", '),
        ("memory-unjoined", '{"targetHandle": "chain_0-input-memory-BaseMemory"}'),
        ("memory-unjoined", '"memory": '),
        ("credential-lost", '"my-credential"'),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_is_saved_lacks_what_the_mutation_loses(name: str, lost: str, method: str) -> None:
    everything = json.dumps(FLOW)
    assert lost in everything
    assert lost not in saved(name, method)
    assert "chain_0-input-model-Base" in saved(name, method)


def test_what_is_not_saved_goes_on_as_it_is() -> None:
    assert saved("memory-unjoined", "GET") == "as it was"
