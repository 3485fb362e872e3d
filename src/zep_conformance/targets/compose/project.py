"""A user's Compose project: found, read as Compose itself understands it, and refused where it can't work.

Which service is which part, and what is wrong with the project, is `deployment_files`' to know: it reads what Compose's
`config` prints, which is the project with all its files merged and its variables put in.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from zep_conformance.deployment_files.compose import read_project
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.findings import FileFinding
from zep_conformance.deployment_files.model import Application, PlannedDeployment, Role, best_of
from zep_conformance.deployment_files.secrets import secrets_in
from zep_conformance.deployment_files.sources import COMPOSE_NAMES, ENV, Sources, read_env
from zep_conformance.deployment_files.variables import KEY, how_to_give_key
from zep_conformance.deployment_files.wiring import database_host
from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import last_lines, one_line
from zep_conformance.facts.codes import codes
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.targets.compose.commands import CommandFailed, Compose
from zep_conformance.targets.docker.engine import DockerEngine
from zep_conformance.targets.docker.ownership import PROJECT, PROJECT_FOLDER

ROLES: tuple[Role, ...] = ("zep", "nlp", "postgres")
REFUSED = ("openai-key-missing", "auth-without-secret", "image-zep-1")
"""The findings about deployment files with which a project is not started: a Zep with one of them does not come up."""
_SECRET = re.compile(r"(?i)(key|_pass|dsn)$")
"""Names of variables whose values are hidden, too; in files that are looked at such a name says too little."""
_wrong_path = partial(CannotTell, code="compose-path-wrong")
_GIVE_PATH = "Give the folder of the project, or its file: --target compose:../zep"


@dataclass(frozen=True)
class GivenProject:
    """A user's project. text: what `config` prints. path: what it is called. parts: the service of each part in it.

    redactor: hides all that its variables keep secret.
    """

    folder: Path
    path: str
    text: str
    deployment: PlannedDeployment
    parts: Mapping[str, Application]
    redactor: Redactor = field(repr=False)

    @classmethod
    def of(cls, text: str, *, folder: Path, path: str) -> GivenProject:
        """Return the project that `config` prints. Raises CannotTell: no Zep is in it, or several alike are."""
        sources = _sources(text, folder)
        deployment = read_project(sources.files(), sources)
        found = {role: best_of(role, deployment.applications) for role in ROLES}
        if not found["zep"]:
            names = ", ".join(one.name for one in deployment.applications)
            raise CannotTell(
                f"{path} has no Zep in it: its services are {names or 'none'}",
                "A Zep is told by its image (zep, zep-cloud), its port 8000, its name, or variables that begin with "
                "ZEP_.",
                code="compose-no-zep",
            )
        for part, alike in found.items():
            if len(alike) > 1:
                raise CannotTell(
                    f"{path}: {' and '.join(one.name for one in alike)} look alike, and each may be the {part} of this "
                    "project",
                    f"Call one of them {'zep-postgres' if part == 'postgres' else part}, or leave the others out.",
                    code="compose-ambiguous",
                )
        values = (pair for one in deployment.applications for pair in one.variables.items())
        keys = [value.text for name, value in values if value.text and _SECRET.search(name)]
        return cls(
            folder=folder,
            path=path,
            text=text,
            deployment=deployment,
            parts={part: alike[0] for part, alike in found.items() if alike},
            redactor=Redactor([*keys, *secrets_in(sources, deployment.applications)]),
        )

    @property
    def config(self) -> dict[str, Any]:
        """A new copy of what `config` prints, parsed."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed

    @property
    def zep(self) -> Application:
        """Its Zep."""
        return self.parts["zep"]

    def findings(self) -> list[FileFinding]:
        """Return what is found of the project, as `zep-conformance check-files` would of its files."""
        return examine(_sources(self.text, self.folder))


def _sources(text: str, folder: Path) -> Sources:
    """Return what `config` prints, with the user's .env beside it, as deployment files are read."""
    name = str(folder / COMPOSE_NAMES[0])
    texts = {name: text}
    if (env := folder / ENV).is_file():
        texts[str(env)] = _env_text(folder)
    return Sources(texts, (name,), on_disk=True)


def _env_text(folder: Path) -> str:
    """Return what a project's .env holds, "" where we may not read it: Compose says so better."""
    with contextlib.suppress(OSError):
        return (folder / ENV).read_text(errors="replace")
    return ""


def read_given(argument: str, compose: Compose) -> GivenProject:
    """Read the project at a path: a folder, or a Compose file.

    Raises CannotTell: there is none, Compose does not understand it, its .env is not there, or no Zep is in it.
    """
    folder, options, path = _located(argument)
    try:
        text = compose.config(folder, *options)
    except CommandFailed as error:
        raise _not_understood(str(error), folder=folder, path=path, compose=compose) from None
    try:
        config = yaml.safe_load(text)
        services = dict(config["services"] or {})
        assert all(isinstance(one, dict) for one in services.values())
    except (yaml.YAMLError, LookupError, TypeError, ValueError, AssertionError):
        raise _not_understood(
            f"its `config` prints no project: {last_lines(text, 1)}", folder=folder, path=path, compose=compose
        ) from None
    for service in services.values():
        if isinstance(given := service.get("environment"), dict):  # what has no value here, no container is given
            service["environment"] = {name: value for name, value in given.items() if value is not None}
    return GivenProject.of(json.dumps(config, ensure_ascii=False, default=str), folder=folder, path=path)


