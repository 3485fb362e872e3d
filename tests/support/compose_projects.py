"""A user's Compose project for the tests, both spellings of Compose, and what an engine has of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

DATA = Path(__file__).parents[1] / "data" / "compose" / "zep"
IMAGES = ("ZEP_IMAGE", "NLP_IMAGE", "POSTGRES_IMAGE", "MODEL_IMAGE")
PLUGIN = Path(
    os.environ.get("ZEP_CONFORMANCE_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zep-conformance"
) / "compose-v2" / "v2.40.3"  # fmt: skip
KEY = "sk-of-the-test-0123456789"


def engine_missing() -> str:
    """Why nothing can be brought up here, "" where it can."""
    if shutil.which("docker") is None:
        return "no docker command"
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
        return "no Docker engine answers"
    unset = [name for name in IMAGES if not os.environ.get(name)]
    return f'no {", ".join(unset)}: eval "$(.ci/images)" makes images and names them' if unset else ""


def environment(spelling: str, tmp_path: Path) -> dict[str, str]:
    """Variables with which one spelling of Compose is found, and the temporary folder is the test's own.

    spelling: `docker compose` or `docker-compose`. Skips where it is not installed.
    """
    (tmp_path / "tmp").mkdir(exist_ok=True)
    (tmp_path / "docker").mkdir(exist_ok=True)
    variables = {**os.environ, "CI": "", "COLUMNS": "80", "TMPDIR": str(tmp_path / "tmp")}
    if spelling == "docker-compose":
        if shutil.which("docker-compose") is None:
            pytest.skip("no docker-compose: apt-get install docker-compose")
        return {**variables, "DOCKER_CONFIG": str(tmp_path / "docker")}  # without plugins
    for config in (os.environ.get("DOCKER_CONFIG", ""), str(PLUGIN)):
        tried = {**variables, "DOCKER_CONFIG": config} if config else variables
        if (
            subprocess.run(["docker", "compose", "version"], env=tried, capture_output=True, check=False).returncode
            == 0
        ):
            return tried
    pytest.skip("no docker compose: .ci/compose-v2 builds it")


class UserProject:
    """A user's project in a folder of its own. Services can be changed; `read` is what the file says then."""

    def __init__(self, folder: Path, env: str = f"ZEP_OPENAI_API_KEY={KEY}\n") -> None:
        self.folder = folder
        folder.mkdir()
        self.file = folder / "docker-compose.yaml"
        shutil.copy(DATA / "docker-compose.yaml", self.file)
        (folder / ".env").write_text(env)

    def read(self) -> dict[str, Any]:
        """The file."""
        found: dict[str, Any] = yaml.safe_load(self.file.read_text())
        return found

    def write(self, document: dict[str, Any]) -> None:
        """Write the file anew."""
        self.file.write_text(yaml.safe_dump(document))

    def change(self, service: str, **changed: Any) -> None:
        """Set keys of a service; None takes one away."""
        document = self.read()
        document["services"].setdefault(service, {}).update(changed)
        for key in [key for key, value in changed.items() if value is None]:
            del document["services"][service][key]
        self.write(document)

    def everything(self) -> dict[str, str]:
        """All files in the folder, to see that none was changed."""
        return {
            str(path.relative_to(self.folder)): path.read_text() for path in self.folder.rglob("*") if path.is_file()
        }


def left_of(project: str) -> dict[str, list[str]]:
    """What is in the engine of a project of ours, by kind: containers, networks, volumes, images."""
    found = {}
    for kind in ("container", "network", "volume", "image"):
        everything = ["--all"] if kind in ("container", "image") else []
        listed = docker(kind, "ls", *everything, "--quiet", "--filter", f"label=com.docker.compose.project={project}")
        if listed.strip():
            found[kind] = listed.split()
    return found


def volumes_of(project: str) -> set[str]:
    """The volumes that the containers of a project of ours have, those without a name too."""
    containers = left_of(project).get("container", [])
    mounted = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return set(docker("inspect", "--format", mounted, *containers).split()) if containers else set()


def volumes() -> set[str]:
    """All volumes of the engine."""
    return set(docker("volume", "ls", "--quiet").split())


def docker(*arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """What `docker` prints; fails with what it says where that is an error."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout
