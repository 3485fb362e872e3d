"""Users and their sessions: made, changed, listed and deleted in whatever order, they are what the model says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple

from tests.support.properties import Machine, broken, finds, holds, initialize, rule, shrunk
from tests.support.zep_asked import Asked, asking, canonical, fresh, metadata, pieces, texts
from tests.support.zep_model import WrittenMessage, ZepModel

NAMES = ("email", "first_name", "last_name")
names = st.tuples(*[st.just("") | texts] * 3)


class Owners(Machine):
    """Operators who keep users, and clients who write to sessions that belong to some of them, or to nobody."""

    users = Bundle("users")
    sessions = Bundle("sessions")

    def __init__(self, zep: Asked) -> None:
        super().__init__()
        self.zep, self.model = zep, ZepModel()
        made = zep.ask("POST", "user", body={"user_id": f"marker{fresh()}"})
        self.before = made.json()["id"]

    @initialize(target=users, before=pieces, after=pieces)
    def think_of_users(self, before: str, after: str) -> MultipleResults[str]:
        """Few, so that much happens to each; two are there from the beginning."""
        user = f"{before}{fresh()}{after}"
        self.create(user, ("", "", ""), None)
        self.create(user.swapcase(), ("", "", ""), None)
        return multiple(user, user.swapcase(), fresh())

    @initialize(target=sessions, before=pieces)
    def think_of_sessions(self, before: str) -> MultipleResults[str]:
        """Of nobody, and not there yet."""
        return multiple(*(f"{before}{fresh()}" for _ in range(2)))

    @rule(target=sessions, user=users, contents=st.lists(texts, max_size=2))
    def talk(self, user: str, contents: list[str]) -> str:
        """A user begins a conversation, in a session of the user's own."""
        session = fresh()
        self.give_a_session(session, user)
        for content in contents:
            self.write(session, content)
        return session

    @rule(user=users, names=names, metadata=st.none() | metadata)
    def create(self, user: str, names: tuple[str, str, str], metadata: dict[str, Any] | None) -> None:
        """Once: the id stays taken until the user is deleted."""
        body = {"user_id": user, "metadata": metadata, **dict(zip(NAMES, names, strict=True))}
        answer = self.zep.ask("POST", "user", body=body)
        assert answer.status_code == self.model.create_user(user, names, metadata)
        if answer.status_code == 201:
            self.is_record(user, answer.json())

    @rule(user=users)
    def look_up(self, user: str) -> None:
        """The record, as long as the user is not deleted."""
        answer = self.zep.ask("GET", "user", user)
        assert answer.status_code == (200 if self.model.user(user) else 404)
        if answer.status_code == 200:
            self.is_record(user, answer.json())

    @rule(user=users, names=names, metadata=st.none() | metadata)
    def change(self, user: str, names: tuple[str, str, str], metadata: dict[str, Any] | None) -> None:
        """What is given; the rest stays."""
        body = {"metadata": metadata, **dict(zip(NAMES, names, strict=True))}
        answer = self.zep.ask("PATCH", "user", user, body=body)
        assert answer.status_code == self.model.update_user(user, names, metadata)
        if answer.status_code == 200:
            self.is_record(user, answer.json())

    @rule(user=users)
    def delete(self, user: str) -> None:
        """With the user's sessions, and all that they hold."""
        owned = self.model.sessions_of(user)
        answer = self.zep.ask("DELETE", "user", user)
        assert answer.status_code == self.model.delete_user(user)
        self.sessions_are_listed(user)
        if answer.status_code == 200:
            assert not [one for one in owned if self.zep.everything(one)], "a deleted user's sessions have messages"

    @rule(session=sessions, user=users | st.none())
    def give_a_session(self, session: str, user: str | None) -> None:
        """To a user who is there, or to nobody."""
        answer = self.zep.ask("POST", "sessions", body={"session_id": session, "user_id": user})
        assert answer.status_code == self.model.create_session(session, user, None)

    @rule(session=sessions, content=texts)
    def write(self, session: str, content: str) -> None:
        """To a session, which is made or revived."""
        body = {"messages": [{"role": "human", "content": content}]}
        answer = self.zep.ask("POST", "sessions", session, "memory", body=body)
        assert answer.status_code == self.model.write(session, [WrittenMessage("human", content)])

    @rule(session=sessions)
    def delete_session(self, session: str) -> None:
        """Whosever it is; the user's others stay."""
        answer = self.zep.ask("DELETE", "sessions", session, "memory")
        assert answer.status_code == self.model.delete_session(session)

    @rule(user=users)
    def sessions_are_listed(self, user: str) -> None:
        """The user's, and nobody else's."""
        listed = self.zep.get("user", user, "sessions")
        assert [one["session_id"] for one in listed] == self.model.sessions_of(user)
        assert {one["user_id"] for one in listed} <= {user}

    @rule(limit=st.integers(0, 4), skip=st.integers(0, 3))
    def list_users(self, limit: int, skip: int) -> None:
        """Those of this example, in the order in which they were made, from any place on."""
        expected = list(self.model.users)
        cursor = self.before
        if skip:
            first = self.zep.get("user", limit=skip, cursor=self.before)
            cursor, expected = (first[-1]["id"], expected[skip:]) if first else (cursor, expected)
        listed = self.zep.get("user", limit=limit, cursor=cursor)
        assert [one["user_id"] for one in listed] == (expected[:limit] if limit else expected)

    def look_everywhere(self) -> None:
        """What was done to one user has done nothing to another."""
        for user in self.model.users:
            self.look_up(user)
            self.sessions_are_listed(user)
        for session in self.model.sessions:
            expected = [said.content for said in self.model.messages(session)]
            assert [one["content"] for one in self.zep.everything(session)] == expected

    def is_record(self, user: str, record: dict[str, Any]) -> None:
        """The record is that of the user; what is empty is left out."""
        known = self.model.users[user]
        assert (record["user_id"], record["deleted_at"]) == (user, None)
        assert tuple(record.get(name, "") for name in NAMES) == known.names
        assert canonical(record.get("metadata") or {}) == canonical(known.metadata or {})


def test_users_are_as_the_model_has_them(zep: Asked) -> None:
    holds(lambda: Owners(zep))


@pytest.mark.parametrize(
    "mutation",
    [
        "user-sessions-unlisted",
        "user-sessions-newest-only",
        "user-sessions-of-all",
        "user-deletion-keeps-sessions",
        "user-deletion-keeps-memory",
        "user-deletion-takes-all",
    ],
)
def test_the_machine_finds_a_mutation(tmp_path: Path, mutation: str) -> None:
    with broken(tmp_path, ["zep"], {"zep": [mutation]}) as fleet, asking(fleet) as asked:
        finds(lambda: Owners(asked))


def test_what_it_finds_is_shrunk(tmp_path: Path) -> None:
    with broken(tmp_path, ["zep"], {"zep": ["user-sessions-unlisted"]}) as fleet, asking(fleet) as asked:
        lines = shrunk(lambda: Owners(asked))
    steps = [line for line in lines if "state." in line]
    assert 3 <= len(steps) <= 6, lines  # think of users and sessions, give one to a user, list them
