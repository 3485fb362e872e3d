"""Steps of neighbours.feature: what is cleared or deleted, and all that lies around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from fixtures.chats import Chat, Chats
from fixtures.cleanup import Cleanup
from fixtures.conversations import Conversation, Conversations, texts
from fixtures.neighbours import Neighbours
from fixtures.people import People, SessionIds
from fixtures.texts import difference
from fixtures.words import given, then, when
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.langflux import ROLES
from zep_conformance.clients.zep import NewMessage, Zep

Table = list[list[str]]
"""A table of a step: its first row is its heading."""
METADATA = {"kept": {"as": ["it", "was"]}}


@dataclass
class Scene:
    """What a scenario clears or deletes. written: the sessions around it, so that they can be waited for."""

    session: str = ""
    user: str = ""
    text: str = ""
    written: list[str] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)


@pytest.fixture
def scene() -> Scene:
    """Return the scene, in which there is nothing yet."""
    return Scene()


class Makers:
    """Makes the sessions and users of a scene in the Zep under test; all are removed with the run."""

    def __init__(self, zep: Zep, cleanup: Cleanup, scene: Scene) -> None:
        self._zep, self._cleanup, self._scene = zep, cleanup, scene

    def session(self, session: str, user: str | None = None) -> str:
        """Make a session with a record and a turn in it, and return its id."""
        zep, text = self._zep, self._scene.text
        zep.add_session(self._cleanup.session(zep, session), user, METADATA)
        zep.write(session, [NewMessage("human", text), NewMessage("ai", f"Noted: {text}")])
        self._scene.written.append(session)
        return session

    def user(self, user: str) -> str:
        """Make a user with a record, and return its id."""
        body = {"user_id": self._cleanup.user(self._zep, user), "first_name": "Alice", "metadata": METADATA}
        answer = self._zep.wire.post("/api/v1/user", json=body)
        assert answer.status_code == 201, f"making a user is answered {answer.status_code} {answer.text[:200]!r}"
        return user


@pytest.fixture
def makers(zep: Zep, cleanup: Cleanup, scene: Scene, people: People) -> Makers:
    """Return what makes the sessions and users of this scenario."""
    scene.text = people.in_text("Hi, my name is Alice and I am on my way to Lisbon")
    return Makers(zep, cleanup, scene)


@given("a session of the user Alice, and these around it with the same text:")
def sessions_around(
    datatable: Table,
    makers: Makers,
    scene: Scene,
    people: People,
    session_ids: SessionIds,
    zep: Zep,
    enrichment: EnrichmentWait,
    neighbours: Neighbours,
) -> None:
    """Make them in the order of the table, but for the session itself, which comes after those of before it."""
    scene.session = session_ids.new(people["Alice"].user_id)
    scene.user = makers.user(session_ids.new("user"))
    own = scene.session
    made: dict[str, Callable[[], str]] = {
        "written to before it": lambda: makers.session(session_ids.new("before")),
        "written to after it": lambda: makers.session(session_ids.new("after")),
        "of the same user": lambda: makers.session(session_ids.new("same-user"), scene.user),
        "with a longer id": lambda: makers.session(f"{own}0"),
        "with a shorter id": lambda: makers.session(own[:-1]),
        "with its id in capitals": lambda: makers.session(own.upper()),
        "cleared before it": lambda: makers.session(session_ids.new("cleared")),
    }
    kinds = [kind for (kind,) in datatable[1:]]
    kinds.sort(key=lambda kind: "before" not in kind)
    for kind in kinds:
        if "before" not in kind and own not in scene.written:
            makers.session(own, scene.user)
        session = made[kind]()
        if kind == "cleared before it":
            enrichment.settle(zep, session)
            zep.clear(session)
            scene.written.remove(session)
        neighbours.session(f"the session {kind}", zep, session, scene.text)
    neighbours.user("its user", zep, scene.user, but=scene.session)


@given("a user with a session, and these around her with the same text:")
def users_around(
    datatable: Table, makers: Makers, scene: Scene, session_ids: SessionIds, zep: Zep, neighbours: Neighbours
) -> None:
    """Make them in the order of the table, but for the user, who comes after the first."""
    scene.user = own = session_ids.new("user")
    users = {
        "a user who was there before": session_ids.new("before"),
        "a user who came after": session_ids.new("after"),
        "a user with a longer id": f"{own}0",
        "a user with a shorter id": own[:-1],
        "a user with her id in capitals": own.upper(),
    }
    sessions = {"a session of nobody under her id": own, "a session of nobody that begins so": f"{own}-1"}
    for number, (kind,) in enumerate(datatable[1:]):
        if number == 1:
            scene.session = makers.session(session_ids.new("hers"), makers.user(own))
        owner = makers.user(users[kind]) if kind in users else None
        session = makers.session(session_ids.new("theirs") if owner else sessions[kind], owner)
        neighbours.session(f"the session of {kind}" if owner else kind, zep, session, scene.text)
        if owner:
            neighbours.user(kind, zep, owner)


@given("all of it has been enriched")
def scene_enriched(scene: Scene, zep: Zep, enrichment: EnrichmentWait) -> None:
    """Wait until nothing changes by itself any more, and what is cleared delays nobody (DEV-1).

    Zep works through its queue in order: what was written last is enriched last.
    """
    enrichment.settle(zep, scene.written[-1])


@when("the session of Alice is cleared among them, and written to again", target_fixture="conversation")
def clear_among(scene: Scene, zep: Zep, neighbours: Neighbours, conversations: Conversations) -> Conversation:
    """Look at everything, clear the session, and return what is written to it then."""
    neighbours.look()
    zep.clear(scene.session)
    anew = conversations.under(scene.session)
    anew.write(NewMessage("human", "Hello again"))
    return anew


@then("it begins anew")
def begins_anew(conversation: Conversation) -> None:
    """Check that nothing of before has come back."""
    assert texts(conversation.messages()) == conversation.texts, "the cleared session does not begin anew"


@when("that user is deleted")
def delete_among(scene: Scene, zep: Zep, neighbours: Neighbours) -> None:
    """Look at everything, and delete the user."""
    neighbours.look()
    zep.delete_user(scene.user)


@when("another session with the same text is cleared")
def clear_twin(
    conversation: Conversation,
    conversations: Conversations,
    neighbours: Neighbours,
    zep: Zep,
    enrichment: EnrichmentWait,
) -> None:
    """Write the beginning to a session whose id begins alike, wait for it, look at the first one, clear the other."""
    twin = conversations.under(f"{conversation.session}0")
    twin.write(*conversation.written[:2])
    enrichment.settle(zep, twin.session)
    neighbours.session("the session with a summary", zep, conversation.session, conversation.written[0].content)
    neighbours.look()
    zep.clear(twin.session)


@then("everything else is as it was")
def as_it_was(neighbours: Neighbours) -> None:
    """Check every answer against the one of before."""
    changes = neighbours.changes()
    assert not changes, "what was not meant has changed:\n" + "\n".join(changes)


# -- chats ----------------------------------------------------------------------------------------------------


@given("three chats with a chatbot, and these around them with the same text:")
def chats_around(
    datatable: Table,
    chats: Chats,
    scene: Scene,
    people: People,
    session_ids: SessionIds,
    neighbours: Neighbours,
    zep_if_given: Zep | None,
) -> None:
    """Have one turn in each; they have ids like the first's, the chat of the second, and the session of the third."""
    text = scene.text = people.in_text("Hi, my name is Alice and I am on my way to Lisbon")
    chatflow = chats.chatflows.plain
    ids = [(session_ids.new(f"Session{number}"), session_ids.new(f"Chat{number}")) for number in range(3)]
    session, chat = ids[0]
    around = {
        "with longer ids": (f"{session}0", f"{chat}0"),
        "with shorter ids": (session[:-1], chat[:-1]),
        "with its ids in capitals": (session.upper(), chat.upper()),
        "under another session in the same chat": (session_ids.new("another"), ids[1][1]),
        "under the same session in another chat": (ids[2][0], session_ids.new("another")),
    }
    scene.chats = [Chat(chatflow, session=session, chat=chat) for session, chat in ids]
    for one in scene.chats[:2]:
        chats.say(one, text)
    for (kind,) in datatable[1:]:
        other = Chat(chatflow, session=around[kind][0], chat=around[kind][1])
        chats.say(other, text)
        neighbours.chat_messages(kind, chats.langflux, chatflow, session=around[kind][0], chat=around[kind][1])
        # What is remembered of a session that is cleared goes, whichever chat it was in.
        if zep_if_given is not None and "same session" not in kind:
            neighbours.session(f"the session of the chat {kind}", zep_if_given, other.own_session, text)
        scene.written.append(other.own_session)
    chats.say(scene.chats[2], text)
    scene.written += [one.own_session for one in scene.chats]


