"""Which applications there are, how zep is reached, how its health is seen, and who else can be reached."""

from __future__ import annotations

import re

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.images import is_zep_1
from zep_conformance.deployment_files.interpolation import differ
from zep_conformance.deployment_files.model import (
    NAMES,
    Application,
    HealthCheck,
    Opening,
    PlannedDeployment,
    Role,
    reads_as,
)
from zep_conformance.deployment_files.sources import Sources
from zep_conformance.deployment_files.ways_in import LABELS, clients, is_seen, leads_to, proxies
from zep_conformance.deployment_files.wiring import NLP_URL, leads_elsewhere

HEALTH_PATH = "/healthz"
_NEEDS: dict[Role, str] = {"nlp": "Zep's NLP server", "postgres": "PostgreSQL with pgvector 0.5 or newer"}


def check_applications(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Check that the three that the documentation speaks of are there."""
    zeps = deployment.having("zep")
    for role, name in NAMES.items():
        if deployment.having(role) or (zeps and all(map(is_zep_1, zeps))) or (role == "zep" and deployment.has_more):
            continue
        if deployment.kind == "fly" and role != "zep":
            ledger.report("application-unseen", deployment.place, missing=name)
        elif role != "zep" and (leads_elsewhere(deployment, role) or _is_untold(deployment)):
            ledger.report("application-elsewhere", deployment.place, missing=name, need=_NEEDS[role])
        else:
            ledger.report("application-missing", deployment.place, missing=name)
    for application in zeps:
        if deployment.kind == "render" and application.type != "web":
            ledger.report("zep-private", application.place, application, type=application.type or "?")
    names = [one.name for role in NAMES for one in deployment.having(role)]
    ledger.well("applications", deployment.place, ", ".join(names))


def _is_untold(deployment: PlannedDeployment) -> bool:
    """Whether what there is, or what the zeps are told, is not all here."""
    zeps = deployment.having("zep")
    return deployment.has_more or (bool(zeps) and all(one.variables_unseen for one in zeps))


def is_private(deployment: PlannedDeployment, application: Application) -> bool:
    """Tell whether it has no public address on purpose."""
    return deployment.kind == "render" and application.type == "pserv"


def check_port(deployment: PlannedDeployment, ledger: Ledger, sources: Sources) -> None:
    """How zep is reached."""
    for application in deployment.having("zep"):
        if is_private(deployment, application):
            ledger.well("port", application.place, f"{application.name} is for Render's private network only")
            continue
        place, port = application.place, application.port
        right = [one for one in application.openings if not differ(one.inside, port)]
        inside = clients(deployment, application)
        if not application.openings and not inside and not (deployment.kind == "kubernetes" and application.hosts):
            _closed(deployment, application, ledger, sources)
        for opening in application.openings:
            if not opening.inside:
                ledger.report("port-unsaid", opening.place, application, actual=port)
            elif opening not in right and (not right or opening.by != "ports"):
                _wrong(opening, application, ledger)
        if right and all(one.local for one in right) and not inside:
            ledger.report("port-local", right[0].place, port=right[0].outside or port)
        host = application.value_of("ZEP_SERVER_HOST")
        if host in ("127.0.0.1", "localhost", "::1"):
            where = application.variables["ZEP_SERVER_HOST"].place
            ledger.report("listens-on-loopback", where, application, host=host)
        ledger.well("port", place, f"{application.name}'s port {port} is reached {_ways(right, inside, port)}")


def _ways(right: list[Opening], inside: list[Application], port: str) -> str:
    """Say how a port is reached."""
    outside = sorted({one.outside or "any" for one in right if one.by == "ports"}, key=len)
    ways = [f"from outside on port {' and '.join(outside)}"] if outside else []
    ways += [f"by way of {by}" for by in dict.fromkeys(one.by for one in right if one.by != "ports")]
    return ", ".join(ways) or (f"by {' and '.join(one.name for one in inside)}" if inside else f"on port {port}")


def _closed(deployment: PlannedDeployment, application: Application, ledger: Ledger, sources: Sources) -> None:
    """Report that no file leads to a zep; only noted where a proxy or another deployment may."""
    unseen = [one.name for one in proxies(deployment, application) if not is_seen(one)]
    apart = [one for one in proxies(deployment, application, apart=True) if leads_to(one, application, sources)]
    if apart:
        ledger.report("networks-apart", apart[0].place, apart[0], host=application.name)
    elif unseen:
        ledger.report("proxy-unseen", application.place, application, proxy=" and ".join(unseen))
    elif application.joins and deployment.kind != "kubernetes":
        network = " and ".join(sorted(application.joins))
        ledger.report("reached-inside", application.place, application, network=network)
    else:
        ledger.report("port-closed", application.place, application, port=application.port)


def _wrong(opening: Opening, application: Application, ledger: Ledger) -> None:
    words = {"port": opening.inside, "actual": application.port}
    if opening.by != "ports":
        words["why"] = f"{opening.by} lead{'' if opening.by == LABELS else 's'} there, and nothing answers"
    ledger.report("port-wrong", opening.place, application, **words)


def check_health(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """How it is seen that zep works. Others' checks are looked at only as far as they can't work."""
    for application in deployment.applications:
        for one in application.health:
            if one.way == "command" and application.role in ("zep", "nlp"):
                _command(application, one, ledger)
    for application in deployment.having("zep"):
        if is_private(deployment, application):
            ledger.well("health", application.place, "Render asks no private service whether it works")
            continue
        if not application.health:
            ledger.report("health-check-missing", application.place, application)
        by_http = [one for one in application.health if one.way == "http"]
        for one in by_http:
            port = one.port or application.port
            if one.path.partition("?")[0] != HEALTH_PATH or differ(port, application.port):
                asked = f"{one.path} on port {port}"
                ledger.report("health-check-elsewhere", one.place, application, asked=asked, actual=application.port)
        if application.health and not by_http and not any(_asks(one) for one in application.health):
            ledger.report("health-check-shallow", application.health[0].place, application)
        ledger.well("health", application.place, f"{application.name} is watched by a health check")


def _asks(check: HealthCheck) -> bool:
    """Whether a command asks Zep something."""
    return check.way == "command" and HEALTH_PATH in " ".join(check.command)


def _command(application: Application, check: HealthCheck, ledger: Ledger) -> None:
    """Report a command that needs what the image lacks, or asks for the wrong path or port."""
    words = " ".join(check.command)
    shell = check.command[0] == "CMD-SHELL"
    ours = application.image is not None and re.search(r"(^|/)getzep/", application.image.path)
    tool = re.search(r"\b(curl|wget|nc|netcat)\b", words)
    why = f"the image {application.image.name if application.image else ''} has none"
    if ours and tool:
        ledger.report("health-check-cannot-run", check.place, application, tool=tool[1], why=why)
    elif "/dev/tcp/" in words and shell and not re.search(r"\bbash\b", words):
        why = "CMD-SHELL runs sh, which knows no /dev/tcp"
        ledger.report("health-check-cannot-run", check.place, application, tool="bash", why=why)
    asked = re.search(r"(?:https?://|/dev/tcp/)(?:localhost|127\.0\.0\.1|0\.0\.0\.0)[:/](\d+)(/[^\s\"']*)?", words)
    if application.role == "zep" and asked is not None:
        path = asked[2] if asked[2] and words[asked.start()] == "h" else HEALTH_PATH
        if differ(asked[1], application.port) or path != HEALTH_PATH:
            where = f"{path} on port {asked[1]}"
            ledger.report("health-check-elsewhere", check.place, application, asked=where, actual=application.port)


def check_exposure(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Who but zep can be reached from outside, and what zep shows to everybody."""
    urls = [one.value_of(NLP_URL) for one in deployment.having("zep")]
    by_flycast = {found[1] for url in urls if (found := re.search(r"//([\w-]+)\.flycast\b", url))}
    for application in [*deployment.having("nlp"), *deployment.having("postgres")]:
        if application.managed:
            _managed(application, ledger)
        reached = [one for one in application.openings if one.public and not _is_nobodys(deployment, application, one)]
        for opening in reached[:1]:
            if deployment.kind == "fly" and (application.name in by_flycast or not deployment.having("zep")):
                ledger.report("keep-private", opening.place, application)
            else:
                words = {"port": opening.outside or "any"}
                if opening.by != "ports":
                    words = {"port": opening.inside or "any", "why": f"by way of {opening.by}"}
                    words["how"] = "Let nothing lead there: other containers reach it without."
                ledger.report("exposed", opening.place, application, **words)
    for application in deployment.having("zep"):
        _zep(application, [one for one in application.openings if one.public], ledger)
    ledger.well("exposure", deployment.place, "only zep is to be reached from outside")


def _is_nobodys(deployment: PlannedDeployment, application: Application, opening: Opening) -> bool:
    """Whether nothing answers behind a way in."""
    return deployment.kind == "compose" and differ(opening.inside, application.port)


def _managed(application: Application, ledger: Ledger) -> None:
    place = application.image_place
    why = "ipAllowList names every address there is"
    if application.allowed is None:
        why = "ipAllowList is missing: Render lets in whoever has the password"
    if application.allowed is None or any(one.endswith("/0") for one in application.allowed):
        ledger.report("database-open", place, application, why=why)


def _zep(application: Application, openings: list[Opening], ledger: Ledger) -> None:
    if not openings:
        return
    required = application.variables.get("ZEP_AUTH_REQUIRED")
    unseen = required is not None and required.text is None
    web = application.variables.get("ZEP_SERVER_WEB_ENABLED")
    web_is_on = web is None or (web.text is not None and not reads_as(web.text, False))
    if required is not None and reads_as(required.text or "", True):
        if web_is_on and not all(one.without_admin for one in openings):
            ledger.report("admin-open", web.place if web else application.place, application)
    elif not unseen and not (application.variables_unseen and required is None):
        place = required.place if required is not None else application.place
        ledger.report("open-to-everybody", place, application)
