"""What must hold when many do things at the same time. Each check raises AssertionError where it does not."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tests.support.chatting import MakeBot
from tests.support.zep_asked import SOON, Asked, fresh
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.waiting import eventually

T = TypeVar("T")
CROWD = 8
"""How many do something at the same time."""
TURNS = 8
"""How often each does it."""


def together(actions: Sequence[Callable[[], T]]) -> list[T]:
    """Do all of them at the same time, each in a thread; returns what they return. Raises what one of them raises."""
    begin = threading.Barrier(len(actions))

    def act(action: Callable[[], T]) -> T:
        begin.wait(SOON)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def lines(who: int, turns: int = TURNS) -> list[list[str]]:
    """What one writer writes: posts of two messages each."""
    return [[f"{who}: {turn} first", f"{who}: {turn} second"] for turn in range(turns)]


def writing(zep: Asked, session: str, posts: Iterable[Iterable[str]]) -> None:
    """Write posts, one after the other. Raises AssertionError when one is not taken."""
    for post in posts:
        body = {"messages": [{"role": "human", "content": text} for text in post]}
        answer = zep.ask("POST", "sessions", session, "memory", body=body)
        assert answer.status_code == 200, f"a write is answered {answer.status_code} {answer.text!r}"


def held(zep: Asked, session: str) -> list[str]:
    """What a session holds, the oldest first."""
    return [one["content"] for one in zep.everything(session)]


def each_once(expected: Iterable[str], came: Iterable[str]) -> None:
    """Nothing is lost, doubled, or another's."""
    wanted, found = Counter(expected), Counter(came)
    assert found == wanted, f"missing {list((wanted - found).elements())}, too many {list((found - wanted).elements())}"


# -- Zep --------------------------------------------------------------------------------------------------------------


def many_write_to_one_session(zep: Asked) -> None:
    """Every post is kept once and whole, each writer's in order, and so it looks to whoever reads meanwhile."""
    session = fresh()
    written = [lines(who) for who in range(CROWD)]
    done = threading.Event()

    def write(posts: list[list[str]]) -> None:
        writing(zep, session, posts)

    def read() -> None:
        while not done.is_set():
            page = zep.get("sessions", session, "messages")
            assert page["row_count"] == page["total_count"] == len(page["messages"])
            assert page["row_count"] % 2 == 0, "half a post is shown"

    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read)
        try:
            together([lambda posts=posts: write(posts) for posts in written])
        finally:
            done.set()
        reading.result()
    came = held(zep, session)
    each_once([text for posts in written for post in posts for text in post], came)
    pairs = list(zip(came[::2], came[1::2], strict=True))
    for posts in written:
        own = [list(pair) for pair in pairs if pair[0] in {post[0] for post in posts}]
        assert own == posts, "a writer's posts are torn, or out of order"


def many_write_to_their_sessions(zep: Asked) -> None:
    """Each session holds what its writer wrote."""
    sessions = {f"{fresh()}of {who}": lines(who) for who in range(CROWD)}
    together([lambda one=one, posts=posts: writing(zep, one, posts) for one, posts in sessions.items()])
    for session, posts in sessions.items():
        assert held(zep, session) == [text for post in posts for text in post], f"the session {session}"


def some_write_while_one_clears(zep: Asked) -> None:
    """What is left of each writer is the last of what it wrote; of another session everything; nothing comes back."""
    session, other = fresh(), fresh()
    written = [lines(who) for who in range(3)]
    kept = lines(99)

    def clear() -> None:
        for _ in range(TURNS):
            assert zep.ask("DELETE", "sessions", session, "memory").status_code in (200, 404)

    actions = [lambda posts=posts: writing(zep, session, posts) for posts in written]
    together([*actions, lambda: writing(zep, other, kept), clear])
    came = held(zep, session)
    for posts in written:
        texts = [text for post in posts for text in post]
        own = [text for text in came if text in texts]
        assert own == texts[len(texts) - len(own) :], "an older message outlived a newer one"
    assert held(zep, other) == [text for post in kept for text in post], "the clearing took another session's messages"
    zep.ask("DELETE", "sessions", session, "memory")
    assert held(zep, session) == []
    writing(zep, session, [["the only one"]])
    assert held(zep, session) == ["the only one"], "what was cleared has come back"
    zep.settled(session, 1)
    found = [one["message"]["content"] for one in zep.search(session, 100, text=written[0][0][0])]
    assert found == ["the only one"], "what was cleared is found again"


