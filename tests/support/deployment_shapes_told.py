"""Shapes of projects that tell Zep what it stops at or never reads, and of what `deploy` says."""

from __future__ import annotations

from typing import Any

from tests.support.deployment_shapes import COMPOSE, NO_ENV, Project, Shape, shape

ANTHROPIC = {"ZEP_LLM_SERVICE": "anthropic", "ZEP_ANTHROPIC_API_KEY": "${ANTHROPIC_API_KEY}"}
AZURE = {"ZEP_LLM_AZURE_OPENAI_ENDPOINT": "https://example.openai.azure.com/"}
EMBEDDINGS = "ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS"
BY_OPENAI = {f"{EMBEDDINGS}_SERVICE": "openai", f"{EMBEDDINGS}_DIMENSIONS": "1536"}
DEPLOYMENT = "ZEP_LLM_AZURE_OPENAI_EMBEDDING_DEPLOYMENT"


def told(name: str, variables: dict[str, str], *found: str, env: str = "", nlp: dict[str, Any] | None = None) -> None:
    """Register the healthy project with these variables of Zep's; each finding stands in the Compose file."""

    @shape(name)
    def _() -> Shape:
        made = Project()
        made.zep["environment"].update(variables)
        made.files[".env"] += f"ANTHROPIC_API_KEY=sk-ant-0000aaaabbbbccccdddd\n{env}"
        made.services["zep-nlp"].update(nlp or {})
        return made.shape(*((code, COMPOSE) for code in found))


# -- names

