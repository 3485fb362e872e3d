"""A project made ours: the same services under another name, beside the one that is deployed and without touching it.

Compose can add to a project by an override, but takes nothing away with it: ports, container names, networks and
volumes that are named for the whole machine would stay, and be those of the running deployment. So the project is
rewritten, as `config` prints it, and given to Compose through a pipe (docs/decisions/0005-compose-rewritten.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zep_conformance.deployment_files.model import Application
from zep_conformance.facts.servers import PORTS
from zep_conformance.targets.compose.project import GivenProject

MODEL = "zep-conformance-model"
"""The service that is added: the model server, which Zep is told to use in place of OpenAI."""
MODEL_PORT = PORTS["model"]
CHANGED = "org.zep-conformance.changed"
"""The label of a container that was made with other variables than the project's."""
_DATA = "/var/lib/postgresql"
_DROPPED = (
    "container_name", "restart", "ports", "profiles", "scale", "logging", "external_links", "env_file", "mac_address"
)  # fmt: skip
"""What a second copy of a service can't have, or what would hide how a part ends. `env_file` is in `environment`."""


@dataclass(frozen=True)
class Additions:
    """What is ours in the rewritten project.

    labels: whose it is (see `docker.ownership`). ports: where zep and model are published, as `127.0.0.1:21000`.
    model_url: what Zep is told, with /v1. model_image: of the model server, None where that is elsewhere.
    """

    labels: Mapping[str, str]
    ports: Mapping[str, str]
    model_url: str = f"http://{MODEL}:{MODEL_PORT}/v1"
    model_image: str | None = None


