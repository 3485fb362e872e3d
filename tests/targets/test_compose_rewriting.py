"""A user's Compose project made ours: which service is which part, and what a second copy of it must not have."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from zep_conformance.errors import CannotTell
from zep_conformance.targets.compose.project import GivenProject
from zep_conformance.targets.compose.rewriting import CHANGED, MODEL, Additions, inner_port, rewritten, variables_of

LABELS = {"org.zep-conformance.run": "zc-1"}
OURS = Additions(
    labels=LABELS, ports={"zep": "127.0.0.1:21000", "model": "127.0.0.1:21001"}, model_image="zep-conformance:1"
)
CONFIG: dict[str, Any] = {
    "name": "zep",
    "services": {
        "db": {
            "image": "pgvector/pgvector:0.8.0-pg16",
            "container_name": "zep-postgres",
            "restart": "always",
            "environment": {"POSTGRES_PASSWORD": "postgres$$word"},
            "networks": {"back": {"aliases": ["store"], "ipv4_address": "172.30.0.5"}},
            "ports": [{"published": "5432", "target": 5432, "mode": "ingress", "protocol": "tcp"}],
            "volumes": [
                {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data", "volume": {}},
                {"type": "bind", "source": "/home/me/init", "target": "/docker-entrypoint-initdb.d"},
            ],
        },
        "nlp": {"image": "ghcr.io/getzep/zep-nlp-server:0.4.2", "networks": ["back"], "volumes": ["models:/models"]},
        "zep": {
            "build": {"context": "/home/me/zep"},
            "image": "zep:mine",
            "environment": ["ZEP_OPENAI_API_KEY=sk-0123456789", "ZEP_LLM_AZURE_OPENAI_ENDPOINT=https://azure"],
            "ports": ["0.0.0.0:8000:8000/tcp", "9000-9001:9000-9001/udp"],
            "volumes": ["theirs:/theirs", "/home/me/config.yaml:/app/config.yaml:ro"],
            "depends_on": {"db": {"condition": "service_healthy"}},
            "deploy": {"replicas": 2, "restart_policy": {"condition": "any"}, "resources": {"limits": {"cpus": "1"}}},
        },
    },
    "networks": {
        "back": {"name": "company", "external": True},
        "default": {"ipam": {"config": [{"subnet": "10.9.0.0/16"}]}},
    },
    "volumes": {
        "data": {"name": "zep_data"},
        "models": {"name": "shared-models"},
        "theirs": {"external": True, "name": "t"},
    },
}


def described(config: dict[str, Any], path: str = "file") -> GivenProject:
    """The project that Compose's `config` prints so."""
    return GivenProject.of(json.dumps(config), folder=Path("/home/me/zep"), path=path)


def listening(**service: Any) -> GivenProject:
    """A project whose only service is this Zep."""
    return described({"services": {"zep": {"image": "zep", **service}}})


@pytest.fixture
def project() -> GivenProject:
    return described(CONFIG, "../zep")


