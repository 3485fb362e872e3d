"""Kubernetes manifests are read as the other kinds are; what is a template, or of a format of 2014, is said to be."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.support.manifests import KEY, PASSWORD, container_of, environment_of, healthy, secret, written
from zep_conformance.deployment_files.examination import examine, kinds
from zep_conformance.deployment_files.findings import FileFinding
from zep_conformance.deployment_files.report import show
from zep_conformance.deployment_files.sources import Sources, load
from zep_conformance.errors import CannotTell

Manifests = dict[str, dict[str, Any]]


def examined(*manifests: dict[str, Any], **files: str) -> list[FileFinding]:
    """What is found of these manifests, and of further files."""
    texts = {"zep.yaml": written(*manifests)} if manifests else {}
    texts |= {f"{name}.yaml": text for name, text in files.items()}
    return [one for one in examine(Sources(texts, tuple(texts))) if one.verdict != "ok"]


def tell(manifest: dict[str, Any], **variables: str | None) -> None:
    """Set variables of a workload; None takes one out."""
    told = environment_of(manifest)
    told[:] = [one for one in told if one["name"] not in variables]
    told += [{"name": name, "value": value} for name, value in variables.items() if value is not None]


CASES: dict[str, tuple[Callable[[Manifests], object], set[str]]] = {}


def case(name: str, *codes: str) -> Callable[[Callable[[Manifests], object]], None]:
    """Register a change of the healthy manifests, and what is found then."""

    def register(change: Callable[[Manifests], object]) -> None:
        CASES[name] = (change, set(codes))

    return register


case("healthy")(lambda of: of)
case("no Ingress")(lambda of: of.pop("ingress"))
case("a moving tag", "image-unpinned")(
    lambda of: container_of(of["zep"]).update(image="ghcr.io/getzep/zep-cloud:latest")
)
case("Zep 1.x", "image-zep-1")(lambda of: container_of(of["zep"]).update(image="zepai/zep:1.0.2"))
case("an NLP server elsewhere in the cluster", "application-elsewhere")(
    lambda of: (of.pop("nlp"), of.pop("nlp service"), tell(of["zep"], ZEP_NLP_SERVER_URL="http://nlp.shared.svc:5557"))
)
case("no Service for Zep", "port-closed")(lambda of: (of.pop("zep service"), of.pop("ingress")))
case("a Service that selects nobody", "port-closed")(
    lambda of: of["zep service"]["spec"].update(selector={"app": "sep"})
)
case("another port asked", "wrong-port")(lambda of: tell(of["zep"], ZEP_NLP_SERVER_URL="http://zep-nlp:8080"))
case("a Service of another port")(
    lambda of: (
        of["nlp service"]["spec"].update(ports=[{"port": 80, "targetPort": 5557}]),
        tell(of["zep"], ZEP_NLP_SERVER_URL="http://zep-nlp"),
    )
)
case("a targetPort where nobody listens", "port-wrong")(
    lambda of: of["nlp service"]["spec"].update(ports=[{"port": 5557, "targetPort": 8080}])
)
case("an Ingress that leads elsewhere", "port-wrong")(
    lambda of: of["zep service"]["spec"].update(ports=[{"port": 8000, "targetPort": 8080}])
)
case("no probe", "health-check-missing")(lambda of: container_of(of["zep"]).pop("readinessProbe"))
case("a probe of another path", "health-check-elsewhere")(
    lambda of: container_of(of["zep"])["readinessProbe"]["httpGet"].update(path="/")
)
case("a probe by TCP", "health-check-shallow")(
    lambda of: container_of(of["zep"]).update(readinessProbe={"tcpSocket": {"port": 8000}})
)
case("a probe by curl", "health-check-cannot-run")(
    lambda of: container_of(of["zep"]).update(
        readinessProbe={"exec": {"command": ["curl", "-f", "http://localhost:8000/healthz"]}}
    )
)
case("no key", "openai-key-missing")(lambda of: tell(of["zep"], ZEP_OPENAI_API_KEY=None))
case("a key in clear", "secret-in-clear")(lambda of: tell(of["zep"], ZEP_OPENAI_API_KEY=KEY))
case("a Secret in the repository", "secret-in-clear")(
    lambda of: of.update(secret=secret(password=PASSWORD, openai=KEY, secret="q" * 50))
)
case("a Secret to be filled in")(
    lambda of: of.update(secret=secret(password="change-me-please", openai="<your key>", secret="replace-me"))
)
case("open to everybody", "open-to-everybody", "secret-not-required")(
    lambda of: tell(of["zep"], ZEP_AUTH_REQUIRED="false")
)
case("the page is open", "admin-open")(lambda of: tell(of["zep"], ZEP_SERVER_WEB_ENABLED=None))
case("the page is open inside")(lambda of: (of.pop("ingress"), tell(of["zep"], ZEP_SERVER_WEB_ENABLED=None)))
case("a database that everybody reaches", "exposed")(
    lambda of: of["postgres service"]["spec"].update(type="LoadBalancer")
)
case("an NLP server by NodePort", "exposed")(lambda of: of["nlp service"]["spec"].update(type="NodePort"))
case("a database that is not kept", "database-not-kept")(lambda of: container_of(of["postgres"]).pop("volumeMounts"))
case("on an emptyDir", "database-not-kept")(
    lambda of: (
        of["postgres"]["spec"].pop("volumeClaimTemplates"),
        of["postgres"]["spec"]["template"]["spec"].update(volumes=[{"name": "data", "emptyDir": {}}]),
    )
)
case("on a claim")(
    lambda of: (
        of["postgres"]["spec"].pop("volumeClaimTemplates"),
        of["postgres"]["spec"]["template"]["spec"].update(
            volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "zep"}}]
        ),
    )
)
case("without pgvector", "image-lacks-pgvector")(lambda of: container_of(of["postgres"]).update(image="postgres:16"))
case("a database of somebody's chart", "application-elsewhere")(
    lambda of: (
        of.pop("postgres"),
        of.pop("postgres service"),
        tell(
            of["zep"], ZEP_STORE_POSTGRES_DSN="postgres://zep:$(POSTGRES_PASSWORD)@shared-db:5432/zep?sslmode=disable"
        ),
    )
)
case("little memory", "memory-small")(
    lambda of: container_of(of["nlp"]).update(resources={"limits": {"memory": "512Mi"}})
)
case("half a processor", "few-cores")(lambda of: container_of(of["zep"]).update(resources={"limits": {"cpu": "500m"}}))
case("a model of today", "model-unknown")(lambda of: tell(of["zep"], ZEP_LLM_MODEL="gpt-5"))
case("a name that Zep does not know", "variable-unknown")(
    lambda of: tell(of["zep"], ZEP_OPENAI_BASE_URL="http://llm/v1")
)
case("a Service named as a setting", "service-links-clash")(
    lambda of: (
        of["zep service"]["metadata"].update(name="zep-server")
        or of["ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].update(name="zep-server")
    )
)
case("a ConfigMap that is taken whole")(
    lambda of: (
        tell(of["zep"], ZEP_AUTH_REQUIRED=None, ZEP_SERVER_WEB_ENABLED=None),
        container_of(of["zep"]).update(envFrom=[{"configMapRef": {"name": "zep"}}]),
        of.update(
            config={
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "zep"},
                "data": {"ZEP_AUTH_REQUIRED": "true", "ZEP_SERVER_WEB_ENABLED": "false"},
            }
        ),
    )
)
case("a ConfigMap that is not here")(
    lambda of: (
        tell(of["zep"], ZEP_OPENAI_API_KEY=None),
        container_of(of["zep"]).update(envFrom=[{"secretRef": {"name": "elsewhere"}}]),
    )
)
case("all three in one pod")(lambda of: one_pod(of))


def one_pod(of: Manifests) -> None:
    """Put the NLP server and the database into Zep's own pod."""
    pod = of["zep"]["spec"]["template"]["spec"]
    pod["containers"] += [container_of(of.pop("nlp")), container_of(of.pop("postgres"))]
    for container in pod["containers"][1:]:
        del container["ports"][0]["name"]  # a name of a port is its pod's
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "zep"}}]
    of.pop("nlp service"), of.pop("postgres service")
    dsn = "postgres://zep:$(POSTGRES_PASSWORD)@localhost:5432/zep?sslmode=disable"
    tell(of["zep"], ZEP_NLP_SERVER_URL="http://localhost:5557", ZEP_STORE_POSTGRES_DSN=dsn)


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str) -> None:
    change, codes = CASES[name]
    manifests = healthy()
    change(manifests)
    found = examined(*manifests.values())
    assert {one.code for one in found} == codes, found
    assert all(one.part == "kubernetes" and one.file == "zep.yaml" for one in found)