def all_make_the_same(zep: Asked) -> None:
    """Of many who make the same user or session one does; so with deleting it."""
    ident = fresh()
    for kind in ("user", "sessions"):
        body = {f"{kind.removesuffix('s')}_id": ident}
        if kind == "sessions":
            body = {"session_id": ident}
        answers = together([lambda kind=kind, body=body: zep.ask("POST", kind, body=body)] * CROWD)
        assert sorted(one.status_code for one in answers) == [201] + [400] * (CROWD - 1)
    for path in (("user", ident), ("sessions", ident, "memory")):
        answers = together([lambda path=path: zep.ask("DELETE", *path)] * CROWD)
        assert sorted(one.status_code for one in answers) == [200] + [404] * (CROWD - 1)


def all_change_the_same(zep: Asked) -> None:
    """Each adds a key of its own to the metadata of one session, message and user; in the end all are there.

    Meanwhile Zep adds what it finds out about the message.
    """
    ident = fresh()
    zep.ask("POST", "user", body={"user_id": ident})
    writing(zep, ident, [["Alice lives in Paris"]])
    uuid = zep.everything(ident)[0]["uuid"]
    paths = (("user", ident), ("sessions", ident), ("sessions", ident, "messages", uuid))

    def change(who: int) -> None:
        for path, turn in itertools.product(paths, range(TURNS)):
            zep.ask("PATCH", *path, body={"metadata": {"nested": {f"{who}-{turn}": turn}}})

    together([lambda who=who: change(who) for who in range(CROWD)])
    expected = {f"{who}-{turn}": turn for who in range(CROWD) for turn in range(TURNS)}
    for path in paths:
        assert zep.get(*path)["metadata"]["nested"] == expected, f"a change of {path} is lost"

    def found_out() -> None:
        metadata = zep.get(*paths[-1])["metadata"]
        assert "entities" in metadata.get("system", {}), "what Zep found out is lost"
        assert metadata["nested"] == expected

    eventually(found_out, SOON)


def a_user_is_deleted_meanwhile(zep: Asked) -> None:
    """While many give a user sessions the user is deleted: none of them is left, and another user's are."""
    user, other = fresh(), fresh()
    for one in (user, other):
        zep.ask("POST", "user", body={"user_id": one})

    def give(owner: str, who: int) -> list[str]:
        given = []
        for turn in range(TURNS):
            session = f"{owner}{who}-{turn}"
            answer = zep.ask("POST", "sessions", body={"session_id": session, "user_id": owner})
            assert answer.status_code in ((201, 400) if owner == user else (201,))
            given += [session] if answer.status_code == 201 else []
        return given

    def delete() -> list[str]:
        eventually(lambda: _some(zep, user), SOON)
        assert zep.ask("DELETE", "user", user).status_code == 200
        return []

    givers = [lambda who=who: give(user, who) for who in range(CROWD - 2)]
    *given, kept, _ = together([*givers, lambda: give(other, 0), delete])
    assert zep.ask("GET", "user", user).status_code == 404
    assert zep.get("user", user, "sessions") == [], "sessions of a deleted user are left"
    left = [one for one in itertools.chain(*given) if zep.ask("GET", "sessions", one).status_code != 404]
    assert left == [], "sessions of a deleted user are left"
    assert sorted(one["session_id"] for one in zep.get("user", other, "sessions")) == sorted(kept)


def _some(zep: Asked, user: str) -> None:
    assert zep.get("user", user, "sessions"), "the user has no session yet"


# -- LangFlux ---------------------------------------------------------------------------------------------------------

