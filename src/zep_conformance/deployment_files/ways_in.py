"""How the applications of a Compose project are reached other than by ports: labels, proxies, the machine's network.

`find_ways_in` adds what it finds to the openings of each application. Whether everybody gets in by a way, or somebody
asks for a login before it, is told as far as the files say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from zep_conformance.deployment_files.interpolation import Interpolation
from zep_conformance.deployment_files.located import Place
from zep_conformance.deployment_files.model import (
    NLP_PORT,
    POSTGRES_PORT,
    ZEP_PORT,
    Application,
    Opening,
    PlannedDeployment,
    Value,
)
from zep_conformance.deployment_files.sources import Sources
from zep_conformance.deployment_files.wiring import MACHINE, SELF

LABELS = "labels"
_PROXY = re.compile(
    r"(^|[/_.-])(nginx|caddy|traefik|haproxy|httpd|apache|envoy|openresty|swag|angie|cloudflared|ngrok|kong|frpc|zoraxy"
    r"|nginx-proxy-manager|npm|tailscale|pangolin|newt)"
)
_TUNNEL = re.compile(r"cloudflared|ngrok|tailscale|frpc|pangolin|newt")
_CADDY_VARIABLE = re.compile(r"\{\$(\w+)(?::([^}]*))?\}")
_LANGFLUX = re.compile(r"flowise|langflux", re.IGNORECASE)
_GUARD = re.compile(
    r"auth_basic\s+(?!off)|auth_request|basic_?auth|forward_?auth|deny\s+all|remote_ip|authelia|authentik|oauth|keycloak"
    r"|ip(white|allow)list|http-request auth|AuthType|allow-?list|(?<![a-z])auth(?![a-z_])",
    re.IGNORECASE,
)
_TRAEFIK_PORT = re.compile(r"traefik\.(http|tcp)\.services\.[^.]+\.loadbalancer\.server\.port|traefik(\.[\w-]+)?\.port")
_TRAEFIK_RULE = re.compile(r"traefik\.(?:http|tcp)\.routers\.([^.]+)\.rule|traefik(?:\.[\w-]+)?\.frontend\.rule")
_TRAEFIK_GUARD = re.compile(
    r"traefik\.(?:http|tcp)\.routers\.([^.]+)\.middlewares|traefik(?:\.[\w-]+)?\.(?:frontend\.)?auth\.basic.*"
)
_SOCKET = "/var/run/docker.sock"
_EXPOSED = {"zep": ZEP_PORT, "nlp": NLP_PORT, "postgres": POSTGRES_PORT}


def find_ways_in(project: PlannedDeployment, sources: Sources) -> None:
    """Add the ways in that are no ports to the openings of each application with a role."""
    for one in project.applications:
        one.openings = [opening for opening in one.openings if opening.by == "ports"]
        shared = project.named(one.shares)
        if shared is not None:
            one.openings += [opening for opening in shared.openings if opening.inside == one.port]
    for one in [one for one in project.applications if one.role]:
        one.openings += _by_labels(one)
        if one.networks is None:
            local = any(host in " ".join(one.command) for host in ("localhost", "127.0.0.1"))
            one.openings = [
                Opening(place=one.place, outside=one.port, inside=one.port, local=local, by="the machine's network")
            ]
    for one in [one for one in project.applications if one.role]:
        for proxy in proxies(project, one):
            one.openings += _by_proxy(one, proxy, sources)
        for proxy in proxies(project, one, apart=True):
            one.openings += _by_machine(one, proxy, sources)


def proxies(project: PlannedDeployment, application: Application, *, apart: bool = False) -> list[Application]:
    """Return the proxies that share a network with an application. apart: those that do not."""
    others = (one for one in project.applications if one is not application and not one.role and _is_proxy(one))
    return [one for one in others if meet(one, application) is not apart]


def leads_to(proxy: Application, application: Application, sources: Sources) -> bool:
    """Tell whether a proxy is told to lead to an application."""
    return any(True for _ in _by_proxy(application, proxy, sources))


def is_seen(proxy: Application) -> bool:
    """Tell whether a proxy is told where it leads by files that are here."""
    told = [one.text for one in proxy.mounts if one.text is not None]
    return bool(told) and not any(one.source and one.text is None and one.folder != _SOCKET for one in proxy.mounts)


def clients(project: PlannedDeployment, application: Application) -> list[Application]:
    """Return who reaches an application inside: LangFlux, and whoever is told its address."""
    others = [one for one in project.applications if one is not application and not one.role]
    return [
        one
        for one in others
        if meet(one, application) and not _is_proxy(one) and (_is_langflux(one) or _is_told(one, application))
    ]


def _is_langflux(one: Application) -> bool:
    return bool(_LANGFLUX.search(one.image.path if one.image else one.name) or _LANGFLUX.search(one.name))


def _is_told(one: Application, application: Application) -> bool:
    told = " ".join(value.text or "" for value in one.variables.values())
    return any(re.search(rf"//{re.escape(host)}(?![\w.-])", told, re.IGNORECASE) for host in application.hosts)


def _is_proxy(one: Application) -> bool:
    return _PROXY.search(_called(one)) is not None


def _called(one: Application) -> str:
    return one.image.path.lower() if one.image else (one.base or one.name).lower()


def meet(one: Application, other: Application) -> bool:
    """Tell whether two are in a network together."""
    if one.networks is None or other.networks is None:
        return one.networks is other.networks
    return bool(one.networks & other.networks)


def _by_labels(one: Application) -> Iterator[Opening]:
    """Yield the ways in that labels or variables make for proxies that look at those: Traefik, Caddy, nginx-proxy."""
    labels = {name.lower(): value for name, value in one.labels.items()}
    yield from _by_traefik(one, labels)
    for name, value in labels.items():
        if re.fullmatch(r"caddy(_\d+)?(\..*)?\.?(\d+_)?reverse_proxy|caddy(_\d+)?\.(.*\.)?(\d+_)?reverse_proxy", name):
            found = re.search(r"upstreams(?:\s+https?)?\s+(\d+)|:(\d+)", value.text or "")
            port = (found[1] or found[2]) if found else "80"
            yield _labelled(value.place, port, _all(labels, "caddy"))
    host, port = one.variables.get("VIRTUAL_HOST"), one.told("VIRTUAL_PORT")
    if host is not None:
        yield _labelled(host.place, port or _exposed(one), "")
    for name, value in one.variables.items():
        found = re.fullmatch(r"SERVICE_(?:FQDN|URL)_[A-Z0-9_]*?(?:_(\d{2,5}))?", name)  # Coolify
        if found is not None:
            yield _labelled(value.place, found[1] or _exposed(one), "")


def _by_traefik(one: Application, labels: Mapping[str, Value]) -> Iterator[Opening]:
    """Yield the ways in that labels for Traefik make. One router may be guarded, and another one not."""
    first = labels.get("traefik.enable")
    if first is not None and (first.text or "").lower() == "false":
        return
    ports = [value for name, value in labels.items() if _TRAEFIK_PORT.fullmatch(name)]
    rules = {found[1]: value for name, value in labels.items() if (found := _TRAEFIK_RULE.fullmatch(name))}
    if not (ports or rules or (first is not None and first.text)):
        return
    guards = {found[1]: value.text or "" for name, value in labels.items() if (found := _TRAEFIK_GUARD.fullmatch(name))}
    guarded = {router for router, text in guards.items() if _GUARD.search(text)}
    unguarded = [value.text or "" for router, value in rules.items() if router not in guarded]
    place = next(value for value in (*ports, *rules.values(), first) if value is not None)
    admin_is_guarded = any("/admin" in (value.text or "") for router, value in rules.items() if router in guarded)
    for port in {(value.unknown if value.text is None else value.text) for value in ports} or {_exposed(one)}:
        yield Opening(
            place=place.place,
            outside="",
            inside=port,
            by=LABELS,
            guarded=bool(guarded) and not unguarded,
            without_admin=admin_is_guarded or (bool(unguarded) and all(map(_leaves_admin_out, unguarded))),
        )


def _leaves_admin_out(rule: str) -> bool:
    """Whether a rule of Traefik's does not lead to /admin: it leads to the API only, or says so."""
    return "PathPrefix(`/api" in rule or re.search(r"!\s*Path(Prefix)?\(`/admin", rule) is not None