CONFIG = "nlp:\n  server_url: http://zep-nlp:{port}\nstore:\n  type: postgres\n  postgres:\n    dsn:\nserver:\n  port: 8000\n  web_enabled: false\nauth:\n  required: true\nllm:\n  service: openai\n  model: gpt-4o-mini\n"  # noqa: E501


@pytest.mark.parametrize(("port", "codes"), [(5557, set()), (5555, {"wrong-port"})])
@pytest.mark.parametrize("sub_path", [True, False])
def test_a_config_yaml_in_a_config_map_counts(port: int, codes: set[str], sub_path: bool) -> None:
    manifests = healthy()
    zep = container_of(manifests["zep"])
    zep["image"] = "ghcr.io/getzep/zep:0.27.2"
    tell(manifests["zep"], ZEP_NLP_SERVER_URL=None, ZEP_AUTH_REQUIRED=None, ZEP_SERVER_WEB_ENABLED=None)
    folder = {"mountPath": "/app/config.yaml", "subPath": "config.yaml"} if sub_path else {"mountPath": "/app/conf"}
    zep["volumeMounts"] = [{"name": "config", **folder}]
    if not sub_path:
        zep["command"] = ["/app/zep", "--config", "/app/conf/config.yaml"]
    manifests["zep"]["spec"]["template"]["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "zep"}}]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "zep"}}
    found = examined(*manifests.values(), {**config, "data": {"config.yaml": CONFIG.format(port=port)}})
    assert {one.code for one in found} == codes, found


@given(st.permutations(sorted(healthy())), st.booleans(), st.integers(1, 6))
def test_neither_order_nor_files_nor_a_list_matters(order: list[str], as_list: bool, cut: int) -> None:
    manifests = healthy()
    tell(manifests["zep"], ZEP_NLP_SERVER_URL="http://zep-nlp:8080")
    ordered = [manifests[name] for name in order]
    if as_list:
        ordered = [{"apiVersion": "v1", "kind": "List", "items": ordered}]
        assert {one.code for one in examined(*ordered)} == {"wrong-port"}
    else:
        found = examined(a=written(*ordered[:cut]), b=written(*ordered[cut:]))
        assert {one.code for one in found} == {"wrong-port"}


@given(st.text("abcdefgh0123456789", min_size=12, max_size=24), st.sampled_from(["data", "stringData"]))
def test_nothing_of_a_secret_is_shown(value: str, kind: str) -> None:
    manifests = healthy()
    made = secret(password=value, openai=f"sk-{value}", secret=value[::-1])
    if kind == "stringData":
        made = {**made, "data": None, "stringData": {"password": value, "openai": f"sk-{value}", "secret": value[::-1]}}
    tell(manifests["zep"], ZEP_LLM_MODEL=value)
    shown = io.StringIO()
    found = examined(*manifests.values(), made)
    show(Console(file=shown, width=200), found, 0.1)
    assert value not in shown.getvalue() and value[::-1] not in shown.getvalue()


HELM = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-zep\n"
TEMPLATES = {
    "Helm": HELM,
    "Helm's control": "{{- if .Values.zep.enabled }}\napiVersion: v1\nkind: Service\n{{- end }}\n",
    "Helm that parses": "apiVersion: v1\nkind: Service\nmetadata:\n  name: '{{ .Values.name }}'\n",
    "a Compose stack": "services:\n  zep:\n    image: x\n    networks:\n      - {{network_name}}\n",
    "Jinja": "apiVersion: v1\nkind: Service\n{% for port in ports %}\n{% endfor %}\n",
}  # fmt: skip


@pytest.mark.parametrize("source", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_is_said_to_be_one(source: str, tmp_path: Path) -> None:
    (tmp_path / "zep.yaml").write_text(source)
    with pytest.raises(CannotTell, match="template") as caught:
        load([tmp_path / "zep.yaml"])
    assert caught.value.code == "files-template" and "helm template" in caught.value.advice


def test_a_chart_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: zep\nversion: 0.1.0\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "zep.yaml").write_text(HELM)
    with pytest.raises(CannotTell, match="Helm chart"):
        load([tmp_path])


FIRST = {
    "links": "zep:\n  image: ghcr.io/getzep/zep:latest\n  links: [db]\ndb:\n  image: postgres\n",
    "built": "zep:\n  build: .\n  ports: ['8000:8000']\n",
    "extends": "zep:\n  extends: {file: a.yml, service: b}\n",
}


@pytest.mark.parametrize("source", FIRST.values(), ids=FIRST)
def test_the_first_format_of_compose_is_named(source: str, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(source)
    with pytest.raises(CannotTell, match="Compose's first format") as caught:
        load([tmp_path])
    assert caught.value.code == "files-first-format" and "services:" in caught.value.advice


def test_a_folder_of_manifests(tmp_path: Path) -> None:
    for name, manifest in healthy().items():
        (tmp_path / f"{name.replace(' ', '-')}.yaml").write_text(yaml.safe_dump(manifest))
    (tmp_path / "kustomization.yaml").write_text("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")
    sources = load([tmp_path])
    assert kinds(sources) == {"kubernetes"}
    assert [one for one in examine(sources) if one.verdict != "ok"] == []
