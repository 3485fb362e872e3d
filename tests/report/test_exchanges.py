"""Whole exchanges: all that a scenario read of an answer, failures and streams too, is in the file beside."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.runs import report_in, run
from zep_conformance.clients.http import hooked, http_client
from zep_conformance.clients.refusals import Attempt, Ways, send, wrong_tokens
from zep_conformance.clients.tokens import make_token
from zep_conformance.facts.operations import api_operations
from zep_conformance.redaction.redactor import HIDDEN, Redactor
from zep_conformance.report import exchanges
from zep_conformance.report.document import scenarios_in
from zep_conformance.report.exchanges import Packer, lines_of, read
from zep_conformance.report.transcript import KEPT, NEWEST, Exchange, Shown, Transcript


class Breaking(httpx.SyncByteStream):
    """A stream that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"data: one\n\n"
        raise httpx.ReadTimeout("nothing more came")


TOKENS = 'message:\ndata:{"event":"token","data":"Hi, my-secret-of-old"}\n\nmessage:\ndata: {"event":"end"}\n\n'


def server(request: httpx.Request) -> httpx.Response:
    path, stream = request.url.path, {"content-type": "text/event-stream"}
    if path == "/away":
        raise httpx.ConnectError("refused")
    if path == "/cut":
        return httpx.Response(200, stream=Breaking())
    if path == "/stream":
        return httpx.Response(200, headers=stream, content=iter([b"data: \xc3", b"\xa9\n\n", b"data: two\n\n"]))
    if path == "/packed":
        packed = gzip.compress(b"data: one\n\n")
        return httpx.Response(200, headers=stream | {"content-encoding": "gzip"}, content=iter([packed]))
    if path == "/tokens":
        return httpx.Response(200, headers=stream, content=iter([TOKENS.encode()]))
    if path == "/breaking":
        return httpx.Response(200, headers=stream, stream=Breaking())
    return httpx.Response(404, headers={"x-zep-version": "0.27.2", "date": "today"}, content=iter([b"not\nhere\xff"]))


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(Redactor(["my-secret-of-old"]))


@pytest.fixture
def client(transcript: Transcript) -> httpx.Client:
    client = httpx.Client(transport=httpx.MockTransport(server), base_url="http://zep")
    return hooked(client, {"response": [transcript.answered], "failure": [transcript.failed]})


def written(transcript: Transcript, attempt: int = 1) -> list[dict[str, Any]]:
    found = transcript.whole.taken(lambda url: "zep" if url.startswith("http://zep/") else None)
    return [*lines_of(Packer(Redactor(["my-secret-of-old"])).packed(found, nodeid="a.py::b", attempt=attempt))]


def test_an_exchange_is_kept_whole(transcript: Transcript, client: httpx.Client) -> None:
    transcript.whole.begin()
    transcript.whole.step = 7
    client.post(
        "/x?a=%2F",
        json={"said": "my-secret-of-old " + "y" * 5000},
        headers={"authorization": "Bearer my-secret-of-old"},
    )
    [one] = written(transcript, attempt=2)
    request = one.pop("request")
    assert (request["method"], request["url"]) == ("POST", "http://zep/x?a=%2F")
    assert json.loads(request["body"]) == {"said": f"{HIDDEN} " + "y" * 5000}
    assert ["authorization", f"Bearer {HIDDEN}"] in request["headers"]
    assert not {"host", "user-agent"} & {name for name, _ in request["headers"]}
    assert one.pop("started") >= 0 and one.pop("seconds") >= 0
    assert one == {
        "nodeid": "a.py::b", "attempt": 2, "order": 1, "step": 7, "part": "zep", "status": 404,
        "headers": [["x-zep-version", "0.27.2"]], "answer": "not\nhere\ufffd", "error": "",
    }  # fmt: skip


def test_a_request_without_an_answer_is_there_too(transcript: Transcript, client: httpx.Client) -> None:
    with pytest.raises(httpx.ConnectError):
        client.get("/away")
    with pytest.raises(httpx.ReadTimeout):
        client.get("/cut")
    found = written(transcript)
    assert [(one["status"], one["error"]) for one in found] == [
        (None, "ConnectError: refused"), (None, "ReadTimeout: nothing more came"),
    ]  # fmt: skip
    assert "→ no answer after " in transcript.shown() and "ConnectError: refused" in transcript.shown()


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/stream", "data: é\n\ndata: two\n\n", ""),
        ("/packed", "data: one\n\n", ""),
        ("/breaking", "data: one\n\n", "ReadTimeout: nothing more came"),
    ],
)
def test_a_stream_is_kept_as_far_as_it_was_read(
    transcript: Transcript, client: httpx.Client, path: str, answer: str, error: str
) -> None:
    came = []
    try:
        with client.stream("GET", path) as response:
            for text in response.iter_text():
                came.append(text)
    except httpx.ReadTimeout:
        assert error
    [one] = written(transcript)
    assert (one["status"], one["answer"], one["error"]) == (200, answer, error)
    assert "".join(came) == answer
    assert answer.strip() in transcript.shown()


def test_of_what_a_stream_says_only_secrets_are_left_out(transcript: Transcript, client: httpx.Client) -> None:
    with client.stream("GET", "/tokens") as response:
        response.read()
    [one] = written(transcript)
    assert one["answer"] == TOKENS.replace("my-secret-of-old", HIDDEN)


