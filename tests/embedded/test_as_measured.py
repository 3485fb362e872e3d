"""What the real Zep 0.27.2 was seen to do in any order of operations, held to the embedded one.

Of what the documentation leaves open the embedded Zep does the same; where the real one falls short, with the recorded
behaviour only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.chatting import making_chatbots
from tests.support.zep_asked import Asked, asking, fresh
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for


@pytest.fixture(scope="module", params=["all", "none"])
def zep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """As recorded, and as documented."""
    parts = parts_for(["zep"], data=tmp_path_factory.mktemp("data"), recorded_behaviours=request.param)
    with Fleet(parts) as fleet, asking(fleet) as asked:
        yield asked


def write(zep: Asked, session: str, **message: Any) -> httpx.Response:
    """Write one message; a refusal may be any."""
    body = {"messages": [{"role": "human", "content": "tea", **message}]}
    return zep.client.post(f"/api/v1/sessions/{session}/memory", json=body)


def test_a_deleted_user_is_gone(zep: Asked) -> None:
    """The id is free, and so is that of each session, cleared or not, with the uuids of its messages."""
    user, cleared, kept, uuid = fresh(), fresh(), fresh(), str(uuid4())
    zep.ask("POST", "user", body={"user_id": user, "first_name": "Ada", "metadata": {"a": 1}})
    records = [zep.ask("POST", "sessions", body={"session_id": one, "user_id": user}) for one in (cleared, kept)]
    write(zep, cleared, uuid=uuid)
    zep.ask("DELETE", "sessions", cleared, "memory")
    assert zep.ask("DELETE", "user", user).status_code == 200
    assert zep.ask("GET", "user", user).status_code == 404
    assert zep.ask("DELETE", "user", user).status_code == 404
    again = zep.ask("POST", "user", body={"user_id": user})
    assert (again.status_code, again.json().get("first_name"), again.json().get("metadata")) == (201, None, None)
    assert zep.get("user", user, "sessions") == []
    assert write(zep, cleared, uuid=uuid).status_code == 200
    assert zep.ask("POST", "sessions", body={"session_id": kept}).status_code == 201
    for before, session in zip(records, (cleared, kept), strict=True):
        record = zep.get("sessions", session)
        assert record["uuid"] != before.json()["uuid"]
        assert record["user_id"] is None


def test_the_uuid_of_a_cleared_message_is_taken(zep: Asked) -> None:
    """Also in another session. What can't be written changes nothing of what is there."""
    session, other, uuid = fresh(), fresh(), str(uuid4())
    write(zep, session, uuid=uuid)
    zep.ask("DELETE", "sessions", session, "memory")
    assert {write(zep, one, uuid=uuid).status_code for one in (session, other)} <= {400, 500}
    assert zep.everything(session) == zep.everything(other) == []
    assert write(zep, session).status_code == 200
    assert len(zep.everything(session)) == 1


@pytest.mark.parametrize(("behaviours", "is_purged"), [("all", False), ("none", True)])
def test_what_is_cleared_is_purged_at_the_next_start_unless_never(
    tmp_path: Path, behaviours: str, is_purged: bool
) -> None:
    session, uuid = fresh(), str(uuid4())
    parts = parts_for(["zep"], data=tmp_path, recorded_behaviours=behaviours)
    with Fleet(parts) as fleet, asking(fleet) as zep:
        before = zep.ask("POST", "sessions", body={"session_id": session, "metadata": {"a": 1}}).json()
        write(zep, session, uuid=uuid)
        zep.ask("DELETE", "sessions", session, "memory")
        fleet.stop("zep")
        fleet.start("zep")
        assert zep.ask("GET", "sessions", session).status_code == 404
        assert (write(zep, session, uuid=uuid).status_code == 200) is is_purged
        if not is_purged:
            return
        record = zep.get("sessions", session)
        assert (record["uuid"] != before["uuid"], record["metadata"]) == (True, None)


def test_nul_is_dropped_from_texts_and_spelt_out_in_metadata(zep: Asked) -> None:
    session = fresh()
    write(zep, session, role="hu\0man", content="\0t\0ea", metadata={"k\0": ["v\0", {"x": "\0"}]})
    [message] = zep.everything(session)
    assert (message["role"], message["content"]) == ("human", "tea")
    assert message["metadata"] == {"k\\u0000": ["v\\u0000", {"x": "\\u0000"}]}
    assert zep.everything(f"{session}\0") == [message]


