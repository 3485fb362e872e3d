"""The files of a Compose project made into one document, as Compose merges them: several files, include, extends.

Every value keeps the place that it stands at, and every file its variables and the folder that its paths are relative
to. What another file adds that is not here, or can't be read, is noted as unseen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from zep_conformance.deployment_files.interpolation import Interpolation, is_known
from zep_conformance.deployment_files.located import OVERRIDE, Items, Place, Reset, Table, items, read_yaml, table, text
from zep_conformance.deployment_files.sources import ENV, EnvFile, Source, Sources
from zep_conformance.errors import CannotTell

_REPLACED = ("command", "entrypoint", "test")
_NAMED = ("environment", "labels", "extra_hosts", "args", "sysctls", "annotations", "depends_on", "networks")
_DEEPEST = 20
"""Files within files, services that extend services: more than that is a circle."""


@dataclass(frozen=True)
class Context:
    """What one file is read with. folder: what its paths are relative to."""

    folder: str
    variables: Interpolation


@dataclass
class Gathered:
    """A project's files as one document. contexts: by file. unseen: what adds to it and is not here, with where it is
    named. extended: the services that others extend.
    """

    document: Table
    contexts: dict[str, Context]
    env: EnvFile | None
    unseen: dict[str, Place] = field(default_factory=dict)
    extended: set[str] = field(default_factory=set)


def gather(files: Sequence[Source], sources: Sources) -> Gathered:
    """Return the project that these files are together, in their order, as with `docker compose -f … -f …`."""
    env = sources.env_file(files[0].name, ENV)
    known = {"PWD": os.path.dirname(files[0].name) or "."}
    known |= {name: value for name, (value, _line) in env.variables.items()} if env else {}
    first = Context(os.path.dirname(files[0].name), Interpolation(known, complete=env is not None))
    gathered = Gathered(document=Table(Place(files[0].name)), contexts={}, env=env)
    reader = _Reader(sources, gathered)
    for file in files:
        gathered.document = _mapping(gathered.document, reader.whole(file.name, file.document, first, 0))
    return gathered


class _Reader:
    def __init__(self, sources: Sources, gathered: Gathered) -> None:
        self._sources, self._gathered = sources, gathered

    def whole(self, name: str, document: Table, context: Context, depth: int) -> Table:
        """Return a file's document with what it includes, and with its services' extends carried out."""
        self._gathered.contexts[name] = context
        services = table(document.get("services"))
        made = Table(document.place)
        for key, value in document.items():
            made.put(key, value, document.place_of(key))
        if services:
            listed = Table(services.place)
            for key in services:
                value = self._extended(key, services, name, context, 0)
                listed.put(key, value, services.place_of(key))
            made.put("services", listed, document.place_of("services"))
        base = Table(document.place)
        for number, one in enumerate(items(document.get("include"))):
            base = _mapping(base, self._included(one, items(document.get("include")).places[number], context, depth))
        return _mapping(base, made)

    def _included(self, entry: object, place: Place, context: Context, depth: int) -> Table:
        found = entry if isinstance(entry, Table) else Table(place)
        paths = [text(one) for one in items(found.get("path"))] if isinstance(entry, Table) else [text(entry)]
        document = Table(place)
        folder = text(found.get("project_directory"))
        inner: Context | None = None
        for path in filter(None, paths):
            read = self._read(context.variables.put_in(path), context.folder, place, depth)
            if read is None:
                continue
            name, other = read
            if inner is None:
                inner = self._inner(found, name, folder, context)
            document = _mapping(document, self.whole(name, other, inner, depth + 1))
        return document

    def _inner(self, entry: Table, name: str, folder: str, context: Context) -> Context:
        """Return what an included file is read with: its own .env, below what the project around it knows."""
        where = os.path.normpath(os.path.join(context.folder, folder)) if folder else os.path.dirname(name)
        known: dict[str, str] = {}
        named = [os.path.join(context.folder, text(path)) for path in items(entry.get("env_file"))]
        for path in named or [os.path.join(where, ENV)]:
            env = self._sources.env_file("", path)
            known |= {key: value for key, (value, _line) in env.variables.items()} if env else {}
        outer = context.variables
        return Context(where, Interpolation({**known, **outer.known}, complete=outer.complete))

    def _read(self, path: str, folder: str, place: Place, depth: int) -> tuple[str, Table] | None:
        """Return another file's name and document; None, and noted, where it is not here."""
        name = os.path.normpath(os.path.join(folder, path))
        remote = re.match(r"[a-z+]+://|oci:|git@|github\.com", path) or not is_known(path)
        source = None if remote or depth > _DEEPEST else self._sources.text(name)
        try:
            document = None if source is None else read_yaml(name, source)
        except CannotTell:
            document = None
        if not isinstance(document, Table):
            self._gathered.unseen.setdefault(path, place)
            return None
        return name, document

    def _extended(self, key: str, services: Table, name: str, context: Context, depth: int) -> object:
        """Return a service, merged over what it extends."""
        entry = services.get(key)
        if not isinstance(entry, Table) or "extends" not in entry or depth > _DEEPEST:
            return entry
        extends, place = entry["extends"], entry.place_of("extends")
        other = text(extends) or text(table(extends).get("service"))
        file = context.variables.put_in(text(table(extends).get("file")))
        base: object = None
        if not file or os.path.normpath(os.path.join(context.folder, file)) == os.path.normpath(name):
            self._gathered.extended.add(other)
            base = self._extended(other, services, name, context, depth + 1)
        elif (read := self._read(file, context.folder, place, depth)) is not None:
            there = Context(os.path.dirname(read[0]), context.variables)
            self._gathered.contexts.setdefault(read[0], there)
            base = self._extended(other, table(read[1].get("services")), read[0], there, depth + 1)
        own = Table(entry.place)
        for one, value in entry.items():
            if one != "extends":
                own.put(one, value, entry.place_of(one))
        if not isinstance(base, Table):
            return own
        inherited = Table(base.place)
        for one, value in base.items():
            if one not in ("profiles", "extends"):
                inherited.put(one, value, base.place_of(one))
        return _mapping(inherited, own)


