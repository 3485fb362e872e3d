"""Reads a Compose project (https://compose-spec.io), and puts in the variables as Compose does."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zep_conformance.deployment_files.belonging import settle
from zep_conformance.deployment_files.building import build
from zep_conformance.deployment_files.compose_files import Context, Gathered, gather
from zep_conformance.deployment_files.images import is_remote
from zep_conformance.deployment_files.interpolation import is_known, is_variable
from zep_conformance.deployment_files.located import Table, items, table, text
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
from zep_conformance.deployment_files.resources import processors
from zep_conformance.deployment_files.sources import ENV, ENV_EXAMPLE, EnvFile, Source, Sources, env_files_of
from zep_conformance.deployment_files.ways_in import find_ways_in
from zep_conformance.deployment_files.zep_config import configure

_READ = re.compile(r"/docker-entrypoint-initdb\.d|/(etc|usr/local|config|conf|data|dynamic|rules|traefik|caddy|opt)\b")
"""The folders in containers in which scripts of a database and the configuration of a proxy are looked for."""
_LONGEST = 100
"""Ports of a range that are looked at."""
_LOCAL = ("localhost",)
_OF_SWARM = {"mode", "placement", "update_config", "rollback_config", "endpoint_mode"}
"""Keys of `deploy` that Swarm alone looks at."""


@dataclass(frozen=True)
class Absent:
    """An env file that is not here. place: where it is named. services: those that it tells something."""

    place: Place
    services: tuple[str, ...]


@dataclass(kw_only=True)
class ComposeProject(PlannedDeployment):
    """A Compose project's applications, and what came up while its variables were put in.

    env: its .env, None where there is none; example: an .env.example beside it. needed: variables that it does not
    start without, and that .env leaves empty, each with where. unset: those that it does not have. not_there: env files
    that are not here. unseen: other files that add to it and are not here, each with where it is named.
    """

    env: EnvFile | None
    example: EnvFile | None
    needed: dict[str, Place] = field(default_factory=dict)
    unset: dict[str, Absent] = field(default_factory=dict)
    not_there: dict[str, Absent] = field(default_factory=dict)
    unseen: dict[str, Place] = field(default_factory=dict)


def read_project(files: Sequence[Source], sources: Sources) -> ComposeProject:
    """Return the applications of a Compose project, which these files are together."""
    gathered = gather(files, sources)
    reader = _ComposeReader(files, sources, gathered)
    services = table(gathered.document.get("services"))
    for name in services:
        if name not in gathered.extended or not _is_never_started(table(services[name])):
            reader.service(name, table(services[name]), services.place_of(name))
    project = reader.project
    for one in project.applications:
        shared = project.named(one.shares)
        if shared is not None:
            one.networks, one.joins, one.hosts = shared.networks, shared.joins, one.hosts | shared.hosts
    project.has_more = bool(gathered.unseen)
    settle(project)
    find_ways_in(project, sources)
    return project


def read_projects(groups: Sequence[Sequence[Source]], sources: Sources) -> list[ComposeProject]:
    """Return the projects that these files are. One without a Zep is part of one with a Zep that shares a network."""
    projects = [read_project(group, sources) for group in groups]
    homes = [one for one in projects if one.having("zep")]
    for guest in [one for one in projects if not one.having("zep")]:
        there = {name for one in guest.applications for name in one.joins}
        home = next((one for one in homes if there & {name for zep in one.having("zep") for name in zep.joins}), None)
        if home is None:
            continue
        projects.remove(guest)
        home.applications += guest.applications
        home.files += guest.files
        home.not_there |= guest.not_there
        home.needed |= guest.needed
        home.unset |= guest.unset
        settle(home)
        find_ways_in(home, sources)
    return projects


def _is_never_started(entry: Table) -> bool:
    """Whether a service is there for others to extend only."""
    scale = text(table(entry.get("deploy")).get("replicas")) or text(entry.get("scale"))
    return bool(items(entry.get("profiles"))) or scale == "0"


def _is_for_swarm(document: Table) -> bool:
    """Whether a project is for Swarm: it has what means nothing to Compose on one machine."""
    networks = table(document.get("networks")).values()
    if any(text(table(one).get("driver")) == "overlay" for one in networks):
        return True
    deploys = [table(table(one).get("deploy")) for one in table(document.get("services")).values()]
    return any(one.keys() & _OF_SWARM for one in deploys)


class _ComposeReader:
    def __init__(self, files: Sequence[Source], sources: Sources, gathered: Gathered) -> None:
        self._sources, self._gathered = sources, gathered
        self._networks = table(gathered.document.get("networks"))
        self._is_swarm = _is_for_swarm(gathered.document)
        self._service = ""
        first = files[0].name
        self.project = ComposeProject(
            kind="compose",
            files=tuple(gathered.contexts),
            applications=[],
            place=Place(first),
            env=gathered.env,
            example=sources.env_file(first, ENV_EXAMPLE),
            unseen=gathered.unseen,
        )
        self._name = text(gathered.document.get("name")) or os.path.basename(os.path.dirname(os.path.abspath(first)))

    def _put_in(self, written: str, place: Place) -> str:
        """Return a text with its variables put in. One that nothing is known of stays, as ${NAME}."""
        variables = self._context(place).variables
        made = variables.put_in(written, lambda name: self._note_needed(name, place))
        if not is_known(made) and self.project.env is None:
            self._note_absent(ENV, Place(self.project.place.file))
        elif not is_known(made) and self._service:
            for name in re.findall(r"\$\{(\w+)\}", made):
                if name not in self.project.needed:
                    self.project.unset.setdefault(name, Absent(place, (self._service,)))
        return made

    def _note_needed(self, name: str, place: Place) -> None:
        self.project.needed.setdefault(name, place)

    def _note_absent(self, path: str, place: Place) -> None:
        """Note an env file that is not here, for the service that is being read."""
        known = self.project.not_there.get(path, Absent(place, ()))
        if not known.place.line and place.line:
            known = Absent(place, known.services)
        if self._service and self._service not in known.services:
            known = Absent(known.place, (*known.services, self._service))
        self.project.not_there[path] = known

    def _context(self, place: Place) -> Context:
        contexts = self._gathered.contexts
        return contexts.get(place.file) or next(iter(contexts.values()))

    def _path(self, written: str, place: Place) -> str:
        """Return the name of a file or folder that a place names; "" where it is not known."""
        path = self._put_in(written, place)
        if not path or not is_known(path) or path.startswith("~"):
            return ""
        return os.path.normpath(os.path.join(self._context(place).folder, path))

    def _text(self, entry: Table, key: str) -> str:
        return self._put_in(text(entry.get(key)), entry.place_of(key))

    def service(self, name: str, entry: Table, place: Place) -> None:
        """Add the application that a service is."""
        self._service = name
        reference = self._text(entry, "image")
        named = Image.of(reference) if reference else None
        made = Application(
            name=name,
            place=place,
            type="service",
            image=named,
            image_place=entry.place_of("image" if named else "build"),
        )
        self._deploy(made, entry)
        self._build(made, entry)
        self._tell(made, entry)
        made.role = role_of(name, made.image or named, made.variables)
        hosts = {name, self._text(entry, "container_name"), self._text(entry, "hostname")} - {""}
        hosts |= {f"{self._name}-{name}-1", f"{self._name}_{name}_1", f"{self._name}_{name}"}
        made.hosts = frozenset(one.lower() for one in hosts | self._join(made, entry))
        made.command = self._words(entry, "entrypoint") + self._words(entry, "command")
        made.openings = list(self._openings(entry))
        made.exposes = frozenset(text(port).partition("/")[0] for port in items(entry.get("expose")))
        made.health = list(self._health(entry))
        made.mounts += self._mounts(entry)
        made.labels = self._labels(entry)
        made.profiles = frozenset(text(one) for one in items(entry.get("profiles")))
        waited = entry.get("depends_on")
        waits = {other: text(table(how).get("condition")) for other, how in table(waited).items()}
        made.waits_for = frozenset(other for other, condition in waits.items() if condition == "service_healthy")
        made.needs = frozenset(waits or {text(one) for one in items(waited)})
        configure(made, self._sources)
        self.project.applications.append(made)

    def _build(self, made: Application, entry: Table) -> None:
        """Note what it is built from. The image that is named beside that is only what the built one is called."""
        plan, place = table(entry.get("build")), entry.place_of("build")
        # Of what is built here the image is only the name, unless it says itself that it may be pulled.
        if entry.get("build") is None or self._text(entry, "pull_policy") not in ("", "build", "never"):
            return
        context = self._put_in(text(entry["build"]) or text(plan.get("context")) or ".", place)
        made.image, made.image_place, made.built_from = None, place, context
        if is_remote(context):
            return
        folder, inline = self._path(context, place), plan.get("dockerfile_inline")
        if not folder:
            return
        name = os.path.normpath(os.path.join(folder, self._text(plan, "dockerfile") or "Dockerfile"))
        arguments = {key: self._put_in(value or "", place) for key, value, _ in _pairs(plan.get("args"))}
        source = inline if isinstance(inline, str) else None
        name = place.file if source is not None else name
        build(made, self._sources, name=name, source=source, context=folder, arguments=arguments)

    def _deploy(self, made: Application, entry: Table) -> None:
        """Note whether it is started again, and what it is given of the machine."""
        deploy = table(entry.get("deploy"))
        limits = table(table(deploy.get("resources")).get("limits"))
        policy = deploy.get("restart_policy")
        if isinstance(policy, Table) or self._is_swarm:  # Swarm starts again by itself, and reads no `restart`
            made.restarts = self._text(table(policy), "condition") != "none"
        else:
            made.restarts = self._text(entry, "restart") not in ("", "no", "false")
        made.memory = self._text(limits, "memory") or self._text(entry, "mem_limit")
        made.cores = processors(self._text(entry, "cpuset"))
        made.share = self._text(limits, "cpus") or self._text(entry, "cpus")
        where = entry if made.cores or entry.get("cpus") else limits
        made.cores_place = where.place_of("cpuset" if made.cores else "cpus")

    def _words(self, entry: Table, key: str) -> tuple[str, ...]:
        value = entry.get(key)
        words = [self._put_in(text(one), entry.place_of(key)) for one in items(value)]
        return tuple(words[0].split() if isinstance(value, str) else words)

    def _tell(self, made: Application, entry: Table) -> None:
        """Its variables: of its env files, in their order, then its own."""
        for path, required, place in env_files_of(entry):
            name = self._path(path, place)
            found = self._sources.env_file("", name) if name else None
            if found is None:
                made.variables_unseen = True
                if required:
                    self._note_absent(self._shown(name, path, place), place)
                continue
            for key, (value, line) in found.variables.items():
                made.variables[key] = _value(value, Place(found.name, line), "")
        for key, written, place in _pairs(entry.get("environment")):
            if written is None:
                value, _line = (self.project.env.variables if self.project.env else {}).get(key, (f"${{{key}}}", 0))
                made.variables[key] = _value(value, place, "")
                if self.project.env is None:
                    self._note_absent(ENV, Place(self.project.place.file))
            else:
                made.variables[key] = _value(self._put_in(written, place), place, written)

    def _shown(self, name: str, path: str, place: Place) -> str:
        """Return an env file's name as it is shown: relative to the project, .env as that."""
        folder = self._context(place).folder
        return os.path.relpath(name, folder or ".") if name and not os.path.isabs(path) else path

    def _join(self, made: Application, entry: Table) -> set[str]:
        """Put it into its networks; its aliases in them, and its own names for others."""
        networks = entry.get("networks")
        mode = self._text(entry, "network_mode")
        for link in [*items(entry.get("links")), *items(entry.get("external_links"))]:
            other, _, alias = text(link).partition(":")
            made.aliases[(alias or other).lower()] = other.lower()
        for host, address, place in _pairs(entry.get("extra_hosts"), signs="=:"):
            made.aliases[host.lower()] = self._put_in(address or "", place).lower()
        if mode.startswith("service:"):
            made.shares = mode.partition(":")[2]
        if mode.startswith("container:"):  # one of another project, whose ports are its ports
            made.shares = mode
            made.joins = frozenset({f"the network of {mode.partition(':')[2]}"})
        if mode:
            made.networks = None if mode == "host" else frozenset({mode})
            return set()
        joined = list(networks) if isinstance(networks, Table) else [text(one) for one in items(networks)]
        made.networks = frozenset(self._network(name)[0] for name in joined or ["default"])
        made.joins = frozenset(name for name, external in map(self._network, joined or ["default"]) if external)
        if entry.get("external_links"):
            made.joins |= {"external_links"}
        return {
            text(alias) for one in table(networks).values() for alias in items(table(one).get("aliases")) if text(alias)
        }

    def _network(self, key: str) -> tuple[str, bool]:
        """Return what a network is called, and whether it is made elsewhere."""
        found = table(self._networks.get(key))
        external = found.get("external")
        name = self._text(found, "name") or text(table(external).get("name"))
        if isinstance(external, Table) or text(external).lower() in ("true", "yes", "on"):
            return name or key, True
        return name or f"{self._name}_{key}", False

    def _openings(self, entry: Table) -> Iterator[Opening]:
        ports = items(entry.get("ports"))
        for number, one in enumerate(ports):
            place = ports.places[number]
            if isinstance(one, Table):
                host, outside, inside = (self._text(one, key) for key in ("host_ip", "published", "target"))
                protocol = self._text(one, "protocol")
            else:
                host, outside, inside, protocol = _port(self._put_in(text(one), place))
            if inside and protocol in ("", "tcp"):
                local, private = _reach(host)
                for out, within in _ranges(outside, inside):
                    yield Opening(place=place, outside=out, inside=within, local=local, private=private)

    def _health(self, entry: Table) -> Iterator[HealthCheck]:
        check = table(entry.get("healthcheck"))
        if text(check.get("disable")) == "true":
            return
        test = check.get("test")
        words = [self._put_in(text(word), check.place_of("test")) for word in items(test)]
        if isinstance(test, str):
            words = ["CMD-SHELL", *words]
        if words[1:] and words[0] in ("CMD", "CMD-SHELL"):
            yield HealthCheck(place=check.place_of("test"), way="command", command=tuple(words))

    def _mounts(self, entry: Table) -> Iterator[Mount]:
        """Folders and files inside that outlive the container. A volume without a name does not."""
        volumes = items(entry.get("volumes"))
        for number, one in enumerate(volumes):
            place = volumes.places[number]
            if isinstance(one, Table):
                source, target = self._text(one, "source"), self._text(one, "target")
                kept = bool(source) and text(one.get("type")) in ("", "volume", "bind")
            else:
                source, _, rest = self._put_in(text(one), place).partition(":")
                target, kept = rest.partition(":")[0], bool(rest)
            if kept and target:
                is_path = source.startswith(("/", ".", "~")) or "/" in source
                path = self._path(source, place) if is_path else ""
                yield Mount(target, False, place, source=path, text=self._inside(path, target))
        for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
            yield from self._placed(entry, kind, folder)

    def _placed(self, entry: Table, kind: str, folder: str) -> Iterator[Mount]:
        """Its configs or secrets, which are files that the project names."""
        listed = items(entry.get(kind))
        there = table(self._gathered.document.get(kind))
        for number, one in enumerate(listed):
            name = text(one) or text(table(one).get("source"))
            target = text(table(one).get("target")) or name
            made = table(there.get(name))
            content, file = made.get("content"), text(made.get("file"))
            path = self._path(file, made.place_of("file")) if file else ""
            held = self._put_in(content, made.place_of("content")) if isinstance(content, str) else None
            target = target if target.startswith("/") else folder + target
            yield Mount(
                target,
                False,
                listed.places[number] if held is None else made.place_of("content"),
                source=path,
                content=held,
                text=held if held is not None else self._inside(path, target),
            )

    def _inside(self, path: str, target: str) -> str | None:
        """Return what is in all files that are put at a place where they are read; None where they are not here."""
        if not path:
            return None
        if not self._sources.is_folder(path):
            return self._sources.text(path)
        if not _READ.match(target):
            return None
        return "\n".join(filter(None, map(self._sources.text, self._sources.within(path))))

    def _labels(self, entry: Table) -> dict[str, Value]:
        return {
            key: Value(place=place, text=self._put_in(value or "", place))
            for labels in (entry.get("labels"), table(entry.get("deploy")).get("labels"))
            for key, value, place in _pairs(labels)
        }


