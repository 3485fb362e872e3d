"""A small page in place of LangFlux's, for the tests of what drives it: served from this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, str, str]
"""Status, content type, body."""


class APage:
    """A server whose answers can be set: by method and path, 404 for the rest. asked: what came, with bodies."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.url = ""

    def shows(self, html: str, path: str = "/") -> None:
        """Serve a page at a path."""
        self.answers[f"GET {path}"] = (200, "text/html", f"<!doctype html><script></script>{html}")

    def answers_json(self, request: str, body: str, status: int = 200) -> None:
        """Answer a request ("GET /path") with JSON."""
        self.answers[request] = (status, "application/json", body)


@contextmanager
def a_page() -> Iterator[APage]:
    """Serve one on a free port."""
    page = APage()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            request = f"{self.command} {self.path.partition('?')[0]}"
            page.asked.append(f"{request} {sent}".strip())
            status, kind, body = page.answers.get(request, (404, "text/plain", "nothing here"))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = do_PUT = _answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    page.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield page
    finally:
        server.shutdown()
        server.server_close()