def refuse_unfit(project: GivenProject, window: int) -> None:
    """Refuse a project whose Zep could not start, is a 1.x, or would work on a database of somebody's.

    window: the messages after which the suite expects a summary. Raises CannotTell.
    """
    for finding in project.findings():
        if finding.code in REFUSED:
            advice = finding.advice
            if finding.code == "openai-key-missing" and not (project.folder / ENV).is_file():
                advice = f"{project.folder / ENV} is not there. {advice}"
            raise CannotTell(f"{finding.symptom}: {finding.cause}", advice, code=finding.code)
    other = project.zep.value_of("ZEP_MEMORY_MESSAGE_WINDOW") or str(window)
    if other != str(window):
        raise CannotTell(
            f"ZEP_MEMORY_MESSAGE_WINDOW is {other} in {project.path}, and the suite expects {window}",
            f"Give --message-window {other}.",
            code="message-window-other",
        )
    host = database_host(project.zep)
    if "postgres" not in project.parts or (host and project.deployment.by_host(host) is None):
        where = f"on {host}, which is not in this project" if host else "not in this project"
        raise CannotTell(
            f"the database of this Zep is {where}: a second Zep would work on your data",
            "Give the project a database of its own for the test, or test the Zep that runs with --target remote.",
            code="compose-database-elsewhere",
        )
    for one in project.parts.values():
        mode = str(project.config["services"][one.name].get("network_mode") or "")
        if mode and mode != "bridge":
            raise CannotTell(
                f"{one.name} has network_mode: {mode}, so that it can't run a second time beside the one that is "
                "deployed",
                "Leave it out, so that the services have a network of their own, or test with --target remote.",
                code="compose-host-network",
            )


def clashes(project: GivenProject, engine: DockerEngine) -> list[str]:
    """Return a line for each port of the project's files that a container has: this run uses others, theirs can't."""
    lines = []
    for one in project.deployment.applications:
        for port in [opening.outside for opening in one.openings if opening.outside.isdecimal()]:
            for holder in engine.client.containers.list(filters={"publish": port}, ignore_removed=True):
                of_project = holder.labels.get(PROJECT, "")
                if holder.labels.get(PROJECT_FOLDER) == str(project.folder):
                    continue  # their own deployment, which goes on running
                lines.append(
                    f"port {port}, which {one.name} publishes in {project.path}, is taken by container {holder.name}"
                    f"{f' of project {of_project}' if of_project else ''}: this run uses another, but `up` of yours "
                    "would fail"
                )
    return lines


def _located(argument: str) -> tuple[Path, list[str], str]:
    """Return the folder of a project, the options that name its file, and what it is called in messages."""
    if not argument:
        raise _wrong_path("--target compose needs to know where: no path behind it", _GIVE_PATH)
    try:
        path = Path(argument).expanduser()
        if path.is_file():
            return path.resolve().parent, ["--file", path.name], argument
        if not path.is_dir():
            raise _wrong_path(f"--target compose:{argument}: there is no {path}", _GIVE_PATH)
        has_file = any((path / name).is_file() for name in COMPOSE_NAMES)
    except (
        OSError,
        RuntimeError,
    ) as error:  # too long a name, a folder that is closed to us, a ~user that there is not
        why = getattr(error, "strerror", None) or error
        raise _wrong_path(f"--target compose:{argument}: {why}", _GIVE_PATH) from None
    if "COMPOSE_FILE" not in _env_text(path) and not has_file:
        raise _wrong_path(
            f"--target compose:{argument}: no Compose file is in that folder",
            f"Looked for were {', '.join(COMPOSE_NAMES)}. Give the file itself if it has another name.",
        )
    return path.resolve(), [], argument


def _not_understood(output: str, *, folder: Path, path: str, compose: Compose) -> CannotTell:
    """Why Compose does not understand a project, from what it wrote."""
    lines = [line for line in output.splitlines() if "level=warning" not in line and "variable is not set" not in line]
    text, env = "\n".join(lines), folder / ENV
    if KEY in text or (re.search(r"(?i)env file .*not found|couldn't find env file", text) and not env.exists()):
        advice = f"{env} is not there. Put {KEY}=… into it."
        if env.is_file():
            advice = how_to_give_key(read_env(str(env), _env_text(folder)))
        entry = codes("deployment-files")["openai-key-missing"]
        return CannotTell(f"{entry.symptom.format(application='Zep')}: {entry.cause}", advice, code=entry.code)
    return CannotTell(
        f"{compose.called} does not understand {path}: {one_line(last_lines(text, 5))}",
        f"`{' '.join(compose.words)} config` in {folder} says the same; correct what it names.",
        code="compose-unreadable",
    )
