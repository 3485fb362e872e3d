"""The nodes, credential types and template that the embedded LangFlux has, described as Flowise 2.2.8 describes them.

Names, types, versions and defaults are Flowise's, since flows refer to them; the descriptions are our own.
"""

from __future__ import annotations

import json
from typing import Any

from zep_conformance.facts.flows import BUFFER_MEMORY, CHAIN, MODEL, canvas_node, conversation_chain

SYSTEM_MESSAGE = "You are talking with a human. Be friendly and exact, and say so when you do not know an answer."
"""The Conversation Chain's System Message when it has none."""


def _input(label: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "name": name, "type": kind, **more}


def _option(label: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    """An optional input that stands under "Additional Parameters"."""
    return _input(label, name, kind, optional=True, additionalParams=True, **more)


def _node(name: str, label: str, category: str, version: float, *bases: str, **more: Any) -> dict[str, Any]:
    return {
        "label": label,
        "name": name,
        "version": version,
        "type": bases[0],
        "category": category,
        "baseClasses": list(bases),
        **more,
    }


_SESSION_ID = _option("Session Id", "sessionId", "string", default="", description="Without one, an id is made up.")

_NODES = (
    _node(
        "chatOpenAI",
        "ChatOpenAI",
        "Chat Models",
        8.1,
        "ChatOpenAI",
        "BaseChatModel",
        "BaseLanguageModel",
        "Runnable",
        description="A chat model behind OpenAI's API or one like it",
        credential=_input("Connect Credential", "credential", "credential", credentialNames=["openAIApi"]),
        inputs=[
            _input("Model Name", "modelName", "asyncOptions", loadMethod="listModels", default="gpt-4o-mini"),
            _option("Streaming", "streaming", "boolean", default=True),
            _option("BasePath", "basepath", "string"),
        ],
    ),
    _node(
        "bufferMemory",
        "Buffer Memory",
        "Memory",
        2,
        "BufferMemory",
        "BaseChatMemory",
        "BaseMemory",
        description="Remembers by the chat messages in the database",
        inputs=[
            _SESSION_ID,
            _input("Memory Key", "memoryKey", "string", default="chat_history", additionalParams=True),
        ],
    ),
    _node(
        "ZepMemory",
        "Zep Memory - Open Source",
        "Memory",
        2,
        "ZepMemory",
        "BaseChatMemory",
        "BaseMemory",
        description="Remembers, and sums up, with a Zep server",
        credential=_input(
            "Connect Credential",
            "credential",
            "credential",
            optional=True,
            description="The JWT of a Zep that wants one",
            credentialNames=["zepMemoryApi"],
        ),
        inputs=[
            _input("Base URL", "baseURL", "string", default="http://127.0.0.1:8000"),
            _SESSION_ID,
            _input(
                "Size",
                "k",
                "number",
                default="10",
                description="How many of the newest messages are remembered",
                additionalParams=True,
            ),
            _input("AI Prefix", "aiPrefix", "string", default="ai", additionalParams=True),
            _input("Human Prefix", "humanPrefix", "string", default="human", additionalParams=True),
            _input("Memory Key", "memoryKey", "string", default="chat_history", additionalParams=True),
            _input("Input Key", "inputKey", "string", default="input", additionalParams=True),
            _input("Output Key", "outputKey", "string", default="text", additionalParams=True),
        ],
    ),
    _node(
        "conversationChain",
        "Conversation Chain",
        "Chains",
        3,
        "ConversationChain",
        "LLMChain",
        "BaseChain",
        "Runnable",
        description="A conversation with a chat model that remembers",
        inputs=[
            _input("Chat Model", "model", "BaseChatModel"),
            _input("Memory", "memory", "BaseMemory"),
            _option(
                "System Message",
                "systemMessagePrompt",
                "string",
                rows=4,
                default=SYSTEM_MESSAGE,
                placeholder=SYSTEM_MESSAGE,
            ),
        ],
    ),
)

NODES: dict[str, dict[str, Any]] = {node["name"]: node for node in _NODES}
"""Each node by its name, as GET /api/v1/nodes/{name} shows it."""


def _credential_type(name: str, label: str, field: str, field_label: str) -> dict[str, Any]:
    inputs = [{"label": field_label, "name": field, "type": "password"}]
    return {"label": label, "name": name, "version": 1, "inputs": inputs}


CREDENTIAL_TYPES: dict[str, dict[str, Any]] = {
    kind["name"]: kind
    for kind in (
        _credential_type("openAIApi", "OpenAI API", "openAIApiKey", "OpenAI Api Key"),
        _credential_type("zepMemoryApi", "Zep Memory API", "apiKey", "API Key"),
    )
}
"""Each type of credential by its name, as GET /api/v1/components-credentials/{name} shows it."""


def templates() -> list[dict[str, Any]]:
    """Return the marketplace: the "Conversation Chain" alone (in 2023 "Simple Conversational Chain")."""
    memory = canvas_node(NODES[BUFFER_MEMORY], position=(0, 480))
    flow = conversation_chain(model=canvas_node(NODES[MODEL]), memory=memory, definition=NODES[CHAIN])
    return [{"id": 0, "templateName": "Conversation Chain", "flowData": json.dumps(flow), "type": "Chatflow"}]