def _value(put_in: str, place: Place, written: str) -> Value:
    """Return what a variable is set to: as far as it is known."""
    if is_variable(put_in):
        return Value(place=place, unknown=put_in, written=written)
    return Value(place=place, text=put_in, written=written)


def _reach(host: str) -> tuple[bool, bool]:
    """Return whether an address is the machine's own alone, and whether not everybody reaches it."""
    bare = host.strip("[]")
    if bare in _LOCAL:
        return True, False
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False, bool(bare)  # a name, or not known
    return address.is_loopback, not address.is_global and not address.is_unspecified


def _ranges(outside: str, inside: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of ports that two ranges of ports are."""
    within, without = _numbers(inside), _numbers(outside)
    if len(within) > 1 and len(without) in (0, len(within)):
        for number, one in enumerate(within):
            yield (without[number] if without else ""), one
    else:
        yield outside, inside


def _numbers(ports: str) -> list[str]:
    first, _, last = ports.partition("-")
    if first.isdecimal() and last.isdecimal() and 0 <= int(last) - int(first) < _LONGEST:
        return [str(number) for number in range(int(first), int(last) + 1)]
    return [ports] if ports else []


def _pairs(value: object, signs: str = "=") -> Iterator[tuple[str, str | None, Place]]:
    """Yield what a mapping or a list of NAME=value says, as `environment` does; None for a name without a value."""
    if isinstance(value, Table):
        for key, written in value.items():
            yield key, written if written is None else text(written), value.place_of(key)
        return
    listed = items(value)
    for number, one in enumerate(listed):
        key, *rest = re.split(f"[{signs}]", text(one), maxsplit=1)
        if key:
            yield key, rest[0] if rest else None, listed.places[number]


def _port(written: str) -> tuple[str, str, str, str]:
    """Address, port outside, port inside and protocol of `[[address:]outside:]inside[/protocol]`."""
    rest, _, protocol = written.partition("/")
    rest, _, inside = rest.rpartition(":")
    host, _, outside = rest.rpartition(":")
    return host, outside, inside, protocol
