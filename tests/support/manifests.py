"""A healthy Zep on Kubernetes, to change: its manifests as documents."""

from __future__ import annotations

import base64
import copy
from typing import Any

import yaml

PASSWORD, KEY = "5f0d9a7c3b1e4d2f6a8b", "sk-proj-0000aaaabbbbccccddddeeee"


def _workload(kind: str, name: str, image: str, port: int, **container: Any) -> dict[str, Any]:
    labels = {"app": name}
    made = {"name": name, "image": image, "ports": [{"name": "main", "containerPort": port}], **container}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [made]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _service(name: str, port: int) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": port, "targetPort": "main"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _of_secret(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "zep", "key": key}}}


def healthy() -> dict[str, dict[str, Any]]:
    """Return the manifests by what each is: nothing is to be found in them."""
    zep = _workload(
        "Deployment",
        "zep",
        "ghcr.io/getzep/zep-cloud:0.27.2",
        8000,
        env=[
            _of_secret("POSTGRES_PASSWORD", "password"),
            {"name": "ZEP_STORE_POSTGRES_DSN",
             "value": "postgres://zep:$(POSTGRES_PASSWORD)@zep-postgres:5432/zep?sslmode=disable"},
            {"name": "ZEP_NLP_SERVER_URL", "value": "http://zep-nlp.default.svc.cluster.local:5557"},
            _of_secret("ZEP_OPENAI_API_KEY", "openai"),
            {"name": "ZEP_AUTH_REQUIRED", "value": "true"},
            _of_secret("ZEP_AUTH_SECRET", "secret"),
            {"name": "ZEP_SERVER_WEB_ENABLED", "value": "false"},
        ],
        readinessProbe={"httpGet": {"path": "/healthz", "port": "main"}},
    )  # fmt: skip
    postgres = _workload(
        "StatefulSet",
        "zep-postgres",
        "pgvector/pgvector:0.8.0-pg16",
        5432,
        env=[
            {"name": "POSTGRES_USER", "value": "zep"},
            {"name": "POSTGRES_DB", "value": "zep"},
            _of_secret("POSTGRES_PASSWORD", "password"),
        ],
        volumeMounts=[{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
    )
    postgres["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
    nlp = _workload("Deployment", "zep-nlp", "ghcr.io/getzep/zep-nlp-server:0.4.2", 5557)
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "zep"},
        "spec": {"rules": [{"host": "zep.example.org", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "zep", "port": {"number": 8000}}}},
        ]}}]},
    }  # fmt: skip
    return copy.deepcopy({
        "zep": zep, "nlp": nlp, "postgres": postgres, "zep service": _service("zep", 8000),
        "nlp service": _service("zep-nlp", 5557), "postgres service": _service("zep-postgres", 5432),
        "ingress": ingress,
    })  # fmt: skip


def container_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the container of a workload."""
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]["containers"][0]
    return found


def environment_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the variables of a workload's container."""
    found: list[dict[str, Any]] = container_of(manifest).setdefault("env", [])
    return found


def secret(**values: str) -> dict[str, Any]:
    """Return a Secret with these values in base64."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "zep"}, "data": data}


def written(*manifests: dict[str, Any]) -> str:
    """Return manifests as one file."""
    return "---\n" + "---\n".join(yaml.safe_dump(one, sort_keys=False, width=1000) for one in manifests)
