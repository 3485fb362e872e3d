"""Reads Fly.io configurations (https://fly.io/docs/reference/configuration/): one an app, together one deployment."""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Iterator, Sequence

from zep_conformance.deployment_files.building import build as by_file
from zep_conformance.deployment_files.located import Table, items, table, tables, text
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

DEFAULT_PORT = "8080"
"""What Fly.io takes a service's internal_port to be when nobody says."""
DEFAULT_MEMORY = "256mb"
"""What a machine has when nobody says."""


def read_apps(apps: Sequence[Source], sources: Sources) -> PlannedDeployment:
    """Return the apps of these configurations. Secrets (`fly secrets set`) are in none of them."""
    made = [_application(source, sources) for source in apps]
    files = tuple(source.name for source in apps)
    main = next((one.place.file for one in made if one.role == "zep"), files[0])
    return PlannedDeployment(kind="fly", files=files, applications=made, place=Place(main))


def _application(source: Source, sources: Sources) -> Application:
    document, file = source.document, source.name
    name = text(document.get("app"))
    build, settings = table(document.get("build")), table(document.get("env"))
    reference = text(build.get("image"))
    image = Image.of(reference) if reference else None
    variables = {
        key: Value(place=Place(file, settings.line_of(key)), text=text(value), written=text(value))
        for key, value in settings.items()
    }
    services = [*tables(document.get("http_service")), *tables(document.get("services"))]
    made = Application(
        name=name,
        place=Place(file, document.line_of("app")),
        role=role_of(name, image, variables),
        type="app",
        image=image,
        image_place=Place(file, build.line_of("image")) if image else Place(file, document.line_of("build")),
        built_from="" if image else "here",
        variables=variables,
        variables_unseen=True,
        hosts=frozenset({f"{name}.internal".lower(), f"{name}.flycast".lower()}),
        restarts=not any(text(one.get("policy")) == "never" for one in tables(document.get("restart"))),
    )
    for service in services:
        made.openings += _openings(service, file)
        stops = text(service.get("auto_stop_machines")) not in ("", "off", "false")
        if stops and _number(service.get("min_machines_running")) < 1:
            made.sleeps = Place(file, service.line_of("auto_stop_machines"))
    made.health = list(_checks(document, services, file))
    for mount in tables(document.get("mounts")):
        folder = text(mount.get("destination"))
        if folder:
            made.mounts.append(Mount(folder, True, Place(file, mount.line_of("destination"))))
    for placed in tables(document.get("files")):
        if text(placed.get("guest_path")):
            made.mounts.append(_placed(placed, file))
    started = [text(one) for one in table(document.get("processes")).values()]
    started += [
        text(word) for key in ("entrypoint", "cmd") for word in items(table(document.get("experimental")).get(key))
    ]
    made.command = tuple(started)
    if image is None:
        name = beside(file, text(build.get("dockerfile")) or "Dockerfile")
        arguments = {key: text(value) for key, value in table(build.get("args")).items()}
        by_file(made, sources, name=name, source=None, context=os.path.dirname(file), arguments=arguments)
        made.role = made.role or role_of(made.name, made.image, variables)
    configure(made, sources, secrets_unseen=True)
    made.memory = _memory(document)
    made.cores, made.cores_place = _cores(document)
    return made


def _placed(placed: Table, file: str) -> Mount:
    """Return a file that Fly.io puts into a machine: one beside fly.toml, or what is written there in base64."""
    local, raw = text(placed.get("local_path")), text(placed.get("raw_value"))
    content = None
    if raw:
        with contextlib.suppress(ValueError):
            content = base64.b64decode(raw).decode()
    place = Place(file, placed.line_of("local_path" if local else "raw_value"))
    return Mount(
        text(placed.get("guest_path")), False, place, source=beside(file, local) if local else "", content=content
    )


def _openings(service: Table, file: str) -> Iterator[Opening]:
    """Yield the ports that Fly.io's proxy serves: 80 and 443 of an http_service, the listed ones of a service."""
    inside = text(service.get("internal_port")) or DEFAULT_PORT
    line = service.line_of("internal_port")
    ports = [(text(one.get("port")) or text(one.get("start_port")), one) for one in tables(service.get("ports"))]
    if not ports:
        ports = [("80", service), ("443", service)]
    for outside, entry in ports:
        forces = text(entry.get("force_https")) == "true"
        yield Opening(place=Place(file, line), outside=outside, inside=inside, forces_https=forces)


def _checks(document: Table, services: Sequence[Table], file: str) -> Iterator[HealthCheck]:
    for service in services:
        inside = text(service.get("internal_port")) or DEFAULT_PORT
        for check in [*tables(service.get("checks")), *tables(service.get("http_checks"))]:
            yield _check(check, file, inside, by_http=text(check.get("type")) != "tcp")
        for check in tables(service.get("tcp_checks")):
            yield _check(check, file, inside, by_http=False)
    for check in tables(_members(document.get("checks"))):
        yield _check(check, file, text(check.get("port")), by_http=text(check.get("type")) == "http")


def _check(check: Table, file: str, port: str, *, by_http: bool) -> HealthCheck:
    path = (text(check.get("path")) or "/") if by_http else ""
    return HealthCheck(place=Place(file, check.line), way="http" if by_http else "tcp", path=path, port=port)


def _members(value: object) -> object:
    """Return the members of a mapping as a sequence: `[checks.name]` is a check with a name."""
    if not isinstance(value, Table):
        return value
    listed = items(None)
    for key, member in value.items():
        listed.put(member, value.place_of(key))
    return listed


def _memory(document: Table) -> str:
    """Return the memory of a machine as it is written, "" where a size says it."""
    machines = tables(document.get("vm"))
    for machine in machines:
        if text(machine.get("memory")) or text(machine.get("memory_mb")):
            return text(machine.get("memory")) or text(machine.get("memory_mb"))
        if text(machine.get("size")) not in ("", "shared-cpu-1x"):
            return ""
    return DEFAULT_MEMORY


def _cores(document: Table) -> tuple[int, Place]:
    """Return how many processors a machine has, and where that is said."""
    for machine in tables(document.get("vm")):
        found = re.search(r"-(\d{1,3})x$", text(machine.get("size")))
        if number := _number(machine.get("cpus")) or (int(found[1]) if found else 0):
            return number, machine.place_of("cpus" if machine.get("cpus") else "size")
    return 1, document.place_of("app")


def _number(value: object) -> int:
    written = text(value)
    return int(written) if re.fullmatch(r"\d{1,9}", written) else 0
