"""A Compose project is read as Compose itself reads it, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import tests.support.deployment_shapes_reach
import tests.support.deployment_shapes_whole  # noqa: F401
from tests.support.deployment_shapes import COMPOSE, SHAPES
from zep_conformance.deployment_files.compose import read_project
from zep_conformance.deployment_files.model import Application
from zep_conformance.deployment_files.sources import load

COMPOSES = [
    words
    for words in (["docker", "compose"], ["docker-compose"])
    if shutil.which(words[0]) and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
]
NEW_WORDS = ("include:", "!reset", "!override", "content:", "required: false")
"""What docker-compose 1.29 does not know."""
NAMES = [
    "several databases, and Zep's has no name of Zep's",
    "an env file of another name that is there, with variables in it",
    "an env file that is there, and leads elsewhere",
    "extends from another file, with paths of its own",
    "extends of what extends, and a fault in the first",
    "an override that mends",
    "an override that breaks",
    "an override that resets",
    "include within include",
    "include, long, with an env file and a folder of its own",
    "files that .env names",
    "anchors and merges",
    "everything in one network with aliases",
    "one database for everything, which a script makes, and Zep is told by a file",
]


@pytest.mark.skipif(not COMPOSES, reason="no Compose is installed")
@pytest.mark.parametrize("name", NAMES)
def test_a_project_comes_to_what_compose_makes_of_it(tmp_path: Path, name: str) -> None:
    made = SHAPES[name]()
    paths = made.write(tmp_path)
    words = COMPOSES[0]
    if words == ["docker-compose"] and any(word in text for word in NEW_WORDS for text in made.files.values()):
        pytest.skip("docker-compose 1.29 does not know all that is in it")
    done = subprocess.run([*words, "config"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode and words == ["docker-compose"]:
        pytest.skip(f"docker-compose 1.29 does not read it: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    read = {one.name: one for one in _read(paths)}
    assert set(services) <= set(read)
    for service, entry in services.items():
        told = {key: value.text for key, value in read[service].variables.items()}
        said = {key: _text(value) for key, value in (entry.get("environment") or {}).items()}
        assert told == said, service
        assert shown(read[service]) == entry.get("image", ""), service


def _read(paths: list[Path]) -> list[Application]:
    sources = load(paths)
    return read_project(sources.projects()[0], sources).applications


def _text(value: object) -> str | None:
    return None if value is None else str(value).replace("$$", "$")


def shown(one: Application) -> str:
    image = one.image
    return f"{image.path}:{image.tag}" if image else ""


def test_all_shapes_named_here_are_there() -> None:
    assert set(NAMES) <= set(SHAPES) and COMPOSE