def rewritten(
    project: GivenProject, ours: Additions, *, part: str = "", changed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the project made ours. part, changed: variables of one part that differ, for this once."""
    config = project.config
    config.pop("name", None)
    if str(config.get("version", "")).startswith("2"):
        config["version"] = "2.4"  # the last of them: has what is added here, and all that the earlier ones have
    labels, originals = dict(ours.labels), project.config["services"]
    networks, volumes = config.get("networks") or {}, config.get("volumes") or {}
    used: set[str] = set()
    for name, service in config["services"].items():
        for key in _DROPPED:
            service.pop(key, None)
        original = originals[name]
        service["restart"] = "no"
        service["labels"] = {**_as_mapping(service.get("labels")), **labels}
        for key in ("replicas", "restart_policy", "placement", "mode"):
            (service.get("deploy") or {}).pop(key, None)
        if "build" in service:
            service.pop("image", None)  # to tag it so would replace the image of the one that is deployed
            build = service["build"]
            build = {"context": build} if isinstance(build, str) else build
            build.pop("tags", None)
            service["build"] = {**build, "labels": {**_as_mapping(build.get("labels")), **labels}}
        if "network_mode" not in service:
            service["networks"] = _networks(original)
            used.update(service["networks"])
        is_database = "postgres" in project.parts and name == project.parts["postgres"].name
        service["volumes"] = _mounts(original, volumes, is_database=is_database)
    zep = config["services"][project.zep.name]
    zep["ports"] = [f"{ours.ports['zep']}:{inner_port(project.zep)}"]
    _set(zep, _model_variables(zep, ours))
    if ours.model_image is not None:
        joined = sorted(zep.get("networks") or ["default"])
        used.update(joined)  # what Compose made without our labels would be left behind
        config["services"][MODEL] = _model(ours, labels, joined)
    if part and changed:
        service = config["services"][project.parts[part].name]
        _set(service, changed)
        service["labels"][CHANGED] = "true"
    config["networks"] = {
        name: {"labels": labels, **({"internal": True} if (networks.get(name) or {}).get("internal") else {})}
        for name in sorted(used)
    }
    config["volumes"] = _volumes(config["services"], volumes, labels)
    return config


def _model(ours: Additions, labels: Mapping[str, str], networks: list[str]) -> dict[str, Any]:
    return {
        "image": ours.model_image,
        "command": ["serve", "--part", "model", "--from-environment", "--host", "0.0.0.0"],
        "labels": dict(labels),
        "restart": "no",
        "networks": {name: {} for name in networks},
        "ports": [f"{ours.ports['model']}:{MODEL_PORT}"],
    }


def _model_variables(zep: Mapping[str, Any], ours: Additions) -> dict[str, str]:
    """Return what makes Zep use the model server. An Azure endpoint beside it would go before it."""
    azure = {name: "" for name in variables_of(zep) if name.startswith("ZEP_LLM_AZURE")}
    return {"ZEP_LLM_OPENAI_ENDPOINT": ours.model_url, "ZEP_LLM_SERVICE": "openai", **azure}


def variables_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return a service's environment variables, with the dollar signs that `config` doubles as they are meant."""
    given = service.get("environment") or {}
    if isinstance(given, list):
        given = dict(one.partition("=")[::2] for one in given)
    return {str(name): str(value).replace("$$", "$") for name, value in given.items() if value is not None}


def inner_port(zep: Application) -> str:
    """Return where a Zep listens inside its container: what it is told, else what it publishes, else its usual port."""
    inside = {one.inside for one in zep.openings if one.inside.isdecimal()}
    return inside.pop() if len(inside) == 1 and not zep.is_set("ZEP_SERVER_PORT") else zep.port


def _set(service: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Set variables of a service."""
    environment = {**variables_of(service), **variables}
    service["environment"] = {name: value.replace("$", "$$") for name, value in environment.items()}


def _networks(service: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service's networks, without addresses of its own there; still known by names that were the machine's."""
    given = service.get("networks") or {"default": None}
    names = given if isinstance(given, list) else list(given)
    known = [str(service[key]) for key in ("container_name", "hostname") if service.get(key)]
    found = {}
    for name in names:
        options = (given[name] or {}) if isinstance(given, dict) else {}
        aliases = [*(options.get("aliases") or []), *known]
        found[name] = {"aliases": aliases} if aliases else {}
    return found


def _mounts(service: Mapping[str, Any], volumes: Mapping[str, Any], *, is_database: bool) -> list[Any]:
    """Return a service's mounts. What a database keeps goes to a new volume; external volumes are only read."""
    data = variables_of(service).get("PGDATA", _DATA)
    kept: list[Any] = []
    for number, mount in enumerate(service.get("volumes") or []):
        kind, source, target = _mount(mount)
        if is_database and (f"{target}/".startswith(f"{_DATA}/") or f"{data}/".startswith(f"{target}/")):
            kept.append(f"zep-conformance-data-{number}:{target}")
        elif kind == "volume" and (volumes.get(source) or {}).get("external"):
            kept.append(f"{source}:{target}:ro")
        else:
            kept.append(mount)
    return kept


def _mount(mount: Any) -> tuple[str, str, str]:
    """Kind, source and target of a mount, in either way of writing it."""
    if isinstance(mount, Mapping):
        return str(mount.get("type", "volume")), str(mount.get("source") or ""), str(mount["target"])
    source, colon, rest = str(mount).partition(":")
    if not colon:
        return "volume", "", source
    return ("bind" if source[:1] in "/.~" else "volume"), source, rest.partition(":")[0]


def _volumes(
    services: Mapping[str, Any], volumes: Mapping[str, Any], labels: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the volumes that services still use: new ones of this project, and external ones, which nobody removes."""
    mounts = [_mount(mount) for one in services.values() for mount in one.get("volumes") or []]
    used = {source for kind, source, _ in mounts if kind == "volume" and source}
    found = {}
    for name in sorted(used):
        given = dict(volumes.get(name) or {})
        if not given.get("external"):
            given.pop("name", None)
            given["labels"] = {**_as_mapping(given.get("labels")), **labels}
        found[name] = given
    return found


def _as_mapping(labels: Any) -> dict[str, str]:
    if isinstance(labels, list):
        return dict(str(one).partition("=")[::2] for one in labels)
    return dict(labels or {})