def test_numbers_are_what_a_float_holds(zep: Asked) -> None:
    sent = {"a": 9007199254740993, "b": 1.0, "c": [1e22, 0.1, -0.0], "d": {"e": 1e300}, "f": True, "g": 1e-7}
    kept = {"a": 9007199254740992, "b": 1, "c": [10**22, 0.1, 0], "d": {"e": 10**300}, "f": True, "g": 1e-7}
    session, user = fresh(), fresh()
    made = zep.ask("POST", "sessions", body={"session_id": session, "metadata": sent}).json()
    assert repr(made["metadata"]) == repr(kept)
    write(zep, session, metadata=sent)
    [message] = zep.everything(session)
    assert repr(message["metadata"]) == repr(kept)
    made = zep.ask("POST", "user", body={"user_id": user, "metadata": sent}).json()
    assert repr(made["metadata"]) == repr(kept)
    changed = zep.ask("PATCH", "user", user, body={"metadata": {"b": 2.0}}).json()
    assert repr(changed["metadata"]) == repr(kept | {"b": 2})


def test_where_it_falls_short_is_a_recorded_behaviour(tmp_path: Path) -> None:
    """A refused write leaves a session behind, and sessions that are listed for a user have no numbers."""
    session, user, uuid = fresh(), fresh(), str(uuid4())
    shown = {}
    for name in ([], ["duplicate-uuid-500", "user-sessions-without-numbers"]):
        parts = parts_for(["zep"], data=tmp_path / str(len(name)), recorded_behaviours={"zep": name})
        with Fleet(parts) as fleet, asking(fleet) as zep:
            write(zep, fresh(), uuid=uuid)
            refused = write(zep, session, uuid=uuid).status_code
            found = zep.ask("GET", "sessions", session).status_code
            zep.ask("POST", "user", body={"user_id": user})
            zep.ask("POST", "sessions", body={"session_id": f"{user}s", "user_id": user})
            shown[len(name)] = (refused, found, zep.get("user", user, "sessions")[0]["id"] > 0)
    assert shown == {0: (400, 404, True), 2: (500, 200, False)}


NO_QUESTION = "input values have 1 keys"
NO_TEXT = "Cannot create property 'additional_kwargs' on number '5'"
ANSWER = [("start", ""), ("token", "Noted:")]


@pytest.mark.parametrize(
    ("question", "piece", "error", "remembered"),
    [("", " ", NO_QUESTION, []), (None, " null", NO_QUESTION, []), (5, " 5", NO_TEXT, ["5", "Noted: 5"])],
)
def test_a_question_that_is_none_is_refused_before_or_after_the_answer(
    tmp_path: Path, model_url: str, question: object, piece: str, error: str, remembered: list[str]
) -> None:
    for behaviours in ([], ["question-checked-late"]):
        parts = parts_for(
            ["zep", "langflux"], data=tmp_path / str(len(behaviours)), recorded_behaviours={"langflux": behaviours}
        )
        with Fleet(parts) as fleet, asking(fleet) as zep, making_chatbots(fleet, model_url) as (langflux, make):
            path, body = f"/api/v1/prediction/{make('').chatflow}", {"question": question, "chatId": "a chat"}
            streamed = langflux.wire.post(path, json=body | {"streaming": True})
            events = [json.loads(line[5:]) for line in streamed.text.splitlines() if line.startswith("data:")]
            sent = [(event["event"], event["data"]) for event in events[:-2]]
            assert sent == ([*ANSWER, ("token", piece)] if behaviours else [])
            assert events[-2]["event"] == "error"
            assert (error in events[-2]["data"]) == bool(behaviours)
            assert [one["content"] for one in zep.everything("a chat")] == (remembered if behaviours else [])
            whole = langflux.wire.post(path, json=body)
            assert (whole.status_code, error in whole.json()["message"]) == (500, bool(behaviours))


