"""Zep's own config.yaml, wherever it is mounted or copied: its settings count below the variables.

`configure` gives an application the settings of its file as if variables had set them, each with its key and its place,
so that whoever looks at variables looks at both. `check` says what is wrong with the file as such.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.interpolation import is_variable
from zep_conformance.deployment_files.located import NOWHERE, Place, Table, read_yaml
from zep_conformance.deployment_files.model import Application, Mount, PlannedDeployment, Value
from zep_conformance.deployment_files.sources import Sources
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import go_bool
from zep_conformance.facts.zep_settings import BOUND, KEYS, VARIABLES, variable_of

CONFIGURATION = "/app/config.yaml"
"""Where a Zep image looks for its configuration."""
_OPTION = re.compile(r"(?:^| )--config[= ](\S+)")
_RENAMED = {"memory_store": "store", "memory_store.postgres.dsn": "store.postgres.dsn", "embeddings": "extractors"}
_EXPANDED = re.compile(r"\$\{[A-Za-z_]\w*[^}]*\}|^\$[A-Za-z_]\w*$")
_SECRET = ("store.postgres.dsn", *BOUND)
_ZERO = {"text": "", "number": "0", "bool": "false"}


@dataclass
class ZepConfig:
    """What an application's config.yaml says. place: where it is put into the application.

    file: its name; keys: those that it has, with their places; unknown: those that Zep does not look at. problem: why
    nothing of it can be read. seen: whether it is here at all. written_over: keys that a variable sets.
    """

    place: Place
    file: str = ""
    keys: dict[str, Value] = field(default_factory=dict)
    unknown: dict[str, Place] = field(default_factory=dict)
    problem: str = ""
    problem_place: Place = NOWHERE
    seen: bool = True
    told: dict[str, Value] = field(default_factory=dict)


def configure(zep: Application, sources: Sources, *, secrets_unseen: bool = False) -> None:
    """Give a Zep the settings of its config.yaml, below its variables.

    secrets_unseen: variables that are secrets may be set where no file says so.
    """
    if zep.role != "zep":
        return
    found = _option(zep)
    mount = _mounted(zep, found)
    if mount is None:
        return
    zep.config = config = _read(mount, found, sources)
    if config.problem or not config.seen:
        zep.variables_unseen = True
        return
    config.told = {name: value for name, value in zep.variables.items() if name in VARIABLES}
    for key, kind in KEYS.items():
        variable = variable_of(key)
        counts = key in config.keys or key in BOUND
        if zep.is_set(variable) and counts:
            continue
        if key in config.keys and secrets_unseen and key in _SECRET:
            zep.variables[variable] = replace(config.keys[key], text=None)
        elif key in config.keys:
            zep.variables[variable] = config.keys[key]
        elif variable in zep.variables or key in ("server.web_enabled", "auth.required"):
            zep.variables[variable] = Value(place=Place(config.file), text=_ZERO[kind], key=key)


def _option(zep: Application) -> str:
    """Return which file Zep is told to read."""
    found = _OPTION.search(" ".join(zep.command))
    return os.path.join("/app", found[1]) if found else CONFIGURATION


def is_configured(zep: Application) -> bool:
    """Tell whether a config.yaml is put where a Zep looks for it."""
    return zep.config is not None


def _mounted(zep: Application, path: str) -> Mount | None:
    """Return what is put where Zep looks: the file itself, or a folder above it."""
    above = [one for one in zep.mounts if _within(path, one.folder) is not None and one.folder.rstrip("/")]
    return max(above, key=lambda one: len(one.folder.rstrip("/")), default=None) if above else None


def _within(path: str, folder: str) -> str | None:
    """Return a path relative to a folder, "" for the same, None where it is not in it."""
    folder = folder.rstrip("/")
    if path == folder:
        return ""
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def _read(mount: Mount, path: str, sources: Sources) -> ZepConfig:
    inside = _within(path, mount.folder) or ""
    name, source = mount.place.file, mount.content
    if source is None:
        name = os.path.join(mount.source, inside) if mount.source and inside else mount.source
        if name and not inside and sources.is_folder(name):
            name = os.path.join(name, os.path.basename(path))  # COPY of a folder to a folder
        source = sources.text(name) if name else None
    config = ZepConfig(place=mount.place, file=name or mount.place.file)
    if source is None:
        config.seen = False
        return config
    try:
        document = read_yaml(name, source)
    except CannotTell as error:
        found = re.search(r"line (\d+)", error.what)
        config.problem = error.what.partition(", at ")[2] or "it is no YAML"
        config.problem_place = Place(name, int(found[1]) if found else 0)
        return config
    if document is not None and not isinstance(document, Table):
        config.problem, config.problem_place = "it has no keys at its top", Place(name, 1)
        return config
    for key, value, place in _flat(document or Table()):
        at = place if mount.content is None else _within_block(place, mount, sources)
        if value is None:
            config.unknown[key] = at
        elif mount.content is not None and is_variable(value):  # Compose puts it in
            config.keys[key] = Value(place=at, unknown=value, key=key)
        elif _EXPANDED.search(value):  # nobody puts it in
            config.keys[key] = Value(place=at, written=value, key=key)
        else:
            config.keys[key] = Value(place=at, text=value, written=value, key=key)
    return config


def _within_block(place: Place, mount: Mount, sources: Sources) -> Place:
    """Return where a line of a text stands that is in a file itself: below its key, where it begins there."""
    lines = (sources.text(mount.place.file) or "").splitlines()
    is_block = re.search(r"[|>][-+\d]*\s*(#.*)?$", lines[mount.place.line - 1] if lines[mount.place.line - 1 :] else "")
    return Place(place.file, min(mount.place.line + place.line, len(lines))) if is_block else mount.place


def _flat(found: Table, above: str = "") -> Iterator[tuple[str, str | None, Place]]:
    """Yield each key with its value and place, None for one that Zep does not look at.

    Keys within keys are joined by dots, and are the same in capitals.
    """
    for key, value in found.items():
        name = above + key.lower()
        if name in KEYS:
            yield name, value if isinstance(value, str) else "", found.place_of(key)
        elif not any(known.startswith(f"{name}.") for known in KEYS):
            yield name, None, found.place_of(key)
        elif isinstance(value, Table):
            yield from _flat(value, f"{name}.")


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at the config.yaml of each zep."""
    for zep in deployment.having("zep"):
        config = zep.config
        if config is None:
            continue
        if not config.seen:
            ledger.report("config-unseen", config.place, zep, path=_option(zep))
        elif config.problem:
            ledger.report("config-unreadable", config.problem_place, zep, file=config.file, problem=config.problem)
        else:
            _keys(zep, config, ledger)


