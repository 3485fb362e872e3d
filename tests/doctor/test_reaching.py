"""The doctor on the way to a server: each fault is made for real."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.support.doctor_servers import (
    HEALTH,
    MEMORY,
    PRODUCED,
    ZEP,
    app,
    check,
    closed_port,
    hush,
    produces,
    serving,
    talking,
    url,
)
from tests.support.networks import network_namespace, other_machine, run_in
from zep_conformance.doctor import findings as limits
from zep_conformance.doctor import http
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding

NOW = datetime.now(UTC)


pytestmark = pytest.mark.usefixtures("short_limits")


# -- URL ----------------------------------------------------------------------------------------------------------

PRODUCED.update({"url-unreadable"})


@pytest.mark.parametrize(
    "typed",
    ["127.0.0.1:8000", "localhost:8000", "'http://127.0.0.1:8000'", "http://", "ftp://127.0.0.1", "http://h:port",
     "http://127.0.0.1:99999", "http://a b:8000", "http://a..b:8000", "zep", "http://[::1:8000"],
)  # fmt: skip
def test_what_is_no_url(typed: str) -> None:
    check(diagnose(typed), "url-unreadable")


@produces("url-has-path")
def test_url_with_a_path() -> list[Finding]:
    return diagnose("http://127.0.0.1:8000/api/v1")


@produces("url-has-path")
def test_url_with_a_query() -> list[Finding]:
    return diagnose("http://127.0.0.1:8000/?a=b")


@produces("url-trailing-slash")
def test_url_with_a_trailing_slash() -> list[Finding]:
    with serving(app(ZEP)) as port:
        return diagnose(url(port) + "/")


def test_a_password_in_the_url_is_not_shown() -> None:
    found = diagnose(f"http://somebody:hunter2secret@127.0.0.1:{closed_port()}/path")
    assert "hunter2secret" not in str(found)


# -- name and TCP ---------------------------------------------------------------------------------------------------


@produces("name-unknown")
def test_name_that_nobody_has() -> list[Finding]:
    try:
        socket.getaddrinfo("nothing.invalid", 80)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            pytest.skip("no name server answers this machine, so that no name can be unknown")
    return diagnose("http://nothing.invalid:8000")


@produces("tcp-refused")
def test_port_on_which_nothing_listens() -> list[Finding]:
    return diagnose(url(closed_port()))


def drop(namespace: str, port: int) -> None:
    """Have a packet filter drop a port without a word."""
    table = f"table inet t {{ chain c {{ type filter hook input priority 0; tcp dport {port} drop; }}; }}"
    ways = (
        ("nft", [[f"add {table}"]]),
        ("iptables", [["-A", "INPUT", "-p", "tcp", "--dport", str(port), "-j", "DROP"]]),
    )
    trouble = "neither nft nor iptables is installed"
    for program, commands in ways:
        if shutil.which(program) is None:
            continue
        done = [run_in(namespace, program, *command) for command in commands]
        if all(one.returncode == 0 for one in done):
            return
        trouble = next(one.stderr.strip() for one in done if one.returncode != 0)
    pytest.skip(f"no packet filter works here: {trouble}")


@produces("tcp-dropped")
def test_port_that_a_firewall_drops() -> list[Finding]:
    with other_machine() as (namespace, address):
        drop(namespace, 8000)
        return diagnose(f"http://{address}:8000")


@produces("tcp-refused")
def test_closed_port_of_the_same_machine_is_told_from_a_dropped_one() -> list[Finding]:
    with other_machine() as (namespace, address):
        drop(namespace, 8000)
        return diagnose(f"http://{address}:8001")


def diagnosed_in(namespace: str, *options: str) -> list[Finding]:
    done = run_in(namespace, sys.executable, "-m", "zep_conformance", "doctor", "--json", *options)
    assert done.returncode == 1, done.stderr
    return [Finding(**finding) for finding in json.loads(done.stdout)["findings"]]


@produces("tcp-unreachable")
def test_address_without_a_route() -> list[Finding]:
    with network_namespace() as namespace:
        return diagnosed_in(namespace, "--zep-url", "http://10.1.2.3:8000")


@produces("name-lookup-failed")
def test_name_server_that_can_not_be_reached() -> list[Finding]:
    with network_namespace() as namespace:
        return diagnosed_in(namespace, "--zep-url", "http://zep.example.org:8000")


@produces("through-proxy")
def test_server_behind_a_proxy_of_ours(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    def forward(connection: socket.socket) -> None:
        head = connection.recv(65536)
        method, target, _ = head.decode().split(" ", 2)
        body = head.partition(b"\r\n\r\n")[2]
        answer = httpx.request(method, target, content=body, trust_env=False)
        reply = f"HTTP/1.1 {answer.status_code} OK\r\ncontent-length: {len(answer.content)}\r\nconnection: close\r\n"
        reply += f"x-zep-version: {answer.headers['x-zep-version']}\r\n\r\n"
        connection.sendall(reply.encode() + answer.content)

    with serving(app(ZEP)) as port, talking(forward) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:proxypassword@127.0.0.1:{proxy}")
        monkeypatch.setenv("no_proxy", "")
        found = diagnose(url(port))
        assert "proxypassword" not in str(found)
        return found


# -- HTTP -----------------------------------------------------------------------------------------------------------


@produces("http-on-https-port")
def test_http_to_a_tls_port_that_says_so() -> list[Finding]:
    said = "<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port"
    with serving(app({"*": (400, {}, said)})) as port:
        return diagnose(url(port))


@produces("http-closed")
def test_connection_closed_without_an_answer() -> list[Finding]:
    with talking(lambda connection: connection.recv(4096) and None) as port:
        return diagnose(url(port))


@produces("http-not-http")
def test_another_service_on_the_port() -> list[Finding]:
    def ssh(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        connection.recv(4096)

    with talking(ssh) as port:
        return diagnose(url(port))


@produces("http-silent")
def test_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.setattr(
        http.Connection.ask, "__kwdefaults__", {"headers": None, "body": None, "limit": 0.5, "late": None}
    )
    with talking(hush) as port:
        return diagnose(url(port))


@produces("http-silent")
def test_server_that_drips(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Each byte comes in time, and the answer never does."""
    monkeypatch.setattr(
        http.Connection.ask, "__kwdefaults__", {"headers": None, "body": None, "limit": 0.5, "late": None}
    )

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            connection.sendall(b".")
            time.sleep(0.05)

    with talking(drip) as port:
        return diagnose(url(port))


