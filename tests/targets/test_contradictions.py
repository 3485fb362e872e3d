"""What a setting claims and a part denies: a failure, a refusal or a note, and never nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.doctor_servers import app, serving, url
from tests.support.runs import report_in, run
from zep_conformance.clients import tokens
from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import choose
from zep_conformance.targets.base import Deployment, LangFluxServer, ZepServer
from zep_conformance.targets.claims import check_claims

Serve = Callable[..., dict[str, str]]

SECRET = "a-secret-of-the-test-0123456789-0123456789"
TOKEN = tokens.make_token(SECRET)
OTHER_SECRET = "another-secret-of-the-test-0123456789-0123"
ASKS = "services:\n  zep:\n    image: ghcr.io/getzep/zep-cloud:0.27.2\n    environment:\n      ZEP_AUTH_REQUIRED: {}\n"


def seen(target: str = "remote", **given: Any) -> Deployment:
    """Return the deployment that a target describes with these settings."""
    chosen = choose(read_settings({"target": target, **given}), target)
    try:
        chosen.start()
        return chosen.deployment(lambda _: None)
    finally:
        chosen.stop()


@pytest.fixture(scope="module")
def urls(served_once: Serve) -> dict[str, str]:
    """Return the URLs of open parts."""
    return served_once()


@pytest.fixture(scope="module")
def secured(served_once: Serve) -> str:
    """Return the URL of a Zep that wants tokens."""
    return served_once("--auth-secret", SECRET)["zep"]


@pytest.mark.parametrize("target", ["remote", "embedded"])
@pytest.mark.parametrize(
    ("given", "secret"),
    [({"zep_token": TOKEN}, None), ({"zep_auth_secret": SECRET}, SECRET),
     ({"zep_token": TOKEN, "zep_auth_secret": SECRET}, SECRET), ({"zep_token": "kein t\u00f6ken"}, None)],
    ids=["a token", "a secret", "both", "what is no token"],
)  # fmt: skip
def test_an_open_zep_that_is_said_to_want_tokens(
    urls: dict[str, str], target: str, given: dict[str, str], secret: str | None
) -> None:
    found = seen(target, zep_url=urls["zep"], **given)
    assert found.secured is not None and found.secured == found.zep, "AUTH-2 is about the Zep that was given"
    assert found.secured.token and tokens.can_be_sent(found.secured.token)
    assert "auth" not in found.missing
    assert found.secret == secret and ("secret" in found.missing) == (secret is None)


@pytest.mark.parametrize("target", ["remote", "embedded"])
def test_an_open_zep_of_which_nothing_is_said(urls: dict[str, str], target: str) -> None:
    found = seen(target, zep_url=urls["zep"])
    assert found.secured is None and found.zep is not None and found.zep.token is None
    assert found.missing["auth"] == found.missing["secret"] == "this Zep is open: it wants no token, and none was given"


@pytest.mark.parametrize(("value", "claims"), [("'true'", True), ("'1'", True), ("'false'", False)])
def test_an_open_zep_whose_files_say_that_it_wants_tokens(
    urls: dict[str, str], tmp_path: Path, value: str, claims: bool
) -> None:
    (tmp_path / "compose.yaml").write_text(ASKS.format(value))
    found = seen(zep_url=urls["zep"], deployment_files=str(tmp_path))
    assert ("auth" not in found.missing) == claims == (found.secured is not None)


def test_a_secret_is_enough_to_ask_a_zep_that_wants_tokens(secured: str) -> None:
    found = seen(zep_url=secured, zep_auth_secret=SECRET)
    assert found.zep is not None and found.zep == found.secured
    assert tokens.flaws(found.zep.token or "", SECRET) == []


OTHER = {"zep_token": TOKEN, "zep_auth_secret": OTHER_SECRET}


@pytest.mark.parametrize(
    ("given", "code"),
    [(OTHER, "secret-unlike-token"), ({"zep_token": TOKEN, "zep_auth_secret": TOKEN}, "secret-is-token")],
    ids=["another secret", "a token"],
)
def test_a_secret_that_is_not_the_tokens_is_refused_by_whatever_zep(
    urls: dict[str, str], secured: str, given: dict[str, str], code: str
) -> None:
    for one in (urls["zep"], secured):
        with pytest.raises(CannotTell) as raised:
            seen(zep_url=one, **given)
        assert raised.value.code == code


def test_another_zeps_secret_alone_is_refused(secured: str) -> None:
    with pytest.raises(CannotTell) as raised:
        seen(zep_url=secured, zep_auth_secret=OTHER_SECRET)
    assert raised.value.code == "secret-not-zeps"


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"ZEP_TOKEN": TOKEN}, id="a token"),
        pytest.param({"ZEP_AUTH_SECRET": SECRET}, id="a secret", marks=pytest.mark.nightly),
    ],
)
def test_a_zep_that_lets_in_anybody_does_not_conform_where_a_token_is_given(
    urls: dict[str, str], tmp_path: Path, variables: dict[str, str]
) -> None:
    finished = run(tmp_path, "--target", "remote", "--zep-url", urls["zep"], "-m", "AUTH-2", **variables)
    assert finished.returncode == 1, finished.stdout
    outcomes = {one["id"]: one["outcome"] for one in report_in(tmp_path)["requirements"]}
    assert outcomes["AUTH-2"] == "failed"


# -- other claims -------------------------------------------------------------------------------------------------

LANGFLUX = {
    "GET /api/v1/ping": (200, {}, "pong"),
    "GET /api/v1/version": (200, {}, '{"version": "2.2.8"}'),
    "GET /api/v1/nodes/ZepMemory": (200, {}, '{"name": "ZepMemory"}'),
}


def flow(*nodes: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    """Return LangFlux's answer with a chatflow of these nodes."""
    return 200, {}, json.dumps({"id": "mine", "flowData": json.dumps({"nodes": [{"data": one} for one in nodes]})})


