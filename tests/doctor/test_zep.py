"""The doctor at a Zep: each fault made for real, where that can be, on the embedded servers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.doctor_servers import (
    HEALTH,
    MEMORY,
    PRODUCED,
    SEARCH,
    VERSION,
    ZEP,
    Answer,
    app,
    check,
    produces,
    serving,
    url,
)
from zep_conformance.clients import tokens
from zep_conformance.doctor import writing, zep
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.facts.servers import PUBLISHED_SECRET
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

SECRET = tokens.make_secret()
TOKEN = tokens.make_token(SECRET)
HOUR = 3600


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    parts = parts_for(
        ["zep", "zep-secured", "nlp", "model"],
        recorded_behaviours="all",
        data=tmp_path_factory.mktemp("data"),
        secrets={"zep-secured": SECRET},
    )
    with Fleet(parts) as running:
        yield running


@pytest.fixture(scope="module")
def secured(fleet: Fleet) -> str:
    return fleet.url("zep-secured")


def diagnosed(**changes: Any) -> list[Finding]:
    """Of a Zep that is well but for the answers changed: HEALTH, MEMORY, SEARCH or a method and path."""
    names = {"health": HEALTH, "memory": MEMORY, "search": SEARCH}
    with serving(app({**ZEP, **{names.get(name, name): answer for name, answer in changes.items()}})) as port:
        return diagnose(url(port))


# -- version --------------------------------------------------------------------------------------------------------


@produces("zep-1")
def test_zep_1() -> list[Finding]:
    header = {"x-zep-version": "1.0.2"}
    with serving(app({HEALTH: (200, header, "."), "*": (404, header, "404 page not found")})) as port:
        return diagnose(url(port))


@produces("zep-1")
def test_zep_1_behind_a_proxy_that_removes_its_version() -> list[Finding]:
    with serving(app({HEALTH: (200, {}, "."), "*": (404, {}, "404 page not found\n")})) as port:
        return diagnose(url(port))


@produces("not-zep")
def test_a_web_page() -> list[Finding]:
    with serving(app({"*": (200, {"content-type": "text/html"}, "<html>Welcome to nginx!</html>")})) as port:
        return diagnose(url(port))


@produces("not-zep")
def test_a_page_for_every_path_but_the_health_check() -> list[Finding]:
    with serving(app({HEALTH: (200, {}, ""), "*": (200, {}, "<html>a page</html>")})) as port:
        return diagnose(url(port))


@produces("zep-too-old")
def test_zep_0_18() -> list[Finding]:
    header = {"x-zep-version": "0.18.0-abcdef0 (2023-11-20)"}
    return diagnosed(health=(200, header, "."), memory=(404, header, "not found\n"))


@produces("zep-untested")
def test_zep_0_28() -> list[Finding]:
    return diagnosed(health=(200, {"x-zep-version": "0.28.0"}, "."))


@produces("version-unsaid")
def test_version_header_removed() -> list[Finding]:
    return diagnosed(health=(200, {}, "."))


@produces("zep-unhealthy")
def test_zep_itself_unhealthy() -> list[Finding]:
    return diagnosed(health=(503, VERSION, "not ready"))


@produces("zep-odd-answer")
def test_proxy_that_limits() -> list[Finding]:
    return diagnosed(memory=(429, VERSION, "slow down"))


# -- token ----------------------------------------------------------------------------------------------------------


@produces("ok")
def test_right_token(secured: str) -> list[Finding]:
    found = diagnose(secured, TOKEN, secret=SECRET)
    assert {finding.layer for finding in found} == {"URL", "name", "TCP", "HTTP", "version", "token", "store", "NLP"}
    return found


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Zep that checks tokens with the secret that it is published with."""
    parts = parts_for(
        ["zep-secured", "nlp", "model"],
        recorded_behaviours="all",
        data=tmp_path_factory.mktemp("published"),
        secrets={"zep-secured": PUBLISHED_SECRET},
    )
    with Fleet(parts) as running:
        yield running.url("zep-secured")


