"""Steps of authentication.feature: tokens and routes of a secured Zep, and LangFlux's credential for it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from pytest_bdd import given, parsers, then, when

from fixtures.chatflows import Chatflows
from fixtures.chats import Chat, Chats
from fixtures.cleanup import Cleanup
from fixtures.conversations import Conversation
from fixtures.people import People, SessionIds
from fixtures.refusals import Untold
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.tokens import make_secret
from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.facts.servers import PUBLISHED_SECRET, memory_path
from zep_conformance.session.run import Run
from zep_conformance.targets import Deployment

HOUR = 3600
"""Seconds."""


def make_token(secret: str, claims: dict[str, Any] | None = None, algorithm: str = "HS256") -> str:
    """Return a token as `zepcli -i` makes it, HS256 over no claims; by PyJWT, which is nobody's code here."""
    return jwt.encode(claims or {}, secret, algorithm=algorithm)


def bad_token(wrong: str, secret: str) -> str:
    """Return a token that Zep must refuse. secret: Zep's own."""
    now = int(time.time())
    header, payload, signature = make_token(secret).split(".")
    changed = base64.urlsafe_b64encode(json.dumps({"admin": True}).encode()).rstrip(b"=").decode()
    makers: dict[str, Callable[[], str]] = {
        "garbage": lambda: "not.a.token",
        "expired": lambda: make_token(secret, {"exp": now - HOUR}),
        "not valid yet": lambda: make_token(secret, {"nbf": now + HOUR}),
        "unsigned": lambda: jwt.encode({}, "", algorithm="none"),
        "without its signature": lambda: f"{header}.{payload}.",
        "changed after signing": lambda: f"{header}.{changed}.{signature}",
        "signed with another secret": lambda: make_token(make_secret()),
        "signed with the decoded secret": lambda: jwt.encode({}, base64.urlsafe_b64decode(secret + "=="), "HS256"),
        "signed with HS384": lambda: make_token(secret, algorithm="HS384"),
        "signed with HS512": lambda: make_token(secret, algorithm="HS512"),
    }
    return makers[wrong]()


@pytest.fixture
def secret(deployment: Deployment) -> str:
    """Return what the secured Zep checks tokens with; a scenario that needs `secret` is promised it."""
    return needed(deployment.secret, "the secret")


@pytest.fixture
def refused(secured_zep: Zep, session_ids: SessionIds, cleanup: Cleanup) -> Conversation:
    """Return a conversation that a stranger tries to write to."""
    return Conversation(secured_zep, cleanup.session(secured_zep, session_ids.new("stranger")))


def ask_with(secured_zep: Zep, token: str, session: str = "zep-conformance-probe") -> httpx.Response:
    """Return the answer to reading a session's memory with some token."""
    return secured_zep.stranger.get(memory_path(session), headers={"authorization": f"Bearer {token}"})


@given("a token over no claims, made with Zep's secret as text", target_fixture="token")
def token_from_secret(run: Run, secret: str) -> str:
    """Return a token that PyJWT makes as zepcli does."""
    made = make_token(secret)
    run.redactor.hide(made)
    return made


@then("Zep accepts the token")
def token_accepted(secured_zep: Zep, token: str) -> None:
    """Check that reading works."""
    answer = ask_with(secured_zep, token)
    assert answer.status_code == 200, f"the token is answered {answer.status_code} {answer.text!r}"


@then("Zep refuses the secret itself as a token")
def secret_refused(secured_zep: Zep, secret: str) -> None:
    """Check that reading is refused when somebody has pasted the secret by mistake."""
    answer = ask_with(secured_zep, secret)
    assert answer.status_code == 401, f"the secret as a token is answered {answer.status_code} {answer.text!r}"