@produces("out-of-time")
def test_the_whole_has_a_limit() -> list[Finding]:
    with talking(hush) as port:
        return diagnose(url(port), limit=0.5)


PRODUCED.update({"proxy-502", "proxy-503", "proxy-504"})


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("path", [HEALTH, MEMORY])
def test_proxy_without_what_is_behind_it(status: int, path: str) -> None:
    answer = (status, {"server": "nginx", "content-type": "text/html"}, "<h1>Bad Gateway</h1>")
    with serving(app({**ZEP, path: answer})) as port:
        check(diagnose(url(port)), f"proxy-{status}")


def known_as_localhost(otherwise: tuple[int, dict[str, str], str]) -> Any:
    """A proxy that has a Zep under the name localhost, and this answer for every other name."""
    zep, other = app(ZEP), app({"*": otherwise})

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"]
        await (zep if host.startswith(b"localhost") else other)(scope, receive, send)

    return application


@produces("wrong-host")
@pytest.mark.parametrize(
    "otherwise",
    [
        (404, {"server": "nginx/1.25", "content-type": "text/html"}, "<h1>404 Not Found</h1>"),
        (421, {}, "Misdirected Request"),
        (404, {"x-render-routing": "no-server"}, "Not Found"),
    ],
    ids=["not found", "misdirected", "no server"],
)
def test_proxy_that_knows_it_by_another_name(otherwise: tuple[int, dict[str, str], str]) -> list[Finding]:
    with serving(known_as_localhost(otherwise)) as port:
        check(diagnose(url(port, host="localhost")), "ok", "zep-open")
        return diagnose(url(port))


def redirected(location: str) -> list[Finding]:
    with serving(app({"*": (302, {"location": location}, "")})) as port:
        return diagnose(url(port))


@produces("redirect-to-https")
def test_redirect_to_https() -> list[Finding]:
    return redirected("https://127.0.0.1/healthz")


@produces("redirect-to-login")
def test_redirect_to_a_login() -> list[Finding]:
    found = redirected("https://team.cloudflareaccess.com/cdn-cgi/access/login?token=abcdefg")
    assert "abcdefg" not in str(found)
    return found


@produces("redirect-elsewhere")
def test_redirect_elsewhere() -> list[Finding]:
    return redirected("http://www.example.org/")


@produces("proxy-wants-login")
def test_proxy_with_a_password() -> list[Finding]:
    with serving(app({"*": (401, {"www-authenticate": 'Basic realm="x"'}, "")})) as port:
        return diagnose(url(port))


@produces("proxy-wants-login")
def test_proxy_with_a_password_on_the_api_only() -> list[Finding]:
    answers: dict[str, Any] = {"GET /healthz": (200, {}, "."), "*": (401, {"www-authenticate": "Basic"}, "")}
    with serving(app(answers)) as port:
        return diagnose(url(port))


def test_the_stated_limits_bound_each_other() -> None:
    assert max(limits.CONNECT_LIMIT, limits.ANSWER_LIMIT, limits.SEARCH_LIMIT) < limits.WHOLE_LIMIT
    assert limits.ENRICH_LIMIT + limits.PREDICTION_LIMIT + limits.SEARCH_LIMIT < limits.WHOLE_LIMIT
