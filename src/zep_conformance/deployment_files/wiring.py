"""Whether zep is told where the other two are, and can reach them there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.images import is_cloud, shown
from zep_conformance.deployment_files.interpolation import differ, is_known, is_variable, put_in
from zep_conformance.deployment_files.model import (
    NLP_PORT,
    POSTGRES_PORT,
    Application,
    Place,
    PlannedDeployment,
    Role,
    Value,
)
from zep_conformance.facts.servers import NLP_SERVER_URL, POSTGRES_DSN

HOSTPORT, NLP_URL, DSN = "ZEP_NLP_SERVER_HOSTPORT", NLP_SERVER_URL, POSTGRES_DSN
SELF = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
"""Names and addresses by which something reaches itself."""
MACHINE = (
    *("host.docker.internal", "gateway.docker.internal", "host.containers.internal", "docker.for.mac.localhost"),
    *("host-gateway", "172.17.0.1"),
)
"""Names and addresses by which a container reaches the machine that it runs on."""
_LIKE = {
    NLP_URL: f"http://zep-nlp:{NLP_PORT}",
    HOSTPORT: f"zep-nlp:{NLP_PORT}",
    DSN: f"postgres://user:…@zep-postgres:{POSTGRES_PORT}/zep",
}
_SCHEMES = {NLP_URL: ("http", "https"), DSN: ("postgres", "postgresql")}
_OTHERS: dict[Role, str] = {"nlp": "NLP server", "postgres": "database"}
_DEFAULTS: dict[Role, str] = {"nlp": f"http://localhost:{NLP_PORT}", "postgres": f"localhost:{POSTGRES_PORT}"}
_SCRIPTS = "/docker-entrypoint-initdb.d"
_POOLER = re.compile(r"pgbouncer|pgpool|pgcat|odyssey|supavisor")
_PROPERTIES = {HOSTPORT: "hostport", DSN: "connectionString"}


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at what each zep is told of the other two."""
    for zep in deployment.having("zep"):
        wires = list(_wires(deployment, zep, ledger))
        for wire in wires:
            if wire.value.of:
                _reference(wire)
            elif wire.value.text is not None:
                _written(wire)
        seen = [wire.other for wire in wires if wire.value.of or wire.value.text is not None]
        unseen = [other for other in _OTHERS.values() if other not in seen]
        symptom = [f"{zep.name} is told where its {' and its '.join(seen)} {_is(seen)}"] if seen else []
        symptom += [f"where its {' and its '.join(unseen)} {_is(unseen)}, no file says"] if unseen else []
        ledger.well("wiring", zep.place, "; ".join(symptom))


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


@dataclass(frozen=True)
class _Wire:
    """One variable of a zep that leads to another application, and where it is noted what is wrong with it."""

    deployment: PlannedDeployment
    zep: Application
    variable: str
    role: Role
    ledger: Ledger

    @property
    def value(self) -> Value:
        return self.zep.variables[self.variable]

    @property
    def other(self) -> str:
        return _OTHERS[self.role]

    @property
    def called(self) -> str:
        """What it is called where it stands: a variable, or a key of config.yaml."""
        value = self.zep.variables.get(self.variable)
        return (value.key if value else "") or self.variable

    def report(self, code: str, place: Place | None = None, **words: object) -> None:
        """Note a finding, about the variable where no other place is given."""
        self.ledger.report(code, place or self.value.place, self.zep, variable=self.called, **words)


def _wires(deployment: PlannedDeployment, zep: Application, ledger: Ledger) -> Iterator[_Wire]:
    """Yield the variables that count, one a role. What is missing is noted."""
    nlp = HOSTPORT if is_cloud(zep) and zep.is_set(HOSTPORT) else NLP_URL
    if zep.is_set(HOSTPORT) and not is_cloud(zep) and zep.image is not None and not zep.is_set(NLP_URL):
        ledger.report("hostport-ignored", zep.variables[HOSTPORT].place, image=shown(zep.image))
    roles: tuple[tuple[Role, str], ...] = (("nlp", nlp), ("postgres", DSN))
    for role, variable in roles:
        wire = _Wire(deployment=deployment, zep=zep, variable=variable, role=role, ledger=ledger)
        if zep.is_set(variable):
            yield wire
        elif role == "nlp" and zep.is_set(HOSTPORT):
            pass  # noted
        elif not zep.variables_unseen or (deployment.kind == "fly" and role == "nlp"):
            place = wire.value.place if variable in zep.variables else zep.place
            place = Place(zep.config.file) if zep.config and variable not in zep.variables else place
            wire.report("not-wired", place, other=wire.other, default=_DEFAULTS[role], how=_how(deployment, role))


