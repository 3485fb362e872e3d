"""The settings of Zep 0.27.2: keys of its config.yaml, each of which a variable can set as well.

Read in its source, and tried: a variable goes before the file, counts only where the file has its key (but for BOUND),
and an empty one is none. What is missing in a file is empty, 0 or false. Keys are the same in capitals.
"""

from __future__ import annotations

import difflib
import re
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

ALIASES = {"ZEP_LLM_OPENAI_API_KEY": "ZEP_OPENAI_API_KEY", "ZEP_LLM_ANTHROPIC_API_KEY": "ZEP_ANTHROPIC_API_KEY"}
"""Variables that are taken for another one, whose key is bound to a name of its own."""
HOSTPORT = "ZEP_NLP_SERVER_HOSTPORT"
"""What the start script of the image zep-cloud makes ZEP_NLP_SERVER_URL of."""
MODELS = {
    "openai": (
        *("gpt-3.5-turbo", "gpt-3.5-turbo-1106", "gpt-3.5-turbo-16k", "gpt-4", "gpt-4-32k", "gpt-4-1106-preview"),
        *("gpt-4-turbo", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ),
    "anthropic": (
        *("claude-instant-1", "claude-2", "claude-3-5-sonnet-20240620", "claude-3-opus-20240229"),
        *("claude-3-sonnet-20240229", "claude-3-haiku-20240307"),
    ),
}
"""The models that it takes of each service; with an endpoint of one's own, or Azure's, it takes any."""
DEFAULTS = {
    "llm.service": "openai",
    "llm.model": "gpt-4o-mini",
    **{f"extractors.{of}.enabled": "true" for of in _EMBEDDERS},
    **{f"extractors.{of}.service": "local" for of in _EMBEDDERS},
    **{f"extractors.{of}.dimensions": "384" for of in _EMBEDDERS},
    "auth.required": "false",
    "data.purge_every": "60",
    "store.type": "postgres",
}
"""What its own config.yaml says, which the image zep-cloud has in it."""
NLP_VARIABLES = (
    *("ZEP_LOG_LEVEL", "ZEP_LOG_FORMAT", "ZEP_LOG_APP_NAME", "ZEP_SERVER_PORT", "ZEP_EMBEDDINGS_DEVICE"),
    *("ZEP_EMBEDDINGS_MESSAGES_ENABLED", "ZEP_EMBEDDINGS_MESSAGES_MODEL", "ZEP_EMBEDDINGS_DOCUMENTS_ENABLED"),
    *("ZEP_EMBEDDINGS_DOCUMENTS_MODEL", "ZEP_NLP_SPACY_MODEL"),
)
"""What Zep's NLP server looks at."""
WIDTHS = {
    "all-minilm-l6-v2": "384",
    "all-minilm-l12-v2": "384",
    "paraphrase-multilingual-minilm-l12-v2": "384",
    "multi-qa-minilm-l6-cos-v1": "384",
    "all-mpnet-base-v2": "768",
    "multi-qa-mpnet-base-dot-v1": "768",
    "paraphrase-multilingual-mpnet-base-v2": "768",
    "all-distilroberta-v1": "768",
    "bge-small-en-v1.5": "384",
    "bge-base-en-v1.5": "768",
    "bge-large-en-v1.5": "1024",
    "e5-small-v2": "384",
    "e5-base-v2": "768",
    "e5-large-v2": "1024",
    "gte-small": "384",
    "gte-base": "768",
    "gte-large": "1024",
}
"""How many numbers an embedding by a model of the NLP server has, by the last piece of its name."""

_M, _D = "ZEP_EXTRACTORS_MESSAGES_", "ZEP_EXTRACTORS_DOCUMENTS_"
MEANT: tuple[tuple[str, str], ...] = (
    (r"OPENAI_?(API_?)?(KEY|TOKEN)|LLM_(API_)?KEY|LLM_OPENAI_KEY|(OPENAI_)?APIKEY", "ZEP_OPENAI_API_KEY"),
    (r"(LLM_)?(ANTHROPIC|CLAUDE)_?(API_?)?KEY", "ZEP_ANTHROPIC_API_KEY"),
    (r"(LLM_)?AZURE(_OPENAI)?_EMBEDDINGS?(_\w+)?", "ZEP_LLM_AZURE_OPENAI_EMBEDDING_DEPLOYMENT"),
    (r"(LLM_)?AZURE(_OPENAI)?_(LLM_|MODEL_)?DEPLOYMENT(_NAME)?", "ZEP_LLM_AZURE_OPENAI_LLM_DEPLOYMENT"),
    (r"(LLM_)?AZURE(_OPENAI)?(_API)?_(ENDPOINT|URL|BASE|BASE_URL)", "ZEP_LLM_AZURE_OPENAI_ENDPOINT"),
    (r"(LLM_)?(OPENAI|LLM)?_?(API_)?(BASE|BASE_?URL|API_BASE|ENDPOINT|ENDPOINT_URL)", "ZEP_LLM_OPENAI_ENDPOINT"),
    (r"(LLM|OPENAI)_(API_)?(URL|HOST|PROXY)", "ZEP_LLM_OPENAI_ENDPOINT"),
    (r"(LLM_)?OPENAI_ORG(ANI[SZ]ATION)?(_ID)?", "ZEP_LLM_OPENAI_ORG_ID"),
    (r"LLM_(PROVIDER|TYPE|BACKEND)", "ZEP_LLM_SERVICE"),
    (r"(LLM|OPENAI|LLM_OPENAI|CHAT|LLM_MODEL|ANTHROPIC)_?(MODEL)?(_NAME)?|MODEL(_NAME)?", "ZEP_LLM_MODEL"),
    (r"(EXTRACTORS_)?DOC(UMENT)?S?_EMBEDDINGS?_(DIM(ENSION)?S?|SIZE|WIDTH)", f"{_D}EMBEDDINGS_DIMENSIONS"),
    (r"(EXTRACTORS_)?DOC(UMENT)?S?_EMBEDDINGS?_(SERVICE|PROVIDER|MODEL)", f"{_D}EMBEDDINGS_SERVICE"),
    (r"(EXTRACTORS_)?(MESSAGES?_|MEMORY_)?EMBED(DINGS?|DER)_(DIM(ENSION)?S?|SIZE|WIDTH)",
     f"{_M}EMBEDDINGS_DIMENSIONS"),
    (r"(EXTRACTORS_)?(MESSAGES?_|MEMORY_)?EMBED(DINGS?|DER)_(SERVICE|PROVIDER|TYPE|MODEL)",
     f"{_M}EMBEDDINGS_SERVICE"),
    (r"(EXTRACTORS_)?(MESSAGES?_|MEMORY_)?EMBEDDINGS?_ENABLED?", f"{_M}EMBEDDINGS_ENABLED"),
    (r"(EXTRACTORS_)?SUMMAR(IZER|Y|IES|IZATION)_ENABLED?", f"{_M}SUMMARIZER_ENABLED"),
    (r"(EXTRACTORS_)?INTENTS?_ENABLED?", f"{_M}INTENT_ENABLED"),
    (r"(EXTRACTORS_)?ENTIT(Y|IES)_ENABLED?", f"{_M}ENTITIES_ENABLED"),
    (r"((MEMORY_)?STORE_)?(POSTGRES(QL)?|PG|DB|DATABASE|SQL)_?"
     r"(DSN|URL|URI|HOST(NAME)?|PORT|USER(NAME)?|PASS(WORD)?|NAME|DB|DATABASE|CONN\w*|SSL_?MODE)",
     "ZEP_STORE_POSTGRES_DSN"),
    (r"(MEMORY_)?STORE_(DSN|URL|URI|CONN\w*)|(POSTGRES_)?DSN|DATABASE", "ZEP_STORE_POSTGRES_DSN"),
    (r"(MEMORY_)?STORE|DB_TYPE|DATABASE_TYPE", "ZEP_STORE_TYPE"),
    (r"NLP(_SERVER)?_?(URL|URI|HOST(NAME)?|PORT|ENDPOINT|ADDR\w*|BASE_?URL)?", "ZEP_NLP_SERVER_URL"),
    (r"(HTTP_|LISTEN_|API_|SERVER_HTTP_)?PORT", "ZEP_SERVER_PORT"),
    (r"(BIND|LISTEN|HTTP)_?(HOST|ADDR\w*)?|HOST", "ZEP_SERVER_HOST"),
    (r"(AUTH_|JWT_|API_|SERVER_|TOKEN_)?(JWT_)?SECRET(_KEY)?|AUTH_(KEY|TOKEN|JWT)|JWT(_KEY)?|API_(KEY|SECRET|TOKEN)",
     "ZEP_AUTH_SECRET"),
    (r"AUTH(ENTICATION)?(_(ENABLED?|REQUIRE|ON|MODE))?|REQUIRE_AUTH\w*|(SERVER_)?AUTH_REQUIRED", "ZEP_AUTH_REQUIRED"),
    (r"(SERVER_)?(WEB|ADMIN|UI|WEBUI)(_?UI)?(_ENABLED?)?|(SERVER_)?ENABLE_(WEB|UI|ADMIN)\w*", "ZEP_SERVER_WEB_ENABLED"),
    (r"LOG(GING)?(_?LEVEL)?|LEVEL", "ZEP_LOG_LEVEL"),
    (r"DEBUG|DEV|DEV_MODE", "ZEP_DEVELOPMENT"),
    (r"(MEMORY_)?(MESSAGES?_?)?WINDOW(_(SIZE|WINDOW|MESSAGES))?|MEMORY_\w*WINDOW\w*|MAX_MESSAGES",
     "ZEP_MEMORY_MESSAGE_WINDOW"),
    (r"(DATA_)?PURGE(_\w+)?", "ZEP_DATA_PURGE_EVERY"),
    (r"(SERVER_)?MAX_(REQUEST|BODY)_?SIZE", "ZEP_SERVER_MAX_REQUEST_SIZE"),
)  # fmt: skip
"""Names behind ZEP_ that people write for a variable, and that Zep does not look at: what they mean."""


def right_name(name: str) -> str:
    """Return the variable that is meant by one that Zep does not look at, "" where none is."""
    known = [*VARIABLES, HOSTPORT]
    bare = name.removesuffix("_FILE")
    if bare != name and bare in known:
        return bare
    upper = name.upper().replace("__", "_")
    if upper in known:
        return upper
    rest = upper.removeprefix("ZEP_")
    for pattern, variable in MEANT:
        if re.fullmatch(pattern, rest):
            return variable
    return next(iter(difflib.get_close_matches(upper, known, 1, 0.86)), "")