def _keys(zep: Application, config: ZepConfig, ledger: Ledger) -> None:
    for key, place in config.unknown.items():
        right = _RENAMED.get(key) or next(iter(difflib.get_close_matches(key, KEYS, 1, 0.75)), "")
        parent = key.partition(".")[0]
        right = right or (f"{_RENAMED[parent]}{key.removeprefix(parent)}" if parent in _RENAMED else "")
        how = f"Write {right}." if right else "Take it out."
        ledger.report("config-key-unknown", place, zep, key=key, how=how)
    for key, value in config.keys.items():
        if zep.variables.get(variable_of(key), value).key != key:
            continue  # a variable says it
        written = value.written or value.text or ""
        if _EXPANDED.search(written):
            ledger.report("config-not-expanded", value.place, zep, key=key, variable=variable_of(key))
        elif key == "store.type" and written not in ("", "postgres"):
            ledger.report("config-value-wrong", value.place, zep, key=key, wanted="postgres")
        elif not _is_a(KEYS[key], written):
            wanted = {"number": "a number", "bool": "true or false"}[KEYS[key]]
            ledger.report("config-value-wrong", value.place, zep, key=key, wanted=wanted)
    for variable, value in config.told.items():
        key = VARIABLES[variable]
        if key not in config.keys and key not in BOUND and value.text != "":
            ledger.report("variable-without-key", value.place, zep, variable=variable, key=key, file=config.file)
    for key, why in (("store.type", '"store.type must be set"'), ("server.port", "a port that nobody knows")):
        empty = key not in config.keys or config.keys[key].text == ""
        if empty and not zep.is_set(variable_of(key)) and variable_of(key) not in config.told:
            ledger.report("config-key-missing", Place(config.file), zep, key=key, file=config.file, why=why)


def _is_a(kind: str, text: str) -> bool:
    """Whether Zep can take a text for what a key is. Nothing is 0, and false."""
    if kind == "number":
        return re.fullmatch(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*)?", text) is not None
    if kind == "bool" and text:
        try:
            go_bool(text)
        except ValueError:
            return text.isdecimal()
    return True
