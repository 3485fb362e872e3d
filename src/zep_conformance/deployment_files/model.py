"""What all kinds of deployment files say in common: applications, what they are told, and how they are reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from zep_conformance.deployment_files.located import NOWHERE
from zep_conformance.deployment_files.located import Place as Place
from zep_conformance.deployment_files.sources import Kind
from zep_conformance.facts.servers import PORTS, go_bool

if TYPE_CHECKING:
    from zep_conformance.deployment_files.zep_config import ZepConfig

Role = Literal["zep", "nlp", "postgres", ""]

NAMES: dict[Role, str] = {"zep": "zep", "nlp": "zep-nlp", "postgres": "zep-postgres"}
"""What the documentation calls the three."""
ZEP_PORT, NLP_PORT, POSTGRES_PORT = (str(PORTS[part]) for part in ("zep", "nlp", "postgres"))
"""Where each listens unless it is told otherwise."""
CLOUD_IMAGE = "zep-cloud"
"""The image of Zep with a configuration in it, and with a start script that knows ZEP_NLP_SERVER_HOSTPORT."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """What a variable is set to.

    text: what it comes to; None where the files do not say, since it is asked for or made up when it is deployed, or
    is a property of another application. unknown: the variable that it comes from then, as ${NAME}. written: as it
    stands in a file that is kept in a repository, "" where it does not. key: that of Zep's config.yaml which it stands
    at, "" for a variable. left_out: whether the platform leaves it out, though it stands there. of,
    of_type, what: the other application, its type, and its property.
    """

    place: Place
    text: str | None = None
    unknown: str = ""
    written: str = ""
    key: str = ""
    left_out: bool = False
    of: str = ""
    of_type: str = ""
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image: registry and path, tag, digest; the last two are "" where they are not given."""

    path: str
    tag: str
    digest: str

    @classmethod
    def of(cls, reference: str) -> Image:
        """Return the image that a reference names: `registry:5000/path/name:tag@digest`."""
        rest, _, digest = reference.partition("@")
        head, slash, last = rest.rpartition("/")
        name, _, tag = last.partition(":")
        return cls(path=head + slash + name, tag=tag, digest=digest)

    @property
    def name(self) -> str:
        """The last piece of its path."""
        return self.path.rpartition("/")[2]


