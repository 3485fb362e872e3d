"""For every fault that the doctor finds: what would contradict it, and that this is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.doctor_servers import (
    EMPTY,
    HEALTH,
    LANGFLUX,
    MEMORY,
    NODE,
    PRODUCED,
    SEARCH,
    VERSION,
    ZEP,
    app,
    check,
    closed_port,
    serving,
    url,
)
from zep_conformance.clients import tokens
from zep_conformance.doctor import writing
from zep_conformance.doctor.answers import known_codes
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.facts.codes import codes

PAGE = {"content-type": "text/html"}
NGINX = {"server": "nginx/1.25", **PAGE}
BASIC = {"www-authenticate": 'Basic realm="traefik"'}
NO_TOKEN = "no token found\n"

INSTEAD: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "token-missing",
        "a 401 with a browser's challenge is no Zep's",
        {MEMORY: (401, BASIC, "401 Unauthorized\n")},
        "proxy-wants-login",
    ),
    (
        "token-missing",
        "nor is one that is not signed, in other words",
        {MEMORY: (401, {}, '{"message": "no"}')},
        "proxy-wants-login",
    ),
    ("token-missing", "a 403 is never Zep's", {MEMORY: (403, PAGE, "<h1>403 Forbidden</h1>")}, "proxy-wants-login"),
    (
        "proxy-wants-login",
        "Zep's own words, where a proxy removes its version",
        {HEALTH: (200, {}, "."), MEMORY: (401, {}, NO_TOKEN)},
        "token-missing version-unsaid",
    ),
    (
        "zep-1",
        "an unknown session's 404 is that of a Zep of before 0.9",
        {HEALTH: (200, {}, "."), MEMORY: (404, {}, "not found\n")},
        "zep-too-old",
    ),
    (
        "zep-1",
        "a proxy's own 404",
        {HEALTH: (200, {}, "."), MEMORY: (404, NGINX, "<h1>404 Not Found</h1>")},
        "path-not-led",
    ),
    (
        "zep-too-old",
        "the 404 of a server without that path",
        {HEALTH: (200, {}, "."), MEMORY: (404, {}, "404 page not found\n")},
        "zep-1",
    ),
    ("zep-odd-answer", "an answer that is not signed", {MEMORY: (429, {}, "slow down")}, "proxy-answers"),
    ("zep-odd-answer", "a firewall's page", {MEMORY: (403, NGINX, "<html>blocked</html>")}, "proxy-wants-login"),
    ("wrong-host", "Zep answers behind the same proxy, at /api/v1", {HEALTH: (404, NGINX, "")}, "path-not-led"),
    ("store-down", "a 500 of a proxy's", {MEMORY: (500, NGINX, "<h1>500</h1>")}, "proxy-answers"),
    (
        "store-down",
        "PostgreSQL itself says that a table is not there",
        {MEMORY: (500, VERSION, 'ERROR: relation "session" does not exist (SQLSTATE=42P01)')},
        "store-without-tables",
    ),
    (
        "nlp-down",
        "OpenAI itself refuses",
        {SEARCH: (500, VERSION, "llm error: API returned unexpected status code: 401: no")},
        "embedding-key-refused",
    ),
    (
        "search-odd-answer",
        "a search that a proxy refuses",
        {SEARCH: (405, NGINX, "<h1>405 Not Allowed</h1>")},
        "proxy-answers",
    ),
]
"""A fault, what contradicts it, answers with which it was found without looking at that, and what is found instead."""
PRODUCED.update(code for *_, found in INSTEAD for code in found.split())

LOOKED_AT = {
    "the URL alone decides": "url-unreadable url-has-path view-trailing-slash model-url-without-v1",
    "the resolver, the socket or the TLS library says so itself; a proxy of the environment is looked for before": (
        "name-unknown name-lookup-failed tcp-refused tcp-dropped tcp-unreachable tls-wrong-name tls-self-signed "
        "tls-unknown-authority tls-expired tls-not-yet-valid tls-failed"
    ),
    "the other protocol was tried on the same port": "tls-none tls-silent http-on-https-port http-closed http-not-http "
    "http-silent",
    "the answer is a proxy's: it has no X-Zep-Version": "proxy-502 proxy-503 proxy-504 proxy-answers path-not-led",
    "the proxy stands in the environment, and what it leads to is asked for": "proxy-of-environment",
    "the answer itself leads elsewhere": "redirect-to-https redirect-to-login redirect-elsewhere",
    "/healthz and /api/v1 were both asked": "not-zep zep-unhealthy not-langflux",
    "the clock": "out-of-time nlp-silent store-silent",
    "the token was taken apart, and Zep's own words go before what its text tells": (
        "token-is-secret token-not-jwt token-among-words token-bearer-prefix token-quoted token-unsigned "
        "token-wrong-algorithm "
        "token-expired token-not-yet-valid token-issued-later token-odd-times token-decoded-secret token-other-secret "
        "token-refused token-stripped login-in-url secret-not-zeps secret-unlike-token secret-is-token"
    ),
    "the words of the answer name it (answers.toml)": " ".join(known_codes()),
    "the words of the answer name nothing that is known": "store-odd-answer search-odd-answer",
    "what was written was looked for": "write-refused write-lost not-enriched not-summarised",
    "LangFlux's own answers at two paths, and no browser's challenge in them": (
        "langflux-key-missing langflux-key-wrong langflux-login-needed langflux-login-wrong langflux-login-broken "
        "langflux-not-set-up langflux-no-zep-memory"
    ),
    "/healthz was asked after a read without an answer, and the read once more where that is late too": "zep-freezes",
    "the model server has no such path there": "model-no-api",
    "LangFlux was asked where it sees us, or a chatflow was tried": (
        "view-loopback view-unreachable view-token view-forgets view-failed"
    ),
}
"""Where what contradicts the other faults is looked at."""


@pytest.mark.parametrize(("code", "because", "answers", "instead"), INSTEAD)
def test_what_contradicts_a_fault_is_looked_at(code: str, because: str, answers: dict[str, Any], instead: str) -> None:
    with serving(app({**ZEP, **answers})) as port:
        found = diagnose(url(port))
    assert code not in {one.code for one in found}, because
    check(found, *instead.split())


def test_every_fault_stands_in_one_of_the_tables() -> None:
    faults = {code for code, entry in codes("doctor").items() if entry.verdict == "fault"}
    listed = {code for row in LOOKED_AT.values() for code in row.split()}
    assert faults == listed | {code for code, *_ in INSTEAD}
    assert listed <= faults


@pytest.mark.parametrize(
    ("health_answers", "reads_without_answer", "instead"),
    [(False, 9, "http-silent"), (True, 9, "store-silent"), (True, 1, "write-lost"), (True, 0, "write-lost")],
)
def test_a_read_without_an_answer_is_no_freeze_where_the_health_check_is_late_too(
    monkeypatch: pytest.MonkeyPatch, health_answers: bool, reads_without_answer: int, instead: str
) -> None:
    monkeypatch.setattr(writing, "SEARCH_LIMIT", 0.5)
    monkeypatch.setattr(writing, "ANSWER_LIMIT", 0.5 if instead.endswith("silent") else 10.0)
    monkeypatch.setattr(writing, "HEALTHY", -1.0)  # whatever comes is late
    path, asked = "/api/v1/sessions/zc-late-doctor/memory", {"writes": 0, "reads": 0}

    def write(_: str) -> Any:
        asked["writes"] += 1
        return 200, VERSION, "OK"

    def read(_: str) -> Any:
        asked["reads"] += 1
        return (200, VERSION, EMPTY) if asked["reads"] > reads_without_answer else None

    def health(_: str) -> Any:
        return (200, VERSION, ".") if health_answers or not asked["writes"] else None

    answers = {HEALTH: health, f"POST {path}": write, f"GET {path}": read, f"DELETE {path}": (200, VERSION, "OK")}
    with serving(app({**ZEP, **answers})) as port:
        check(diagnose(url(port), write=True, prefix="zc-late"), instead)


def test_a_proxy_before_langflux_that_wants_a_password() -> None:
    with serving(app({**LANGFLUX, NODE: (401, BASIC, "401 Unauthorized")})) as port:
        check(diagnose(langflux_url=url(port), api_key="x" * 20), "proxy-wants-login")


@pytest.mark.parametrize("token", [None, "garbage", tokens.make_token("x" * 40)])
def test_a_password_that_a_proxy_wants_is_no_token_of_zeps(token: str | None) -> None:
    with serving(app({**ZEP, MEMORY: (401, BASIC, "401 Unauthorized\n")})) as port:
        check(diagnose(url(port), token), "proxy-wants-login")


def test_a_login_in_the_url_stands_where_the_token_belongs() -> None:
    PRODUCED.add("login-in-url")
    with serving(app({**ZEP, MEMORY: (401, VERSION, NO_TOKEN)})) as port:
        found = diagnose(f"http://me:loginpassword@127.0.0.1:{port}", tokens.make_token("x" * 40))
    check(found, "login-in-url")
    assert "loginpassword" not in str(found)


PRODUCED.update({"login-in-url", "proxy-of-environment"})


@contextmanager
def proxy(monkeypatch: pytest.MonkeyPatch, where: str) -> Iterator[None]:
    """The environment names a proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTP_PROXY", where)
    yield


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.1"])
@pytest.mark.parametrize(
    "where", ["http://proxy.example.org:3128", "proxy.example.org:3128", "http://u:secret99@10.9.8.7"]
)
def test_a_proxy_elsewhere_does_not_lead_to_this_machine(monkeypatch: Any, host: str, where: str) -> None:
    with proxy(monkeypatch, where):
        found = diagnose(f"http://{host}:8000")
    check(found, "proxy-of-environment")
    assert "secret99" not in str(found)
    assert "NO_PROXY" in found[-1].advice


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(monkeypatch, f"http://127.0.0.1:{closed_port()}"):
        check(diagnose("http://zep.example.org:8000"), "through-proxy", "proxy-of-environment")


@pytest.mark.parametrize("status", [403, 407, 502, 503, 504])
def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with (
        serving(app({"*": (status, {"server": "squid"}, "no")})) as port,
        proxy(monkeypatch, f"http://127.0.0.1:{port}"),
    ):
        check(diagnose("http://zep.example.org:8000"), "through-proxy", "proxy-of-environment")
