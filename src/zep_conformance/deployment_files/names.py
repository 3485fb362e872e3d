"""Variables that Zep never reads, or can't read as what they are: each with the right one, where there is one."""

from __future__ import annotations

import re

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, PlannedDeployment, Value
from zep_conformance.deployment_files.sources import Sources
from zep_conformance.deployment_files.told import setting
from zep_conformance.facts.servers import PUBLISHED_SECRET, go_bool
from zep_conformance.facts.zep_settings import ALIASES, HOSTPORT, KEYS, NLP_VARIABLES, VARIABLES, right_name

_OLD, _NEW = "ZEP_MEMORY_STORE_", "ZEP_STORE_"
_OF_CLIENTS = re.compile(
    r"ZEP_(CONFORMANCE_\w+|TOKEN|API_?KEY|(API|BASE|SERVER|PUBLIC|EXTERNAL)_?URL|URL(_\w+)?|IMAGE(_\w+)?|TAG|VERSION"
    r"|(HOST_|PUBLISHED_|EXTERNAL_)?PORT|HOST(NAME)?|DOMAIN|JWT(_TOKEN)?|COLLECTION|SESSION(_ID)?|USER(_ID)?"
    r"|(CPU|MEMORY|MEM)(_LIMIT)?|REPLICAS|DATA(_DIR)?|VOLUME)"
)
"""Names that an env file, which is often given to all, has for Zep's clients, or for Compose itself."""
_NUMBER = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*)")
_WANTED = {"number": "a number", "bool": "true or false"}


def check(deployment: PlannedDeployment, ledger: Ledger, sources: Sources) -> None:
    """Look at the names and the values of what each zep is told."""
    for zep in deployment.having("zep"):
        for name, value in zep.variables.items():
            if not name.upper().startswith("ZEP_") or value.key:
                continue
            if name in VARIABLES:
                _value(zep, name, value, ledger)
            elif name.startswith(_OLD):
                instead = _NEW + name.removeprefix(_OLD)
                ledger.report("variable-renamed", value.place, variable=name, instead=instead)
            elif name not in ALIASES and name != HOSTPORT:
                _unread(deployment, zep, name, sources, ledger)
        _links(zep, ledger)
        _secret(zep, ledger)
        _purge(zep, ledger)


def _unread(deployment: PlannedDeployment, zep: Application, name: str, sources: Sources, ledger: Ledger) -> None:
    """Report a variable that Zep does not look at."""
    place, instead = zep.variables[name].place, right_name(name)
    if instead in zep.variables and not zep.variables[instead].key:
        instead = ""  # it is there, too
    if place.file in sources.env_files:
        # An env file is often given to all: what is for others is not meant for Zep.
        used = any(re.search(rf"\$\{{?{name}\b", sources.texts.get(file, "")) for file in deployment.files)
        if used or not instead or name in NLP_VARIABLES or _OF_CLIENTS.fullmatch(name):
            return
    if instead and name not in NLP_VARIABLES:
        ledger.report("variable-unknown", place, zep, variable=name, instead=instead)
    else:
        ledger.report("variable-unread", place, zep, variable=name)


def _value(zep: Application, name: str, value: Value, ledger: Ledger) -> None:
    """Report a value that Zep can't read."""
    kind, text = KEYS[VARIABLES[name]], value.text
    if not text:
        return
    wanted = _WANTED.get(kind, "")
    if name == "ZEP_STORE_TYPE" and text != "postgres":
        wanted = "postgres"
    elif kind == "text" or (kind == "number" and _NUMBER.fullmatch(text)) or (kind == "bool" and _is_bool(text)):
        return
    ledger.report("value-malformed", value.place, zep, variable=name, value=text, wanted=wanted)


def _links(zep: Application, ledger: Ledger) -> None:
    """Report a Service whose address Kubernetes puts where Zep looks for a setting."""
    for service in sorted(zep.linked):
        name = f"{service.upper().replace('-', '_')}_PORT"
        if name in VARIABLES and name not in zep.variables:
            ledger.report("service-links-clash", zep.place, zep, service=service, variable=name)


def _is_bool(text: str) -> bool:
    try:
        go_bool(text)
    except ValueError:
        return False
    return True


def _secret(zep: Application, ledger: Ledger) -> None:
    """Report a secret that has no effect."""
    secret = zep.variables.get("ZEP_AUTH_SECRET")
    required = setting(zep, "auth.required")
    if secret is None or secret.text in ("", PUBLISHED_SECRET) or required is None:
        return
    if required == "" or (_is_bool(required) and not go_bool(required)):
        ledger.report("secret-not-required", secret.place, zep)


def _purge(zep: Application, ledger: Ledger) -> None:
    """Note that somebody has switched off the purge: what is deleted is kept."""
    value = zep.variables.get("ZEP_DATA_PURGE_EVERY")
    if value is not None and value.text and not value.text.strip("0"):
        ledger.report("purge-off", value.place, zep)
