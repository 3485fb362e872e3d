"""A pytest plugin that writes down every request of a run, so that it can be replayed (`-p benchmarks.recorder`).

What the run has done to the parts (stopped, started, cut off) is written down among them, in its place. Ids that
servers make up differ from run to run: for each that a later request uses, it is noted which answer gave it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from zep_conformance.session.run import RUN
from zep_conformance.targets.supervised import Supervisor

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Recorder:
    """Collects requests and the UUIDs in their answers."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def record(self, request: httpx.Request, response: httpx.Response) -> None:
        """One exchange."""
        streamed = "event-stream" in response.headers.get("content-type", "")
        self.requests.append(
            {
                "origin": f"{request.url.scheme}://{request.url.netloc.decode()}",
                "method": request.method,
                "path": request.url.raw_path.decode(),
                "headers": {
                    name: request.headers[name]
                    for name in ("content-type", "authorization", "x-request-from")
                    if name in request.headers
                },
                "body": request.content.decode(),
                "answer": [] if streamed else UUID.findall(response.text),
            }
        )

    def command(self, *command: object) -> None:
        """Something that was done to a part: the method of the target's control, and its arguments."""
        self.requests.append({"control": command})

    def write(self, path: Path, parts: dict[str, str]) -> None:
        """Write the requests. parts: origin → the part that it is."""
        texts = [request.get("path", "") + request.get("body", "") for request in self.requests]
        for number, request in enumerate(self.requests):
            if "control" in request:
                continue
            later = " ".join(texts[number + 1 :]) if request["answer"] else ""
            request["gives"] = {
                str(index): value for index, value in enumerate(request.pop("answer")) if value in later
            }
            request["part"] = parts[request.pop("origin")]
        lines = [json.dumps({"parts": parts}), *map(json.dumps, self.requests)]
        path.write_text("\n".join(lines) + "\n")


_RECORDER = Recorder()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Listen from the first scenario on."""
    session.config.stash[RUN].transcript.on_exchange = _RECORDER.record
    for verb in ("start", "stop", "kill", "pause", "resume", "cut_off", "reconnect"):
        setattr(Supervisor, verb, _noted(verb, getattr(Supervisor, verb)))


def _noted(verb: str, method: Callable[..., None]) -> Callable[..., None]:
    """Return a method of the supervisor that is noted each time that it is called."""

    def noted(supervisor: Supervisor, *given: Any) -> None:
        try:
            method(supervisor, *given)
        finally:
            _RECORDER.command(verb, *given)

    return noted


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write everything down."""
    found = config.stash[RUN].deployment
    assert found.zep is not None and found.secured is not None and found.langflux is not None
    parts = {
        found.zep.url: "zep",
        found.secured.url: "zep-secured",
        found.langflux.url: "langflux",
        found.langflux.model_url: "model",
    }
    _RECORDER.write(Path(os.environ["RECORD_REQUESTS_TO"]), parts)