@when(parsers.parse("Zep is asked with a token that is {wrong}"), target_fixture="answer")
def ask_with_bad_token(run: Run, secured_zep: Zep, secret: str, wrong: str) -> httpx.Response:
    """Return the answer to reading with a token that is not good."""
    token = bad_token(wrong, secret)
    run.redactor.hide(token)
    return ask_with(secured_zep, token)


@when("Zep is asked with a token that anybody can make, since that secret is published", target_fixture="answer")
def ask_with_published_secret(run: Run, secured_zep: Zep) -> httpx.Response:
    """Return the answer to a token over the secret that Zep 0.27.2 comes with, and takes if it is given none."""
    token = make_token(PUBLISHED_SECRET)
    run.redactor.hide(token)
    return ask_with(secured_zep, token)


@when(parsers.re(r"(?P<method>[A-Z]+) (?P<path>/\S+) is asked for without a token"), target_fixture="answer")
def ask_without_token(secured_zep: Zep, session_ids: SessionIds, method: str, path: str) -> httpx.Response:
    """Return the answer that somebody gets who was given none."""
    return _route(secured_zep.stranger, session_ids, method, path)


@when(parsers.re(r"(?P<method>[A-Z]+) (?P<path>/\S+) is asked for with the right token"), target_fixture="answer")
def ask_with_token(secured_zep: Zep, session_ids: SessionIds, method: str, path: str) -> httpx.Response:
    """Return the answer with the token. The body holds nothing that could be created."""
    return _route(secured_zep.wire, session_ids, method, path)


def _route(client: httpx.Client, session_ids: SessionIds, method: str, path: str) -> httpx.Response:
    """Return the answer of a route with an id that nobody uses, and a body that every route refuses."""
    # A list where an object belongs: with a token it is a 4xx, so that asking makes nothing.
    body: Any = [] if method in ("POST", "PATCH") else None
    return client.request(method, path.replace("{id}", session_ids.new("nobody")), json=body)


@then("nothing is served there")
def nothing_served(answer: httpx.Response) -> None:
    """Check that it is 401, 403 or 404, or a redirect to a login."""
    assert answer.status_code in (301, 302, 303, 307, 401, 403, 404), (
        f"{answer.request.url.path} without a token is answered {answer.status_code}, {len(answer.text)} characters"
    )


@when("a message is written to the secured Zep without a token", target_fixture="answer")
def write_without_token(secured_zep: Zep, refused: Conversation) -> httpx.Response:
    """Return the answer to a write that has everything right but the token."""
    return secured_zep.stranger.post(
        memory_path(refused.session), json={"messages": [{"role": "human", "content": "let me in"}]}
    )


@then("nothing was written")
def nothing_written(refused: Conversation) -> None:
    """Check that the session of the refused write is empty."""
    assert refused.remembered() == [], "a refused write was stored"


# -- LangFlux -------------------------------------------------------------------------------------------------


def _chatbot(run: Run, chatflows: Chatflows, token: str | None) -> Chat:
    return Chat(chatflows.for_zep(needed(run.deployment.secured, "a secured Zep"), token=token))


@given("a Zep credential holding the JWT is selected on the Zep node", target_fixture="chat")
def chatbot_with_token(run: Run, chatflows: Chatflows, secured_zep: Zep) -> Chat:
    """Return the chat with a chatbot made in the documented way. Documentation, “Zep Authentication”."""
    return _chatbot(run, chatflows, secured_zep.token)


@given(
    parsers.parse("a Zep credential that holds {what} by mistake is selected on the Zep node"), target_fixture="chat"
)
def chatbot_with_wrong_token(run: Run, chatflows: Chatflows, secret: str, untold: Untold, what: str) -> Chat:
    """Return the chat with a chatbot that has one of the mistakes that people make."""
    made = {
        "the secret": lambda: secret,
        "another secret's token": lambda: bad_token("signed with another secret", secret),
        "an expired token": lambda: bad_token("expired", secret),
    }[what]()
    untold.append(("the credential's token", made))
    return _chatbot(run, chatflows, made)