def _how(deployment: PlannedDeployment, role: Role) -> str:
    """How zep is told of another application, in this kind of deployment."""
    name = deployment.name_of(role)
    if deployment.kind == "render" and role == "nlp":
        return f"Set {HOSTPORT} with fromService: the hostport of {name}."
    if deployment.kind == "render":
        return f"Set {DSN} with fromDatabase: the connectionString of {name}."
    if role == "nlp":
        return f"Set {NLP_URL} to http://{name}{'.flycast' if deployment.kind == 'fly' else ''}:{NLP_PORT}."
    return f"Set {DSN}, like postgres://user:…@{name}:{POSTGRES_PORT}/zep?sslmode=disable."


def _reference(wire: _Wire) -> None:
    """Check a property of another application, as Render writes it."""
    value = wire.value
    found = next((one for one in wire.deployment.applications if one.name == value.of), None)
    if found is None or found.role != wire.role:
        _elsewhere(wire, value.of)
        return
    if found.type != value.of_type:
        wire.report("wired-by-type", host=value.of, type=value.of_type or "nothing", actual=found.type)
    wanted = _PROPERTIES.get(wire.variable)
    if value.what == wanted and wire.variable == HOSTPORT:
        _port(wire, found, found.value_of("PORT") or found.port)
    elif value.what != wanted:
        why, how = "Zep wants a whole URL, which begins with http://", f"Set {HOSTPORT} to it in its stead."
        if wanted is not None:
            why, how = f"Zep wants its {wanted}", f"Write property: {wanted}."
        wire.report("wired-wrong-property", what=value.what or "nothing", host=value.of, why=why, how=how)


def _elsewhere(wire: _Wire, host: str) -> None:
    names = sorted(one.name for one in wire.deployment.having(wire.role))
    wire.report("wired-elsewhere", host=host or "nothing", other=wire.other, names=", ".join(names) or "none")


def _written(wire: _Wire) -> None:
    """Check a URL, or a host and a port, as it is written."""
    url, deployment = _url(wire), wire.deployment
    if url is None:
        return
    host, port = (url.hostname or "").lower(), _port_of(url, wire.role)
    found = reached(deployment, wire.zep, wire.role)
    if found is None and host in SELF:
        if wire.zep.networks is not None or deployment.kind != "compose":  # with the host's network it is the host
            wire.report("wired-to-itself", host=host, name=deployment.name_of(wire.role))
        return
    if found is None or found.role != wire.role:
        unseen = deployment.kind == "fly" and not deployment.having(wire.role)  # its file was not given: noted
        if found is not None or not (unseen or _is_made_elsewhere(deployment, wire.zep, wire.role, host)):
            _elsewhere(wire, host)
        return
    by_machine = host not in found.hosts and deployment.by_host(host, wire.zep) is not found
    if deployment.kind == "fly":
        _fly(wire, found, host, port)
    elif host in found.leads:
        _by_service(wire, found, host, port)
    elif not by_machine:
        _port(wire, found, port)
    apart = wire.zep.networks is not None and found.networks is not None and not wire.zep.networks & found.networks
    if apart and not by_machine:
        wire.report("networks-apart", found.place, host=found.name)
    if wire.role == "postgres" and not found.managed:
        _database(wire, found, url)


def reached(deployment: PlannedDeployment, zep: Application, role: Role) -> Application | None:
    """Return the application that a zep reaches where it is told that a role is; None where none of these is.

    By a pooler it is the database behind that.
    """
    host, port = _target(zep, role)
    found = deployment.by_host(host, zep) if host else None
    if found is None:
        found = _on_this_machine(deployment, zep, zep.aliases.get(host, host), port)
    if found is not None and role == "postgres" and is_pooler(found):
        return _behind(deployment, found) or found
    return found


def is_pooler(application: Application) -> bool:
    """Tell whether an application hands connections on to a database."""
    return application.image is not None and _POOLER.search(application.image.path.lower()) is not None


def _behind(deployment: PlannedDeployment, pooler: Application) -> Application | None:
    """Return the database that a pooler's variables name."""
    words = re.findall(r"[\w.-]+", " ".join(value.text or "" for value in pooler.variables.values()))
    named = (deployment.by_host(word, pooler) for word in words)
    return next((one for one in named if one is not None and one.role == "postgres"), None)


