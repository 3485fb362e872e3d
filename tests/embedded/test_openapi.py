"""The description that the embedded Zep serves: it has every route and no other, and says who may ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.zep_asked import fresh
from zep_conformance import suite
from zep_conformance.clients import tokens
from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.operations import OPERATIONS, by_resource, describe
from zep_conformance.embedded.zep.paths import Paths
from zep_conformance.facts.servers import ZEP_VERSION
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SECRET = tokens.make_secret()
NONE = Behaviours("zep")
DESCRIBED = json.loads((suite.data() / "zep-api.json").read_text(encoding="utf-8"))
NO_TOKEN: list[object] = []
"""The security of an operation that is for everybody."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    data, secrets = tmp_path_factory.mktemp("data"), {"zep-secured": SECRET}
    with Fleet(parts_for(["zep", "zep-secured"], data=data, secrets=secrets)) as running:
        yield running


@pytest.fixture(scope="module")
def open_zep(fleet: Fleet) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fleet.url("zep"), timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def secured_zep(fleet: Fleet) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fleet.url("zep-secured"), timeout=30) as client:
        yield client


def operations(description: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """The operations of a description, by path and method."""
    return {
        (path, method.upper()): operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }


def filled(path: str) -> str:
    """A path with its ids: of a session and user that are not there, and of no message."""
    return path.replace("{sessionId}", fresh()).replace("{userId}", fresh()).replace("{messageId}", str(uuid4()))


def test_the_description_is_the_data_file(open_zep: httpx.Client) -> None:
    answer = open_zep.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json()["info"]["version"] == ZEP_VERSION
    assert {(key, one["operationId"]) for key, one in operations(answer.json()).items()} == {
        (key, one["operationId"]) for key, one in operations(DESCRIBED).items()
    }


def test_every_route_is_described_and_the_reverse() -> None:
    documented = [one for one in OPERATIONS if one.is_offered(NONE)]
    assert {(one.path, one.method) for one in documented} == set(operations(DESCRIBED))
    assert {(one.path, Paths(NONE).parse(filled(one.path)).resource) for one in documented} == {
        (one.path, one.resource) for one in documented
    }
    routed = {(resource, method) for resource, known in by_resource(NONE, web=True).items() for method in known}
    assert routed == {(one.resource, one.method) for one in documented}


def test_what_is_described_is_there_and_nothing_else_at_its_path(open_zep: httpx.Client) -> None:
    described = operations(open_zep.get("/openapi.json").json())
    for path in {path for path, _ in described}:
        offered = {method for other, method in described if other == path}
        for method in METHODS:
            answer = open_zep.request(method, filled(path))
            if method in offered:
                assert str(answer.status_code) in described[path, method]["responses"], f"{method} {path}"
                assert "<h1>404" not in answer.text, f"{method} {path} is not there"
            else:
                assert answer.status_code == 405, f"{method} {path} is answered {answer.status_code}"
                assert set(answer.headers["allow"].split(", ")) == offered


def test_ids_are_taken_in_the_order_of_the_path() -> None:
    target = Paths(NONE).parse("/api/v1/sessions/a%2Fb/messages/c")
    assert (target.resource, target.ids) == ("message", ("a/b", "c"))
    assert all(one.path.count("{") <= 2 for one in OPERATIONS)


def test_the_schemas_are_schemas_and_what_is_named_is_used_and_there() -> None:
    for schema in DESCRIBED["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = {f"{kind}/{name}" for kind, parts in DESCRIBED["components"].items() for name in parts}
    used = {text.partition('"')[0] for text in json.dumps(DESCRIBED).split("#/components/")[1:]}
    assert used == {name for name in named if not name.startswith("securitySchemes/")}


def test_a_secured_server_says_where_it_wants_a_token(secured_zep: httpx.Client) -> None:
    assert secured_zep.get("/openapi.json").status_code == 401
    token = {"authorization": f"Bearer {tokens.make_token(SECRET)}"}
    description = secured_zep.get("/openapi.json", headers=token).json()
    assert description == DESCRIBED
    assert {name for one in description["security"] for name in one} == set(
        description["components"]["securitySchemes"]
    )
    for (path, method), operation in operations(description).items():
        wants_one = secured_zep.request(method, filled(path)).status_code == 401
        assert wants_one == ("security" not in operation) == ("401" in operation["responses"]), f"{method} {path}"
    exempt = [(path, one["security"]) for (path, _), one in operations(description).items() if "security" in one]
    assert exempt == [("/healthz", NO_TOKEN)] * 2


def test_an_open_server_wants_none(open_zep: httpx.Client) -> None:
    description = open_zep.get("/openapi.json").json()
    assert "securitySchemes" not in description["components"]
    assert "security" not in description
    assert all(one.get("security", NO_TOKEN) == NO_TOKEN for one in operations(description).values())
    assert not [one for one in operations(description).values() if "401" in one["responses"]]
    assert "Unauthorized" not in json.dumps(description)


def test_the_real_zep_serves_no_description_nor_does_one_that_answers_as_recorded(tmp_path: Path) -> None:
    with Fleet(parts_for(["zep"], recorded_behaviours="all", data=tmp_path)) as fleet:
        answer = httpx.get(f"{fleet.url('zep')}/openapi.json")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert httpx.post(f"{fleet.url('zep')}/healthz").status_code == 404


def test_without_a_web_page_there_is_none_described() -> None:
    assert not [path for path in json.loads(describe(secured=False, web=False))["paths"] if "admin" in path]
    assert "/admin" in DESCRIBED["paths"]


def test_what_a_recorded_behaviour_does_is_not_described(tmp_path: Path) -> None:
    behaviours = {"zep": ["json-as-text", "admin-without-token"]}
    with Fleet(parts_for(["zep"], data=tmp_path, recorded_behaviours=behaviours)) as fleet:
        description = httpx.get(f"{fleet.url('zep')}/openapi.json").json()
        answered = httpx.get(f"{fleet.url('zep')}/api/v1/user").headers["content-type"]
        shown = httpx.get(f"{fleet.url('zep')}/admin/users").status_code
    assert operations(description).keys() == operations(DESCRIBED).keys()
    assert [*operations(description)["/api/v1/user", "GET"]["responses"]["200"]["content"]] == ["application/json"]
    assert (answered.partition(";")[0], shown) == ("text/plain", 200)