@produces("secret-published")
def test_the_secret_that_zep_is_published_with(published: str) -> list[Finding]:
    return diagnose(published, tokens.make_token(PUBLISHED_SECRET))


@produces("secret-published", "token-refused")
def test_it_is_named_to_whoever_has_the_wrong_token_too(published: str) -> list[Finding]:
    found = diagnose(published, TOKEN)
    assert PUBLISHED_SECRET not in str(found)
    return found


@produces("zep-open")
def test_open_zep_takes_any_token(fleet: Fleet) -> list[Finding]:
    return diagnose(fleet.url("zep"), "any")


PRODUCED.update(
    {"token-missing", "token-is-secret", "token-not-jwt", "token-bearer-prefix", "token-quoted", "token-unsigned",
     "token-wrong-algorithm", "token-expired", "token-not-yet-valid", "token-issued-later", "token-odd-times",
     "token-decoded-secret", "token-other-secret", "token-refused", "secret-is-token"}
)  # fmt: skip
NOW = int(time.time())
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
OTHER = tokens.make_token(tokens.make_secret())


@pytest.mark.parametrize("know_secret", [False, True], ids=["", "knowing the secret"])
@pytest.mark.parametrize(
    ("code", "token"),
    [
        ("token-missing", None),
        ("token-is-secret", SECRET),
        ("token-not-jwt", "not.a.token"),
        ("token-not-jwt", f"{HEADER}.{PAYLOAD}"),
        ("token-bearer-prefix", f"Bearer {TOKEN}"),
        ("token-quoted", f"'{TOKEN}'"),
        ("token-quoted", f"{TOKEN}\n"),
        ("token-unsigned", tokens.make_token(SECRET, algorithm="none")),
        ("token-unsigned", f"{HEADER}.{PAYLOAD}."),
        ("token-wrong-algorithm", tokens.make_token(SECRET, algorithm="HS384")),
        ("token-wrong-algorithm", tokens.make_token(SECRET, algorithm="HS512")),
        ("token-expired", tokens.make_token(SECRET, {"exp": NOW - HOUR})),
        ("token-not-yet-valid", tokens.make_token(SECRET, {"nbf": NOW + HOUR})),
        ("token-issued-later", tokens.make_token(SECRET, {"iat": NOW + HOUR})),
        ("token-odd-times", tokens.make_token(SECRET, {"exp": "tomorrow"})),
    ],
)
def test_wrong_token(secured: str, code: str, token: str | None, know_secret: bool) -> None:
    found = diagnose(secured, token, secret=SECRET if know_secret else None)
    check(found, code)
    shown = str(found)
    assert SECRET not in shown and SIGNATURE not in shown and (token is None or token.strip() not in shown)


@pytest.mark.parametrize(
    ("code", "token", "secret"),
    [
        ("token-other-secret", OTHER, SECRET),
        ("token-refused", OTHER, None),
        ("token-refused", tokens.make_token(tokens.make_secret(), {"exp": NOW - HOUR}), None),
        ("token-decoded-secret", tokens.make_token(tokens._decode(SECRET.rstrip("="))), SECRET),
    ],
)
def test_token_of_another_secret(secured: str, code: str, token: str, secret: str | None) -> None:
    check(diagnose(secured, token, secret=secret), code)


def test_token_and_secret_swapped(secured: str) -> None:
    check(diagnose(secured, SECRET, secret=TOKEN), "secret-is-token", "token-is-secret")


@produces("secret-not-zeps")
def test_token_and_secret_of_another_zep(secured: str) -> list[Finding]:
    another = tokens.make_secret()
    return diagnose(secured, tokens.make_token(another), secret=another)


@produces("secret-unlike-token")
def test_right_token_and_another_secret(secured: str) -> list[Finding]:
    return diagnose(secured, TOKEN, secret=tokens.make_secret())