MEMORY = {"name": "ZepMemory", "inputs": {"baseURL": "http://zep:8000/"}}
SOON = tokens.make_token(SECRET, {"exp": int(time.time()) + 3600})


def claimed(zep: ZepServer | None = None, answers: Any = None, **given: Any) -> list[str]:
    """Return the remarks on settings, with a Zep and a LangFlux 2.2.8 that gives these answers."""
    settings = read_settings({"target": "remote", "zep_url": "http://zep:8000", **given})
    with serving(app({**LANGFLUX, **(answers or {})})) as port:
        langflux = LangFluxServer(
            url=url(port), api_key="k", model_url="", zep_url="http://zep:8000", version="2.2.8", chatflow="mine"
        )
        return check_claims(settings, Deployment(target="remote", zep=zep, langflux=langflux))


ZEP = ZepServer(url="http://zep:8000", url_from_langflux="http://zep:8000", version="0.27.2")


@pytest.mark.parametrize(
    ("given", "answers", "code"),
    [
        ({"chatflow": "mine"}, {}, "chatflow-unfit"),
        ({"chatflow": "mine"}, {"GET /api/v1/chatflows/mine": (500, {}, "Error: not found")}, "chatflow-unfit"),
        ({"chatflow": "mine"}, {"GET /api/v1/chatflows/mine": flow({"name": "bufferMemory"})}, "chatflow-unfit"),
        ({"chatflow": "mine"}, {"GET /api/v1/chatflows/mine": flow({"name": "ZepMemoryCloud"})}, "chatflow-unfit"),
        ({"langflux_version": "3.0.13"}, {}, "version-contradicted"),
    ],
)
def test_what_would_test_something_else_is_refused(given: Any, answers: Any, code: str) -> None:
    with pytest.raises(CannotTell) as raised:
        claimed(ZEP, answers, **given)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("given", "answers", "said"),
    [
        ({}, {}, None),
        ({"langflux_version": "2.2.8"}, {}, None),
        ({"langflux_image": "flowise:latest", "zep_image": "ghcr.io/getzep/zep-cloud:0.27.2"}, {}, None),
        ({"langflux_image": "registry:5000/langflux:1.0.3"}, {}, "--langflux-image says 1.0.3, and this LangFlux says"),
        ({"zep_image": "ghcr.io/getzep/zep-cloud:0.26.0"}, {}, "--zep-image says 0.26.0, and this Zep says"),
        ({"chatflow": "mine"}, {"GET /api/v1/chatflows/mine": flow(MEMORY)}, None),
        ({"chatflow": "mine"}, {"GET /api/v1/chatflows/mine": (401, {}, "")}, None),
        (
            {"chatflow": "mine", "zep_url_from_langflux": "http://zep:8000"},
            {"GET /api/v1/chatflows/mine": flow({**MEMORY, "inputs": {"baseURL": "http://other:8000"}})},
            "has the Base URL http://other:8000",
        ),
        (
            {"chatflow": "mine", "model_url": "http://model/v1"},
            {"GET /api/v1/chatflows/mine": flow(MEMORY)},
            "--model-url is not used",
        ),
        ({"langflux_api_key": "k"}, {}, "--langflux-api-key was given, and this LangFlux answers without"),
        ({"langflux_user": "u", "langflux_password": "p"}, {}, "--langflux-password was given"),
        ({"langflux_api_key": "k"}, {"GET /api/v1/nodes/ZepMemory": (401, {}, "")}, None),
        ({"zep_token": TOKEN}, {}, None),
        ({"zep_token": SOON}, {}, "--zep-token expires on "),
    ],
)
def test_what_else_a_part_denies_is_a_note(given: Any, answers: Any, said: str | None) -> None:
    remarks = claimed(ZEP, answers, **given)
    assert len(remarks) == (said is not None), remarks
    assert said is None or said in remarks[0]


