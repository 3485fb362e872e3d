"""The adapters for LangFlux's versions: which is chosen, how it is let in, and how it streams."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.support.doctor_servers import app, serving, url
from tests.support.langflux_three import Accounts
from tests.support.runs import report_in, run
from zep_conformance.clients import accounts, sockets
from zep_conformance.clients.families import FAMILIES, Account, family_of, remark
from zep_conformance.clients.langflux import LangFlux, LangFluxRefused
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import NEWEST_LANGFLUX

ANNA = Account("anna", "her password")
BASIC = {"authorization": "Basic YW5uYTpoZXIgcGFzc3dvcmQ=", "x-request-from": "internal"}
BEARER = {"authorization": "Bearer the-key"}
INTERNAL = {"x-request-from": "internal"}


# -- which one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1.4.0", "1.4"), ("1.4.0-rc.1", "1.4"), ("1.5.0", "1.4"), ("1.5.1", "1.8"), ("1.8.4", "1.8"), ("2.0.7", "1.8"),
        ("2.1.0", "2.2"), ("2.2.6-hotfix.1", "2.2"), ("2.2.8", "2.2"), ("3.0.0", "2.2"), ("3.0.1", "3.0"),
        ("3.0.13", "3.0"), ("3.1.4", "3.0"), ("12.0", "3.0"), ("", "3.0"), ("somebody's own", "3.0"),
    ],
)  # fmt: skip
def test_a_version_has_its_family(version: str, name: str) -> None:
    assert family_of(version).name == name


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2.2.8", ""),
        (NEWEST_LANGFLUX, ""),
        ("1.4.9", ""),
        ("3.1.4", "langflux 3.1.4 is newer than any tried here (3.0.13): it is asked as 3.0 is"),
        ("", "langflux does not say its version: it is asked as 3.0 is"),
        ("mine", "langflux says it is mine, which is no version known here: it is asked as 3.0 is"),
    ],
)
def test_a_version_that_was_never_tried_is_said_to_be(version: str, said: str) -> None:
    assert remark(version) == said


# -- how it is let in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "nothing", "key", "login", "both"),
    [
        ("1.4", INTERNAL, BEARER, BASIC, BASIC),
        ("1.8", INTERNAL, BEARER, BASIC, BASIC),
        ("2.2", INTERNAL, BEARER, BASIC, BEARER),
        ("3.0", INTERNAL, BEARER, INTERNAL, BEARER),
    ],
)
def test_headers(family: str, nothing: Any, key: Any, login: Any, both: Any) -> None:
    adapter = next(one for one in FAMILIES if one.name == family)
    assert adapter.headers(None) == nothing
    assert adapter.headers("the-key") == key
    assert adapter.headers(None, ANNA) == login
    assert adapter.headers("the-key", ANNA) == both


def test_half_a_login_is_refused() -> None:
    assert Account.given(None, None) is None
    assert Account.given("anna", "secret") == Account("anna", "secret")
    for user, password, lacking in (("anna", None, "password"), (None, "her-secret", "user")):
        with pytest.raises(CannotTell, match=f"no --langflux-{lacking}") as caught:
            Account.given(user, password)
        assert "her-secret" not in str(caught.value)


def test_a_password_is_not_in_what_is_printed_of_a_login() -> None:
    assert "her password" not in repr(ANNA)


def test_the_first_account_makes_a_key_and_deletes_it() -> None:
    accounts_server = Accounts()
    with serving(accounts_server.app()) as port:
        account = accounts.first_account()
        accounts.register(url(port), account)
        with pytest.raises(LangFluxRefused, match="400"):
            accounts.register(url(port), accounts.first_account())
        key = accounts.make_key(url(port), account, "zc-1")
        assert accounts_server.keys[key.id]["apiKey"] == key.value
        assert httpx.get(f"{url(port)}/api/v1/nodes/x", headers={"authorization": f"Bearer {key.value}"}).is_success
        accounts.delete_key(url(port), account, key.id)
    assert accounts_server.keys == {}
    assert accounts_server.logins == set(), "nobody is left logged in"
    assert key.value not in repr(key)


def test_a_wrong_password_makes_no_key() -> None:
    accounts_server = Accounts(accounts={"a@example.com": "right"})
    with (
        serving(accounts_server.app()) as port,
        pytest.raises(LangFluxRefused, match="logging in: LangFlux answered 401"),
    ):
        accounts.make_key(url(port), Account("a@example.com", "wrong"), "zc-1")


@pytest.fixture
def behind_accounts(served, tmp_path: Path) -> Callable[..., tuple[Accounts, Any]]:
    """Runs a scenario on a LangFlux 3.0.13 that has accounts; gives the accounts as they are left, and the run."""
    urls = served("--recorded-behaviours", "none")
    account = accounts.first_account()

    def go(accounts_server: Accounts, *options: str) -> tuple[Accounts, Any]:
        accounts_server.behind, accounts_server.key = urls["langflux"], urls["langflux_api_key"]
        accounts_server.accounts[account.user] = account.password
        with serving(accounts_server.app()) as port:
            result = run(
                tmp_path, "--target", "remote", "--zep-url", urls["zep"], "--langflux-url", url(port),
                "--model-url", urls["model"], "-k", "session_id_of_the_request or new_timestamp", *options,
                LANGFLUX_USER=account.user, LANGFLUX_PASSWORD=account.password,
            )  # fmt: skip
        assert account.password not in result.stdout
        return accounts_server, result

    return go


@pytest.mark.parametrize(
    "options",
    [pytest.param((), id="one process"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)],
)
def test_a_run_with_a_login_alone_makes_one_key_and_deletes_it(behind_accounts, tmp_path: Path, options: Any) -> None:
    accounts_server, result = behind_accounts(Accounts(), *options)
    assert result.returncode == 0, result.stdout
    found = report_in(tmp_path)
    assert found["outcomes"]["passed"] == 2
    assert found["parts"]["langflux"]["version"] == "3.0.13"
    assert any(seen.startswith("POST /api/v1/chatflows") for seen in accounts_server.seen)
    assert accounts_server.made == 1
    assert accounts_server.keys == {}
    assert accounts_server.logins == set()
    # Two logins at once are more than a real one can bear.
    assert accounts_server.most_logins == 1


def test_a_key_that_could_not_be_deleted_is_said(behind_accounts, tmp_path: Path) -> None:
    _, result = behind_accounts(Accounts(keeps_keys=True))
    assert result.returncode == 0
    assert [text for text in report_in(tmp_path)["left_behind"] if "API key" in text]
    assert "left behind: API key" in result.stdout


def test_an_account_that_may_make_no_key_ends_the_run(behind_accounts) -> None:
    accounts_server, result = behind_accounts(Accounts(makes_keys=False))
    assert result.returncode == 2
    assert "no API key could be made" in result.stdout
    assert accounts_server.logins == set()


def test_the_embedded_target_makes_no_key_in_a_given_langflux(tmp_path: Path) -> None:
    account = accounts.first_account()
    with serving(Accounts(accounts={account.user: account.password}).app()) as port:
        result = run(
            tmp_path, "--target", "embedded", "--langflux-url", url(port), "-k", "new_timestamp",
            LANGFLUX_USER=account.user, LANGFLUX_PASSWORD=account.password,
        )  # fmt: skip
    assert result.returncode == 2
    assert "makes no API key with a login" in " ".join(result.stdout.split())


# -- the oldest family, as its source reads ---------------------------------------------------------------------


def old(**more: Any) -> Any:
    """A LangFlux 1.4.9, as far as asking it goes."""
    template = {"templateName": "Simple Conversation Chain", "flowData": '{"nodes": [], "edges": []}'}
    said = {"id": "m", "content": "", "sessionId": "made-up", "chatId": "made-up"}
    return app(
        {
            "GET /api/v1/marketplaces/chatflows": (200, {}, json.dumps([{"templateName": "Else"}, template])),
            "POST /api/v1/prediction/flow": (200, {}, '{"text": "Hello"}'),
            "GET /api/v1/chatmessage/flow": (200, {}, json.dumps([{**said, "role": "userMessage"}])),
            **more,
        }
    )


def test_the_oldest_family_lists_its_template_elsewhere() -> None:
    with serving(old()) as port:
        langflux = LangFlux(url(port), None, family=family_of("1.4.9"))
        assert langflux.template() == {"nodes": [], "edges": []}
        langflux.close()


@pytest.mark.parametrize(
    ("session", "chat", "expected"),
    [("s", None, ("s", "s")), (None, "c", ("c", "c")), ("s", "c", ("c", "c")), (None, None, ("made-up", "made-up"))],
    ids=["a session id", "a chat id", "both", "neither"],
)
def test_the_oldest_family_does_not_say_ids(session: str | None, chat: str | None, expected: tuple[str, str]) -> None:
    with serving(old()) as port:
        langflux = LangFlux(url(port), None, family=family_of("1.4.9"))
        answer = langflux.ask("flow", "Hello", session=session, chat=chat)
        langflux.close()
    assert (answer.chat_id, answer.session_id) == expected


# -- streaming by socket.io ---------------------------------------------------------------------------------------


class SocketServer:
    """As much of socket.io as a listener sees. script: packets that a prediction brings, in answers; its status."""

    def __init__(self, *script: str, status: int = 200) -> None:
        self.script, self.status = script, status
        self.outgoing: queue.Queue[str] = queue.Queue()
        self.incoming: list[str] = []
        self.asked: dict[str, Any] = {}
        self.closed = threading.Event()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/socket.io/", self._poll),
                Route("/socket.io/", self._take, methods=["POST"]),
                Route("/api/v1/prediction/flow", self._predict, methods=["POST"]),
            ]
        )

    def _poll(self, request: Request) -> Response:
        assert request.query_params["EIO"] == "4"
        if "sid" not in request.query_params:
            return PlainTextResponse('0{"sid":"engine","upgrades":[],"pingInterval":25000}')
        return PlainTextResponse(self.outgoing.get(timeout=10))

    async def _take(self, request: Request) -> Response:
        packet = (await request.body()).decode()
        self.incoming.append(packet)
        if packet == "40":
            self.outgoing.put('40{"sid":"listener"}')
        if packet == "1":
            self.closed.set()
            self.outgoing.put("6")
            self.outgoing.put("1")
        return PlainTextResponse("ok")

    async def _predict(self, request: Request) -> Response:
        self.asked = await request.json()
        for packets in self.script:
            self.outgoing.put(packets)
        return JSONResponse({"text": "Hello there", "sessionId": "s"}, self.status)


def listen(server: SocketServer) -> list[sockets.Event]:
    with serving(server.app()) as port:
        langflux = LangFlux(url(port), None, family=family_of("1.8.4"))
        try:
            return langflux.stream("flow", "Hi", session="s")
        finally:
            langflux.close()


def test_a_stream_by_socket_is_told_as_later_versions_do() -> None:
    server = SocketServer('42["start"]\x1e42["token","Hello"]', "2", '42["token"," there"]\x1e42["end"]')
    assert listen(server) == [
        ("start", None),
        ("token", "Hello"),
        ("token", " there"),
        ("metadata", {"text": "Hello there", "sessionId": "s"}),
        ("end", None),
    ]
    assert server.asked == {"question": "Hi", "overrideConfig": {"sessionId": "s"}, "socketIOClientId": "listener"}
    assert server.incoming == ["40", "3", "1"]  # connected, answered the ping, left


def test_a_refused_prediction_ends_the_listening() -> None:
    server = SocketServer(status=500)
    with pytest.raises(LangFluxRefused, match="a streamed prediction: LangFlux answered 500"):
        listen(server)
    assert server.closed.is_set()


def test_a_stream_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "END_LIMIT", 0.3)
    with pytest.raises(AssertionError, match="the stream has not ended"):
        listen(SocketServer('42["start"]'))


def test_a_server_without_socket_io_is_said_to_be() -> None:
    with serving(app({})) as port:
        langflux = LangFlux(url(port), None, family=family_of("1.8.4"))
        with pytest.raises(LangFluxRefused, match=r"by socket\.io: LangFlux answered 404"):
            langflux.stream("flow", "Hi")
        langflux.close()
