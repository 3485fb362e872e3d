"""Steps of upgrade.feature: what was there in one version, and what is there in another on the same store."""

from __future__ import annotations

from typing import Any

from faker import Faker

from fixtures.conversations import Conversation
from fixtures.upgrade import Kept, KeptChat, Upgraded, Used, as_before
from fixtures.words import given, then, when
from zep_conformance.clients.refusals import wrong_tokens
from zep_conformance.clients.tokens import make_token
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import NewMessage
from zep_conformance.errors import needed
from zep_conformance.facts.servers import memory_path, session_path, user_path
from zep_conformance.settings import Settings
from zep_conformance.targets import AFTER, BEFORE, Deployment

QUESTION = "What is my name?"


@given("people have used the deployment, and everything is enriched", target_fixture="used")
def have_used(upgraded: Upgraded) -> Used:
    """Return what they have left: users, sessions with metadata, chats, some summarised, some cleared or deleted."""
    return upgraded.used


@when("Zep is stopped, and another version of it is started on the same store")
def upgrade_zep(upgraded: Upgraded) -> None:
    """Upgrade Zep, unless a scenario before this one has."""
    upgraded.become("zep", AFTER)


@when("the secured Zep is stopped, and another version of it is started on the same store")
def upgrade_secured(upgraded: Upgraded) -> None:
    """Upgrade the secured Zep, with the same secret."""
    upgraded.become("zep-secured", AFTER)


@when("LangFlux is stopped, and another version of it is started on the same folder")
def upgrade_langflux(upgraded: Upgraded) -> None:
    """Upgrade LangFlux, whatever version Zep is."""
    upgraded.become("langflux", AFTER)


# -- messages, records, summaries -----------------------------------------------------------------------------


@then("each session has the messages that it had, to the letter and in order")
def messages_are_kept(used: Used) -> None:
    """Compare every field that the version before had of each message."""
    for kept in used.sessions:
        now = kept.read_messages()
        assert as_before(kept.messages, now) == kept.messages, f"messages of {kept.conversation.session} differ"


@then("each memory is what it was")
def memories_are_kept(used: Used) -> None:
    """Compare the newest messages that a memory has; its summary is asked for elsewhere."""
    for kept in used.sessions:
        now = kept.read_memory()["messages"]
        before = kept.memory["messages"]
        assert as_before(before, now) == before, f"the memory of {kept.conversation.session} differs"


@then("each session and each user has the record that it had")
def records_are_kept(upgraded: Upgraded, used: Used) -> None:
    """Compare every field that the version before had of each record."""
    for kept in used.sessions:
        now = kept.read_record()
        assert as_before(kept.record, now) == kept.record, f"the record of {kept.conversation.session} differs"
    for user, before in used.users.items():
        now = upgraded.user(user)
        assert as_before(before, now) == before, f"the record of the user {user} differs"


@then("each user has the sessions that were the user's own")
def sessions_are_owned(upgraded: Upgraded, used: Used) -> None:
    """Check the list of each user's sessions."""
    for user, sessions in used.owned.items():
        now = upgraded.zep.sessions_of(user)
        assert now == sessions, f"the sessions of {user} are {now}"


@then("the cleared session has no memory and no messages, and nothing is found in it")
def cleared_is_empty(upgraded: Upgraded, used: Used) -> None:
    """Check what Zep says of a session that was cleared before the upgrade."""
    _check_empty(upgraded, used.cleared, "a session that was cleared")


@then("the deleted user is not there, nor is the session of that user")
def deleted_is_gone(upgraded: Upgraded, used: Used) -> None:
    """Check that the user's id and the session's lead to nothing."""
    user, session = used.deleted
    for what, path in (("a user who was deleted", user_path(user)), ("the session of one", session_path(session))):
        answer = upgraded.zep.wire.get(path)
        assert answer.status_code == 404, f"{what} is there again: {answer.status_code} {answer.text[:200]!r}"
    _check_empty(upgraded, session, "the session of a deleted user")


def _check_empty(upgraded: Upgraded, session: str, what: str) -> None:
    memory = upgraded.zep.wire.get(memory_path(session))
    shown = memory.json().get("messages") if memory.status_code == 200 else []
    assert not shown, f"{what} has its memory again: {shown}"
    listed = upgraded.zep.wire.get(f"{session_path(session)}/messages?limit=100&cursor=1")
    found = listed.json().get("messages") if listed.status_code == 200 else []
    assert not found, f"{what} has its messages again: {found}"
    results = [one.message for one in upgraded.zep.search(session, "Where does Mirabel Quist live?")]
    assert not results, f"in {what} this is found: {results}"


