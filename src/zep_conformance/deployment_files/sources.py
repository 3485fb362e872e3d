"""Finding deployment files, and telling what kind each is.

    sources = load([Path("deploy/"), Path("fly.nlp.toml")])

A folder stands for the files directly in it that are deployment files by their names or by what they hold; a file
that is named must be one. Compose files of one folder are one project. What a project refers to (its `.env` and its
other env files, what it includes, what it puts into its containers) is read when it is asked for.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dotenv.parser import parse_stream

from zep_conformance.deployment_files.interpolation import Interpolation
from zep_conformance.deployment_files.located import (
    Place,
    Table,
    items,
    read_documents,
    read_toml,
    read_yaml,
    table,
    tables,
    text,
)
from zep_conformance.errors import CannotTell

Kind = Literal["render", "fly", "compose", "kubernetes"]

KINDS: dict[Kind, str] = {
    "render": "Render blueprint",
    "fly": "Fly.io configuration",
    "compose": "Compose project",
    "kubernetes": "Kubernetes manifests",
}
"""What each kind is called."""
LARGEST = 1 << 20
"""Bytes of a file that is read: deployment files are a thousandth of that."""
_MOST = 100
"""Files of a folder that are looked at, and folders in it."""
_CONFIGURATION = re.compile(
    r"(?i)\.(conf|cfg|ya?ml|toml|json|template|tmpl|sh|sql|inc|env)$|^caddyfile|^config$|_?conf(ig)?$"
)
ENV, ENV_EXAMPLE = ".env", ".env.example"
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""In the order in which Compose looks for them: it takes the first."""
OVERRIDE_NAMES = tuple(name.replace(".", ".override.") for name in COMPOSE_NAMES)
"""What it merges over that one, in the same order."""

_NAMED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("render", re.compile(r"render([.-][\w.-]+)?\.ya?ml")),
    ("fly", re.compile(r"([\w.-]+\.)?fly([.-][\w.-]+)?\.toml")),
    ("compose", re.compile(r"(docker-)?compose([.-][\w.-]+)?\.ya?ml")),
)
_KNOWN = (
    "Known are Render blueprints (render.yaml), fly.toml, Compose projects (docker-compose.yaml), Kubernetes manifests."
)
_HELM = re.compile(
    r"\{\{-?\s*(\$?\.(Values|Release|Chart|Capabilities|Files)\b|(include|template|toYaml|if|range|with|define|lookup|end)\b)"
)
_PLACEHOLDER = re.compile(r"(?m)^\s*(-|[\w.-]+:)\s+\{\{-?\s*[A-Za-z_]\w*(\s*\|[^}]*)?\s*-?\}\}\s*:?\s*$")
"""A name in the place of a whole value: YAML reads that as a mapping in a mapping, which nothing takes."""
_JINJA = re.compile(r"\{%-?\s*(if|for|set|include|block|extends)\b")
_FLY_KEYS = {"http_service", "services", "primary_region", "mounts", "vm", "env", "build", "checks", "processes"}
_DATABASE_KEYS = {"databaseName", "ipAllowList", "postgresMajorVersion"}


@dataclass(frozen=True)
class Source:
    """One file: its name as it is shown, what it is, and what it holds."""

    name: str
    kind: Kind
    document: Table


@dataclass(frozen=True)
class EnvFile:
    """An env file: its variables with their lines, in its order."""

    name: str
    variables: Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Sources:
    """Deployment files, and what lies beside them.

    texts: of every file that was read, by its name. given: the names of those that are to be looked at. on_disk: what
    else they refer to may be read. other: Compose files beside them that have names that Compose does not look for.
    """

    texts: dict[str, str]
    given: tuple[str, ...]
    on_disk: bool = False
    other: tuple[str, ...] = ()
    env_files: set[str] = field(default_factory=set, compare=False)

    def files(self) -> list[Source]:
        """Return the files, parsed. Raises CannotTell for one that does not parse or is no deployment file."""
        return [parsed(name, self.texts[name]) for name in self.given]

    def projects(self) -> list[list[Source]]:
        """Return the Compose files by the project that they belong to: those of one folder are one project."""
        found: dict[str, list[Source]] = {}
        for source in self.files():
            if source.kind == "compose":
                found.setdefault(os.path.dirname(source.name), []).append(source)
        return list(found.values())

    def text(self, name: str) -> str | None:
        """Return what a file holds that others refer to; None where it is not here, or is no text."""
        if name not in self.texts and self.on_disk:
            try:
                self.texts[name] = _read(Path(name))
            except CannotTell:
                return None
        return self.texts.get(name)

    def within(self, folder: str) -> list[str]:
        """Return the names of the files in a folder that others refer to, those in its folders too.

        They are those that by their names are scripts or configuration.
        """
        inside = [name for name in self.texts if name.startswith(f"{folder}/")]
        if self.on_disk:
            for above, _folders, names in itertools.islice(os.walk(folder), _MOST):
                inside += [os.path.join(above, name) for name in names if _CONFIGURATION.search(name)]
        return sorted(set(inside))[:_MOST]

    def is_folder(self, name: str) -> bool:
        """Tell whether that is a folder."""
        return any(one.startswith(f"{name}/") for one in self.texts) or (self.on_disk and os.path.isdir(name))

    def env_file(self, file: str, name: str) -> EnvFile | None:
        """Return the env file of that name beside a file, None where it is not there."""
        path = beside(file, name)
        found = self.text(path)
        if found is None:
            return None
        self.env_files.add(path)
        return read_env(path, found)

    def with_texts(self, texts: Mapping[str, str]) -> Sources:
        """Return the same files with other texts. A file whose text is missing is gone."""
        return Sources(dict(texts), tuple(name for name in self.given if name in texts), other=self.other)