MEMORY = "sessions/words/memory"
IN_MESSAGE = "into Go struct field Message.messages"


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (MEMORY, "", "EOF"),
        (MEMORY, "{", "unexpected EOF"),
        (MEMORY, "[]", "json: cannot unmarshal array into Go value of type models.Memory"),
        (MEMORY, "7", "json: cannot unmarshal number into Go value of type models.Memory"),
        (
            MEMORY,
            '{"messages":1}',
            "json: cannot unmarshal number into Go struct field Memory.messages of type []models.Message",
        ),
        (
            MEMORY,
            '{"messages":[1]}',
            "json: cannot unmarshal number into Go struct field Memory.messages of type models.Message",
        ),
        (MEMORY, '{"messages":[{"role":true}]}', f"json: cannot unmarshal bool {IN_MESSAGE}.role of type string"),
        (
            MEMORY,
            '{"messages":[{"metadata":[]}]}',
            f"json: cannot unmarshal array {IN_MESSAGE}.metadata of type map[string]interface {{}}",
        ),
        (MEMORY, '{"messages":[{"uuid":"x"}]}', "invalid UUID length: 1"),
        (
            MEMORY,
            '{"messages":[{"token_count":5.5}]}',
            f"json: cannot unmarshal number 5.5 {IN_MESSAGE}.token_count of type int",
        ),
        (
            "sessions",
            '{"session_id":1}',
            "json: cannot unmarshal number into Go struct field CreateSessionRequest.session_id of type string",
        ),
        ("user", '""', "json: cannot unmarshal string into Go value of type models.CreateUserRequest"),
        (
            "sessions/words/search",
            '{"text":"a","search_type":{}}',
            "json: cannot unmarshal object into Go struct field MemorySearchPayload.search_type"
            " of type models.SearchType",
        ),
    ],
)
def test_bodies_are_refused_in_the_words_of_gos_decoder(zep: Asked, path: str, body: str, words: str) -> None:
    answer = zep.client.post(f"/api/v1/{path}", content=body)
    assert (answer.status_code, answer.text) == (400, words + "\n")


@pytest.mark.parametrize(
    ("number", "why"), [("x", "invalid syntax"), ("1.5", "invalid syntax"), ("9" * 20, "value out of range")]
)
def test_numbers_are_refused_in_the_words_of_gos_strconv(zep: Asked, number: str, why: str) -> None:
    answer = zep.ask("GET", "sessions", "words", "memory", query={"lastn": number})
    assert (answer.status_code, answer.text) == (400, f'strconv.ParseInt: parsing "{number}": {why}\n')


def test_what_is_changed_is_looked_for_in_this_order(tmp_path: Path) -> None:
    """Whether there are metadata at all, whether the message ever was, and only then whether it is there."""
    session, other, uuid, never = fresh(), fresh(), str(uuid4()), str(uuid4())
    came = {}
    for behaviours in ([], ["missing-message-500", "empty-metadata-500"]):
        parts = parts_for(["zep"], data=tmp_path / str(len(behaviours)), recorded_behaviours={"zep": behaviours})
        with Fleet(parts) as fleet, asking(fleet) as zep:

            def status(*path: str, zep: Asked = zep, **metadata: int) -> int:
                return zep.client.patch("/".join(["/api/v1", *path]), json={"metadata": metadata}).status_code

            write(zep, session, uuid=uuid)
            elsewhere = status("sessions", other, "messages", uuid, a=1)
            zep.ask("DELETE", "sessions", session, "memory")
            cleared = status("sessions", session, "messages", uuid, a=1)
            unknown = status("sessions", session, "messages", never, a=1)
            empty = {status("sessions", session, "messages", never), status("sessions", never), status("user", never)}
            came[len(behaviours)] = (elsewhere, cleared, unknown, empty)
    assert came == {0: (404, 404, 404, {404}), 2: (500, 500, 404, {500})}


def test_fields_are_taken_by_their_names_in_any_case_as_recorded(zep: Asked) -> None:
    session, is_recorded = fresh(), zep.client.get("/openapi.json").status_code == 404
    body = {"MESSAGES": [{"Role": "human", "CONTENT": "tea", "Metadata": {"Mood": "calm"}}]}
    zep.ask("POST", "sessions", session, "memory", body=body)
    came = [(one["role"], one["content"], one["metadata"]) for one in zep.everything(session)]
    assert came == ([("human", "tea", {"Mood": "calm"})] if is_recorded else [])


@pytest.mark.parametrize("time", ["2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00", "now"])
def test_a_message_has_a_time_with_a_zone_or_none(zep: Asked, time: str) -> None:
    assert write(zep, fresh(), created_at=time).status_code == 400
    assert write(zep, fresh(), created_at="2020-01-01T00:00:00.123456789+02:00").status_code == 200


@pytest.mark.parametrize(("version", "status"), [("0.20.1", 404), ("0.21.0", 200)])
def test_a_version_that_it_begins_as_has_what_that_one_has(tmp_path: Path, version: str, status: int) -> None:
    parts = parts_for(["zep"], data=tmp_path, recorded_behaviours="all", begin_as={"zep": version})
    with Fleet(parts) as fleet, asking(fleet) as asked:
        write(asked, "here")
        answer = asked.client.get("/api/v1/sessions/here/messages")
    assert (answer.status_code, answer.headers["x-zep-version"].partition("-")[0]) == (status, version)