@then("each summary is what it was")
def summaries_are_kept(used: Used) -> None:
    """Compare every field that the version before had of each summary, and that there was one."""
    for kept in used.sessions:
        before, now = kept.memory.get("summary"), kept.read_memory().get("summary")
        assert as_before(before, now) == before, f"the summary of {kept.conversation.session} differs"
    assert used.sessions[0].memory["summary"]["content"], "there was no summary before"


@then("when a summarised conversation goes on, the next summary says who it is about")
def next_summary_builds(used: Used, faker: Faker, settings: Settings) -> None:
    """Write what brings the next summary, and check that it has the name that only the first message said."""
    going_on = needed(used.going_on, "a conversation")
    before = going_on.read_memory()["summary"]
    going_on.conversation.go_on(faker, settings.message_window)

    def summarised() -> dict[str, Any]:
        found: dict[str, Any] = going_on.read_memory()["summary"]
        assert found["uuid"] != before["uuid"], "no next summary has come"
        return found

    content = eventually(summarised, settings.wait_limit)["content"]
    name = used.people["Carol"].name
    assert name in content, f"the next summary does not build on the one before: {name} is not in {content!r}"


# -- searching ------------------------------------------------------------------------------------------------


@then("each message is found by its text in its own session, and nothing of anybody else")
def messages_are_found(used: Used) -> None:
    """Search each session for the first and the last of its messages."""
    for kept in used.sessions:
        own = {content for _, content in kept.conversation.texts}
        for wanted in (kept.conversation.written[0], kept.conversation.written[-1]):
            results = kept.conversation.zep.search(kept.conversation.session, wanted.content, limit=5)
            found = [str((one.message or {}).get("content")) for one in results]
            assert found[:1] == [wanted.content], (
                f"{wanted.content!r} is not the first that is found by its own text: {_as_found(results)}"
            )
            assert set(found) <= own, f"what is found is of another session: {set(found) - own}"


def _as_found(results: list[Any]) -> str:
    """Return what was found, in words: Zep 0.27.2 answers with anything where the embeddings are gone."""
    if results and all(not one.dist for one in results):
        return f"all {len(results)} that are have a distance of 0, as where embeddings are gone"
    return ", ".join(repr((one.message or {}).get("content")) for one in results) or "nothing is"


@then("what is written now is found as well")
def new_is_found(upgraded: Upgraded, settings: Settings) -> None:
    """Write to a new session, and wait until that is found."""
    conversation = upgraded.new("later")
    message = NewMessage("human", "After the upgrade the lighthouse keeper ordered marmalade")
    conversation.write(message)

    def found() -> None:
        is_found = conversation.zep.is_embedded(conversation.session, message.content)
        assert is_found, "what is written after the upgrade is never found: does the width of the embeddings fit?"

    eventually(found, settings.wait_limit)


# -- tokens ---------------------------------------------------------------------------------------------------


@then("the token from before reads what was written with it")
def token_is_good(used: Used) -> None:
    """Read the session of the secured Zep with the token that it was written with."""
    kept = needed(used.secured, "a session of a secured Zep")
    now = kept.read_messages()
    assert as_before(kept.messages, now) == kept.messages, "what was written with a token differs"