told(
    "the key by another name that Zep takes",
    {"ZEP_LLM_OPENAI_API_KEY": "${ZEP_OPENAI_API_KEY}", "ZEP_OPENAI_API_KEY": ""},
)
told("an endpoint of one's own", {"ZEP_LLM_OPENAI_ENDPOINT": "https://llm.example.org/v1"})
told("OpenAI's base by another name", {"ZEP_OPENAI_API_BASE": "https://llm.example.org/v1"}, "variable-unknown")
told("a database by its pieces", {"ZEP_DB_HOST": "zep-postgres", "ZEP_DB_USER": "zep"}, "variable-unread")
told("a secret of Docker's", {"ZEP_AUTH_SECRET_FILE": "/run/secrets/zep"}, "variable-unread")
told("a letter too few", {"ZEP_MEMORY_MESAGE_WINDOW": "6"}, "variable-unknown")
told("embeddings of Zep before 0.11", {"ZEP_EXTRACTORS_EMBEDDINGS_DIMENSIONS": "384"}, "variable-unknown")
told("a level by another name", {"ZEP_LOGLEVEL": "debug"}, "variable-unknown")
told("a name that means nothing", {"ZEP_FLAVOUR": "vanilla"}, "variable-unread")
told("a setting of the NLP server's", {"ZEP_NLP_SPACY_MODEL": "en_core_web_sm"}, "variable-unread")
told(
    "variables that are not Zep's", {"TZ": "UTC", "GOMAXPROCS": "8", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"}
)


@shape("an .env that is given to all")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = [".env"]
    made.zep["image"] = "${ZEP_IMAGE}"
    made.files[".env"] += (
        "ZEP_IMAGE=ghcr.io/getzep/zep-cloud:0.27.2\nZEP_TOKEN=eyJhbGciOiJIUzI1NiJ9.e30.x\nZEP_API_URL=http://zep:8000\n"
        "ZEP_EMBEDDINGS_MESSAGES_MODEL=all-MiniLM-L6-v2\nZEP_WHATEVER=1\nZEP_API_KEY=0123456789\n"
    )
    return made.shape()


@shape("an .env with a name that Zep does not know")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = [".env"]
    made.files[".env"] += "ZEP_OPENAI_ENDPOINT=https://llm.example.org/v1\n"
    return made.shape(("variable-unknown", ".env", "ZEP_OPENAI_ENDPOINT"))


# -- values

told("true in other words", {"ZEP_AUTH_REQUIRED": "1", "ZEP_SERVER_WEB_ENABLED": "F"})
told("yes is no true", {"ZEP_AUTH_REQUIRED": "yes"}, "value-malformed", "open-to-everybody")
told("a number with a unit", {"ZEP_SERVER_MAX_REQUEST_SIZE": "5MB"}, "value-malformed")
told("a number in base 16", {"ZEP_SERVER_MAX_REQUEST_SIZE": "0x500000"})
told("a number with a point", {"ZEP_MEMORY_MESSAGE_WINDOW": "12.0"}, "value-malformed")
told("a store that there is not", {"ZEP_STORE_TYPE": "postgresql"}, "value-malformed")
told("purged every day", {"ZEP_DATA_PURGE_EVERY": "1440"})
told("never purged", {"ZEP_DATA_PURGE_EVERY": "0"}, "purge-off")

# -- models

told("a model that Zep takes", {"ZEP_LLM_MODEL": "gpt-4o-2024-08-06"})
told("a model of today", {"ZEP_LLM_MODEL": "gpt-5-mini"}, "model-unknown")
told("a dated model", {"ZEP_LLM_MODEL": "gpt-3.5-turbo-0125"}, "model-unknown")
told(
    "any model behind an endpoint", {"ZEP_LLM_MODEL": "llama3:8b", "ZEP_LLM_OPENAI_ENDPOINT": "http://ollama:11434/v1"}
)
told("a model that is not known here", {"ZEP_LLM_MODEL": "${ZEP_LLM_MODEL:-gpt-4o}"})
told("Anthropic", {**ANTHROPIC, "ZEP_LLM_MODEL": "claude-3-haiku-20240307"})
told("Anthropic with OpenAI's model", ANTHROPIC, "model-unknown")
told("Anthropic with a newer model", {**ANTHROPIC, "ZEP_LLM_MODEL": "claude-sonnet-4-5"}, "model-unknown")
told(
    "Anthropic without its key", {"ZEP_LLM_SERVICE": "anthropic", "ZEP_LLM_MODEL": "claude-2"}, "anthropic-key-missing"
)
told(
    "Anthropic with an empty key",
    {**ANTHROPIC, "ZEP_LLM_MODEL": "claude-2", "ZEP_ANTHROPIC_API_KEY": ""},
    "anthropic-key-missing",
)
told(
    "Anthropic, and OpenAI's embeddings",
    {**ANTHROPIC, "ZEP_LLM_MODEL": "claude-2", **BY_OPENAI},
    "embedding-not-of-anthropic",
)
told("a service that there is not", {"ZEP_LLM_SERVICE": "azure"}, "llm-service-unknown")
told("Azure, local embeddings", {**AZURE, "ZEP_LLM_MODEL": "our-deployment"})
told(
    "Azure with both deployments",
    {**AZURE, **BY_OPENAI, DEPLOYMENT: "ada", "ZEP_LLM_AZURE_OPENAI_LLM_DEPLOYMENT": "gpt"},
)
told("Azure without a deployment", {**AZURE, **BY_OPENAI}, "azure-embedding-missing")
told("Azure with an empty one", {**AZURE, **BY_OPENAI, DEPLOYMENT: ""}, "azure-embedding-missing")
told(
    "Azure, messages not embedded",
    {**AZURE, f"{EMBEDDINGS}_ENABLED": "false", "ZEP_EXTRACTORS_DOCUMENTS_EMBEDDINGS_SERVICE": "openai"},
    "azure-embedding-missing",
)
told(
    "Azure and another endpoint",
    {**AZURE, "ZEP_LLM_OPENAI_ENDPOINT": "https://llm.example.org/v1"},
    "endpoints-exclude",
)

# -- widths

told("OpenAI's width", BY_OPENAI)
told("OpenAI's embeddings in local width", {f"{EMBEDDINGS}_SERVICE": "openai"}, "embedding-width")
told(
    "an endpoint's width is its own",
    {**BY_OPENAI, f"{EMBEDDINGS}_DIMENSIONS": "768", "ZEP_LLM_OPENAI_ENDPOINT": "http://llm/v1"},
)
told("local ones in OpenAI's width", {f"{EMBEDDINGS}_DIMENSIONS": "1536"}, "embedding-width")
MPNET = {"environment": {"ZEP_EMBEDDINGS_MESSAGES_MODEL": "sentence-transformers/all-mpnet-base-v2"}}
told(
    "another local model, its width",
    {f"{EMBEDDINGS}_DIMENSIONS": "768", "ZEP_EXTRACTORS_MESSAGES_SUMMARIZER_EMBEDDINGS_DIMENSIONS": "768"},
    nlp=MPNET,
)
told("another local model, another width", {f"{EMBEDDINGS}_DIMENSIONS": "384"}, "embedding-width", nlp=MPNET)
told(
    "a local model that is not known",
    {f"{EMBEDDINGS}_DIMENSIONS": "512"},
    nlp={"environment": {"ZEP_EMBEDDINGS_MESSAGES_MODEL": "ours/embedder"}},
)
told("an NLP server of one's own", {f"{EMBEDDINGS}_DIMENSIONS": "1024"}, nlp={"image": "registry.example.org/nlp:3"})

# -- a secret that has no effect

told("a secret, and false", {"ZEP_AUTH_REQUIRED": "false"}, "secret-not-required", "open-to-everybody")
told("a secret, and nothing", {"ZEP_AUTH_REQUIRED": ""}, "secret-not-required", "open-to-everybody")
told("neither", {"ZEP_AUTH_REQUIRED": "false", "ZEP_AUTH_SECRET": ""}, "open-to-everybody")


@shape("a secret, and it is not known whether it counts")
def _() -> Shape:
    made = Project()
    made.zep["environment"]["ZEP_AUTH_REQUIRED"] = "${ZEP_AUTH_REQUIRED}"
    del made.files[".env"]
    return made.shape(NO_ENV)


# -- deploy


def deployed(name: str, deploy: dict[str, Any], *found: str, service: str = "zep", **more: Any) -> None:
    """Register the healthy project without `restart`, with a service's `deploy`."""

    @shape(name)
    def _() -> Shape:
        made = Project()
        del made.zep["restart"]
        made.services[service]["deploy"] = deploy
        made.services[service].update(more)
        if service != "zep":
            made.zep["restart"] = "always"
        return made.shape(*((code, COMPOSE) for code in found))


deployed("started again by deploy", {"restart_policy": {"condition": "on-failure"}})
deployed("any by default", {"restart_policy": {"delay": "5s"}})
deployed("never started again", {"restart_policy": {"condition": "none"}}, "starts-before-database", restart="always")
deployed("Swarm starts again", {"mode": "replicated", "replicas": 1})
deployed("labels alone start nothing again", {"labels": ["a.b=c"]}, "starts-before-database")
deployed("memory enough", {"resources": {"limits": {"memory": "2G"}}}, service="zep-nlp")
deployed("memory reserved", {"resources": {"reservations": {"memory": "128M"}}}, service="zep-nlp")
deployed("memory too small", {"resources": {"limits": {"memory": "512M"}}}, "memory-small", service="zep-nlp")
deployed("memory in bytes", {"resources": {"limits": {"memory": "268435456"}}}, "memory-small", service="zep-nlp")
deployed("memory by mem_limit", {}, "memory-small", service="zep-nlp", mem_limit="700m")
deployed("half a processor", {"restart_policy": {}, "resources": {"limits": {"cpus": "0.50"}}}, "few-cores")
deployed("two processors", {"restart_policy": {}, "resources": {"limits": {"cpus": "2"}}})
deployed("one processor of a set", {"restart_policy": {}}, "zep-freezes", cpuset="3")
deployed("four of a set", {"restart_policy": {}}, cpuset="0-2,5")
told("one core by its own setting", {"GOMAXPROCS": "1"}, "zep-freezes")


@shape("half a processor, and GOMAXPROCS")
def _() -> Shape:
    made = Project()
    made.zep["deploy"] = {"resources": {"limits": {"cpus": "0.5"}}}
    made.zep["environment"]["GOMAXPROCS"] = "8"
    return made.shape()


@shape("an overlay network is Swarm's")
def _() -> Shape:
    made = Project()
    del made.zep["restart"]
    made.document["networks"] = {"default": {"driver": "overlay"}}
    return made.shape()