class TestParts:
    def test_are_told_by_what_they_are(self, project: GivenProject) -> None:
        assert {part: one.name for part, one in project.parts.items()} == {"zep": "zep", "nlp": "nlp", "postgres": "db"}

    @pytest.mark.parametrize(
        ("service", "part"),
        [
            ({"image": "ghcr.io/getzep/zep-cloud:0.27.2"}, "zep"),
            ({"build": ".", "ports": ["8000:8000"], "environment": {"ZEP_STORE_TYPE": "postgres"}}, "zep"),
            ({"image": "registry:5000/me/zep-nlp-server"}, "nlp"),
            ({"build": ".", "expose": ["5557"]}, "nlp"),
            ({"image": "ghcr.io/getzep/postgres:latest"}, "postgres"),
            ({"image": "mine", "expose": [5432], "environment": ["POSTGRES_DB=zep"]}, "postgres"),
        ],
    )
    def test_names_do_not_matter_where_the_rest_says_it(self, service: dict[str, Any], part: str) -> None:
        others = {name: one for name, one in CONFIG["services"].items() if name != {"postgres": "db"}.get(part, part)}
        found = described({"services": {**others, "thing": service}})
        assert found.parts[part].name == "thing"

    def test_a_variable_that_all_are_given_makes_none_a_zep(self) -> None:
        given = {"ZEP_OPENAI_API_KEY": "sk-0123456789"}
        services = {"front": {"image": "nginx", "environment": given}, "worker": {"image": "w", "environment": given}}
        with pytest.raises(CannotTell, match="has no Zep in it: its services are front, worker"):
            described({"services": services})

    def test_two_that_look_alike_are_said_so(self) -> None:
        services = {**copy.deepcopy(CONFIG["services"]), "db2": copy.deepcopy(CONFIG["services"]["db"])}
        services["db"]["container_name"] = services["db2"]["container_name"] = None
        services["database"] = services.pop("db2")
        del services["zep"]["depends_on"]  # nothing else says which
        with pytest.raises(CannotTell, match="db and database look alike, and each may be the postgres"):
            described({"services": services})


class TestPorts:
    def test_are_read_in_both_ways_of_writing(self) -> None:
        ports = ["8000:8000", "127.0.0.1:9000:90/tcp", "53:53/udp", "70", {"published": 1, "target": 2}]
        openings = [(one.outside, one.inside) for one in listening(ports=ports).zep.openings]
        assert openings == [("8000", "8000"), ("9000", "90"), ("", "70"), ("1", "2")]

    def test_zep_listens_where_it_is_told_to(self) -> None:
        assert inner_port(listening(environment={"ZEP_SERVER_PORT": "8001"}, ports=["80:80"]).zep) == "8001"
        assert inner_port(listening(ports=["8000:80"]).zep) == "80"
        assert inner_port(listening().zep) == "8000"