@then("without a token, or with one made with another secret, nobody is let in")
def nobody_else(upgraded: Upgraded, used: Used, deployment: Deployment) -> None:
    """Check that each is refused by 401."""
    zep, kept = needed(upgraded.secured, "a secured Zep"), needed(used.secured, "a session of it")
    path = memory_path(kept.conversation.session)
    answer = zep.stranger.get(path)
    assert answer.status_code == 401, f"without a token a memory is answered {answer.status_code}"
    secret = needed(deployment.secret, "Zep's secret")
    wrong = wrong_tokens(make_token(secret), secret)
    for name in ("one signed with another secret", "one signed with the published secret"):
        token = wrong[name]
        answer = zep.stranger.get(path, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401, f"with {name} a memory is answered {answer.status_code}"


# -- chats ----------------------------------------------------------------------------------------------------


@then("in each chat the chatbot still knows its own user's name, and nobody else's")
def chats_go_on(upgraded: Upgraded, used: Used) -> None:
    """Ask in each chat who is talking."""
    for chat in used.chats:
        answer = _ask(upgraded, chat)
        assert chat.person.name in answer, f"the chatbot has forgotten {chat.person.name}: {answer!r}"
        for other in used.people.values():
            assert other == chat.person or other.name not in answer, f"the chatbot tells of {other.name}: {answer!r}"


@then("in the cleared chat it knows no name")
def forgotten_stays(upgraded: Upgraded, used: Used) -> None:
    """Ask under the session id of the chat that was cleared."""
    answer = _ask(upgraded, needed(used.forgotten, "a cleared chat"))
    told = [person.name for person in used.people.values() if person.name in answer]
    assert not told, f"the cleared chat is remembered: {answer!r}"


@then("in the chat before the secured Zep the chatbot still knows its user's name")
def secured_chat_goes_on(upgraded: Upgraded, used: Used) -> None:
    """Ask in the chat whose chatflow has a credential for Zep."""
    chat = needed(used.secured_chat, "a chat before a secured Zep")
    answer = _ask(upgraded, chat)
    assert chat.person.name in answer, f"the chatbot has forgotten {chat.person.name}: {answer!r}"


def _ask(upgraded: Upgraded, chat: KeptChat) -> str:
    langflux = needed(upgraded.langflux, "a LangFlux")
    answer = langflux.predict(chat.chatflow, QUESTION, session=chat.session)
    assert answer.status_code == 200, f"a prediction is answered {answer.status_code} {answer.text[:300]!r}"
    return str(answer.json().get("text"))


# -- LangFlux -------------------------------------------------------------------------------------------------


@then("the API key from before is still let in")
def key_is_good(upgraded: Upgraded) -> None:
    """List the credentials with it."""
    answer = upgraded.langflux_before.wire.get("/api/v1/credentials")
    assert answer.status_code == 200, f"with the API key from before LangFlux answers {answer.status_code}"


@then("each chatflow has the nodes and settings that it had")
def flows_are_kept(upgraded: Upgraded, used: Used) -> None:
    """Compare each flow as it is stored."""
    langflux = needed(upgraded.langflux, "a LangFlux")
    for chatflow, before in used.flows.items():
        answer = langflux.wire.get(f"/api/v1/chatflows/{chatflow}")
        assert answer.status_code == 200, f"a chatflow is answered {answer.status_code} {answer.text[:200]!r}"
        assert langflux.flow(chatflow) == before, "a chatflow differs"


@then("each credential is listed as it was")
def credentials_are_kept(upgraded: Upgraded, used: Used) -> None:
    """Compare those of this run by their ids."""
    now = {one["id"]: one for one in upgraded.credentials()}
    before = {one["id"]: one for one in used.credentials}
    assert as_before(before, now) == before, "the credentials that are listed differ"


@then("each chat message is listed as it was")
def chat_messages_are_kept(upgraded: Upgraded, used: Used) -> None:
    """Compare what is listed of each chat; what was said since comes after it."""
    for chat in used.chats:
        now = upgraded.listed(chat)[: len(chat.listed)]
        assert as_before(chat.listed, now) == chat.listed, "the chat messages that are listed differ"


# -- and back -------------------------------------------------------------------------------------------------


@when(
    "a conversation is written to that version, and Zep is started as the version before again",
    target_fixture="meanwhile",
)
def go_back(upgraded: Upgraded, faker: Faker) -> Conversation:
    """Write to a session that the version before does not know, bring it to rest, and go back."""
    conversation = upgraded.new("meanwhile")
    conversation.go_on(faker, 3)
    upgraded.settle(conversation)
    upgraded.become("zep", BEFORE)
    return conversation


def _texts(conversation: Conversation) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in Kept(conversation).read_messages()]


@then("the conversation that was written meanwhile is there")
def meanwhile_is_kept(meanwhile: Conversation) -> None:
    """Check its messages and that more can be written to it."""
    assert _texts(meanwhile) == meanwhile.texts, "what the other version has stored is not there"
    meanwhile.write(NewMessage("human", "And back again"))
    assert _texts(meanwhile) == meanwhile.texts, "what is written after the way back is not there"