@produces("token-expires-soon")
def test_token_near_its_end(secured: str) -> list[Finding]:
    return diagnose(secured, tokens.make_token(SECRET, {"exp": NOW + HOUR}))


@produces("token-among-words")
def test_a_line_with_a_token_in_it(secured: str) -> list[Finding]:
    return diagnose(secured, f"ZEP_TOKEN={TOKEN}", secret=SECRET)


@produces("token-stripped")
def test_proxy_that_removes_the_token(secured: str) -> list[Finding]:
    def passed_on(_body: str) -> Answer:
        answer = httpx.get(f"{secured}/api/v1/sessions/zep-conformance-probe/memory")
        return answer.status_code, VERSION, answer.text

    with serving(app({**ZEP, MEMORY: passed_on})) as port:
        return diagnose(url(port), TOKEN, secret=SECRET)


# -- store ----------------------------------------------------------------------------------------------------------

DOWN = "failed to get summary: failed to get session FATAL: terminating connection due to administrator command\n"


@produces("store-down")
def test_postgres_down_behind_a_healthy_healthz() -> list[Finding]:
    return diagnosed(memory=(500, VERSION, DOWN))


@produces("store-recovering")
def test_postgres_restarted_a_moment_ago() -> list[Finding]:
    answers = iter([(500, VERSION, DOWN)] * 3)
    return diagnosed(memory=lambda _: next(answers, ZEP[MEMORY]))