def _mapping(base: Table, over: Table) -> Table:
    """Return a mapping with another one merged over it."""
    made = Table(over.place if over else base.place)
    for key in dict.fromkeys([*base, *over]):
        if key not in over:
            made.put(key, base[key], base.place_of(key))
        elif isinstance(over[key], Reset):
            continue
        elif key not in base:
            made.put(key, over[key], over.place_of(key))
        else:
            made.put(key, _merged(key, base[key], over[key], base), over.place_of(key))
    return made


def _merged(key: str, base: object, over: object, above: Table) -> object:
    """Return one value merged over another, as Compose does it for a key."""
    if over is None:
        return base
    if getattr(over, "tag", "") == OVERRIDE or key in _REPLACED or isinstance(base, Reset):
        return over
    if key in _NAMED and "services" not in above:
        base, over = _by_name(base, equals=key != "depends_on"), _by_name(over, equals=key != "depends_on")
    if isinstance(base, Table) and isinstance(over, Table):
        return _mapping(base, over)
    if key == "env_file" or (isinstance(base, Items) and isinstance(over, Items)):
        return _listed(key, items(base), items(over))
    return over


def _by_name(value: object, *, equals: bool) -> object:
    """Return a list as the mapping that it stands for: NAME=value, or names alone."""
    if not isinstance(value, Items):
        return value
    made = Table(value.place)
    for number, one in enumerate(value):
        name, sign, rest = text(one).partition("=") if equals else (text(one), "", "")
        if name:
            made.put(name, rest if sign else None, value.places[number])
    return made


def _listed(key: str, base: Items, over: Items) -> Items:
    """Return a list with another one behind it. What is mounted at the same place, or is there already, is replaced."""
    taken = {_identity(key, one) for one in over}
    made = Items(over.place)
    for number, one in enumerate(base):
        if _identity(key, one) not in taken:
            made.put(one, base.places[number])
    for number, one in enumerate(over):
        made.put(one, over.places[number])
    return made


def _identity(key: str, value: object) -> object:
    if key in ("volumes", "configs", "secrets"):
        if isinstance(value, Table):
            return text(value.get("target")) or text(value.get("source")) or id(value)
        written = text(value)
        return written.split(":")[1] if key == "volumes" and ":" in written else written
    return text(value) or id(value)
