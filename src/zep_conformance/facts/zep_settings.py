"""The settings of Zep 0.27.2: keys of its config.yaml, each of which a variable can set as well.

Read in its source, and tried: a variable goes before the file, counts only where the file has its key (but for BOUND),
and an empty one is none. What is missing in a file is empty, 0 or false. Keys are the same in capitals.
"""

from __future__ import annotations

from typing import Literal

Type = Literal["text", "number", "bool"]

_EMBEDDINGS: dict[str, Type] = {"enabled": "bool", "dimensions": "number", "service": "text", "chunk_size": "number"}
_EMBEDDERS = ("documents.embeddings", "messages.summarizer.embeddings", "messages.embeddings")

KEYS: dict[str, Type] = {
    "llm.service": "text",
    "llm.model": "text",
    "llm.azure_openai_endpoint": "text",
    "llm.azure_openai.llm_deployment": "text",
    "llm.azure_openai.embedding_deployment": "text",
    "llm.openai_endpoint": "text",
    "llm.openai_org_id": "text",
    "llm.openai_api_key": "text",
    "llm.anthropic_api_key": "text",
    "nlp.server_url": "text",
    "memory.message_window": "number",
    **{f"extractors.{of}.{name}": kind for of in _EMBEDDERS for name, kind in _EMBEDDINGS.items()},
    "extractors.messages.summarizer.enabled": "bool",
    "extractors.messages.summarizer.entities.enabled": "bool",
    "extractors.messages.entities.enabled": "bool",
    "extractors.messages.intent.enabled": "bool",
    "store.type": "text",
    "store.postgres.dsn": "text",
    "store.postgres.available_indexes.ivfflat": "bool",
    "store.postgres.available_indexes.hsnw": "bool",
    "server.host": "text",
    "server.port": "number",
    "server.web_enabled": "bool",
    "server.max_request_size": "number",
    "auth.required": "bool",
    "auth.secret": "text",
    "data.purge_every": "number",
    "log.level": "text",
    "opentelemetry.enabled": "bool",
    "development": "bool",
    "custom_prompts.summarizer_prompts.openai": "text",
    "custom_prompts.summarizer_prompts.anthropic": "text",
}
"""Each key that it looks at, and what it is."""
BOUND = {
    "llm.openai_api_key": "ZEP_OPENAI_API_KEY",
    "llm.anthropic_api_key": "ZEP_ANTHROPIC_API_KEY",
    "auth.secret": "ZEP_AUTH_SECRET",
    "development": "ZEP_DEVELOPMENT",
}
"""The keys whose variables have names of their own, and count whatever the file has."""


def variable_of(key: str) -> str:
    """Return the variable that sets a key."""
    return BOUND.get(key) or "ZEP_" + key.upper().replace(".", "_")


VARIABLES = {variable_of(key): key for key in KEYS}
"""Each variable that Zep looks at, and its key."""
