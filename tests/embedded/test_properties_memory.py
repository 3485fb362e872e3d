"""Sessions and their memory: whatever is done in whatever order, Zep remembers what the model remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple, precondition

from tests.support.properties import Machine, broken, finds, holds, initialize, rule
from tests.support.zep_asked import Asked, asking, canonical, fresh, metadata, others, pieces, texts
from tests.support.zep_model import Session, WrittenMessage, ZepModel

ZERO_TIME = "0001-01-01T00:00:00Z"


@st.composite
def messages(draw: st.DrawFn) -> list[WrittenMessage]:
    """What one write carries: each message with or without metadata, a count of its own, and a uuid of its own."""
    made = st.builds(
        WrittenMessage,
        role=st.sampled_from(["human", "ai"]) | texts,
        content=texts,
        metadata=st.none() | metadata.map(lambda one: {key: one[key] for key in one if key != "system"}),
        uuid=st.booleans().map(lambda own: str(uuid4()) if own else ""),
        tokens=st.integers(0, 99),
    )
    return draw(st.lists(made, max_size=9))


lastn = st.none() | st.integers(0, 15)


def posted(said: WrittenMessage) -> dict[str, Any]:
    """A message as it is sent."""
    body: dict[str, Any] = {"role": said.role, "content": said.content, "token_count": said.tokens}
    body |= {"metadata": said.metadata} if said.metadata is not None else {}
    return body | ({"uuid": said.uuid} if said.uuid else {})


class Memories(Machine):
    """Clients who write, read, page, change and delete, in sessions whose ids are easily mixed up."""

    ids = Bundle("ids")

    def __init__(self, zep: Asked) -> None:
        super().__init__()
        self.zep, self.model = zep, ZepModel()
        made = zep.ask("POST", "sessions", body={"session_id": f"marker{fresh()}"})
        self.before = made.json()["id"]

    # -- rules ----------------------------------------------------------------------------------------------------

    @initialize(target=ids, before=pieces, after=pieces, how=st.sampled_from(sorted(others(""))))
    def think_of_ids(self, before: str, after: str, how: str) -> MultipleResults[str]:
        """Few, so that much happens to each: one, one that is easily taken for it, and any other."""
        ident = f"{before}{fresh()}{after}"
        return multiple(ident, others(ident)[how], fresh())

    @rule(ident=ids, metadata=st.none() | metadata)
    def create(self, ident: str, metadata: dict[str, Any] | None) -> None:
        """Once: the id stays taken."""
        answer = self.zep.ask("POST", "sessions", body={"session_id": ident, "metadata": metadata})
        assert answer.status_code == self.model.create_session(ident, None, metadata)
        if answer.status_code == 201:
            self.is_record(ident, answer.json())

    @rule(ident=ids)
    def look_up(self, ident: str) -> None:
        """The record, as long as the session is not deleted."""
        answer = self.zep.ask("GET", "sessions", ident)
        assert answer.status_code == (200 if self.model.session(ident) else 404)
        if answer.status_code == 200:
            self.is_record(ident, answer.json())

    @rule(ident=ids, metadata=st.none() | metadata)
    def change(self, ident: str, metadata: dict[str, Any] | None) -> None:
        """Its metadata; that brings a deleted session back."""
        answer = self.zep.ask("PATCH", "sessions", ident, body={"metadata": metadata})
        assert answer.status_code == self.model.update_session(ident, metadata)
        if answer.status_code == 200:
            self.is_record(ident, answer.json())

    @rule(ident=ids, said=messages(), lastn=lastn)
    def write_and_read(self, ident: str, said: list[WrittenMessage], lastn: int | None) -> None:
        """What is written is there at once, after what was there."""
        answer = self.zep.ask("POST", "sessions", ident, "memory", body={"messages": [*map(posted, said)]})
        assert answer.status_code == self.model.write(ident, said)
        self.learn(ident)
        self.read(ident, lastn)

    @precondition(lambda self: any(self.model.everything()))
    @rule(ident=ids, said=messages(), at=st.integers(0, 99), place=st.integers(0, 9))
    def write_with_a_uuid_in_use(self, ident: str, said: list[WrittenMessage], at: int, place: int) -> None:
        """Nothing of such a write is kept."""
        used = [message.uuid for message in self.model.everything()]
        said.insert(place, WrittenMessage("human", "taken", uuid=used[at % len(used)]))
        answer = self.zep.ask("POST", "sessions", ident, "memory", body={"messages": [*map(posted, said)]})
        assert answer.status_code == self.model.write(ident, said) == 400

    @rule(ident=ids, body=st.sampled_from([[], {"messages": 1}, {"messages": [1]}, {"messages": [{"content": 5}]}]))
    def write_nonsense(self, ident: str, body: Any) -> None:
        """It is refused; `look_everywhere` sees that nothing came of it."""
        assert self.zep.ask("POST", "sessions", ident, "memory", body=body).status_code == 400

    @rule(ident=ids, lastn=lastn)
    def read(self, ident: str, lastn: int | None) -> None:
        """The newest messages, so many as are asked for."""
        memory = self.zep.get("sessions", ident, "memory", lastn=lastn)
        self.are(self.model.memory(ident, lastn), memory["messages"])
        assert memory["summary"]["content"] == "", "a summary that nobody can have made"

    @rule(ident=ids, limit=st.none() | st.integers(0, 6), cursor=st.none() | st.integers(0, 4))
    def page(self, ident: str, limit: int | None, cursor: int | None) -> None:
        """Any page of any size, also beyond the last."""
        page = self.zep.get("sessions", ident, "messages", limit=limit, cursor=cursor)
        shown, total = self.model.page(ident, limit or 0, cursor or 1)
        self.are(shown, page["messages"])
        assert (page["row_count"], page["total_count"]) == (len(shown), total)

    @precondition(lambda self: any(self.model.everything()))
    @rule(at=st.integers(0, 99), elsewhere=st.none() | ids)
    def look_at_a_message(self, at: int, elsewhere: str | None) -> None:
        """In its own session, or where it is not."""
        ident, said = self.one_of_all(at)
        is_there = elsewhere in (None, ident)
        answer = self.zep.ask("GET", "sessions", ident if elsewhere is None else elsewhere, "messages", said.uuid)
        assert answer.status_code == (200 if is_there else 404)
        if is_there:
            self.are([said], [answer.json()])

    @precondition(lambda self: any(self.model.everything()))
    @rule(at=st.integers(0, 99), elsewhere=st.none() | ids, metadata=metadata)
    def change_a_message(self, at: int, elsewhere: str | None, metadata: dict[str, Any]) -> None:
        """Its metadata: nothing else can be changed, and nothing at all where it is not."""
        ident, said = self.one_of_all(at)
        is_there = elsewhere in (None, ident)
        body = {"metadata": metadata, "content": "another", "role": "another", "token_count": 99_999}
        place = ("sessions", ident if elsewhere is None else elsewhere, "messages", said.uuid)
        answer = self.zep.ask("PATCH", *place, body=body)
        assert answer.status_code == (200 if is_there else 404)
        if is_there:
            said.change(metadata)
            self.are([said], [answer.json()])

    @rule(ident=ids)
    def delete(self, ident: str) -> None:
        """All at once, and once."""
        answer = self.zep.ask("DELETE", "sessions", ident, "memory")
        assert answer.status_code == self.model.delete_session(ident)

    @rule(limit=st.integers(0, 4), skip=st.integers(0, 3))
    def list_sessions(self, limit: int, skip: int) -> None:
        """Those of this example, in the order in which they were made, from any place on."""
        expected = [ident for ident, one in self.model.sessions.items() if not one.deleted]
        cursor = self.before
        if skip:
            first = self.zep.get("sessions", limit=skip, cursor=self.before)
            cursor, expected = (first[-1]["id"], expected[skip:]) if first else (cursor, expected)
        listed = self.zep.get("sessions", limit=limit, cursor=cursor)
        assert [one["session_id"] for one in listed] == (expected[:limit] if limit else expected)
        for one in listed:
            self.is_record(one["session_id"], one)

    def look_everywhere(self) -> None:
        """Nothing that was done to one session has done anything to another."""
        for ident in self.model.sessions:
            self.are(self.model.messages(ident), self.zep.everything(ident))
            self.look_up(ident)

    # -- what is looked at ----------------------------------------------------------------------------------------

    def one_of_all(self, at: int) -> tuple[str, WrittenMessage]:
        """(its session, a message), counted through all sessions."""
        known = [(ident, said) for ident in self.model.sessions for said in self.model.messages(ident)]
        return known[at % len(known)]

    def learn(self, ident: str) -> None:
        """The uuids that the server has made up for messages."""
        known = self.model.messages(ident)
        came = self.zep.everything(ident)
        assert len(came) == len(known), f"{len(came)} messages, expected {len(known)}"
        for said, message in zip(known, came, strict=True):
            said.uuid = said.uuid or message["uuid"]
        assert len({said.uuid for said in known}) == len(known), "two messages have one uuid"

    def are(self, expected: list[WrittenMessage], came: list[dict[str, Any]]) -> None:
        """The messages are those, in that order, to the last field."""
        assert [(one["role"], one["content"]) for one in came] == [(one.role, one.content) for one in expected]
        times = [one["created_at"] for one in came]
        assert times == sorted(times) and ZERO_TIME not in times
        for said, message in zip(expected, came, strict=True):
            assert message["uuid"] == said.uuid
            assert canonical(message.get("metadata") or {}) == canonical(said.metadata or {})
            assert message["token_count"] in (said.tokens, said.counted)

    def is_record(self, ident: str, record: dict[str, Any]) -> None:
        """The record is that of the session; a deleted one that came back is the same."""
        known: Session = self.model.sessions[ident]
        assert (record["session_id"], record["user_id"], record["deleted_at"]) == (ident, known.user, None)
        assert canonical(record["metadata"]) == canonical(known.metadata)
        assert record["uuid"] == (known.uuid or record["uuid"])
        known.uuid = record["uuid"]


def test_memory_is_what_the_model_remembers(zep: Asked) -> None:
    holds(lambda: Memories(zep))


@pytest.mark.parametrize(
    "mutation",
    [
        "lastn-off-by-one",
        "memory-limited",
        "last-message-lost",
        "sessions-mixed",
        "session-ids-ignore-case",
        "session-ids-match-prefix",
        "session-ids-plus-is-space",
        "clear-keeps-messages",
        "clear-comes-back",
        "system-metadata-writable",
        "malformed-changes-memory",
    ],
)
def test_the_machine_finds_a_mutation(tmp_path: Path, mutation: str) -> None:
    with broken(tmp_path, ["zep"], {"zep": [mutation]}) as fleet, asking(fleet) as asked:
        finds(lambda: Memories(asked))