@given("no Zep credential is selected on the Zep node", target_fixture="chat")
def chatbot_without_token(run: Run, chatflows: Chatflows) -> Chat:
    """Return the chat with a chatbot whose credential was forgotten."""
    return _chatbot(run, chatflows, None)


@given(parsers.parse('Alice has said "{text}" to that chatbot'))
def has_said_to_chatbot(
    chats: Chats, secured_zep: Zep, chat: Chat, people: People, session_ids: SessionIds, text: str
) -> None:
    """Say it under a session id of her own, and wait for the answer."""
    chat.session = session_ids.new(people["Alice"].user_id)
    chats.say(chat, people.in_text(text), zep=secured_zep)


@then(parsers.parse('asking that chatbot "{text}" gives "{role}"'))
def chatbot_knows(chats: Chats, secured_zep: Zep, chat: Chat, people: People, text: str, role: str) -> None:
    """Ask, and check that her name is in the answer, and that Zep has the conversation."""
    answer = chats.say(chat, text, zep=secured_zep)
    assert people[role].name in answer.text, f"the chatbot answers {answer.text!r}"
    assert len(secured_zep.memory(chat.own_session).messages) == 4, "the conversation is not in the secured Zep"


@when(parsers.parse('Alice says "{text}" to that chatbot'), target_fixture="prediction")
def says_to_chatbot(
    langflux: LangFlux, chat: Chat, people: People, session_ids: SessionIds, text: str
) -> httpx.Response:
    """Return LangFlux's answer, whatever it is."""
    return langflux.predict(chat.chatflow, people.in_text(text), session=session_ids.new(people["Alice"].user_id))


@then("the prediction fails, and says that Zep refused it")
def prediction_says_refused(prediction: httpx.Response) -> None:
    """Check that it is no success, and that it has a word about authentication."""
    assert prediction.status_code >= 400, (
        f"the prediction is answered {prediction.status_code} {prediction.text[:200]!r}"
    )
    words = ("authenti", "authori", "401", "token")
    assert any(word in prediction.text.lower() for word in words), f"it does not say so: {prediction.text[:200]!r}"


@given("a Zep credential holding a token of our own making is added", target_fixture="shown_token")
def credential_of_our_own(chatflows: Chatflows) -> tuple[str, str]:
    """Return (id, token) of a credential whose token opens nothing, so that showing it would do no harm."""
    token = make_token(make_secret(), {"made": "to be looked for"})
    return chatflows.zep_credential(token), token


@when("the credential and a chatflow that uses it are fetched", target_fixture="answers_with_token")
def fetch_credential(run: Run, langflux: LangFlux, chatflows: Chatflows, shown_token: tuple[str, str]) -> list[str]:
    """Return all that LangFlux's API says of them; where Zep is secured, also what it says when Zep refuses."""
    credential, token = shown_token
    secured, deployed = run.deployment.secured, needed(run.deployment.langflux, "a LangFlux")
    chatflow = chatflows.for_url(secured.url_from_langflux if secured else deployed.zep_url, token=token)
    answers = [
        langflux.wire.get(f"/api/v1/credentials/{credential}"),
        langflux.wire.get("/api/v1/components-credentials/zepMemoryApi"),
        langflux.wire.get(f"/api/v1/chatflows/{chatflow}"),
    ]
    if secured is not None:
        answers.append(langflux.predict(chatflow, "Hello", session=f"{run.prefix}-refused"))
    return [answer.text for answer in answers]


@then("the token is in none of the answers")
def token_not_shown(shown_token: tuple[str, str], answers_with_token: list[str]) -> None:
    """Check that neither the token nor its signature is in an answer."""
    _, token = shown_token
    for text in answers_with_token:
        assert text, "an answer is empty"
        assert token not in text, "LangFlux shows the token"
        assert token.rpartition(".")[2] not in text, "LangFlux shows the token's signature"
