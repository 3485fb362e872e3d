"""Reads a Render blueprint (https://render.com/docs/blueprint-spec)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from zep_conformance.deployment_files.building import build
from zep_conformance.deployment_files.located import Table, table, tables, text
from zep_conformance.deployment_files.model import (
    Application,
    HealthCheck,
    Image,
    Mount,
    Opening,
    Place,
    PlannedDeployment,
    Value,
    role_of,
)
from zep_conformance.deployment_files.sources import Source, Sources, beside
from zep_conformance.deployment_files.zep_config import configure

_Variables = dict[str, Value]


def read_blueprint(source: Source, sources: Sources) -> PlannedDeployment:
    """Return the applications that a blueprint makes, of all its projects and environments."""
    reader = _RenderReader(source.name, sources)
    parts = list(_parts(source.document))
    groups = {
        text(group.get("name")): reader.variables(group, {}, in_group=True)
        for part in parts
        for group in tables(part.get("envVarGroups"))
    }
    applications = [reader.service(one, groups) for part in parts for one in tables(part.get("services"))]
    applications += [reader.database(one) for part in parts for one in tables(part.get("databases"))]
    return PlannedDeployment(kind="render", files=(source.name,), applications=applications, place=Place(source.name))


def _parts(document: Table) -> Iterator[Table]:
    """Wherever services and databases can stand."""
    yield document
    yield table(document.get("ungrouped"))
    for project in tables(document.get("projects")):
        yield from tables(project.get("environments"))


class _RenderReader:
    def __init__(self, file: str, sources: Sources) -> None:
        self._file, self._sources = file, sources

    def _place(self, of: Table, key: str) -> Place:
        return Place(self._file, of.line_of(key))

    def service(self, entry: Table, groups: Mapping[str, _Variables]) -> Application:
        """One of the services. Of those only type web has a public address, and takes a health check."""
        name, kind = text(entry.get("name")), text(entry.get("type"))
        named = entry.get("image")
        url = text(table(named).get("url")) or text(named)
        image = Image.of(url) if url else None
        variables = self.variables(entry, groups)
        made = Application(
            name=name,
            place=Place(self._file, entry.line),
            role=role_of(name, image, variables),
            type=kind,
            image=image,
            image_place=self._place(table(named), "url") if isinstance(named, Table) else self._place(entry, "image"),
            built_from="" if image else text(entry.get("repo")) or "here",
            branch=text(entry.get("branch")),
            variables=variables,
            hosts=frozenset({name.lower()}) if kind in ("web", "pserv") else frozenset(),
            plan=text(entry.get("plan")),
            plan_place=self._place(entry, "plan"),
        )
        if kind == "web":
            where = variables["PORT"].place if "PORT" in variables else made.place
            made.openings.append(Opening(place=where, outside="443", inside=made.value_of("PORT")))
            made.sleeps = made.plan_place if made.plan == "free" else None
            path = text(entry.get("healthCheckPath"))
            if path:
                made.health.append(HealthCheck(place=self._place(entry, "healthCheckPath"), way="http", path=path))
        disk = table(entry.get("disk"))
        if text(disk.get("mountPath")):
            made.mounts.append(Mount(text(disk.get("mountPath")), True, self._place(disk, "mountPath")))
        made.command = tuple(text(entry.get("dockerCommand")).split())
        if image is None and not text(entry.get("repo")):
            root = text(entry.get("rootDir")) or "."
            name = beside(self._file, os.path.join(root, text(entry.get("dockerfilePath")) or "Dockerfile"))
            context = beside(self._file, os.path.join(root, text(entry.get("dockerContext")) or "."))
            build(made, self._sources, name=name, source=None, context=context, arguments={})
            made.role = made.role or role_of(name, made.image, variables)
        configure(made, self._sources)
        return made

    def database(self, entry: Table) -> Application:
        """One of the databases, which Render keeps, and which have pgvector."""
        name = text(entry.get("name"))
        allowed = None
        if "ipAllowList" in entry:
            allowed = [text(one.get("source")) for one in tables(entry.get("ipAllowList"))]
        return Application(
            name=name,
            place=Place(self._file, entry.line),
            role="postgres",
            type="database",
            managed=True,
            allowed=allowed,
            image_place=self._place(entry, "ipAllowList"),
            plan=text(entry.get("plan")),
            plan_place=self._place(entry, "plan"),
        )

    def variables(self, entry: Table, groups: Mapping[str, _Variables], *, in_group: bool = False) -> _Variables:
        """Return the variables of a service or a group. What a service says itself goes before what its groups say."""
        own: _Variables = {}
        shared: _Variables = {}
        for one in tables(entry.get("envVars")):
            if text(one.get("fromGroup")):
                shared |= groups.get(text(one.get("fromGroup")), {})
                continue
            key = text(one.get("key"))
            value = self._value(one, in_group=in_group)
            if key:
                own[key] = value
        return shared | own

    def _value(self, entry: Table, *, in_group: bool) -> Value:
        """Return what a variable is set to. Render leaves sync: false out in a group."""
        place = Place(self._file, entry.line)
        for kind in ("fromDatabase", "fromService"):
            if kind in entry:
                of = table(entry.get(kind))
                what = text(of.get("property")) or text(of.get("envVarKey"))
                of_type = "database" if kind == "fromDatabase" else text(of.get("type"))
                return Value(place=place, text=None, written="", of=text(of.get("name")), of_type=of_type, what=what)
        if "value" in entry:
            written = text(entry.get("value"))
            return Value(place=self._place(entry, "value"), text=written, written=written)
        if text(entry.get("sync")) == "false":
            return Value(place=place, left_out=in_group)
        if text(entry.get("generateValue")) == "true":
            return Value(place=place)
        return Value(place=place, text="")