class Mount(NamedTuple):
    """What is put into an application. folder: where in it. fresh: whether its file system has a lost+found.

    source: the file or folder that it comes from, "" where it is none of those that can be read here. content: what it
    holds, where that is said beside it. text: what is in it, in all its files; None where they are not here.
    """

    folder: str
    fresh: bool
    place: Place
    source: str = ""
    content: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A way in. outside, inside: port numbers as texts, "" where they are not said.

    local: only from the machine itself. private: by an address that not everybody reaches, or that is not known here.
    by: what leads here ("ports", "labels", the proxy's name). guarded: something asks for a login before it.
    without_admin: /admin is not led here. forces_https: plain HTTP is sent on to https.
    """

    place: Place
    outside: str
    inside: str
    local: bool = False
    private: bool = False
    by: str = "ports"
    guarded: bool = False
    without_admin: bool = False
    forces_https: bool = False

    @property
    def public(self) -> bool:
        """Whether everybody gets in by it, as far as is known."""
        return not (self.local or self.private or self.guarded)


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """How the platform finds out whether an application works.

    way: http, tcp, or command. path: what is asked for over HTTP. port: "" where it is not said. command: its words.
    leads: by the name that others reach it by, what each port of that leads to inside; only on Kubernetes. linked: the
    Services whose addresses Kubernetes adds to its variables.
    """

    place: Place
    way: Literal["http", "tcp", "command"]
    path: str = ""
    port: str = ""
    command: tuple[str, ...] = ()
    labels: dict[str, Value] = field(default_factory=dict)
    config: ZepConfig | None = None


@dataclass(kw_only=True)
class Application:
    """One application of a deployment: a Render service or database, a Fly.io app, a service of a Compose project.

    role: which of the three it is, "" for none of them. hosts: by which names others reach it. built_from: "" for
    a ready image, "here", or a repository. base: the image that it is built on. openings: how it is reached from
    outside, or on Fly.io by its proxy. exposes: ports that are open to other containers. mounts: what is put into
    it, and outlives it. managed: a Render database. allowed: who may reach such a database (None: not said).
    networks: None for the machine's own. joins: those of them that other deployments join, too. shares: the
    application whose network it has. profiles: with which it is started. waits_for: what must be healthy before
    it starts, needs: what must have been started. command: its words. memory, cores, share: what it is given of a
    machine: memory, how many processors it sees (0: not said), and how much of their time. variables_unseen: it
    is told more than the files say. sleeps: where the file lets it stop when nobody asks it.
    """

    name: str
    place: Place
    role: Role = ""
    type: str = ""
    image: Image | None = None
    image_place: Place = NOWHERE
    built_from: str = ""
    base: str = ""
    branch: str = ""
    variables: dict[str, Value] = field(default_factory=dict)
    variables_unseen: bool = False
    hosts: frozenset[str] = frozenset()
    openings: list[Opening] = field(default_factory=list)
    exposes: frozenset[str] = frozenset()
    health: list[HealthCheck] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    networks: frozenset[str] | None = None
    joins: frozenset[str] = frozenset()
    shares: str = ""
    aliases: dict[str, str] = field(default_factory=dict)
    profiles: frozenset[str] = frozenset()
    restarts: bool = True
    waits_for: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    command: tuple[str, ...] = ()
    labels: dict[str, Value] = field(default_factory=dict)
    config: ZepConfig | None = None
    managed: bool = False
    allowed: list[str] | None = None
    plan: str = ""
    plan_place: Place = NOWHERE
    memory: str = ""
    leads: dict[str, dict[str, str]] = field(default_factory=dict)
    linked: frozenset[str] = frozenset()
    cores: int = 0
    share: str = ""
    cores_place: Place = NOWHERE
    sleeps: Place | None = None

    def value_of(self, variable: str) -> str:
        """Return the text that a variable is set to, "" where it is not set or not seen."""
        value = self.variables.get(variable)
        return (value.text or "") if value else ""

    def is_set(self, variable: str) -> bool:
        """Tell whether a variable is set to anything, seen or not."""
        value = self.variables.get(variable)
        return value is not None and value.text != ""

    def told(self, variable: str) -> str:
        """Return what a variable is set to as `value_of` does, but ${NAME} where only that is known of it."""
        value = self.variables.get(variable)
        return (value.unknown if value.text is None else value.text) if value else ""

    @property
    def port(self) -> str:
        """Where it listens: 5557 for the NLP server and 8000 for Zep, unless it is told otherwise.

        ${NAME} where it is told by a variable that nothing is known of.
        """
        if self.role == "postgres":
            said = re.search(r"(?:^| )(?:-p ?|-c ?port=|--port[= ])(\d+)", " ".join(self.command))
            return (said[1] if said else "") or self.told("PGPORT") or POSTGRES_PORT
        return self.told("ZEP_SERVER_PORT") or (NLP_PORT if self.role == "nlp" else ZEP_PORT)

    @property
    def asks_for_tokens(self) -> bool:
        """Whether ZEP_AUTH_REQUIRED is true."""
        return reads_as(self.value_of("ZEP_AUTH_REQUIRED"), True)


@dataclass(kw_only=True)
class PlannedDeployment:
    """The applications that one Render blueprint, one Compose project, or the Fly.io configurations together make.

    has_more: files that are not here add to them.
    """

    kind: Kind
    files: tuple[str, ...]
    applications: list[Application]
    place: Place
    has_more: bool = False

    def having(self, role: Role) -> list[Application]:
        """Return the applications of a role."""
        return [one for one in self.applications if one.role == role]

    def name_of(self, role: Role) -> str:
        """Return the name of the first application of a role; what the documentation calls it where there is none."""
        return next((one.name for one in self.having(role)), NAMES[role])

    def by_host(self, host: str, of: Application | None = None) -> Application | None:
        """Return the application that others reach by this name, None where there is none.

        of: the one that reaches it, which may have names of its own for others.
        """
        host = host.lower()
        host = of.aliases.get(host, host) if of else host
        return next((one for one in self.applications if host in one.hosts), None)

    def named(self, name: str) -> Application | None:
        """Return the application of this name, None where there is none."""
        return next((one for one in self.applications if one.name == name), None)


def reads_as(text: str, value: bool) -> bool:
    """Tell whether Zep takes a variable for this value; what it takes for neither keeps it from starting."""
    try:
        return go_bool(text) is value
    except ValueError:
        return False


_IMAGES = {"zep": r"zep(-cloud)?", "nlp": r".*nlp.*", "postgres": r".*(postgres|pgvector|timescale|supabase).*"}
_NAMED = {"zep": r"(.*[-_])?zep(-server)?", "nlp": r".*nlp.*", "postgres": r".*postgres.*|(.*[-_])?(db|pg|database)"}
_VARIABLES = {
    "zep": r"ZEP_(STORE_\w+|NLP_\w+|OPENAI_API_KEY|AUTH_\w+)",
    "nlp": r"$^",
    "postgres": r"POSTGRES_(USER|PASSWORD|DB|HOST_AUTH_METHOD)",
}
_PORTS = {"zep": ZEP_PORT, "nlp": NLP_PORT, "postgres": POSTGRES_PORT}


def role_of(name: str, image: Image | None, variables: Iterable[str] = ()) -> Role:
    """Return which of the three an application is: by its image, what it is told, and its name, in this order."""
    known = image.name.lower() if image else ""
    if known in ("zep", CLOUD_IMAGE):
        return "zep"
    if known in ("zep-nlp-server", "zep-nlp"):
        return "nlp"
    full = re.search(r"(?:^|[-_])zep(?:[-_](nlp|postgres))?$", name.lower())
    is_told = {"POSTGRES_PASSWORD", "POSTGRES_DB"} & set(variables)
    # One .env is often given to all.
    if re.search(r"postgres|pgvector", known) or (is_told and full is None):
        return "postgres"
    if full is not None:
        return cast(Role, full[1] or "zep")
    if known and "zep" not in known:
        return ""  # another image is another application
    if re.search(r"(^|[-_])nlp([-_]|$)", name.lower()):
        return "nlp"
    return "postgres" if re.fullmatch(_NAMED["postgres"], name.lower()) else ""


def likeness(role: Role, one: Application) -> int:
    """Return how much an application looks like a role: by its image most, by its variables least."""
    ports = one.exposes | {opening.inside for opening in one.openings}
    alike = {
        4: one.image is not None and re.fullmatch(_IMAGES[role], one.image.name, re.IGNORECASE),
        3: _PORTS[role] in ports,
        2: re.fullmatch(_NAMED[role], one.name, re.IGNORECASE),
        1: any(re.fullmatch(_VARIABLES[role], name) for name in one.variables),
    }
    return sum(weight for weight, found in alike.items() if found)


def fill_roles(applications: Sequence[Application], roles: Iterable[Role]) -> None:
    """Give each of these roles that no application has to the one without any that looks most like it, if one does."""
    for role in roles:
        if not any(one.role == role for one in applications):
            scores = {one.name: likeness(role, one) for one in applications if not one.role}
            best = max(scores.values(), default=0)
            for one in applications:
                if best > 1 and scores.get(one.name) == best:
                    one.role = role


def best_of(role: Role, applications: Iterable[Application]) -> list[Application]:
    """Return the applications of a role that look most like it: more than one where that can't be told."""
    scored = [(likeness(role, one), one) for one in applications if one.role == role]
    best = max((score for score, _ in scored), default=0)
    return [one for score, one in scored if score == best]