def _on_this_machine(deployment: PlannedDeployment, zep: Application, host: str, port: str) -> Application | None:
    """Return what answers at a port of the machine that a zep runs on, or of the network that it shares with others."""
    others = [one for one in deployment.applications if one is not zep]
    if host in SELF:
        sharing = [one for one in others if one.name == zep.shares or zep.name == one.shares]
        sharing += [one for one in others if one.shares and one.shares == zep.shares]
        here = [one for one in sharing if one.port == port]
        if here or zep.networks is not None:
            return here[0] if here else None
    elif host not in MACHINE:
        return None
    at_port = (one for one in others if any(opening.outside == port for opening in one.openings))
    return next(at_port, next((one for one in others if one.networks is None and one.port == port), None))


def _target(zep: Application, role: Role) -> tuple[str, str]:
    """Return the host and the port that a zep is told for a role, each "" where it is not said."""
    if role == "postgres":
        return database_host(zep).lower(), _dsn_port(zep.value_of(DSN))
    text = zep.value_of(HOSTPORT) if is_cloud(zep) and zep.is_set(HOSTPORT) else zep.value_of(NLP_URL)
    try:
        url = urlsplit(text if "//" in text else f"//{text}")
        return (url.hostname or "").lower(), _port_of(url, role)
    except ValueError:
        return "", ""


def host_of(zep: Application, role: Role) -> str:
    """Return the host that a zep is told for a role, "" where it is not said."""
    return _target(zep, role)[0]


def _dsn_port(dsn: str) -> str:
    try:
        return _port_of(urlsplit(dsn), "postgres")
    except ValueError:
        return ""


def is_elsewhere(host: str) -> bool:
    """Tell whether a host is one that none of these files could make: a name of the Internet, or an address."""
    return "." in host and not host.endswith((".internal", ".flycast"))


def database_host(zep: Application) -> str:
    """Return the host of a zep's database, as a URL or in PostgreSQL's own words; "" where it names none."""
    dsn = zep.value_of(DSN)
    in_words = re.search(r"\bhost=(\S+)", dsn)
    if in_words:
        return in_words[1]
    try:
        return urlsplit(dsn).hostname or ""
    except ValueError:
        return dsn


def leads_elsewhere(deployment: PlannedDeployment, role: Role) -> bool:
    """Tell whether each zep there is is told to use an application of this role that is made in another way."""
    zeps = deployment.having("zep")
    return bool(zeps) and all(_leads_elsewhere(deployment, one, role) for one in zeps)


def _leads_elsewhere(deployment: PlannedDeployment, zep: Application, role: Role) -> bool:
    for variable in (DSN,) if role == "postgres" else (NLP_URL, HOSTPORT):
        value = zep.variables.get(variable)
        if value is None or value.of or value.text == "":
            continue
        host = _target(zep, role)[0]
        if value.text is None or not is_known(host):
            return not deployment.having(role)
        return reached(deployment, zep, role) is None and _is_made_elsewhere(deployment, zep, role, host)
    return False


def _is_made_elsewhere(deployment: PlannedDeployment, zep: Application, role: Role, host: str) -> bool:
    """Whether a host that none of these files makes may be made by others: on the Internet, on this machine, in a
    network that they join, by a file that is not here; and not just be mistyped.
    """
    if is_elsewhere(host) or not is_known(host) or host in MACHINE or host in zep.aliases:
        return True
    if not (zep.joins or deployment.has_more or (zep.networks is None and deployment.kind == "compose")):
        return False
    names = [name for one in deployment.applications if one.role == role or not one.role for name in one.hosts]
    return not difflib.get_close_matches(host, names, 1, 0.8)


def _url(wire: _Wire) -> SplitResult | None:
    """Return the value as a URL; None, and noted, when it is none."""
    text, why = wire.value.text or "", ""
    known = put_in(text, "1")  # as it is when the variables in it have values
    schemes = _SCHEMES.get(wire.variable, ())
    url = None
    try:
        url = urlsplit(known if schemes else f"//{known}")
        _ = url.port
    except ValueError:
        why = "it can't be taken apart: its port is no number, or its password has / # or ? in it, and not %2F %23 %3F"
    if url is not None:  # the more telling reason counts
        if not schemes and ("/" in known or not url.hostname):
            why = "it has to be a host and a port, without http://"
        elif "@" in known and "@" not in url.netloc:
            why = "a / or # or ? before the @ ends it: write them as %2F, %23, %3F"
        elif schemes and url.scheme not in schemes and not is_variable(text.partition(":")[0]):
            why = f"it does not begin with {schemes[0]}://"
        elif not url.hostname:
            why = "it names no host"
        elif wire.variable == NLP_URL and (url.path.strip("/") or url.query):
            why = "it has a path"
    if why:
        wire.report("url-malformed", why=why, like=_LIKE[wire.variable])
        return None
    return urlsplit(text if schemes else f"//{text}")


