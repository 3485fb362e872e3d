"""A user's Compose project: found, read as Compose itself understands it, and looked at before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.targets.compose import commands
from zep_conformance.targets.compose.services import Service, parts_among, variables_of
from zep_conformance.targets.compose.spelling import Compose
from zep_conformance.targets.last_words import end_of

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""The files that Compose looks for in a folder."""
KEY = "ZEP_OPENAI_API_KEY"
_SECRET = re.compile(r"(?i)(key|secret|password|passwd|_pass|token|dsn)$")


@dataclass(frozen=True)
class Project:
    """A project. config: what `config` prints. parts: the service of each part that is in it. redactor: hides all that
    its variables keep secret.
    """

    folder: Path
    path: str
    config: Mapping[str, Any]
    parts: Mapping[str, str]
    redactor: Redactor = field(repr=False)

    @property
    def services(self) -> Mapping[str, Service]:
        """Its services by name."""
        services: Mapping[str, Service] = self.config["services"]
        return services

    def service(self, part: str) -> Service:
        """The service that is a part; empty where there is none."""
        return self.services[self.parts[part]] if part in self.parts else {}

    def variables(self, part: str) -> dict[str, str]:
        """A part's environment variables."""
        return variables_of(self.service(part))


def read(argument: str, compose: Compose) -> Project:
    """Read the project at a path: a folder, or a Compose file.

    Raises CannotTell: there is none, Compose does not understand it, its .env is not there, or no Zep is in it.
    """
    folder, options, path = _located(argument)
    try:
        config = yaml.safe_load(compose.config(folder, *options))
    except commands.Failed as error:
        raise _unreadable(str(error), folder, path, compose) from None
    return described(config, folder, path)


def described(config: Mapping[str, Any], folder: Path, path: str) -> Project:
    """The project that `config` prints. Raises CannotTell: no Zep is in it, or it can't be told which one it is."""
    services = config.get("services") or {}
    found = parts_among(services)
    if not found["zep"]:
        raise CannotTell(
            f"{path} has no Zep in it: its services are {', '.join(services) or 'none'}",
            "A Zep is told by its image (zep, zep-cloud), its port 8000, its name, or variables that begin with ZEP_.",
        )
    for part, names in found.items():
        if len(names) > 1:
            raise CannotTell(
                f"{path}: {' and '.join(names)} look alike, and each may be the {part} of this project",
                f"Call one of them {'zep-postgres' if part == 'postgres' else part}, or leave the others out.",
            )
    parts = {part: names[0] for part, names in found.items() if names}
    return Project(folder, path, config, parts, Redactor(_secrets(services)))


def _secrets(services: Mapping[str, Service]) -> Iterator[str]:
    """What the variables of a project's services keep secret: by their names, and passwords in URLs."""
    for one in services.values():
        for name, value in variables_of(one).items():
            yield from re.findall(r"://[^:/@\s]*:([^@\s]+)@", value)
            if _SECRET.search(name):
                yield value


def _located(argument: str) -> tuple[Path, list[str], str]:
    """The folder of a project, the options that name its file, and what it is called in messages."""
    if not argument:
        raise CannotTell(
            "--target compose needs to know where: no path behind it",
            "Give the folder of the project, or its file: --target compose:../zep",
        )
    path = Path(argument).expanduser()
    if path.is_file():
        return path.resolve().parent, ["--file", path.name], argument
    if not path.is_dir():
        raise CannotTell(
            f"--target compose:{argument}: there is no {path}",
            "Give the folder of the project, or its file: --target compose:../zep",
        )
    if not any((path / name).is_file() for name in NAMES) and "COMPOSE_FILE" not in _env_file(path):
        raise CannotTell(
            f"--target compose:{argument}: no Compose file is in that folder",
            f"Looked for were {', '.join(NAMES)}. Give the file itself if it has another name.",
        )
    return path.resolve(), [], argument


def _env_file(folder: Path) -> str:
    try:
        return (folder / ".env").read_text(errors="replace")
    except OSError:
        return ""


def key_missing(folder: Path, given: Mapping[str, str] | None = None) -> CannotTell:
    """That Zep would have no OpenAI key, with the likeliest reason. given: the variables of its service, once known."""
    where = folder / ".env"
    if re.search(rf"(?m)^\s*(export\s+)?{KEY}\s*=\s*[^\s#]", _env_file(folder)) and given is not None:
        advice = f"{where} has one, but the service is not given it: it needs `env_file: .env`, or the variable's name."
    else:
        there = f"has no {KEY} with a value" if where.is_file() else "is not there"
        advice = f"{where} {there}. Put `{KEY}=…` into it; for this suite any value will do."
    return CannotTell(f"{KEY} is not set for Zep, which does not start without it", advice)


def _unreadable(said: str, folder: Path, path: str, compose: Compose) -> CannotTell:
    """Why Compose does not understand a project, from what it wrote."""
    lines = [line for line in said.splitlines() if "level=warning" not in line and "variable is not set" not in line]
    text = "\n".join(lines)
    if KEY in text:
        return key_missing(folder)
    if re.search(r"(?i)env file .*not found|couldn't find env file", text) and not (folder / ".env").exists():
        return key_missing(folder)
    return CannotTell(
        f"{compose.called} does not understand {path}:\n{end_of(text)}",
        f"`{' '.join(compose.words)} config` in {folder} says the same; mend what it names.",
    )
