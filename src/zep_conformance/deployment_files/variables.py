"""What the applications are told in variables: what Zep does not start without, and what means nothing to it."""

from __future__ import annotations

from collections.abc import Sequence

from zep_conformance.deployment_files.compose import ComposeProject
from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, Place, PlannedDeployment, reads_as
from zep_conformance.deployment_files.sources import ENV, EnvFile

KEY = "ZEP_OPENAI_API_KEY"
_OLD, _NEW = "ZEP_MEMORY_STORE_", "ZEP_STORE_"
_WIDTHS = {"local": "384", "openai": "1536"}
_EMBEDDERS = (
    "ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS",
    "ZEP_EXTRACTORS_MESSAGES_SUMMARIZER_EMBEDDINGS",
    "ZEP_EXTRACTORS_DOCUMENTS_EMBEDDINGS",
)


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at what Zep is told, and at the env files of a Compose project."""
    if isinstance(deployment, ComposeProject):
        _env_files(deployment, ledger)
    for application in deployment.having("zep"):
        _key(deployment, application, ledger)
        _names(application, ledger)
        for embedder in _EMBEDDERS:
            _width(application, embedder, ledger)
        unseen = not application.is_set(KEY) or application.variables[KEY].text is None
        symptom = "nothing is wrong as far as the files tell" if unseen else f"{application.name} is told {KEY}"
        ledger.well("settings", application.place, symptom)
    if deployment.kind == "fly":
        for application in deployment.applications:
            _fly_secrets(application, ledger)


def _key(deployment: PlannedDeployment, application: Application, ledger: Ledger) -> None:
    anthropic = application.value_of("ZEP_LLM_SERVICE") == "anthropic"
    if application.is_set(KEY) or application.variables_unseen or anthropic:
        return
    place = application.variables[KEY].place if KEY in application.variables else application.place
    env = deployment.env if isinstance(deployment, ComposeProject) else None
    ledger.report("openai-key-missing", place, application, **{"how": how_to_give_key(env)} if env else {})


def how_to_give_key(env: EnvFile) -> str:
    """Return what to do about a Zep without a key, whose project has this .env."""
    if env.variables.get(KEY, ("", 0))[0]:
        return f"{env.name} has one, but the service is not given it: it needs env_file: .env, or the variable's name."
    return f"{env.name} has no {KEY} with a value: put one into it, and hand it on as ${{NAME}}."


def _names(application: Application, ledger: Ledger) -> None:
    for name, value in application.variables.items():
        if name.startswith(_OLD):
            ledger.report("variable-renamed", value.place, variable=name, instead=_NEW + name.removeprefix(_OLD))


def _width(application: Application, embedder: str, ledger: Ledger) -> None:
    service, dimensions = f"{embedder}_SERVICE", f"{embedder}_DIMENSIONS"
    asked = application.variables.get(service) or application.variables.get(dimensions)
    if asked is None or reads_as(application.value_of(f"{embedder}_ENABLED"), False):
        return
    by = application.value_of(service) or "local"
    wanted, given = _WIDTHS.get(by), application.value_of(dimensions) or _WIDTHS["local"]
    if wanted is not None and given != wanted:
        variable = service if service in application.variables else dimensions
        told = {"variable": variable, "service": by, "wanted": wanted, "told": given, "dimensions": dimensions}
        ledger.report("embedding-width", asked.place, application, **told)


def _env_files(project: ComposeProject, ledger: Ledger) -> None:
    of_zep = {one.name for one in project.applications if one.role}
    for path, absent in project.not_there.items():
        concerned = [name for name in absent.services if name in of_zep] if of_zep else absent.services
        if concerned:
            ledger.report("env-not-there", absent.place, application=_listed(concerned), env=path)
    unset = {name: one for name, one in project.unset.items() if of_zep & set(one.services)}
    if unset and project.env is not None:
        first = next(iter(unset.values()))
        services = _listed(list(dict.fromkeys(service for one in unset.values() for service in one.services)))
        names = _listed(list(unset))
        ledger.report("variable-unset", first.place, application=services, names=names, env=project.env.name)
    for file, place in project.unseen.items():
        ledger.report("file-unseen", place, file=file)
    for variable, place in project.needed.items():
        ledger.report("variable-needed", place, variable=variable, env=ENV)


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _fly_secrets(application: Application, ledger: Ledger) -> None:
    """Name what can only be a secret: of Zep its key, its DSN and what it checks tokens with."""
    wanted: list[str] = []
    if application.role == "zep":
        wanted = [KEY, "ZEP_STORE_POSTGRES_DSN"] + ["ZEP_AUTH_SECRET"] * application.asks_for_tokens
    elif application.role == "postgres":
        wanted = ["POSTGRES_PASSWORD"]
    names = [name for name in wanted if not application.is_set(name)]
    if names:
        place = Place(application.place.file)
        ledger.report("secrets-unseen", place, application, names=", ".join(names))
