"""Compose projects of many shapes that are healthy, or wrong in one way: changes of one healthy project.

Each shape is a set of files; `Shape.found` is what must be found in them, each a code with the file and, where it
matters, a piece of the line that it must stand at.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.field_cases import FOLDER

BASE: dict[str, Any] = yaml.safe_load((FOLDER / "base-fit" / "docker-compose.yaml").read_text())
ENV = (FOLDER / "base-fit" / ".env").read_text()
COMPOSE = "docker-compose.yaml"
NO_ENV = ("env-not-there", COMPOSE)
PASSWORD = "5f0d9a7c3b1e4d2f6a8b"

CONFIG = """\
llm:
  service: openai
  model: gpt-4o-mini
  openai_endpoint:
nlp:
  server_url: http://zep-nlp:5557
memory:
  message_window: 12
extractors:
  documents:
    embeddings: {enabled: true, chunk_size: 1000, dimensions: 384, service: local}
  messages:
    summarizer:
      enabled: true
      embeddings: {enabled: true, dimensions: 384, service: local}
    embeddings:
      enabled: true
      dimensions: 384
      service: local
store:
  type: postgres
  postgres:
    dsn:
server:
  host: 0.0.0.0
  port: 8000
  web_enabled: false
auth:
  required: true
  secret:
data:
  purge_every: 60
"""
"""A config.yaml that is as complete as Zep's own, and leaves what is secret to variables."""

Found = tuple[str, ...]


@dataclass
class Shape:
    """One project. given: what is looked at, "" for its folder."""

    files: dict[str, str]
    found: tuple[Found, ...] = ()
    given: tuple[str, ...] = ("",)

    def write(self, folder: Path) -> list[Path]:
        """Write its files; return what is given to `check-files`."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [folder / name for name in self.given]


@dataclass
class Project:
    """A Compose project to change: its document, and its files beside that."""

    document: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(BASE))
    files: dict[str, str] = field(default_factory=lambda: {".env": ENV})

    @property
    def services(self) -> dict[str, Any]:
        """Its services."""
        found: dict[str, Any] = self.document["services"]
        return found

    @property
    def zep(self) -> dict[str, Any]:
        """The service zep."""
        found: dict[str, Any] = self.services["zep"]
        return found

    def shape(self, *found: Found, given: tuple[str, ...] = ("",), name: str = COMPOSE) -> Shape:
        """Return it as files."""
        text = yaml.safe_dump(self.document, sort_keys=False, width=1000)
        return Shape({name: text, **self.files}, found, given)


SHAPES: dict[str, Callable[[], Shape]] = {}
"""By what each is."""


def shape(name: str) -> Callable[[Callable[[], Shape]], Callable[[], Shape]]:
    """Register what makes a shape."""

    def register(make: Callable[[], Shape]) -> Callable[[], Shape]:
        assert name not in SHAPES
        SHAPES[name] = make
        return make

    return register


def put(text: str, old: str, new: str) -> str:
    """Return a text with a piece of it replaced, which stands there once."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def configured(config: str | None, how: Mapping[str, Any], **beside: str) -> Project:
    """Return the project with the image that has no configuration, and with one put into it."""
    made = Project()
    zep = made.zep
    zep["image"] = "ghcr.io/getzep/zep:0.27.2"
    zep.update(how)
    names = ("ZEP_STORE_POSTGRES_DSN", "ZEP_OPENAI_API_KEY", "ZEP_AUTH_SECRET")
    zep["environment"] = {name: zep["environment"][name] for name in names}
    if config is not None:
        made.files["config.yaml"] = config
    made.files.update(beside)
    return made


MOUNT = {"volumes": ["./config.yaml:/app/config.yaml:ro"]}