def parsed(name: str, source: str) -> Source:
    """Return a file, parsed. Raises CannotTell when it does not parse or is no deployment file."""
    document = read_toml(name, source) if name.lower().endswith(".toml") else _read_yaml(name, source)
    kind = kind_of(name, document)
    if kind is None:
        raise CannotTell(f"{name} is no deployment file that is known here", _KNOWN, code="files-unknown")
    if not isinstance(document, Table):
        what = f"{name} is no {KINDS[kind]}: it has no keys at its top"
        raise CannotTell(what, "Is it empty, or a list, or one text?", code="files-malformed")
    return Source(name, kind, document)


def _read_yaml(name: str, source: str) -> Any:
    """Return what a YAML file holds; of Kubernetes manifests all of them, as `items` of a List.

    Raises CannotTell when it does not parse, is a template, or of a format that nobody reads any more.
    """
    is_manifest = re.search(r"(?m)^[- ]*(apiVersion|kind):", source) is not None
    if is_manifest and _HELM.search(source):
        raise _template(name, "a Helm template, and no manifest yet")
    if is_manifest and _JINJA.search(source):
        raise _template(name, "a template (Jinja's), and no manifest yet")
    manifests = [one for one in read_documents(name, source) if _is_manifest(one)] if is_manifest else []
    if manifests:
        made, listed = Table(manifests[0].place), items(None)
        for one in manifests:
            for inner in tables(one.get("items")) if text(one.get("kind")).endswith("List") else [one]:
                listed.put(inner, inner.place)
        for key, value in (("apiVersion", "v1"), ("kind", "List"), ("items", listed)):
            made.put(key, value, made.place)
        return made
    if _PLACEHOLDER.search(source):
        raise _template(name, "a template, whose {{names}} are to be filled in first")
    document = read_yaml(name, source)
    if _is_first_format(document):
        what = f"{name} is of Compose's first format: it has no services: at its top"
        advice = "No Compose of today reads it: put all that stands there under services:, and leave links out."
        raise CannotTell(what, advice, code="files-first-format")
    return document


def _is_manifest(document: Any) -> bool:
    found = table(document)
    return bool(text(found.get("apiVersion")) and text(found.get("kind")))


def _is_first_format(document: Any) -> bool:
    """Whether its keys are services: Compose of 2014 had nothing else."""
    found = table(document)
    return bool(found) and all(table(one).keys() & {"image", "build", "extends"} for one in found.values())


def _template(name: str, what: str) -> CannotTell:
    advice = "Have it filled in (Helm: helm template RELEASE CHART > zep.yaml), and look at what comes of it."
    return CannotTell(f"{name} is {what}", advice, code="files-template")


def kind_of(name: str, document: Any) -> Kind | None:
    """Return what a file is: by what it holds, and where that does not say, by its name."""
    found = table(document)
    if _is_manifest(found):
        return "kubernetes"
    if name.lower().endswith(".toml"):
        if ("app" in found and found.keys() & _FLY_KEYS) or "http_service" in found:
            return "fly"
    elif isinstance(found.get("services"), Table):
        return "compose"
    elif any(one.keys() >= {"type", "name"} for one in tables(found.get("services"))) or any(
        one.keys() & _DATABASE_KEYS for one in tables(found.get("databases"))
    ):
        return "render"
    return named(name)


def named(name: str) -> Kind | None:
    """Return what a file is by its name."""
    last = os.path.basename(name).lower()
    return next((kind for kind, pattern in _NAMED if pattern.fullmatch(last)), None)


def read_env(name: str, source: str) -> EnvFile:
    """Return an env file's variables. What is no assignment in it is passed over, as Compose does.

    Variables in its values are put in, where they stand above: Compose does so, but within single quotes.
    """
    variables: dict[str, tuple[str, int]] = {}
    for binding in parse_stream(io.StringIO(source)):
        if binding.key and not binding.error:
            value = binding.value or ""
            if "$" in value and not re.search(r"=\s*'", binding.original.string):
                value = Interpolation({key: known for key, (known, _line) in variables.items()}).put_in(value)
            variables[binding.key] = (value, binding.original.line)
    return EnvFile(name, variables)


