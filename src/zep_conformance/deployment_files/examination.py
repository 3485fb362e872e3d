"""Looks at deployment files, one kind after the other, and at each side of what they would make."""

from __future__ import annotations

from dataclasses import replace

from zep_conformance.deployment_files import (
    compose,
    fly,
    images,
    keeping,
    kubernetes,
    models,
    names,
    reach,
    render,
    resources,
    secrets,
    variables,
    wiring,
    zep_config,
)
from zep_conformance.deployment_files.findings import FileFinding, Ledger
from zep_conformance.deployment_files.model import PlannedDeployment
from zep_conformance.deployment_files.sources import Kind, Sources
from zep_conformance.redaction.redactor import Redactor


def examine(sources: Sources, kind: Kind | None = None) -> list[FileFinding]:
    """Return what is found of these files, or of those of one kind. Raises CannotTell when one does not parse."""
    made = planned(sources, kind)
    redactor = Redactor()
    for deployment in made:
        names = {name for one in deployment.applications for name in (one.name.lower(), *one.hosts)}
        for secret in secrets.secrets_in(sources, deployment.applications):
            if (
                secret.lower() not in names
            ):  # else every host of that name would be hidden, and no password is ever quoted
                redactor.hide(secret)
    return [finding for deployment in made for finding in _examined(deployment, sources, redactor)]


def kinds(sources: Sources) -> set[Kind]:
    """Return the kinds that are among these files."""
    return {source.kind for source in sources.files()}


def planned(sources: Sources, kind: Kind | None = None) -> list[PlannedDeployment]:
    """Return what these files would make, or those of one kind. Raises CannotTell when one does not parse."""
    files = [source for source in sources.files() if kind in (None, source.kind)]
    blueprints = [render.read_blueprint(source, sources) for source in files if source.kind == "render"]
    apps = [source for source in files if source.kind == "fly"]
    projects = compose.read_projects(sources.projects() if kind in (None, "compose") else [], sources)
    manifests = [source for source in files if source.kind == "kubernetes"]
    clusters = [kubernetes.read_manifests(manifests, sources)] if manifests else []
    return [*blueprints, *([fly.read_apps(apps, sources)] if apps else []), *projects, *clusters]


def _examined(deployment: PlannedDeployment, sources: Sources, redactor: Redactor) -> list[FileFinding]:
    ledger = Ledger(deployment, redactor)
    reach.check_applications(deployment, ledger)
    images.check(deployment, ledger)
    if zeps := [one for one in deployment.having("zep") if images.is_zep_1(one)]:
        # Nothing of what a Zep 0.x needs is asked of a 1.x, nor of what is there for it.
        others = [one for one in deployment.applications if one not in zeps]
        deployment = replace(deployment, applications=others if any(one.role == "zep" for one in others) else [])
    zep_config.check(deployment, ledger)
    variables.check(deployment, ledger)
    models.check(deployment, ledger)
    names.check(deployment, ledger, sources)
    wiring.check(deployment, ledger)
    reach.check_port(deployment, ledger, sources)
    reach.check_health(deployment, ledger)
    secrets.check(deployment, ledger, sources)
    reach.check_exposure(deployment, ledger)
    keeping.check(deployment, ledger)
    resources.check(deployment, ledger)
    return ledger.findings()