def _labelled(place: Place, port: str, guards: str) -> Opening:
    return Opening(place=place, outside="", inside=port, by=LABELS, guarded=_GUARD.search(guards) is not None)


def _all(labels: Mapping[str, Value], prefix: str) -> str:
    return " ".join(f"{name} {value.text}" for name, value in labels.items() if name.startswith(prefix))


def _exposed(one: Application) -> str:
    """Return the port that a proxy takes of itself: the only one that is exposed, by the file or by the image."""
    exposed = set(one.exposes)
    return exposed.pop() if len(exposed) == 1 else _EXPOSED.get(one.role, "")


def _by_proxy(one: Application, proxy: Application, sources: Sources) -> Iterator[Opening]:
    """Yield the ways in that a proxy's configuration makes, as far as it is here."""
    for told, place, line, after in _lines(proxy, sources):
        for port in _ports_in(line, after, one):
            yield _led(told, place, port, proxy)


def _by_machine(one: Application, proxy: Application, sources: Sources) -> Iterator[Opening]:
    """Yield the ways in by a proxy that reaches an application's ports on the machine, not its network."""
    hosts = "|".join(map(re.escape, MACHINE + (SELF if proxy.networks is None else ())))
    for told, place, line, _after in _lines(proxy, sources):
        for found in re.finditer(rf"(?<![\w.-])(?:{hosts}):(\d+)(?!\w)", line):
            for opening in [opening for opening in one.openings if opening.outside == found[1]]:
                yield _led(told, place, opening.inside, proxy)


