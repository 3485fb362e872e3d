"""A Docker engine that refuses, for the tests of what is said then: a few answers of its API over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24"}
PROJECT = "com.docker.compose.project"
IMAGE = {"Id": "sha256:" + "a" * 64, "RepoDigests": ["fake@sha256:" + "b" * 64], "RepoTags": []}


class FakeEngine:
    """What it answers. images: those that are there. pulled: the events of a pull, or (status, message).

    distribution: the answer to whether a registry has an image; created: to the creation of a container,
    its id where that is (201, id). publishing:
    the Compose project and its folder of each container that has the port that is asked for, by name. built: the
    labels of images that are listed and, by the time that one asks for them, gone.
    """

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.pulled: list[dict[str, Any]] | tuple[int, str] = []
        self.distribution: tuple[int, str] = (200, "")
        self.created: tuple[int, str] = (500, "not now")
        self.publishing: dict[str, tuple[str, str]] = {}
        self.built: dict[str, dict[str, str]] = {}
        self.address = ""

    def answer(self, method: str, path: str, query: str) -> tuple[int, Any]:
        """Status and body; a list is sent as a stream of events."""
        if path == "/version":
            return 200, VERSION
        path = path.partition("/v1.41")[2]
        if path.startswith("/images/create"):
            return (200, self.pulled) if isinstance(self.pulled, list) else _refused(self.pulled)
        if path == "/images/json":
            return 200, tuple({"Id": name, "Labels": labels} for name, labels in self.built.items())
        if path.startswith("/images/"):
            name = path.removeprefix("/images/").removesuffix("/json")
            if name.endswith(":"):
                return _refused((400, "invalid reference format"))
            return (200, IMAGE) if name in self.images else _refused((404, f"No such image: {name}"))
        if path.startswith("/volumes"):
            return 200, {"Volumes": []}
        if path.startswith("/distribution/"):
            return (200, {"Descriptor": {}}) if self.distribution[0] == 200 else _refused(self.distribution)
        if path.startswith("/containers/create"):
            return (201, {"Id": self.created[1]}) if self.created[0] == 201 else _refused(self.created)
        if path.startswith("/containers/json"):
            return 200, tuple({"Id": name} for name in self.publishing if "publish" in query)
        if path.startswith("/containers/") and path.endswith("/json"):
            name = path.split("/")[2]
            project, folder = self.publishing[name]
            labels = {PROJECT: project, f"{PROJECT}.working_dir": folder}
            return 200, {"Id": name, "Name": f"/{name}", "Config": {"Labels": labels}, "State": {"Status": "running"}}
        if path.startswith("/networks/create"):
            return 201, {"Id": "n1"}
        if path.startswith("/networks/n1"):
            return (204, "") if method == "DELETE" else (200, {"Id": "n1", "Name": "n1", "Labels": {}})
        return (200, []) if path.startswith("/networks") else _refused((404, "no such thing"))


def _refused(refusal: tuple[int, str]) -> tuple[int, Mapping[str, str]]:
    return refusal[0], {"message": refusal[1]}


@contextmanager
def running() -> Iterator[FakeEngine]:
    """The engine at `address`, until the end of the block."""
    engine = FakeEngine()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = engine.answer(self.command, *self.path.partition("?")[::2])
            self.send_response(status)
            self.send_header("content-type", "application/json")
            if isinstance(body, list) and body:  # events come in chunks, one at a time
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for event in body:
                    line = json.dumps(event).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.write(b"0\r\n\r\n")
                return
            text = b"" if status == 204 else json.dumps(body).encode()
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = do_HEAD = _answer

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    engine.address = f"tcp://127.0.0.1:{server.server_address[1]}"
    yield engine
    server.shutdown()
    server.server_close()
