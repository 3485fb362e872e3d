"""What Zep does not start without, and the env files that variables come from."""

from __future__ import annotations

from collections.abc import Sequence

from zep_conformance.deployment_files.compose import ComposeProject
from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, Place, PlannedDeployment
from zep_conformance.deployment_files.sources import ENV, EnvFile
from zep_conformance.deployment_files.told import has

KEY = "ZEP_OPENAI_API_KEY"


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at what Zep is told, and at the env files of a Compose project."""
    if isinstance(deployment, ComposeProject):
        _env_files(deployment, ledger)
    for application in deployment.having("zep"):
        _key(deployment, application, ledger)
        unseen = not application.is_set(KEY) or application.variables[KEY].text is None
        symptom = "nothing is wrong as far as the files tell" if unseen else f"{application.name} is told {KEY}"
        ledger.well("settings", application.place, symptom)
    for application in deployment.applications:
        for name, value in application.variables.items():
            if value.left_out:
                ledger.report("sync-in-group", value.place, variable=name)
    if deployment.kind == "fly":
        for application in deployment.applications:
            _fly_secrets(application, ledger)


def _key(deployment: PlannedDeployment, application: Application, ledger: Ledger) -> None:
    anthropic = application.value_of("ZEP_LLM_SERVICE") == "anthropic"
    if has(application, "llm.openai_api_key") is not False or anthropic:
        return
    place = application.variables[KEY].place if KEY in application.variables else application.place
    env = deployment.env if isinstance(deployment, ComposeProject) else None
    ledger.report("openai-key-missing", place, application, **{"how": how_to_give_key(env)} if env else {})


def how_to_give_key(env: EnvFile) -> str:
    """Return what to do about a Zep without a key, whose project has this .env."""
    if env.variables.get(KEY, ("", 0))[0]:
        return f"{env.name} has one, but the service is not given it: it needs env_file: .env, or the variable's name."
    return f"{env.name} has no {KEY} with a value: put one into it, and hand it on as ${{NAME}}."


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
