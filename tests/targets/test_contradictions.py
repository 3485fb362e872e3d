"""What a setting claims and a part denies: a failure, a refusal or a note, and never nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import report_in, run
from zep_conformance.clients import tokens
from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import choose
from zep_conformance.targets.base import Deployment

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
    for url in (urls["zep"], secured):
        with pytest.raises(CannotTell) as raised:
            seen(zep_url=url, **given)
        assert raised.value.code == code


def test_another_zeps_secret_alone_is_refused(secured: str) -> None:
    with pytest.raises(CannotTell) as raised:
        seen(zep_url=secured, zep_auth_secret=OTHER_SECRET)
    assert raised.value.code == "secret-not-zeps"


@pytest.mark.parametrize("variables", [{"ZEP_TOKEN": TOKEN}, {"ZEP_AUTH_SECRET": SECRET}], ids=["a token", "a secret"])
def test_a_zep_that_lets_in_anybody_does_not_conform_where_a_token_is_given(
    urls: dict[str, str], tmp_path: Path, variables: dict[str, str]
) -> None:
    finished = run(tmp_path, "--target", "remote", "--zep-url", urls["zep"], "-m", "AUTH-2", **variables)
    assert finished.returncode == 1, finished.stdout
    outcomes = {one["id"]: one["outcome"] for one in report_in(tmp_path)["requirements"]}
    assert outcomes["AUTH-2"] == "failed"


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
