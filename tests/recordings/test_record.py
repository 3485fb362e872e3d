"""`zep-conformance record`: a recording made from a server, which that server is then held to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import doctor_servers
from tests.support.replaying import (
    KEY,
    LANGFLUX,
    SECRET,
    ZEP,
    Shell,
    langflux_options,
    made_in,
    running,
    script,
    sessions,
)
from zep_conformance.processes.fleet import Fleet
from zep_conformance.recordings.comparison import Comparison
from zep_conformance.recordings.format import ZERO_UUID, RecordedExchange, load_recording
from zep_conformance.recordings.record import Abstraction


@pytest.fixture(scope="module")
def documented() -> Iterator[Fleet]:
    with running("none") as fleet:
        yield fleet


class TestRoundTrip:
    """What answers as recorded gives the same recording again."""

    def test_zep(self, shell: Shell, recorded_servers: Fleet, tmp_path: Path) -> None:
        output = tmp_path / "zep.jsonl"
        assert shell("record", "--zep-url", recorded_servers.url("zep"), "--output", output, "--keep") == 0, (
            shell.output
        )
        assert "142 exchanges of zep 0.27.2-embedded (recorded) written" in " ".join(shell.output.split())
        assert load_recording(output) == load_recording(ZEP)
        with running() as another:
            code = shell("verify", "--zep-url", another.url("zep"), "--recording", output, "--keep")
        assert code == 0 and "142 of 142" in shell.output, shell.output

    def test_langflux(self, shell: Shell, recorded_servers: Fleet, tmp_path: Path) -> None:
        output = tmp_path / "langflux.jsonl"
        assert shell("record", *langflux_options(recorded_servers), "--output", output, "--keep") == 0, shell.output
        assert load_recording(output) == load_recording(LANGFLUX)
        assert shell("verify", *langflux_options(recorded_servers), "--recording", output, "--keep") == 0, shell.output
        assert "54 of 54" in shell.output


@pytest.mark.parametrize(
    ("mutation", "sequence", "steps"),
    [
        ("clear-unknown-200", "delete-and-return", {5}),
        ("roles-lost", "memory-round-trip", {1, 4, 5, 6, 7, 8, 11, 12, 13}),
    ],
)
def test_a_mutation_is_recorded_where_it_shows_and_nowhere_else(
    shell: Shell, tmp_path: Path, mutation: str, sequence: str, steps: set[int]
) -> None:
    output = tmp_path / "zep.jsonl"
    with running(zep=[mutation]) as fleet:
        options = ["--zep-url", fleet.url("zep"), "--only", sequence, "--keep"]
        assert shell("record", *options, "--output", output) == 0, shell.output
        assert "answered otherwise than in the script" in shell.output
        assert shell("verify", *options, "--recording", output) == 0, shell.output
    before = {exchange.step: exchange for exchange in load_recording(ZEP) if exchange.sequence == sequence}
    after = {exchange.step: exchange for exchange in load_recording(output)}
    assert {step for step in before if before[step] != after[step]} == steps


def test_requests_alone_are_a_script(shell: Shell, documented: Fleet, tmp_path: Path) -> None:
    said = {"messages": [{"role": "human", "content": "Hi"}]}
    asked = [
        {"method": "POST", "path": "/api/v1/sessions/own/memory", "body": said},
        {"method": "GET", "path": "/api/v1/sessions/own/messages"},
        {"method": "GET", "path": "/api/v1/sessions/own/messages/{{uuid:1}}"},
        {"method": "GET", "path": "/admin"},
        {"method": "POST", "path": "/api/v1/sessions", "raw": "{bad"},
    ]
    requests, output = tmp_path / "mine.jsonl", tmp_path / "recorded.jsonl"
    requests.write_text("\n".join(map(json.dumps, asked)))
    options = ["--zep-url", documented.url("zep")]
    assert shell("record", *options, "--script", requests, "--output", output) == 0, shell.output
    recorded = load_recording(output)
    assert [exchange.name for exchange in recorded] == [f"mine-{number}" for number in range(1, 6)]
    assert [exchange.request for exchange in recorded] == asked
    message = {
        "uuid": "{{uuid:1}}",
        "created_at": "{{time}}",
        "updated_at": "0001-01-01T00:00:00Z",
        "role": "human",
        "content": "Hi",
        "token_count": "{{tokens}}",
    }
    assert recorded[1].response["body"] == {"messages": [message], "total_count": 1, "row_count": 1}
    assert recorded[2].response["body"] == message
    assert recorded[3].response["body"] == "{{html}}"
    assert not any(name.endswith("own") for name in sessions(documented.url("zep")))
    assert shell("verify", *options, "--recording", output) == 0, shell.output


def test_numbers_follow_the_new_answers_also_in_requests(shell: Shell, documented: Fleet, tmp_path: Path) -> None:
    """A server whose answers have more UUIDs than those of the script: later requests refer to the right one."""
    done = {"status": 200, "content_type": "text/plain; charset=utf-8"}
    said = {"messages": [{"role": "human", "content": "one"}, {"role": "ai", "content": "two"}]}
    session = "/api/v1/sessions/own"
    # In the script the first message has no UUID, so that the second's is number 1.
    known = {"messages": [{"role": "human"}, {"uuid": "{{uuid:1}}", "role": "ai"}]}
    own = script(
        tmp_path / "script.jsonl",
        RecordedExchange("a", 1, {"method": "POST", "path": f"{session}/memory", "body": said}, {**done, "body": "OK"}),
        RecordedExchange("a", 2, {"method": "GET", "path": f"{session}/messages"}, {**done, "body": known}),
        RecordedExchange("a", 3, {"method": "GET", "path": f"{session}/messages/{{{{uuid:1}}}}"}, {**done, "body": {}}),
    )
    output = tmp_path / "recorded.jsonl"
    options = ["--zep-url", documented.url("zep"), "--keep"]
    assert shell("record", *options, "--script", own, "--output", output) == 0, shell.output
    recorded = {exchange.step: exchange for exchange in load_recording(output)}
    uuid = recorded[2].response["body"]["messages"][1]["uuid"]
    assert uuid == "{{uuid:2}}"
    assert recorded[3].request["path"] == f"{session}/messages/{uuid}"
    assert recorded[3].response["body"]["content"] == "two"
    assert shell("verify", *options, "--recording", output) == 0, shell.output


class TestPrivate:
    """Neither a secret nor an address is recorded."""

    def test_a_secured_zep(self, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        token = jwt.encode({"who": "the-test"}, SECRET, "HS256")
        monkeypatch.setenv("ZEP_TOKEN", token)
        output = tmp_path / "zep.jsonl"
        with running("none", secret=SECRET) as fleet:
            options = ["--zep-url", fleet.url("zep"), "--only", "isolation", "--only", "service"]
            assert shell("record", *options, "--output", output) == 0, shell.output
            address = fleet.url("zep").removeprefix("http://")
        assert len(load_recording(output)) == 12
        for text in (output.read_text(), shell.output):
            assert token not in text and address not in text

    def test_a_langflux_with_a_key(
        self, shell: Shell, documented: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LANGFLUX_API_KEY", KEY)
        output = tmp_path / "langflux.jsonl"
        options = [*langflux_options(documented), "--only", "both-ids", "--only", "zep-unreachable"]
        assert shell("record", *options, "--output", output) == 0, shell.output
        text = output.read_text()
        assert KEY not in text and KEY not in shell.output
        for part in ("zep", "model", "langflux"):
            assert documented.url(part).removeprefix("http://") not in text
        assert '"x-request-from": "internal"' in text
        assert made_in(documented.url("langflux")) == 0

    def test_an_answer_that_says_where_the_server_is(self, shell: Shell, tmp_path: Path) -> None:
        answers: dict[str, Any] = dict(doctor_servers.ZEP)
        with doctor_servers.serving(doctor_servers.app(answers)) as port:
            url = doctor_servers.url(port)
            answers["GET /where"] = (200, {"content-type": "application/json"}, json.dumps({"at": f"{url}/x", "a": 1}))
            requests, output = tmp_path / "mine.jsonl", tmp_path / "recorded.jsonl"
            requests.write_text('{"method": "GET", "path": "/where"}')
            assert shell("record", "--zep-url", url, "--script", requests, "--output", output) == 0, shell.output
        assert load_recording(output)[0].response["body"] == {"at": "{{text}}", "a": 1}

    @pytest.mark.parametrize(
        "request_",
        [
            {"method": "GET", "path": "/healthz", "headers": {"Authorization": "Bearer x"}},
            {"method": "GET", "path": "/healthz", "headers": {"cookie": "jwt=x"}},
            {"method": "GET", "path": "/healthz?at=127.0.0.1:1"},
        ],
    )
    def test_a_script_with_a_token_or_an_address_is_refused(
        self, shell: Shell, tmp_path: Path, request_: dict[str, Any]
    ) -> None:
        requests, output = tmp_path / "mine.jsonl", tmp_path / "recorded.jsonl"
        requests.write_text(json.dumps(request_))
        code = shell("record", "--zep-url", "http://127.0.0.1:1", "--script", requests, "--output", output)
        assert code == 2 and "must not be recorded" in shell.output
        assert not output.exists()


def test_what_could_do_harm_is_not_recorded(shell: Shell, documented: Fleet, tmp_path: Path) -> None:
    requests, output = tmp_path / "mine.jsonl", tmp_path / "recorded.jsonl"
    asked = [{"method": "GET", "path": "/healthz"}, {"method": "DELETE", "path": "/api/v1/sessions"}]
    requests.write_text("\n".join(map(json.dumps, asked)))
    options = ["--zep-url", documented.url("zep"), "--script", requests, "--output", output]
    assert shell("record", *options) == 1
    assert "1 not recorded, for they might do harm: mine 2" in shell.output
    assert [exchange.name for exchange in load_recording(output)] == ["mine-1"]


class TestCannotTell:
    def test_a_file_that_is_there(self, shell: Shell, documented: Fleet, tmp_path: Path) -> None:
        output = tmp_path / "zep.jsonl"
        output.write_text("mine")
        options = ["--zep-url", documented.url("zep"), "--only", "service", "--output", output]
        assert shell("record", *options) == 2
        assert output.read_text() == "mine" and "--force" in shell.output
        assert shell("record", *options, "--force") == 0
        assert len(load_recording(output)) == 4

    def test_a_folder_that_is_not(self, shell: Shell, documented: Fleet, tmp_path: Path) -> None:
        output = tmp_path / "none" / "zep.jsonl"
        assert shell("record", "--zep-url", documented.url("zep"), "--only", "service", "--output", output) == 2
        assert "can't write" in shell.output

    def test_something_to_wait_for_must_be_given(self, shell: Shell, tmp_path: Path) -> None:
        requests = tmp_path / "mine.jsonl"
        requests.write_text('{"request": {"method": "GET", "path": "/"}, "eventually": true}')
        code = shell("record", "--zep-url", "http://127.0.0.1:1", "--script", requests, "--output", tmp_path / "x")
        assert code == 2 and "nothing to wait for" in shell.output


UUIDS = st.uuids().map(str) | st.just(ZERO_UUID)
TIMES = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
TEXTS = st.text(max_size=20) | UUIDS | TIMES | st.builds("{} and {}".format, UUIDS, UUIDS)
TEXTS |= st.sampled_from(["{{text}}", "{{uuid:1}}", "{{int}} apples", "0001-01-01T00:00:00Z"])
NUMBERS = st.integers(-5, 10**6) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(max_size=5) | st.sampled_from(["id", "uuid", "token_count", "created_at", "stack", "flowData", "dist"])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(st.floats(allow_nan=False), min_size=8, max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


class TestAbstraction:
    @given(st.lists(JSON, max_size=3))
    def test_what_was_recorded_is_accepted(self, answers: list[Any]) -> None:
        numbers, comparison = Comparison(), Comparison()
        for came in answers:
            recorded = Abstraction(numbers).body(came)
            assert not list(comparison.differences(recorded, came))
            json.dumps(recorded)

    @given(JSON, JSON, st.booleans())
    def test_and_so_it_is_with_an_earlier_recording_of_anything(self, came: Any, before: Any, subset: bool) -> None:
        earlier = Abstraction(Comparison()).body(before)
        recorded = Abstraction(Comparison()).body(came, earlier, subset=subset)
        assert not list(Comparison().differences(recorded, came, subset))

    @given(JSON)
    def test_recording_the_same_again_gives_the_same(self, came: Any) -> None:
        earlier = Abstraction(Comparison()).body(came)
        assert Abstraction(Comparison()).body(came, earlier) == earlier

    @given(st.lists(UUIDS, min_size=1, max_size=6))
    def test_uuids_are_numbered_in_the_order_of_their_appearance(self, uuids: list[str]) -> None:
        recorded = Abstraction(Comparison()).body(uuids)
        order = list(dict.fromkeys(name for name in recorded if name != ZERO_UUID))
        assert order == [f"{{{{uuid:{number}}}}}" for number in range(1, len(order) + 1)]

    def test_what_is_free_by_its_field(self) -> None:
        came = {"id": 7, "token_count": 0, "dist": 0.5, "stack": "at x", "encryptedData": "U2FsdGVk", "count": 3}
        assert Abstraction(Comparison()).body(came) == {
            "id": "{{int}}",
            "token_count": "{{tokens}}",
            "dist": "{{float}}",
            "stack": "{{any}}",
            "encryptedData": "{{text}}",
            "count": 3,
        }

    def test_an_earlier_recording_knows_what_is_free(self) -> None:
        earlier = {"content": "{{text}}", "n": 1, "gone": 2, "list": ["{{any}}"]}
        came = {"content": "a summary", "n": 2, "list": [1, {"x": 1}], "new": "2026-11-22T07:53:43Z"}
        assert Abstraction(Comparison()).body(came, earlier) == {
            "content": "{{text}}",
            "n": 2,
            "list": ["{{any}}", "{{any}}"],
            "new": "{{time}}",
        }

    def test_of_a_subset_only_what_was_recorded_before_is(self) -> None:
        earlier = {"name": "ZepMemory", "inputs": [{"name": "apiKey"}]}
        came = {"name": "ZepMemory", "icon": "x", "inputs": [{"name": "apiKey", "type": "password"}]}
        assert Abstraction(Comparison()).body(came, earlier, subset=True) == earlier