class TestStrangers:
    """Requests of somebody without the right token: no token is in them, whatever the redactor knows."""

    SECRET = "a-secret-of-the-test-0123456789-0123456789"
    RIGHT = make_token(SECRET)
    WAYS = Ways(
        operations=api_operations(),
        wrong=wrong_tokens(RIGHT, SECRET),
        right=RIGHT,
        ids={"sessionId": "s", "userId": "u", "messageId": "m"},
        bodies={},
    )

    def ask(self, transcript: Transcript, attempt: Attempt, status: int = 401, text: str = "unauthorized") -> None:
        answer = httpx.MockTransport(lambda _: httpx.Response(status, content=iter([text.encode()])))
        hooks = {"response": [transcript.answered], "failure": [transcript.failed]}
        client = http_client("http://zep", timeout=1, hooks=hooks, transport=answer)
        shown = self.WAYS.shown(attempt)
        headers = [(name.lower(), value) for name, value in shown.headers]
        by = ", ".join(attempt.values())
        send(client, self.WAYS.request(attempt), shown=Shown(url=f"http://zep{shown.target}", headers=headers, by=by))

    def test_no_token_is_in_what_is_kept_and_each_says_what_it_is(self) -> None:
        transcript, knows = Transcript(Redactor()), Redactor([self.SECRET, self.RIGHT])
        sample = list(self.WAYS.sample())
        for attempt in sample:
            self.ask(transcript, attempt)
        raw = [*transcript.whole.taken(lambda _: "zep-secured")]
        assert len(raw) == len(sample)
        text = json.dumps(raw) + json.dumps(transcript.as_json()[0])
        tokens = [one for one in self.WAYS.wrong.values() if one and one != "not.a.token"]
        assert not any(token in text for token in [*tokens, self.RIGHT]) and not knows.finds_known(text)
        packed = Packer(Redactor()).packed(raw, nodeid="a.py::b", attempt=1)
        for attempt, one in zip(sample, lines_of(packed), strict=True):
            assert one["by"] == ", ".join(attempt.values()) == Redactor()(one["by"])
        assert {"$GARBAGE", "$THE_RIGHT_ONE_CUT_SHORT", "$ONE_SIGNED_WITH_HS384"} <= set(re.findall(r"\$\w+", text))

    @pytest.mark.parametrize("status", [200, 201, 302, 401, 404, 500])
    def test_what_is_served_to_a_stranger_is_not_kept(self, status: int) -> None:
        transcript = Transcript(Redactor())
        self.ask(transcript, next(self.WAYS.sample()), status, "somebody's own words")
        [one] = written(transcript)
        assert (one["answer"] == "somebody's own words") == (status >= 300)
        assert ("somebody's" in transcript.shown()) == (status >= 300)
        assert one["answer"] in ("somebody's own words", "(20 characters that may be anybody's: not kept)")

    def test_those_that_were_let_in_are_shown_and_not_the_newest(self) -> None:
        transcript = Transcript(Redactor())
        attempts = list(self.WAYS.sample())[:300]
        for attempt in attempts:
            self.ask(transcript, attempt)
        let_in = attempts[7]
        assert let_in not in attempts[-NEWEST:]
        transcript.point_at(", ".join(let_in.values()))
        found, left_out = transcript.as_json()
        assert [one["by"] for one in found] == [", ".join(let_in.values())] and left_out == 299
        variable = re.findall(r"\$\w+", found[0]["request"])
        assert variable and f'"{variable[0]}' not in found[0]["request"]  # within the quotes of a header
        transcript.begin()
        assert transcript.as_json() == ([], 0)

    def test_however_many_ask_only_so_many_are_kept_for_evidence(self) -> None:
        transcript = Transcript(Redactor())
        for _ in range(KEPT + 3):
            transcript.add(Exchange(method="GET", url=f"http://zep/{_}", headers={}, body="", status=200, answer="",
                                    seconds=0.1))  # fmt: skip
        found, left_out = transcript.as_json()
        assert (len(found), left_out) == (NEWEST, KEPT + 3 - NEWEST)


def test_what_is_too_much_is_cut_and_said(
    transcript: Transcript, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "LONGEST", {"body": 5, "answer": 5})
    monkeypatch.setattr(exchanges, "MOST", 2)
    for _ in range(4):
        client.post("/x", content="0123456")
    first, last = written(transcript)
    assert first["cut"] == {"body": 7, "answer": 9}
    assert (first["request"]["body"], first["answer"]) == ("01234", "not\nh")
    assert "left_out" not in first and last["left_out"] == 2
    assert written(transcript) == []


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)]
)
def test_a_run_keeps_the_exchanges_of_all_its_scenarios(tmp_path: Path, workers: tuple[str, ...]) -> None:
    finished = run(tmp_path, "-q", "--target", "embedded", "-m", "API-1 or API-6", *workers)
    assert finished.returncode == 0, finished.stdout
    found = [*read(tmp_path / "reports" / "latest" / "exchanges.ndjson.gz")]
    report = report_in(tmp_path)
    known = {one["nodeid"]: one for one in scenarios_in(report) if one["outcome"] == "passed"}
    assert {one["nodeid"] for one in found} == set(known)
    for nodeid, count in Counter(one["nodeid"] for one in found).items():
        mine = [one for one in found if one["nodeid"] == nodeid]
        assert [one["order"] for one in mine] == [*range(1, count + 1)]
        assert {one["step"] for one in mine if one["step"]} <= {step["line"] for step in known[nodeid]["steps"]}
        assert any(one["step"] for one in mine)
        assert [one["started"] for one in mine] == sorted(one["started"] for one in mine)
    assert len(found) <= report["requests"] and {one["part"] for one in found} >= {"zep", "langflux"}
