"""Steps of authentication.feature: tokens and routes of a secured Zep, and LangFlux's credential for it."""

from __future__ import annotations

import re
import warnings

import httpx
import jwt
import pytest
from pytest_bdd import parsers

from fixtures.chatflows import Chatflows
from fixtures.chats import Chat, Chats
from fixtures.cleanup import Cleanup
from fixtures.conversations import Conversation
from fixtures.people import People, SessionIds
from fixtures.refusals import Untold
from fixtures.words import given, then, when
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.refusals import wrong_tokens
from zep_conformance.clients.tokens import can_be_sent, make_secret, make_token
from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.facts.servers import PUBLISHED_SECRET, memory_path
from zep_conformance.session.run import Run
from zep_conformance.targets import Deployment


def token_of_others(secret: str) -> str:
    """Return a token as `zepcli -i` makes it, HS256 over no claims; by PyJWT, which is nobody's code here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a secret is short is its owner's business
        return jwt.encode({}, secret, algorithm="HS256")


WRONG = {
    "garbage": "garbage",
    "expired": "one that has expired",
    "not valid yet": "one that is not valid yet",
    "unsigned": "one of the algorithm none",
    "without its signature": "the right one without its signature",
    "changed after signing": "the right one with other claims",
    "signed with another secret": "one signed with another secret",
    "signed with the decoded secret": "one signed with the decoded secret",
    "signed with HS384": "one signed with HS384",
    "signed with HS512": "one signed with HS512",
}
"""What `wrong_tokens` calls a token that is wrong in the way that a feature says."""


def bad_token(wrong: str, secret: str) -> str:
    """Return a token that Zep must refuse. secret: Zep's own."""
    return wrong_tokens(make_token(secret), secret)[WRONG[wrong]]


REFUSED = re.compile(
    r"(?i)authenticat\w*|un-?authori[sz]ed|not authori[sz]ed|\b401\b|\b(no|bad|invalid|wrong|expired) token\b"
    r"|token (is|was) (not |un)?(authori[sz]ed|expired|refused|valid|invalid)"
)
"""Words by which an error says that somebody was not let in. Any other one with "token" in it may be a model's."""


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
    made = token_of_others(secret)
    run.redactor.hide(made)
    return made


@then("Zep accepts the token")
def token_accepted(secured_zep: Zep, token: str) -> None:
    """Check that reading works."""
    answer = ask_with(secured_zep, token)
    assert answer.status_code == 200, f"the token is answered {answer.status_code} {answer.text!r}"


@then("Zep refuses the secret itself as a token")
def secret_refused(secured_zep: Zep, secret: str) -> None:
    """Check that reading is refused when somebody has pasted the secret by mistake; some can't even be sent."""
    if not can_be_sent(secret):
        return
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


@when(parsers.re(r"GET (?P<path>/\S+) is asked for without a token"), target_fixture="answer")
def ask_without_token(secured_zep: Zep, path: str) -> httpx.Response:
    """Return the answer that somebody gets who was given none."""
    return secured_zep.stranger.get(path)


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
    assert REFUSED.search(prediction.text), f"it does not say that Zep refused it: {prediction.text[:200]!r}"


@then("with the JWT in its place the chatbot answers")
def answers_with_token(chats: Chats, run: Run, chatflows: Chatflows, secured_zep: Zep, session_ids: SessionIds) -> None:
    """Check that nothing else was in the way: a chatbot that differs in the token alone answers."""
    chat = _chatbot(run, chatflows, secured_zep.token)
    chat.session = session_ids.new("let-in")
    chats.say(chat, "Hello", zep=secured_zep)


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
    for answer in answers:
        assert answer.status_code == 200, (
            f"{answer.request.url.path} is answered {answer.status_code}: nothing is shown"
        )
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