def _led(told: str, place: Place, port: str, proxy: Application) -> Opening:
    """Return the way in that a proxy makes by what it is told."""
    is_open = any(opening.public for opening in proxy.openings) or proxy.networks is None or bool(proxy.labels)
    to_api_only = re.search(r"location\s+\S*/api", told) and not re.search(r"location\s+(=\s+)?/\s*\{", told)
    return Opening(
        place=place,
        outside="",
        inside=port,
        private=not (is_open or _TUNNEL.search(_called(proxy))),
        by=proxy.name,
        guarded=_GUARD.search(told) is not None,
        without_admin="/admin" in told or bool(to_api_only),
    )


def _lines(proxy: Application, sources: Sources) -> Iterator[tuple[str, Place, str, str]]:
    """Yield each line of what a proxy is told, with all of that, where it stands, and the next lines."""
    known = {name: value.text or "" for name, value in proxy.variables.items()}
    for name, first, text in _told(proxy, sources):
        put_in = Interpolation(known).put_in(_CADDY_VARIABLE.sub(r"${\1:-\2}", _without_comments(text)))
        lines = put_in.splitlines()
        for number, line in enumerate(lines):
            yield put_in, Place(name, first + number if first else 0), line, " ".join(lines[number + 1 : number + 4])


def _without_comments(text: str) -> str:
    return "\n".join(line.partition("#")[0] for line in text.splitlines())


def _told(proxy: Application, sources: Sources) -> Iterator[tuple[str, int, str]]:
    """Yield what a proxy is told: of each file its name, its first line's number, and its text."""
    for mount in proxy.mounts:
        if mount.content is not None:
            yield mount.place.file, mount.place.line, mount.content
        elif mount.text is not None and not sources.is_folder(mount.source):
            yield mount.source, 1, mount.text
        elif mount.text is not None:
            for name in sources.within(mount.source):
                yield name, 1, sources.text(name) or ""
    if proxy.command:
        yield proxy.place.file, proxy.place.line, " ".join(proxy.command)
    for value in [*proxy.variables.values(), *proxy.labels.values()]:
        yield value.place.file, value.place.line, (value.text or "").replace("\n", " ")


def _ports_in(line: str, after: str, one: Application) -> Iterator[str]:
    """Yield the ports of an application that a line leads to, or the line and those after it."""
    for host in one.hosts:
        for found in re.finditer(rf"(?<![\w.-]){re.escape(host)}(?::(\d+))?(?![\w:-]|\.\w)", line, re.IGNORECASE):
            before = line[: found.start()]
            behind = re.match(r"\W*(?:set\s+\$\{?\w*?)?port(?:_value)?\W+(\d+)", after)
            if found[1]:
                yield found[1]
            elif behind is not None and re.search(r"(address|host|server|service|app)\W+$", before):
                yield behind[1]
            elif before.endswith("://") and "proxy" in before.lower():
                yield "443" if before.endswith("https://") else "80"
