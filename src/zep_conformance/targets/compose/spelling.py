"""Docker Compose in both of its spellings: `docker compose` (v2, a plugin) and `docker-compose` (1.29, or v2 alone)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.targets.compose import commands

SPELLINGS = (("docker", "compose"), ("docker-compose",))


@dataclass(frozen=True)
class Compose:
    """One that is installed. words: how it is called. version: as it says."""

    words: tuple[str, ...]
    version: str
    environment: Mapping[str, str]

    @classmethod
    def found(cls, environment: Mapping[str, str]) -> Compose:
        """The newer one of those that are installed. Raises CannotTell when none is."""
        for words in SPELLINGS:
            if shutil.which(words[0], path=environment.get("PATH")) is None:
                continue
            try:
                version = commands.run([*words, "version", "--short"], environment).strip()
            except commands.Failed:
                continue
            return cls(words, version, environment)
        raise CannotTell(
            "there is no Docker Compose: neither `docker compose` nor `docker-compose` is installed",
            "Install the plugin, which Docker's packages call docker-compose-plugin.",
        )

    @property
    def called(self) -> str:
        """How people know it: `docker compose 2.40.3`."""
        return f"{' '.join(self.words)} {self.version}"

    def config(self, folder: Path, *options: str) -> str:
        """The project in `folder` as Compose understands it, in YAML. Raises commands.Failed."""
        return commands.run([*self.words, *options, "config"], self.environment, folder=folder)

    def run(self, project: str, folder: Path, config: Mapping[str, Any], *arguments: str) -> str:
        """Do something to a project that is described by `config` and by no file. Raises commands.Failed."""
        return commands.run(self.command(project, folder, *arguments), self.environment, given=written(config))

    def command(self, project: str, folder: Path, *arguments: str) -> list[str]:
        """The command that does something to a project; it reads what is `written` from its standard input."""
        return [*self.words, "--file", "-", "--project-name", project, "--project-directory", str(folder), *arguments]


def written(config: Mapping[str, Any]) -> str:
    """As Compose reads it: JSON is YAML. It goes through a pipe, since it holds what the .env holds."""
    return json.dumps(config, ensure_ascii=False)
