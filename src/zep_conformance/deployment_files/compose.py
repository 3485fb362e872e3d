"""Reads a Compose project (https://compose-spec.io), and puts in the variables as Compose does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zep_conformance.deployment_files.located import Table, items, table, tables, text
from zep_conformance.deployment_files.model import (
    Application,
    HealthCheck,
    Image,
    Opening,
    Place,
    PlannedDeployment,
    Role,
    Value,
    fill_roles,
    role_of,
)
from zep_conformance.deployment_files.sources import ENV, ENV_EXAMPLE, EnvFile, Source, Sources, env_files_of
from zep_conformance.deployment_files.wiring import leads_elsewhere

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<how>:?[-?+])?(?P<rest>[^{}]*)\})"
)
_LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(kw_only=True)
class ComposeProject(PlannedDeployment):
    """A Compose project's applications, and what came up while its variables were put in.

    env: its .env, None where there is none; example: an .env.example beside it. needed: variables that it does not
    start without, and that .env lacks, each with where. not_there: env files that it names and that are not there.
    """

    env: EnvFile | None
    example: EnvFile | None
    wants_env: bool = False
    needed: dict[str, Place] = field(default_factory=dict)
    not_there: dict[str, Place] = field(default_factory=dict)


def read_project(source: Source, sources: Sources) -> ComposeProject:
    """Return the applications of a Compose project."""
    reader = _ComposeReader(source, sources)
    services = table(source.document.get("services"))
    for name in services:
        reader.service(name, table(services[name]), services.line_of(name))
    project, roles = reader.project, tuple[Role, ...](("nlp", "postgres", "zep"))
    # Where Zep's database is elsewhere, what is called `db` here is somebody else's.
    fill_roles(project.applications, [role for role in roles if not leads_elsewhere(project, role)])
    return project


def defaults_only(text: str) -> str:
    """Return what of a text stands there itself: without variables, but with the defaults that they have."""
    return _VARIABLE.sub(lambda found: (found["rest"] or "") if (found["how"] or "").endswith("-") else "", text)


class _ComposeReader:
    def __init__(self, source: Source, sources: Sources) -> None:
        self._file, self._sources = source.name, sources
        env = sources.env_file(source.name, ENV)
        self._env: Mapping[str, tuple[str, int]] = env.variables if env else {}
        self.project = ComposeProject(
            kind="compose",
            files=(source.name,),
            applications=[],
            place=Place(source.name),
            env=env,
            example=sources.env_file(source.name, ENV_EXAMPLE),
        )

    def _put_in(self, written: str, place: Place) -> str:
        """Return a text with its variables put in. One that nothing is known of stays, as ${NAME}."""

        def value(found: re.Match[str]) -> str:
            if found["escaped"]:
                return "$"
            name, how, rest = found["plain"] or found["name"], found["how"] or "", found["rest"] or ""
            known = self._env.get(name, (None, 0))[0]
            self.project.wants_env = True
            if known or (known is not None and not how.startswith(":")):
                return rest if how.endswith("+") else known
            if how.endswith("-"):
                return rest
            if how.endswith("+"):
                return ""
            if self.project.env is None:
                return f"${{{name}}}"
            if how.endswith("?"):
                self.project.needed.setdefault(name, place)
                return f"${{{name}}}"
            return ""

        return _VARIABLE.sub(value, written)

    def _text(self, entry: Table, key: str) -> str:
        return self._put_in(text(entry.get(key)), Place(self._file, entry.line_of(key)))

    def service(self, name: str, entry: Table, line: int) -> None:
        """Add the application that a service is."""
        place = Place(self._file, line)
        reference = self._text(entry, "image")
        build = entry.get("build")
        # Of what is built here the image is only the name, unless it says itself that it may be pulled.
        is_built = bool(build) and text(entry.get("pull_policy")) in ("", "build", "never")
        named = Image.of(reference) if reference else None
        image = None if is_built else named
        context = text(build) or text(table(build).get("context"))
        made = Application(
            name=name,
            place=place,
            type="service",
            image=image,
            image_place=Place(self._file, entry.line_of("image" if image else "build")),
            built_from="" if image else self._put_in(context, place) or "here",
            restarts=self._text(entry, "restart") not in ("", "no", "false"),
        )
        self._tell(made, entry)
        made.role = role_of(name, named, made.variables)
        hosts = {name, self._text(entry, "container_name"), self._text(entry, "hostname")} - {""}
        made.hosts = frozenset(one.lower() for one in hosts | self._join(made, entry))
        made.openings = list(self._openings(entry))
        made.exposes = frozenset(text(port).partition("/")[0] for port in items(entry.get("expose")))
        made.health = list(self._health(entry))
        made.mounts = list(self._mounts(entry))
        waits = {other: text(table(how).get("condition")) for other, how in table(entry.get("depends_on")).items()}
        made.waits_for = frozenset(other for other, condition in waits.items() if condition == "service_healthy")
        self.project.applications.append(made)

    def _tell(self, made: Application, entry: Table) -> None:
        """Its variables: of its env files, in their order, then its own."""
        for path, required in env_files_of(entry):
            place = Place(self._file, entry.line_of("env_file"))
            path = self._put_in(path, place)
            found = self._sources.env_file(self._file, path)
            if found is None:
                made.variables_unseen = True
                if required:
                    self.project.not_there.setdefault(path, place)
                continue
            for key, (value, line) in found.variables.items():
                made.variables[key] = Value(place=Place(found.name, line), text=value)
        for key, written, line in _pairs(entry.get("environment")):
            made.variables[key] = self._value(key, written, Place(self._file, line))

    def _value(self, key: str, written: str | None, place: Place) -> Value:
        """Return a variable of `environment`; without a value it is handed through from .env, or from the shell."""
        if written is None:
            known = self._env.get(key)
            self.project.wants_env = True
            return Value(place=place, text=known[0] if known else None)
        put_in = self._put_in(written, place)
        return Value(place=place, text=None if re.fullmatch(r"\$\{\w+\}", put_in) else put_in, written=written)

    def _join(self, made: Application, entry: Table) -> set[str]:
        """Put it into its networks; its aliases in them."""
        networks = entry.get("networks")
        mode = self._text(entry, "network_mode")
        if mode:
            made.networks = None if mode == "host" else frozenset({mode})
            return set()
        joined = list(networks) if isinstance(networks, Table) else [text(one) for one in items(networks)]
        made.networks = frozenset(joined or ["default"])
        return {
            text(alias) for one in table(networks).values() for alias in items(table(one).get("aliases")) if text(alias)
        }

    def _openings(self, entry: Table) -> Iterator[Opening]:
        ports = items(entry.get("ports"))
        for number, one in enumerate(ports):
            place = Place(self._file, ports.lines[number])
            if isinstance(one, Table):
                host, outside, inside = (self._text(one, key) for key in ("host_ip", "published", "target"))
                protocol = self._text(one, "protocol")
            else:
                host, outside, inside, protocol = _port(self._put_in(text(one), place))
            if inside and protocol in ("", "tcp"):
                yield Opening(place=place, outside=outside, inside=inside, local=host in _LOCAL)

    def _health(self, entry: Table) -> Iterator[HealthCheck]:
        check = table(entry.get("healthcheck"))
        if text(check.get("disable")) == "true":
            return
        test = check.get("test")
        words = [self._put_in(text(word), Place(self._file, check.line_of("test"))) for word in items(test)]
        if isinstance(test, str):
            words = ["CMD-SHELL", *words]
        if words[1:] and words[0] in ("CMD", "CMD-SHELL"):
            yield HealthCheck(place=Place(self._file, check.line_of("test")), way="command", command=tuple(words))

    def _mounts(self, entry: Table) -> Iterator[tuple[str, bool, Place]]:
        """Folders and files inside that outlive the container. A volume without a name does not."""
        volumes = items(entry.get("volumes"))
        for number, one in enumerate(volumes):
            place = Place(self._file, volumes.lines[number])
            if isinstance(one, Table):
                source, target = self._text(one, "source"), self._text(one, "target")
                kept = bool(source) and text(one.get("type")) in ("", "volume", "bind")
            else:
                source, _, rest = self._put_in(text(one), place).partition(":")
                target, kept = rest.partition(":")[0], bool(rest)
            if kept and target:
                yield target, False, place
        for one in tables(entry.get("configs")):
            yield self._text(one, "target"), False, Place(self._file, one.line)


def _pairs(value: object) -> Iterator[tuple[str, str | None, int]]:
    """Yield the variables of `environment`, a mapping or a list of NAME=value; None for one without a value."""
    if isinstance(value, Table):
        for key, written in value.items():
            yield key, written if written is None else text(written), value.line_of(key)
        return
    listed = items(value)
    for number, one in enumerate(listed):
        key, equals, written = text(one).partition("=")
        if key:
            yield key, written if equals else None, listed.lines[number]


def _port(written: str) -> tuple[str, str, str, str]:
    """Address, port outside, port inside and protocol of `[[address:]outside:]inside[/protocol]`."""
    rest, _, protocol = written.partition("/")
    rest, _, inside = rest.rpartition(":")
    host, _, outside = rest.rpartition(":")
    return host, outside, inside, protocol
