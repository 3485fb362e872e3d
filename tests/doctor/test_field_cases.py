"""Servers like those of other people, as processes of their own: what the command says of them, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.runs import ENVIRONMENT
from zep_conformance.clients import tokens

VERSION = {"X-Zep-Version": "0.27.2-76e5967"}
REFUSED = "storage error: failed to embed query (original error: llm error: error while creating embedding (original error: API returned unexpected status code: {}: refused by the provider))\n"  # noqa: E501
CASES = {
    "basic-login": "proxy-wants-login",
    "openai-401": "embedding-key-refused",
    "openai-429": "embedding-quota-spent",
    "openai-404": "embedding-model-missing",
    "zep-0.8": "zep-too-old",
}


@contextmanager
def served(mode: str) -> Iterator[str]:
    """Serve one of them; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _say(self, status: int, text: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if mode == "zep-0.8":
                return self._say(200, ".", {}) if self.path == "/healthz" else self._say(404, "not found\n", {})
            if self.path == "/healthz":
                return self._say(200, ".", VERSION)
            if mode == "basic-login":
                return self._say(401, "401 Unauthorized\n", {"WWW-Authenticate": 'Basic realm="traefik"'})
            if "/search" in self.path:
                return self._say(500, REFUSED.format(mode.removeprefix("openai-")), VERSION)
            return self._say(200, json.dumps({"messages": [], "metadata": {}}), VERSION)

        do_GET = do_POST = do_DELETE = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("token", ["", tokens.make_token("x" * 40)], ids=["without a token", "with one"])
@pytest.mark.parametrize(("mode", "code"), CASES.items())
def test_what_is_said(mode: str, code: str, token: str) -> None:
    with served(mode) as url:
        ended = subprocess.run(
            [sys.executable, "-m", "zep_conformance", "doctor", "--json", "--zep-url", url],
            env={**ENVIRONMENT, **({"ZEP_TOKEN": token} if token else {})},
            capture_output=True,
            text=True,
            timeout=170,
        )
    found = json.loads(ended.stdout)["findings"]
    assert ended.returncode == 1
    assert [one["code"] for one in found if one["verdict"] == "fault"] == [code]
    assert "zep-nlp is down" not in ended.stdout