@pytest.mark.parametrize(
    ("zep", "said"),
    [
        ("image: ghcr.io/getzep/zep-cloud:0.27.2", None),
        ("image: ghcr.io/getzep/zep-cloud:0.25.0", "zep is to be Zep 0.25.0, and the one that answers says 0.27.2"),
        ("image: ghcr.io/getzep/zep-cloud:0.27.2\n    environment:\n      ZEP_MEMORY_MESSAGE_WINDOW: '20'",
         "ZEP_MEMORY_MESSAGE_WINDOW is 20, and --message-window is 12"),
    ],
)  # fmt: skip
def test_what_deployment_files_say_and_zep_denies_is_a_note(tmp_path: Path, zep: str, said: str | None) -> None:
    (tmp_path / "compose.yaml").write_text(f"services:\n  zep:\n    {zep}\n")
    remarks = claimed(ZEP, deployment_files=str(tmp_path))
    assert len(remarks) == (said is not None), remarks
    assert said is None or said in remarks[0]


def test_notes_are_said_at_the_beginning_and_a_wrong_window_fails(served_once: Serve, tmp_path: Path) -> None:
    # Of its own, and without DEV-1: what other tests have cleared must not keep its summaries waiting.
    urls = served_once("--recorded-behaviours", "none")
    (tmp_path / "compose.yaml").write_text("services:\n  zep:\n    image: ghcr.io/getzep/zep-cloud:0.25.0\n")
    options = ("--deployment-files", str(tmp_path), "--message-window", "20", "-k", "one_message_before")
    finished = run(tmp_path, "--target", "remote", "--zep-url", urls["zep"], "-m", "SUMMARY-1", *options)
    assert finished.returncode == 1, finished.stdout
    assert "zep is to be Zep 0.25.0, and the one that answers says 0.27.2" in " ".join(finished.stdout.split())
    assert "--message-window is 20" in " ".join(finished.stdout.split())


def test_the_doctor_looks_at_the_zep_that_is_given(urls: dict[str, str], tmp_path: Path) -> None:
    finished = run(tmp_path, "--target", "embedded", "--zep-url", urls["zep"], "-m", "DEPLOY-6")
    assert finished.returncode == 0, finished.stdout


def test_a_short_secret_is_no_business_of_the_user(served_once: Serve, tmp_path: Path) -> None:
    given = {"ZEP_URL": served_once("--auth-secret", "kurz!")["zep"], "ZEP_AUTH_SECRET": "kurz!"}
    refuse = "error:The HMAC key"
    finished = run(tmp_path, "-W", refuse, "--target", "remote", "-m", "AUTH-1 or AUTH-3", **given)
    assert finished.returncode == 0, finished.stdout
    assert "KeyLength" not in finished.stdout + finished.stderr
    assert {one["id"]: one["outcome"] for one in report_in(tmp_path)["requirements"]}["AUTH-3"] == "passed"


@pytest.fixture(scope="module")
def served_once() -> Iterator[Serve]:
    """Start `zep-conformance serve` as `served` does, for all tests of this module."""
    from tests.conftest import serving

    with serving() as serve:
        yield serve
