"""The doctor at a LangFlux and a model server, and LangFlux's view of Zep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.doctor_servers import LANGFLUX, NODE, ZEP, app, closed_port, produces, serving, url
from tests.support.langflux_three import Accounts
from tests.support.networks import other_machine
from zep_conformance.clients import tokens
from zep_conformance.clients.families import Account
from zep_conformance.doctor import http, view
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

KEY = "embedded-langflux-key"
ACCOUNT = Account("anna@example.com", "Her-password-1!")
SECRET = tokens.make_secret()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    parts = parts_for(
        ["zep", "zep-secured", "nlp", "model", "langflux"],
        recorded_behaviours="all",
        data=tmp_path_factory.mktemp("data"),
        secrets={"zep-secured": SECRET},
    )
    with Fleet(parts) as running:
        yield running


def imitated(account: Account | None = None, **answers: Any) -> list[Finding]:
    with serving(app({**LANGFLUX, **answers})) as port:
        return diagnose(langflux_url=url(port), account=account)


# -- LangFlux itself ------------------------------------------------------------------------------------------------


@produces("zep-open")
def test_a_pair_that_is_well(fleet: Fleet) -> list[Finding]:
    found = diagnose(
        fleet.url("zep"), langflux_url=fleet.url("langflux"), api_key=KEY, model_url=fleet.url("model") + "/v1"
    )
    assert {finding.layer for finding in found if finding.part == "langflux"} >= {"HTTP", "version", "key", "view"}
    return found


@produces("not-langflux")
def test_zep_in_langflux_place(fleet: Fleet) -> list[Finding]:
    return diagnose(langflux_url=fleet.url("zep"))


@produces("langflux-key-wrong")
def test_wrong_key(fleet: Fleet) -> list[Finding]:
    found = diagnose(langflux_url=fleet.url("langflux"), api_key="some-other-key-of-ours")
    assert "some-other-key" not in str(found)
    return found


@produces("langflux-key-wrong")
def test_key_with_a_line_end(fleet: Fleet) -> list[Finding]:
    return diagnose(langflux_url=fleet.url("langflux"), api_key=f"{KEY}\n")


@produces("langflux-key-missing")
def test_key_missing() -> list[Finding]:
    refused = (401, {}, '{"error":"Unauthorized Access"}')
    return imitated(**{NODE: refused, "GET /api/v1/version": (200, {}, '{"version": "2.2.8"}')})


@produces("langflux-login-needed")
def test_login_of_flowise_3() -> list[Finding]:
    refused = (401, {}, '{"message":"Invalid or Missing token"}')
    return imitated(**{NODE: refused, "GET /api/v1/version": (200, {}, '{"version": "3.0.13"}')})


@produces("langflux-login-needed")
def test_user_name_and_password_of_flowise_2() -> list[Finding]:
    return imitated(**{NODE: (401, {}, "")})


@produces("ok")
def test_a_login_of_flowise_3() -> list[Finding]:
    accounts_server = Accounts(accounts={ACCOUNT.user: ACCOUNT.password})
    with serving(accounts_server.app()) as port:
        found = diagnose(langflux_url=url(port), account=ACCOUNT)
    assert "the login is accepted" in str(found)
    assert accounts_server.logins == set(), "nobody is left logged in"
    return found


@produces("langflux-login-wrong")
def test_a_wrong_login_of_flowise_3() -> list[Finding]:
    with serving(Accounts(accounts={ACCOUNT.user: "another"}).app()) as port:
        found = diagnose(langflux_url=url(port), account=ACCOUNT)
    assert ACCOUNT.password not in str(found)
    return found


@produces("langflux-login-wrong")
def test_a_wrong_login_of_flowise_1() -> list[Finding]:
    refused = (401, {}, "")
    return imitated(ACCOUNT, **{NODE: refused, "GET /api/v1/version": (200, {}, '{"version": "1.8.4"}')})


@produces("langflux-login-broken")
def test_a_flowise_3_that_takes_no_login_any_more() -> list[Finding]:
    broken = (500, {}, '{"message":"SQLITE_ERROR: cannot start a transaction within a transaction"}')
    version = (200, {}, '{"version": "3.0.13"}')
    return imitated(ACCOUNT, **{"GET /api/v1/version": version, "POST /api/v1/auth/login": broken})


@produces("langflux-not-set-up")
@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["no login", "a login"])
def test_a_flowise_3_that_nobody_has_registered_on(account: Account | None) -> list[Finding]:
    with serving(Accounts().app()) as port:
        return diagnose(langflux_url=url(port), account=account)


@produces("langflux-no-zep-memory")
def test_a_login_is_ended_whatever_is_found() -> list[Finding]:
    ended: list[str] = []

    def logout(_: str) -> tuple[int, dict[str, str], str]:
        ended.append("yes")
        return 200, {}, "{}"

    found = imitated(
        ACCOUNT,
        **{
            "GET /api/v1/version": (200, {}, '{"version": "3.0.13"}'),
            "POST /api/v1/auth/login": (200, {}, "{}"),
            "POST /api/v1/account/logout": logout,
            NODE: (500, {}, "{}"),
        },
    )
    assert ended == ["yes"]
    return found


@produces("langflux-untested")
def test_a_newer_version_than_any_known() -> list[Finding]:
    return imitated(**{"GET /api/v1/version": (200, {}, '{"version": "3.1.4"}')})


@produces("ok")
def test_a_version_that_has_no_ping_yet() -> list[Finding]:
    page = (200, {"content-type": "text/html"}, "<!DOCTYPE html>")
    return imitated(**{"GET /api/v1/ping": page, "GET /api/v1/version": (200, {}, '{"version": "1.4.9"}')})


@produces("langflux-no-zep-memory")
def test_langflux_without_zep_memory() -> list[Finding]:
    return imitated(**{NODE: (500, {}, '{"message":"Node ZepMemory not found"}')})


def test_zep_and_langflux_are_examined_independently(fleet: Fleet) -> None:
    found = diagnose(url(closed_port()), langflux_url=fleet.url("langflux"), api_key="wrong-key")
    faults = {(finding.part, finding.code) for finding in found if finding.verdict == "fault"}
    assert faults == {("zep", "tcp-refused"), ("langflux", "langflux-key-wrong")}


# -- the model ------------------------------------------------------------------------------------------------------


@produces("ok")
def test_model(fleet: Fleet) -> list[Finding]:
    return diagnose(model_url=fleet.url("model") + "/v1")


@produces("model-url-without-v1")
def test_model_url_without_v1(fleet: Fleet) -> list[Finding]:
    return diagnose(model_url=fleet.url("model"))


@produces("model-no-api")
def test_no_model_there(fleet: Fleet) -> list[Finding]:
    return diagnose(model_url=fleet.url("zep") + "/v1")


@produces("model-wants-key")
def test_model_that_wants_a_key() -> list[Finding]:
    with serving(app({"GET /v1/models": (401, {}, '{"error": {"message": "no API key"}}')})) as port:
        return diagnose(model_url=url(port) + "/v1")


@produces("model-out-of-sight")
def test_model_in_a_container_network() -> list[Finding]:
    return diagnose(model_url="http://nothing.invalid:8080/v1")


# -- LangFlux's view of Zep -----------------------------------------------------------------------------------------


@produces("view-loopback", "zep-open")
def test_loopback_when_langflux_sees_us_as_a_container_does() -> list[Finding]:
    langflux = {**LANGFLUX, "GET /api/v1/ip": (200, {}, '{"ip": "::ffff:172.17.0.1", "msg": ""}')}
    with serving(app(ZEP)) as zep, serving(app(langflux)) as port:
        return diagnose(url(zep), langflux_url=url(port))


@produces("zep-open")
def test_loopback_when_langflux_is_on_this_machine() -> list[Finding]:
    langflux = {**LANGFLUX, "GET /api/v1/ip": (200, {}, '{"ip": "::ffff:127.0.0.1", "msg": ""}')}
    with serving(app(ZEP)) as zep, serving(app(langflux)) as port:
        return diagnose(url(zep), langflux_url=url(port, host="localhost"))


@produces("view-loopback", "zep-open")
def test_loopback_when_langflux_is_another_machine(tmp_path: Path) -> list[Finding]:
    with other_machine() as (namespace, address), serving(app(ZEP)) as zep:
        import subprocess
        import sys

        script = tmp_path / "langflux.py"
        script.write_text(
            "import sys, uvicorn\n"
            f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
            "from tests.support import doctor_servers\n"
            "uvicorn.run(doctor_servers.app(doctor_servers.LANGFLUX), host='0.0.0.0', port=3000, lifespan='off')\n"
        )
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, str(script)], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            assert any("running on" in line for line in process.stderr)
            return diagnose(url(zep), langflux_url=f"http://{address}:3000")
        finally:
            process.kill()
            process.wait()


@produces("view-trailing-slash")
def test_base_url_with_a_slash(fleet: Fleet) -> list[Finding]:
    base = fleet.url("zep") + "/"
    return diagnose(langflux_url=fleet.url("langflux"), api_key=KEY, zep_url_from_langflux=base)


@produces("url-has-path")
def test_base_url_with_a_path(fleet: Fleet) -> list[Finding]:
    base = fleet.url("zep") + "/api/v1"
    return diagnose(langflux_url=fleet.url("langflux"), api_key=KEY, zep_url_from_langflux=base)


@produces("view-unchecked", "zep-open")
def test_a_name_inside_a_compose_project(fleet: Fleet) -> list[Finding]:
    return diagnose(
        fleet.url("zep"), langflux_url=fleet.url("langflux"), api_key=KEY, zep_url_from_langflux="http://zep:8000"
    )


def tried(fleet: Fleet, from_langflux: str, zep: str = "zep", **options: Any) -> list[Finding]:
    """With a prediction; nothing of it is left in LangFlux."""
    settings: dict[str, Any] = {"model_url": fleet.url("model") + "/v1", **options}
    found = diagnose(
        fleet.url(zep),
        langflux_url=fleet.url("langflux"),
        api_key=KEY,
        zep_url_from_langflux=from_langflux,
        write=True,
        prefix="zc-tried",
        **settings,
    )
    with httpx.Client(base_url=fleet.url("langflux"), headers={"authorization": f"Bearer {KEY}"}) as langflux:
        assert langflux.get("/api/v1/chatflows").json() == []
        assert langflux.get("/api/v1/credentials").json() == []
    return found


@produces("zep-open")
def test_prediction_that_is_remembered(fleet: Fleet) -> list[Finding]:
    found = tried(fleet, fleet.url("zep"))
    assert any("a prediction is remembered" in finding.symptom for finding in found)
    return found


@produces("ok")
def test_prediction_with_a_secured_zep(fleet: Fleet) -> list[Finding]:
    token = tokens.make_token(SECRET)
    found = tried(fleet, fleet.url("zep-secured"), "zep-secured", token=token)
    assert any("a prediction is remembered" in finding.symptom for finding in found)
    assert token not in str(found)
    return found


@produces("view-unreachable", "zep-open")
def test_zep_that_langflux_can_not_reach(fleet: Fleet) -> list[Finding]:
    return tried(fleet, url(closed_port()))


@produces("view-token", "zep-open")
def test_zep_that_refuses_langflux(fleet: Fleet) -> list[Finding]:
    return tried(fleet, fleet.url("zep-secured"))


@produces("view-forgets", "zep-open")
def test_langflux_writes_to_another_zep(fleet: Fleet, tmp_path: Path) -> list[Finding]:
    parts = parts_for(["zep"], data=tmp_path, given={"nlp": fleet.url("nlp")})
    with Fleet(parts) as another:
        return tried(fleet, another.url("zep"))


def test_a_node_that_is_described_oddly_is_a_finding(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = http.Connection._ask

    def oddly(self: http.Connection, method: str, path: str, *rest: Any) -> http.HttpAnswer:
        answer = ask(self, method, path, *rest)
        return replace(answer, text='{"baseClasses": []}') if path.endswith("nodes/chatOpenAI") else answer

    monkeypatch.setattr(http.Connection, "_ask", oddly)
    (finding,) = [one for one in tried(fleet, fleet.url("zep")) if one.code == "view-failed"]
    assert "chatOpenAI" in finding.symptom


@produces("view-failed", "zep-open")
def test_model_that_langflux_can_not_use(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setattr(view, "PREDICTION_LIMIT", 3.0)
    refused = (401, {}, '{"error": {"message": "Incorrect API key provided"}}')
    with serving(app({"GET /v1/models": (200, {}, "{}"), "*": refused})) as port:
        return tried(fleet, fleet.url("zep"), model_url=url(port) + "/v1")
