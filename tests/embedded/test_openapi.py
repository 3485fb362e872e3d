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
from zep_conformance.clients import tokens
from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.openapi import describe
from zep_conformance.embedded.zep.operations import OPERATIONS, by_resource
from zep_conformance.embedded.zep.paths import Paths
from zep_conformance.embedded.zep.schemas import ANSWERS, BODIES
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.wiring import parts_for

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SECRET = tokens.make_secret()
NONE = Behaviours("zep")
ALL = Behaviours("zep", "all")


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


def test_the_description_is_that_of_this_server(open_zep: httpx.Client) -> None:
    answer = open_zep.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == describe(NONE, secured=False)
    assert answer.json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("behaviours", [NONE, ALL], ids=["documented", "recorded"])
def test_every_route_is_described_and_the_reverse(behaviours: Behaviours) -> None:
    described = operations(describe(behaviours, secured=False))
    routed = {
        (Paths(behaviours).parse(filled(path)).resource, method) for path, method in described if "{page}" not in path
    }
    routed |= {("admin_pages", method) for path, method in described if "{page}" in path}
    known = {
        (resource, method) for resource, methods in by_resource(behaviours, web=True).items() for method in methods
    }
    assert routed == known


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


@pytest.mark.parametrize("secured", [False, True])
def test_the_schemas_are_schemas(secured: bool) -> None:
    for name, schema in {**BODIES, **ANSWERS}.items():
        Draft202012Validator.check_schema(schema)
        assert name
    description = describe(NONE, secured=secured)
    named = set(description["components"]["schemas"])
    used = {text.partition('"')[0] for text in json.dumps(description).split("#/components/schemas/")[1:]}
    assert used == named, "a schema that nothing uses, or that is not there"


def test_a_secured_server_says_where_it_wants_a_token(secured_zep: httpx.Client) -> None:
    assert secured_zep.get("/openapi.json").status_code == 401
    token = {"authorization": f"Bearer {tokens.make_token(SECRET)}"}
    described = operations(secured_zep.get("/openapi.json", headers=token).json())
    for (path, method), operation in described.items():
        wants_one = secured_zep.request(method, filled(path)).status_code == 401
        assert wants_one == ("security" in operation) == ("401" in operation["responses"]), f"{method} {path}"
    assert {path for (path, _), operation in described.items() if "security" not in operation} == {"/healthz"}


def test_an_open_server_wants_none(open_zep: httpx.Client) -> None:
    description = open_zep.get("/openapi.json").json()
    assert "securitySchemes" not in description["components"]
    assert not [one for one in operations(description).values() if "security" in one or "401" in one["responses"]]


def test_the_real_zep_serves_no_description_nor_does_one_that_answers_as_recorded(tmp_path: Path) -> None:
    with Fleet(parts_for(["zep"], recorded_behaviours="all", data=tmp_path)) as fleet:
        answer = httpx.get(f"{fleet.url('zep')}/openapi.json")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert httpx.post(f"{fleet.url('zep')}/healthz").status_code == 404


def test_without_a_web_page_there_is_none_described() -> None:
    assert not [path for path in describe(ALL, secured=False, web=False)["paths"] if "admin" in path]
    assert "/admin" in describe(NONE, secured=False)["paths"]


def test_a_recorded_behaviour_is_described_too(tmp_path: Path) -> None:
    behaviours = {"zep": ["json-as-text", "admin-without-token"]}
    with Fleet(parts_for(["zep"], data=tmp_path, recorded_behaviours=behaviours)) as fleet:
        description = httpx.get(f"{fleet.url('zep')}/openapi.json").json()
    assert [*operations(description)["/api/v1/user", "GET"]["responses"]["200"]["content"]] == ["text/plain"]
    assert ("/admin/{page}", "DELETE") in operations(description)
