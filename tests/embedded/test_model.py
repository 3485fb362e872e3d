"""The embedded model server: what it refuses, and for how long."""

from __future__ import annotations

from pathlib import Path

import httpx

from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

INTENT = "Identify the intent of the subject's words.\n\nHuman: an example\n\nHuman: "


def test_an_intent_is_refused_as_often_as_its_text_says_and_nothing_else_is(tmp_path: Path) -> None:
    with Fleet(parts_for(["model"], data=tmp_path)) as fleet, httpx.Client(base_url=fleet.url("model")) as client:

        def asked(text: str) -> int:
            body = {"model": "gpt-4o-mini", "messages": [{"role": "system", "content": text}]}
            return client.post("/v1/chat/completions", json=body).status_code

        assert [asked(f"{INTENT}the model refuses ada 2 times") for _ in range(4)] == [401, 401, 200, 200]
        assert asked(f"{INTENT}the model refuses bob 1 times") == 401
        assert asked("the model refuses cleo 2 times") == 200