Talk = tuple[Asked, LangFlux, MakeBot]


def _listed(langflux: LangFlux, bot: str, **query: str) -> list[tuple[str, str]]:
    return [(one.role, one.content) for one in langflux.chat_messages(bot, **query)]


def many_talk_under_their_sessions(talk: Talk) -> None:
    """Each is remembered by name, and by nothing that another said."""
    zep, langflux, make = talk
    bot = make("").chatflow
    sessions = {f"{fresh()}{name}": name for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Fay")}

    def tell(session: str, name: str) -> list[tuple[str, str]]:
        said: list[tuple[str, str]] = []
        for question in (f"my name is {name}", "What is my name?", "How are you?", "What is my name?"):
            answer = langflux.ask(bot, question, session=session).text
            assert answer == (f"Your name is {name}." if "What" in question else f"Noted: {question}")
            said += [("human", question), ("ai", answer)]
        return said

    told = together([lambda one=one: tell(*one) for one in sessions.items()])
    for session, said in zip(sessions, told, strict=True):
        assert [(one["role"], one["content"]) for one in zep.everything(session)] == said
        assert [text for _, text in _listed(langflux, bot, sessionId=session)] == [text for _, text in said]


def many_talk_in_one_session(talk: Talk) -> None:
    """Every turn is remembered once and whole, each one's in order, and listed so."""
    zep, langflux, make = talk
    bot, session = make("").chatflow, fresh()
    asked = [[f"{who} says {turn}" for turn in range(4)] for who in range(6)]

    def tell(questions: list[str]) -> None:
        for question in questions:
            assert langflux.ask(bot, question, session=session).text == f"Noted: {question}"

    together([lambda questions=questions: tell(questions) for questions in asked])
    everything: list[Any] = list(itertools.chain(*asked))
    came = [(one["role"], one["content"]) for one in zep.everything(session)]
    turns = list(zip(came[::2], came[1::2], strict=True))
    each_once(everything, [human[1] for human, _ in turns])
    assert all(human[0] == "human" and ai == ("ai", f"Noted: {human[1]}") for human, ai in turns), "a turn is torn"
    listed = _listed(langflux, bot, sessionId=session)
    each_once(everything, [text for role, text in listed if role == "userMessage"])
    each_once([f"Noted: {one}" for one in everything], [text for role, text in listed if role == "apiMessage"])
    for questions in asked:
        assert [human[1] for human, _ in turns if human[1] in questions] == questions
        assert [text for _, text in listed if text in questions] == questions


def many_talk_without_ids(talk: Talk) -> None:
    """Each turn is a conversation of its own."""
    zep, langflux, make = talk
    bot = make("").chatflow
    answers = together([lambda: langflux.ask(bot, "my name is Ada")] * CROWD)
    assert len({one.session_id for one in answers}) == CROWD
    for one in answers:
        assert [said["content"] for said in zep.everything(one.session_id)] == ["my name is Ada", one.text]
        assert len(_listed(langflux, bot, chatId=one.chat_id)) == 2


def some_talk_while_one_clears(talk: Talk) -> None:
    """Clearing one conversation, over and over, takes nothing from another."""
    zep, langflux, make = talk
    bot, cleared = make("").chatflow, fresh()
    sessions = [fresh() for _ in range(3)]

    def tell(session: str) -> None:
        for turn in range(4):
            langflux.ask(bot, f"turn {turn}", session=session)

    def clear() -> None:
        for _ in range(4):
            langflux.ask(bot, "my name is Ada", session=cleared)
            langflux.clear(bot, sessionId=cleared)
            assert langflux.ask(bot, "What is my name?", session=cleared).text == "I don't know your name."

    together([*(lambda session=session: tell(session) for session in sessions), clear])
    for session in sessions:
        expected = [text for turn in range(4) for text in (f"turn {turn}", f"Noted: turn {turn}")]
        assert held(zep, session) == expected
        assert [text for _, text in _listed(langflux, bot, sessionId=session)] == expected
