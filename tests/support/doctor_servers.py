"""Servers with something wrong with them, for the tests of the doctor; and the record of what was found in them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import uvicorn

from zep_conformance.doctor.findings import Finding

PRODUCED: set[str] = set()
"""The codes that some test produces."""

EMPTY = json.dumps({"messages": [], "summary": None})
VERSION = {"x-zep-version": "0.27.2-12a69d7 (2024-09-11T00:00:00+0000)"}
Answer = tuple[int, Mapping[str, str], str]
ZEP: dict[str, Answer] = {
    "GET /healthz": (200, VERSION, "."),
    "GET /api/v1/sessions/zep-conformance-probe/memory": (200, VERSION, EMPTY),
    "POST /api/v1/sessions/zep-conformance-probe/search": (200, VERSION, "[]"),
}
"""A Zep that is well."""
LANGFLUX: dict[str, Answer] = {
    "GET /api/v1/ping": (200, {}, "pong"),
    "GET /api/v1/version": (200, {}, '{"version": "2.2.8"}'),
    "GET /api/v1/nodes/ZepMemory": (200, {}, '{"name": "ZepMemory"}'),
}
"""A LangFlux that is well."""
HEALTH, MEMORY, SEARCH = ZEP
NODE = "GET /api/v1/nodes/ZepMemory"


def check(findings: list[Finding], *codes: str) -> None:
    """These codes were found, and no other fault or note but that the Zep is open."""
    found = {finding.code for finding in findings} - {"ok", "zep-open"}
    assert found == set(codes) - {"ok", "zep-open"}, "\n".join(map(str, findings))
    assert set(codes) <= {finding.code for finding in findings}
    for finding in findings:
        assert "{" not in finding.symptom + finding.cause + finding.advice or finding.code == "ok", finding


def produces(*codes: str) -> Callable[[Callable[..., list[Finding]]], Callable[..., None]]:
    """The test returns findings, which have exactly these codes."""
    PRODUCED.update(codes)

    def decorate(test: Callable[..., list[Finding]]) -> Callable[..., None]:
        @functools.wraps(test)
        def checked(*args: Any, **kwargs: Any) -> None:
            check(test(*args, **kwargs), *codes)

        return checked

    return decorate


def app(answers: Mapping[str, Answer | Callable[[str], Answer | None]]) -> Any:
    """A server with these answers, by method and path; 404 for all else.

    An answer may be a function of the request's body; None from it is no answer at all.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer: Any = answers.get(f"{scope['method']} {scope['path']}", answers.get("*", (404, {}, "not found")))
        if callable(answer):
            answer = await asyncio.to_thread(answer, body.decode())
        while answer is None:
            await asyncio.sleep(0.1)
        status, headers, text = answer
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": text.encode()})

    return application


@contextlib.contextmanager
def serving(application: Any, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve an application on a free port of 127.0.0.1; gives the port."""
    config = uvicorn.Config(application, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=0)
    config.load()
    config.ssl = context
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = server.force_exit = True
            thread.join(5)


@contextlib.contextmanager
def talking(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept connections on a free port of 127.0.0.1 and let `handle` have them; gives the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                handle(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])


def url(port: int, scheme: str = "http", host: str = "127.0.0.1") -> str:
    """The URL of a port."""
    return f"{scheme}://{host}:{port}"


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def hush(connection: socket.socket) -> None:
    """Take the connection and say nothing."""
    while connection.recv(4096):
        pass
