"""Whether Zep takes the language model and the embedding services that it is told to use."""

from __future__ import annotations

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, PlannedDeployment, reads_as
from zep_conformance.deployment_files.told import called, has, place_of, setting
from zep_conformance.facts.zep_settings import MODELS, WIDTHS, variable_of

_SERVICE, _MODEL = "llm.service", "llm.model"
_ENDPOINT, _AZURE = "llm.openai_endpoint", "llm.azure_openai_endpoint"
_DEPLOYMENT = "llm.azure_openai.embedding_deployment"
_MESSAGES, _DOCUMENTS = "extractors.messages.embeddings", "extractors.documents.embeddings"
_EMBEDDERS = (_MESSAGES, "extractors.messages.summarizer.embeddings", _DOCUMENTS)
_OPENAI_WIDTH, _LOCAL_WIDTH = "1536", "384"


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at what each zep is told of models."""
    for zep in deployment.having("zep"):
        _language_model(zep, ledger)
        if setting(zep, _SERVICE) == "openai":
            _azure(zep, ledger)
        for embedder in _EMBEDDERS:
            _embedder(deployment, zep, embedder, ledger)


def _language_model(zep: Application, ledger: Ledger) -> None:
    service, model = setting(zep, _SERVICE), setting(zep, _MODEL)
    if service is None or service == "":  # without a service any model is taken
        return
    if service not in MODELS:
        known = " or ".join(MODELS)
        ledger.report("llm-service-unknown", place_of(zep, _SERVICE), zep, service=service, known=known)
        return
    if service == "anthropic" and has(zep, "llm.anthropic_api_key") is False:
        ledger.report("anthropic-key-missing", place_of(zep, _SERVICE), zep)
    any_model = service == "openai" and (has(zep, _ENDPOINT) is not False or has(zep, _AZURE) is not False)
    if model is not None and model not in MODELS[service] and not any_model:
        words = {"model": model or "nothing", "service": service, "variable": called(zep, _MODEL)}
        words["known"] = ", ".join(sorted(MODELS[service], key=len)[:4])
        words["unless"] = " Or set ZEP_LLM_OPENAI_ENDPOINT, with which any is taken." if service == "openai" else ""
        ledger.report("model-unknown", place_of(zep, _MODEL, _SERVICE), zep, **words)


def _azure(zep: Application, ledger: Ledger) -> None:
    if not has(zep, _AZURE):
        return
    if has(zep, _ENDPOINT):
        ledger.report("endpoints-exclude", place_of(zep, _ENDPOINT), zep)
    # Of the two embedders that Zep asks, the documents' counts where messages are not embedded.
    embedder = _DOCUMENTS if _is_off(zep, _MESSAGES) else _MESSAGES
    by_openai = setting(zep, f"{embedder}.service") == "openai" and not _is_off(zep, embedder)
    if by_openai and has(zep, _DEPLOYMENT) is False:
        place = place_of(zep, _DEPLOYMENT, _AZURE)
        ledger.report("azure-embedding-missing", place, zep, variable=variable_of(_DEPLOYMENT))


def _is_off(zep: Application, embedder: str) -> bool:
    """Whether an embedder is switched off; what is not said is not."""
    enabled = setting(zep, f"{embedder}.enabled")
    return enabled is not None and (enabled == "" or reads_as(enabled, False))


def _embedder(deployment: PlannedDeployment, zep: Application, embedder: str, ledger: Ledger) -> None:
    """Look at one embedder: who embeds, and how many numbers an embedding has."""
    service, dimensions = f"{embedder}.service", f"{embedder}.dimensions"
    by, told = setting(zep, service), setting(zep, dimensions)
    if by is None or _is_off(zep, embedder):
        return
    place = place_of(zep, service, dimensions)
    if by == "openai" and setting(zep, _SERVICE) == "anthropic":
        ledger.report("embedding-not-of-anthropic", place, zep, variable=called(zep, service))
        return
    wanted = _width(deployment, zep, embedder, by)
    if wanted is None or told is None or _number(told) == wanted:
        return
    stands = any(variable_of(key) in zep.variables for key in (service, dimensions))
    if stands:
        variable = called(zep, service if variable_of(service) in zep.variables else dimensions)
        words = {"variable": variable, "service": by, "wanted": wanted, "told": told or "nothing"}
        ledger.report("embedding-width", place, zep, dimensions=called(zep, dimensions), **words)


def _width(deployment: PlannedDeployment, zep: Application, embedder: str, by: str) -> str | None:
    """Return how many numbers an embedding has, None where that is not known."""
    if by == "openai":
        own = has(zep, _ENDPOINT) is not False or has(zep, _AZURE) is not False
        return None if own else _OPENAI_WIDTH
    if by != "local":
        return None
    servers = deployment.having("nlp")
    of = "DOCUMENTS" if embedder == _DOCUMENTS else "MESSAGES"
    if not servers:
        return None
    widths = {_width_of(one, f"ZEP_EMBEDDINGS_{of}_MODEL") for one in servers}
    return widths.pop() if len(widths) == 1 else None


def _width_of(server: Application, variable: str) -> str | None:
    """Return how many numbers an embedding by an NLP server has, None where that is not known."""
    value = server.variables.get(variable)
    if value is not None and value.text != "":
        return WIDTHS.get((value.text or "").rpartition("/")[2].lower())
    of_zeps = server.image is not None and server.image.name in ("zep-nlp-server", "zep-nlp")
    configured = any(one.folder.startswith("/app") for one in server.mounts)
    unseen = server.variables_unseen and server.type != "app"
    return _LOCAL_WIDTH if of_zeps and not configured and not unseen else None


def _number(text: str) -> str:
    return text.lstrip("0") if text.isdecimal() else text
