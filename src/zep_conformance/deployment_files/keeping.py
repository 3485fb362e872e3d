"""Whether what Zep remembers outlives a new deployment, and whether its parts stay up."""

from __future__ import annotations

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, PlannedDeployment

PGDATA = "/var/lib/postgresql/data"
"""Where PostgreSQL's images keep their data, up to version 17."""
_LEGACY = ("starter", "standard", "pro", "pro plus")


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at what is kept, and at what stops."""
    for application in deployment.having("postgres"):
        if application.managed:
            _plan(application, ledger)
        else:
            _volume(application, ledger)
        ledger.well("store", application.place, f"{application.name} keeps its data")
    for application in deployment.having("zep"):
        if deployment.kind == "compose" and not application.restarts:
            databases = {one.name for one in deployment.having("postgres")}
            if databases and not databases & application.waits_for:
                ledger.report("starts-before-database", application.place, application)
        elif not application.restarts:
            ledger.report("never-restarts", application.place, application)
        if application.sleeps is not None:
            ledger.report("sleeps-when-idle", application.sleeps, application)
    for application in deployment.having("nlp"):
        if deployment.kind == "render" and application.type == "pserv" and application.plan == "free":
            ledger.report("plan-not-offered", application.plan_place, application, plan="free", instead="standard")


def _plan(application: Application, ledger: Ledger) -> None:
    place = application.plan_place
    if application.plan == "free":
        ledger.report("database-expires", place, application)
    elif application.plan in _LEGACY:
        ledger.report("plan-not-offered", place, application, plan=application.plan, instead="basic-256mb")


def _volume(application: Application, ledger: Ledger) -> None:
    folder = (application.value_of("PGDATA") or PGDATA).rstrip("/")
    above = [
        (one.folder.rstrip("/"), one.fresh, one.place)
        for one in application.mounts
        if folder == one.folder.rstrip("/") or folder.startswith(f"{one.folder.rstrip('/')}/")
    ]
    if not above:
        ledger.report("database-not-kept", application.place, application, folder=folder)
    for mounted, fresh, place in above:
        if fresh and mounted == folder:
            ledger.report("data-folder-not-empty", place, application, folder=folder)
