"""What is wrong with a project can often be told before anything starts: each once, with what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import IMAGES
from zep_conformance.targets.compose import commands
from zep_conformance.targets.compose.engine import FOLDER_LABEL, PROJECT_LABEL, Engine
from zep_conformance.targets.compose.project import KEY, Project, key_missing
from zep_conformance.targets.compose.services import image_of, published_by


def object_to(project: Project, engine: Engine, window: int) -> None:
    """Raises CannotTell for a Zep that could not start, is a 1.x, or would work on a database of somebody's.

    window: the messages after which the suite expects a summary.
    """
    variables = project.variables("zep")
    if not variables.get(KEY) and variables.get("ZEP_LLM_SERVICE", "openai") == "openai":
        raise key_missing(project.folder, variables)
    if wants_token(variables) and not variables.get("ZEP_AUTH_SECRET"):
        raise CannotTell(
            "ZEP_AUTH_REQUIRED is set for Zep and ZEP_AUTH_SECRET is not: it does not start so",
            "`zep-conformance token` makes a secret and its token; put the secret into the .env.",
        )
    other = variables.get("ZEP_MEMORY_MESSAGE_WINDOW") or str(window)
    if other != str(window):
        raise CannotTell(
            f"ZEP_MEMORY_MESSAGE_WINDOW is {other} in {project.path}, and the suite expects {window}",
            f"Give --message-window {other}.",
        )
    _not_zep_1(project, engine)
    _store_is_inside(project)
    for part, name in project.parts.items():
        mode = str(project.service(part).get("network_mode") or "")
        if mode and mode != "bridge":
            raise CannotTell(
                f"{name} has network_mode: {mode}, so that it can't run a second time beside the one that is deployed",
                "Leave it out, so that the services have a network of their own, or test with --target remote.",
            )


def wants_token(variables: Mapping[str, str]) -> bool:
    """Whether a Zep with these variables demands tokens."""
    return variables.get("ZEP_AUTH_REQUIRED", "").lower() in ("1", "t", "true")


def _not_zep_1(project: Project, engine: Engine) -> None:
    """Zep 1.x speaks another API. A :latest that is not here yet would be that."""
    service = project.service("zep")
    path, _, tag = image_of(service)
    if service.get("build") or not path:
        return
    is_1 = re.match(r"v?[1-9]\d*(\.|$)", tag) or re.search(r"zep-ce$", path)
    moves = "getzep/" in path and tag in ("", "latest") and "@" not in str(service["image"])
    if is_1 or (moves and not is_there(engine, str(service["image"]))):
        raise CannotTell(
            f"{service['image']} is Zep 1.x, which speaks another API (/api/v2, no JWT): LangFlux remembers nothing "
            "with it",
            f"Pin {IMAGES['zep']} in {project.path}.",
        )


def is_there(engine: Engine, image: str) -> bool:
    """Whether an image is in the engine already."""
    try:
        engine.ask("image", "inspect", "--format", "{{.Id}}", image)
    except commands.Failed:
        return False
    return True


def _store_is_inside(project: Project) -> None:
    """A second Zep must not work on a database that is somebody's: only on a new one, in this project."""
    dsn = project.variables("zep").get("ZEP_STORE_POSTGRES_DSN", "")
    named = re.search(r"\bhost=(\S+)", dsn)
    host = (named[1] if named else urlsplit(dsn).hostname) or ""
    inside = {
        str(name)
        for service, one in project.services.items()
        for name in (service, one.get("container_name"), one.get("hostname"), *_aliases(one.get("networks")))
        if name
    }
    if "postgres" not in project.parts or (host and host not in inside):
        where = f"on {host}, which is not in this project" if host else "not in this project"
        raise CannotTell(
            f"the database of this Zep is {where}: a second Zep would work on your data",
            "Give the project a database of its own for the test, or test the Zep that runs with --target remote.",
        )


def _aliases(networks: object) -> list[str]:
    if not isinstance(networks, dict):
        return []
    return [alias for one in networks.values() for alias in (one or {}).get("aliases") or []]


def clashes(project: Project, engine: Engine) -> list[str]:
    """A line for each port of the project's files that a container has now: this run uses others, but theirs can't."""
    lines = []
    for name, service in project.services.items():
        for port in published_by(service):
            holders = engine.ask(
                "ps", "--filter", f"publish={port.outside}", "--format",
                f'{{{{.Names}}}}\t{{{{.Label "{PROJECT_LABEL}"}}}}\t{{{{.Label "{FOLDER_LABEL}"}}}}',
            ).splitlines() if port.outside else []  # fmt: skip
            for holder in holders:
                container, of_project, folder = holder.split("\t")
                if folder == str(project.folder):
                    continue  # their own deployment, which goes on running
                of_what = f" of project {of_project}" if of_project else ""
                lines.append(
                    f"port {port.outside}, which {name} publishes in {project.path}, is taken by container "
                    f"{container}{of_what}: this run uses another, but `up` of yours would fail"
                )
    return lines