class TestRewritten:
    def test_nothing_is_left_that_a_second_copy_can_not_have(self, project: GivenProject) -> None:
        found = rewritten(project, OURS)
        assert "name" not in found
        for service in found["services"].values():
            assert not {"container_name", "profiles", "scale", "logging"} & set(service)
            assert service["restart"] == "no"
        assert found["services"]["zep"]["deploy"] == {"resources": {"limits": {"cpus": "1"}}}
        assert found["services"]["zep"]["depends_on"] == {"db": {"condition": "service_healthy"}}

    def test_only_zep_and_the_model_server_are_published(self, project: GivenProject) -> None:
        ports = {name: one["ports"] for name, one in rewritten(project, OURS)["services"].items() if "ports" in one}
        assert ports == {"zep": ["127.0.0.1:21000:8000"], MODEL: ["127.0.0.1:21001:8080"]}

    def test_networks_are_new_and_names_that_were_the_machines_are_known_in_them(self, project: GivenProject) -> None:
        found = rewritten(project, OURS)
        assert found["networks"] == {name: {"labels": LABELS} for name in ("back", "default")}
        assert found["services"]["db"]["networks"] == {"back": {"aliases": ["store", "zep-postgres"]}}
        assert found["services"]["nlp"]["networks"] == {"back": {}}
        assert set(found["services"][MODEL]["networks"]) == set(found["services"]["zep"]["networks"])

    def test_what_the_database_keeps_goes_to_a_new_volume(self, project: GivenProject) -> None:
        found = rewritten(project, OURS)
        assert found["services"]["db"]["volumes"][0] == "zep-conformance-data-0:/var/lib/postgresql/data"
        assert found["services"]["db"]["volumes"][1]["source"] == "/home/me/init"
        assert "data" not in found["volumes"]

    @pytest.mark.parametrize("mount", ["./data:/var/lib/postgresql/data", "/srv/pg:/var/lib/postgresql", "data:/pg"])
    def test_wherever_that_is(self, mount: str) -> None:
        config = copy.deepcopy(CONFIG)
        config["services"]["db"]["volumes"] = [mount]
        config["services"]["db"]["environment"]["PGDATA"] = (
            "/pg/data" if mount.endswith(":/pg") else "/var/lib/postgresql/data"
        )
        (kept,) = rewritten(described(config), OURS)["services"]["db"]["volumes"]
        assert kept.partition(":")[0] == "zep-conformance-data-0"

    def test_volumes_are_the_projects_and_external_ones_are_only_read(self, project: GivenProject) -> None:
        found = rewritten(project, OURS)
        assert found["services"]["zep"]["volumes"] == ["theirs:/theirs:ro", "/home/me/config.yaml:/app/config.yaml:ro"]
        assert found["volumes"]["theirs"] == {"external": True, "name": "t"}
        assert found["volumes"]["models"] == {"labels": LABELS}

    def test_an_image_that_is_built_does_not_take_the_users_tag(self, project: GivenProject) -> None:
        zep = rewritten(project, OURS)["services"]["zep"]
        assert "image" not in zep
        assert zep["build"] == {"context": "/home/me/zep", "labels": LABELS}

    def test_zep_asks_the_model_server_and_nobody_else(self, project: GivenProject) -> None:
        told = variables_of(rewritten(project, OURS)["services"]["zep"])
        assert told["ZEP_LLM_OPENAI_ENDPOINT"] == f"http://{MODEL}:8080/v1"
        assert told["ZEP_LLM_AZURE_OPENAI_ENDPOINT"] == ""
        assert told["ZEP_OPENAI_API_KEY"] == "sk-0123456789"

    def test_variables_that_differ_hold_for_one_part_which_is_marked(self, project: GivenProject) -> None:
        services = rewritten(project, OURS, part="zep", changed={"ZEP_OPENAI_API_KEY": "a$b"})["services"]
        assert services["zep"]["environment"]["ZEP_OPENAI_API_KEY"] == "a$$b"
        assert [name for name, one in services.items() if CHANGED in one["labels"]] == ["zep"]

    def test_dollar_signs_stay_as_config_doubles_them(self, project: GivenProject) -> None:
        database = rewritten(project, OURS)["services"]["db"]
        assert database["environment"]["POSTGRES_PASSWORD"] == "postgres$$word"
        assert variables_of(database)["POSTGRES_PASSWORD"] == "postgres$word"

    def test_the_project_itself_is_left_alone(self, project: GivenProject) -> None:
        rewritten(project, OURS, part="zep", changed={"A": "B"})
        assert project.config == CONFIG

    def test_a_network_for_the_model_server_alone_is_labelled_too(self) -> None:
        found = rewritten(listening(network_mode="bridge"), OURS)
        assert list(found["services"][MODEL]["networks"]) == ["default"]
        assert found["networks"] == {"default": {"labels": LABELS}}

    def test_a_model_server_elsewhere_is_no_service(self, project: GivenProject) -> None:
        found = rewritten(
            project, Additions(labels={}, ports={"zep": "127.0.0.1:21000"}, model_url="http://elsewhere/v1")
        )
        assert MODEL not in found["services"]
        assert variables_of(found["services"]["zep"])["ZEP_LLM_OPENAI_ENDPOINT"] == "http://elsewhere/v1"


def test_secrets_of_a_project_are_hidden_in_what_is_shown() -> None:
    config = copy.deepcopy(CONFIG)
    config["services"]["zep"]["environment"] = {
        "ZEP_STORE_POSTGRES_DSN": "postgres://zep:hunter2hunter2@db/zep", "ZEP_AUTH_SECRET": "of-the-mountain",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "SMTP_PASS": "hush-hush", "SENTRY_DSN": "https://of-sentry@x/1",
    }  # fmt: skip
    hide = described(config).redactor
    for secret in (
        "hunter2hunter2", "of-the-mountain", "postgres$word", "wJalrXUtnFEMI", "hush-hush", "https://of-sentry@x/1"
    ):  # fmt: skip
        assert secret not in hide(f"it said: {secret}.")