def env_files_of(service: Table) -> list[tuple[str, bool, Place]]:
    """Return the env files that a Compose service names, each with whether it must be there, and where it is named."""
    listed = items(service.get("env_file"))
    found = [
        (text(one.get("path")), text(one.get("required")).lower() != "false", place)
        if isinstance(one, Table)
        else (text(one), True, place if place.line else service.place_of("env_file"))
        for one, place in zip(listed, listed.places, strict=True)
    ]
    return [one for one in found if one[0]]


def load(paths: Iterable[Path]) -> Sources:
    """Return the deployment files that these paths stand for.

    Raises CannotTell when one is not there or can't be read, is no deployment file, or none is found.
    """
    paths = list(paths)
    texts: dict[str, str] = {}
    given, other = list[str](), list[str]()
    for path in paths:
        if path.is_dir():
            found, passed_over = _in_folder(path)
            other += passed_over
        elif path.exists():
            found = {str(path): _read(path)}
        else:
            raise _unreadable(
                f"there is no {path}", "Give a folder, or files: render.yaml, fly.toml, Compose, Kubernetes."
            )
        texts |= found
        given += [name for name in found if name not in given]
    other = [name for name in other if name not in given]
    if not given and any((path / "Chart.yaml").is_file() for path in paths):
        raise _template(", ".join(map(str, paths)), "a Helm chart, whose templates are no manifests yet")
    if not given:
        where = ", ".join(map(str, paths)) or "nothing"
        advice = f"Name the one that you mean: {', '.join(other)}." if other else _KNOWN
        beside_it = "; Compose files are there that Compose itself does not look for" if other else ""
        raise CannotTell(f"no deployment files in {where}{beside_it}", advice, code="files-unknown")
    for source in [parsed(name, texts[name]) for name in given]:
        if source.kind == "compose":
            texts |= _env_files(source)
    return Sources(texts, tuple(given), on_disk=True, other=tuple(other))


def _in_folder(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return the deployment files in a folder, and the Compose files in it that Compose does not look for."""
    try:
        entries = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise _unreadable(f"can't read {folder}: {error.strerror}", "Give a folder that you may read.") from None
    found: dict[str, str] = {}
    other: list[str] = []
    compose = _compose_files(folder, [path.name for path in entries])
    for path in entries:
        if path.suffix.lower() not in (".yaml", ".yml", ".toml") or path.name in compose:
            continue
        if path.name in COMPOSE_NAMES:
            continue  # one that goes before it is there, or .env names others
        kind = named(path.name)
        if kind == "compose" or (kind is None and _kind_by_content(path) == "compose"):
            other.append(str(path))
        elif kind is not None or _kind_by_content(path) is not None:
            found[str(path)] = _read(path)
    if not found and not compose and not other:
        below = sorted(path for path in folder.glob("*/*.y*ml") if path.is_file())[:_MOST]
        other = [str(path) for path in below if named(path.name) == "compose" or _kind_by_content(path) == "compose"]
    return found | {str(folder / name): _read(folder / name) for name in compose}, other


def _compose_files(folder: Path, names: list[str]) -> list[str]:
    """Return the names of the files that Compose takes in a folder: the first of its names and its override, or those
    that COMPOSE_FILE in its .env says.
    """
    if ENV in names:
        with contextlib.suppress(CannotTell):
            variables = read_env(ENV, _read(folder / ENV)).variables
            listed, _line = variables.get("COMPOSE_FILE", ("", 0))
            separator, _line = variables.get("COMPOSE_PATH_SEPARATOR", (":", 0))
            there = [name for name in listed.split(separator or ":") if name and (folder / name).is_file()]
            if there:
                return there
    first = [name for name in COMPOSE_NAMES if name in names][:1]
    overrides = [name for name in OVERRIDE_NAMES if name in names][:1]
    return [*first, *overrides] if first else []


def _kind_by_content(path: Path) -> Kind | None:
    """Return what a file of another name is by what it holds, None where it is no deployment file."""
    try:
        return parsed(str(path), _read(path)).kind
    except CannotTell:
        return None


def _env_files(source: Source) -> dict[str, str]:
    """Return the texts of the env files that a Compose project reads, by their names."""
    wanted = [ENV, ENV_EXAMPLE]
    for service in table(source.document.get("services")).values():
        wanted += [path for path, _required, _place in env_files_of(table(service))]
    paths = {beside(source.name, name) for name in wanted}
    return {path: _read(Path(path)) for path in sorted(paths) if Path(path).is_file()}


def beside(file: str, name: str) -> str:
    """Return the name of a file that is named in another one: relative to that one's folder."""
    return os.path.normpath(os.path.join(os.path.dirname(file), name))


def _read(path: Path) -> str:
    """Return a file's text. Raises CannotTell when it can't be read, or is too large, or no text."""
    try:
        if not path.is_file():
            raise _unreadable(f"{path} is no file", "Give a folder, or files.")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(f"can't read {path}: {error.strerror}", "Give a file that you may read.") from None
    if len(content) > LARGEST:
        raise _unreadable(f"{path} has more than {LARGEST >> 20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(f"{path} is no text in UTF-8, at byte {error.start}") from None


def _unreadable(what: str, advice: str = "Is it a deployment file?") -> CannotTell:
    return CannotTell(what, advice, code="file-unreadable")
