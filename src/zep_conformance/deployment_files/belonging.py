"""Which applications of a project belong to its Zep: what Zep is wired to, and not every database that is there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from zep_conformance.deployment_files.model import Application, PlannedDeployment, Role, fill_roles, likeness
from zep_conformance.deployment_files.wiring import host_of, leads_elsewhere, reached

_ROLES: tuple[Role, ...] = ("nlp", "postgres")
_OTHER = re.compile(
    r"(redis|valkey|mongo|mysql|mariadb|qdrant|weaviate|chroma|milvus|elastic|opensearch|minio|rabbitmq|kafka|nats|neo4j"
    r"|nginx|caddy|traefik|haproxy|flowise|n8n|ollama|adminer|pgadmin|grafana|prometheus|memcached|clickhouse)"
)


def settle(project: PlannedDeployment) -> None:
    """Give the roles that are left to those that look like them, and take them from those that are somebody else's."""
    fill_roles(project.applications, ["zep"])
    for role in _ROLES:
        _wired(project, role)
        # Where Zep's database is elsewhere, what is called `db` here is somebody else's.
        if not leads_elsewhere(project, role):
            fill_roles(project.applications, [role])


def _wired(project: PlannedDeployment, role: Role) -> None:
    """Keep a role for those that the zeps are wired to, where that can be told."""
    zeps, having = project.having("zep"), project.having(role)
    there = [one for one in (reached(project, zep, role) for zep in zeps) if one is not None]
    chosen = [one for one in there if one.role == role or (not one.role and _may_be(role, one))]
    if not chosen and not (zeps and leads_elsewhere(project, role)):
        chosen = _likest(role, having, [host_of(zep, role) for zep in zeps], zeps)
    for one in having:
        if one not in chosen:
            one.role = ""
    for one in chosen:
        one.role = role


def _may_be(role: Role, application: Application) -> bool:
    """Whether an application of no known role can be of this one."""
    name = application.image.path.lower() if application.image else ""
    return not _OTHER.search(name.rpartition("/")[2] or application.name) and not (role == "nlp" and "pg" in name)


def _likest(
    role: Role, having: Sequence[Application], hosts: Sequence[str], zeps: Sequence[Application]
) -> list[Application]:
    """Return those that are most likely Zep's: by name, by what Zep waits for, by pgvector."""

    def score(one: Application) -> tuple[float, ...]:
        told = [one.value_of(name).lower() for name in ("POSTGRES_DB", "POSTGRES_USER")]
        near = max(
            (difflib.SequenceMatcher(None, host, name).ratio() for host in hosts for name in one.hosts), default=0
        )
        return (
            "zep" in one.name.lower() or "zep" in told or near > 0.8,
            any(one.name in zep.needs for zep in zeps),
            one.image is not None and "vector" in one.image.path,
            likeness(role, one),
        )

    best = max(map(score, having), default=None)
    return [one for one in having if score(one) == best]