@when("the first is cleared by chat id, the second by session id, the third by both, and they are gone on with")
def clear_three(chats: Chats, scene: Scene, neighbours: Neighbours) -> None:
    """Wait until everything is enriched (DEV-1), look at it, clear the three, and say something in each."""
    chats.settle(scene.written[-1])
    neighbours.look()
    first, second, third = scene.chats
    clear = chats.langflux.clear
    clear(first.chatflow, chatId=first.last.chat_id)
    clear(second.chatflow, sessionId=second.own_session)
    both = {"chatId": third.last.chat_id, "sessionId": third.own_session}
    clear(third.chatflow, memoryType=third.last.memory_type, **both)
    for chat in scene.chats:
        chats.say(chat, "Hello again")


@then("the lists of the three begin anew")
def lists_begin_anew(chats: Chats, scene: Scene) -> None:
    """Check that each, by session and chat, has what was said afterwards, and nothing else."""
    for number, chat in enumerate(scene.chats, start=1):
        listed = chats.langflux.chat_messages(chat.chatflow, sessionId=chat.own_session, chatId=chat.last.chat_id)
        wrong = difference(chat.turns[-2:], [(ROLES.get(one.role, one.role), one.content) for one in listed])
        assert not wrong, f"the list of chat {number} does not begin anew: {wrong}"