def _port_of(url: SplitResult, role: Role) -> str:
    """Return the port of a URL, or its scheme's; ${NAME} where nothing more is known."""
    _, _, port = url.netloc.rpartition("@")[2].rpartition(":")
    if is_variable(port):
        return port
    if url.port is not None:
        return str(url.port)
    return POSTGRES_PORT if role == "postgres" else "443" if url.scheme == "https" else "80"


def _port(wire: _Wire, found: Application, port: str) -> None:
    if differ(port, found.port):
        wire.report("wrong-port", port=port, host=found.name, actual=found.port)


def _by_service(wire: _Wire, found: Application, host: str, port: str) -> None:
    """On Kubernetes a Service is asked, which leads to a port of its own choice."""
    ports = {name: inside for name, inside in found.leads[host].items() if name.isdecimal()}
    if port not in ports and not is_variable(port):
        wire.report("wrong-port", port=port, host=host, actual=" and ".join(ports) or "none")
    elif port in ports and differ(ports[port], found.port):
        words = {
            "port": ports[port],
            "actual": found.port,
            "why": f"the Service {host} leads there, and nothing answers",
        }
        wire.ledger.report("port-wrong", found.place, found, **words)


def _fly(wire: _Wire, found: Application, host: str, port: str) -> None:
    """On Fly.io .internal leads to the machine itself, by IPv6, and .flycast to the proxy, which serves services."""
    if host.endswith(".internal"):
        if wire.role == "nlp":
            wire.report("internal-is-ipv6", host=host, name=f"{found.name}.flycast")
        else:
            _port(wire, found, port)
        return
    openings = [one for one in found.openings if one.outside == port]
    if not openings:
        wire.report("flycast-without-service", host=host, port=port)
    for opening in openings:
        if opening.inside != found.port:
            wire.ledger.report("port-wrong", opening.place, found, port=opening.inside, actual=found.port)
        if opening.forces_https:
            wire.report("flycast-forces-https", opening.place, host=host)


def _database(wire: _Wire, found: Application, url: SplitResult) -> None:
    """Check a database in a container: who may get in was said when it was made, and it offers no TLS."""
    user = found.told("POSTGRES_USER") or "postgres"
    pairs = (
        ("user", unquote(url.username or "postgres"), user, "POSTGRES_USER"),
        ("password", unquote(url.password or ""), found.told("POSTGRES_PASSWORD"), "POSTGRES_PASSWORD"),
        ("database", unquote(url.path.lstrip("/")) or "postgres", found.told("POSTGRES_DB") or user, "POSTGRES_DB"),
    )
    others = made_beside(wire.deployment, found)
    is_other_user = differ(pairs[0][1], user)
    for what, given, made, variable in pairs:
        unseen = found.variables_unseen and variable not in found.variables
        unseen |= found.is_set(f"{variable}_FILE") or (what == "password" and (not given or not made or is_other_user))
        by_others = others is None or (given in others and what != "password")
        if differ(given, made) and not unseen and not by_others and not (what == "database" and given == "postgres"):
            place = wire.value.place
            wire.report("credentials-differ", place, what=what, host=found.name, made_by=variable)
    with_tls = re.search(r"ssl ?= ?(on|true)|--ssl", " ".join(found.command))
    if not re.search(r"(^|&)sslmode=disable(&|$)", url.query) and not with_tls and is_known(url.query):
        wire.report("database-without-tls", host=found.name)


def made_beside(deployment: PlannedDeployment, database: Application) -> frozenset[str] | None:
    """Return the words of what else makes users and databases in one: scripts, and services that are run for it.

    None where there are scripts that are not here.
    """
    words = set[str]()
    for mount in database.mounts:
        if mount.folder.startswith(_SCRIPTS):
            if mount.text is None:
                return None
            words |= set(re.findall(r"[\w-]+", mount.text))
    for one in [database, *deployment.applications]:
        told = [value.text or "" for name, value in one.variables.items() if one is database and "MULTIPLE" in name]
        run = " ".join(one.command)
        if re.search(r"(?i)createdb|createuser|create (database|user|role)", run):
            told.append(run)
            told += [value.text or "" for value in one.variables.values()]
        words |= {word for text in told for word in re.findall(r"[\w-]+", text)}
    return frozenset(words)