@produces("store-silent")
def test_postgres_hangs(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setattr(
        zep.Connection.ask, "__kwdefaults__", {"headers": None, "body": None, "limit": 0.5, "late": None}
    )
    return diagnosed(memory=lambda _: None)


# -- NLP ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def _short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zep, "SEARCH_LIMIT", 1.0)


@pytest.mark.usefixtures("_short_search")
@produces("nlp-silent", "zep-open")
def test_nlp_server_stopped(fleet: Fleet) -> list[Finding]:
    fleet.stop("nlp")
    try:
        return diagnose(fleet.url("zep"))
    finally:
        fleet.start("nlp")


@pytest.mark.usefixtures("_short_search")
@produces("nlp-silent", "zep-open")
def test_nlp_server_hangs(fleet: Fleet) -> list[Finding]:
    fleet.pause("nlp")
    try:
        return diagnose(fleet.url("zep"))
    finally:
        fleet.resume("nlp")


@produces("nlp-down")
def test_nlp_server_refuses() -> list[Finding]:
    said = (
        "storage error: error adding vector column (original error: storage error: failed to embed query (original "
        'error: Post "http://zep-nlp:5557/embeddings/message": giving up after 6 attempt(s): connection refused))'
    )
    return diagnosed(search=(500, VERSION, said))


@produces("embedding-width")
def test_embeddings_of_another_width() -> list[Finding]:
    said = "storage error: memory searchMemory failed (original error: error scanning: ERROR: different vector dimensions 384 and 1536 (SQLSTATE=22000))"  # noqa: E501
    return diagnosed(search=(500, VERSION, said))


@produces("search-odd-answer")
def test_search_fails_for_another_reason() -> list[Finding]:
    return diagnosed(search=(500, VERSION, "internal error"))


@produces("nlp-slow")
def test_slow_search(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setattr(zep, "SLOW", 0.0)
    return diagnosed()


# -- what only a write shows ----------------------------------------------------------------------------------------


def sessions_of(base: str) -> list[str]:
    return [one["session_id"] for one in httpx.get(f"{base}/api/v1/sessions?limit=1000").json()]


@produces("zep-open")
def test_write_on_a_zep_that_is_well(fleet: Fleet) -> list[Finding]:
    found = diagnose(fleet.url("zep"), write=True, prefix="zc-well")
    assert [finding.symptom for finding in found if finding.layer == "model"] == ["a summary and an intent came"]
    memory = httpx.get(f"{fleet.url('zep')}/api/v1/sessions/zc-well-doctor/memory").json()
    assert memory["messages"] == []
    return found


@produces("ok")
def test_nothing_is_written_unasked(fleet: Fleet) -> list[Finding]:
    before = sessions_of(fleet.url("zep"))
    found = diagnose(fleet.url("zep"))
    assert sessions_of(fleet.url("zep")) == before
    return found


def written(tmp_path: Any, *mutations: str, window: int = 12) -> list[Finding]:
    parts = parts_for(["zep", "nlp", "model"], data=tmp_path, mutations={"zep": mutations})
    with Fleet(parts) as running:
        return diagnose(running.url("zep"), write=True, window=window)


@produces("zep-freezes")
def test_a_zep_that_freezes(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setattr(writing, "SEARCH_LIMIT", 1.0)
    environment = {"GOMAXPROCS": "1", "EMBEDDED_ZEP_FREEZE": "5"}
    parts = parts_for(["zep", "nlp", "model"], data=tmp_path, recorded_behaviours="all", environment=environment)
    with Fleet(parts) as running:
        found = diagnose(running.url("zep"), write=True)
        assert sessions_of(running.url("zep")) == []
    assert "left-behind" not in {one.code for one in found}
    return found


@pytest.fixture
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ENRICH_LIMIT", 2.0)


@pytest.mark.usefixtures("_short_wait")
@produces("embedding-width")
def test_embeddings_that_the_store_does_not_take(tmp_path: Any) -> list[Finding]:
    return written(tmp_path, "messages-not-embedded")


@pytest.mark.usefixtures("_short_wait")
@produces("summary-missing")
def test_fewer_messages_than_the_window(tmp_path: Any) -> list[Finding]:
    return written(tmp_path, window=10)


@pytest.mark.usefixtures("_short_wait")
@produces("intent-missing")
def test_intents_off(tmp_path: Any) -> list[Finding]:
    return written(tmp_path, "intent-missing")


@produces("write-lost")
def test_writes_that_are_lost(tmp_path: Any) -> list[Finding]:
    return written(tmp_path, "writes-dropped")


class Shelf:
    """A Zep that keeps messages and does nothing with them."""

    def __init__(self, deleted: int = 200) -> None:
        self._kept: list[dict[str, Any]] = []
        path = "/api/v1/sessions/zc-shelf-doctor"
        self.answers: dict[str, Any] = {
            **ZEP,
            f"POST {path}/memory": self._post,
            f"GET {path}/memory": lambda _: (200, VERSION, json.dumps({"messages": self._kept, "summary": None})),
            f"POST {path}/search": (200, VERSION, "[]"),
            f"DELETE {path}/memory": (deleted, VERSION, "OK"),
        }

    def _post(self, body: str) -> Answer:
        self._kept += json.loads(body)["messages"]
        return 200, VERSION, "OK"


@pytest.mark.usefixtures("_short_wait")
@produces("not-enriched", "not-summarised")
def test_queues_that_do_not_move() -> list[Finding]:
    with serving(app(Shelf().answers)) as port:
        return diagnose(url(port), write=True, prefix="zc-shelf")


@pytest.mark.usefixtures("_short_wait")
@produces("not-enriched", "not-summarised", "left-behind")
def test_session_that_can_not_be_removed() -> list[Finding]:
    with serving(app(Shelf(deleted=500).answers)) as port:
        found = diagnose(url(port), write=True, prefix="zc-shelf")
    assert "zc-shelf-doctor" in next(finding.symptom for finding in found if finding.code == "left-behind")
    return found


@produces("write-refused", "zep-open")
def test_store_that_takes_no_writes() -> list[Finding]:
    answers = Shelf().answers | {"POST /api/v1/sessions/zc-shelf-doctor/memory": (500, VERSION, "read-only")}
    with serving(app(answers)) as port:
        return diagnose(url(port), write=True, prefix="zc-shelf")
