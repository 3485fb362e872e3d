"""Steps about the wire itself: malformed requests, status codes, headers. Plain httpx throughout."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import httpx
from faker import Faker
from packaging.version import Version
from pytest_bdd import parsers, then, when

from fixtures.enrichment import Enrichment
from steps.conversation import Told
from steps.zep import Conversation, small_talk, texts
from zep_conformance.clients.zep import Zep, memory_path, session_path

OLDEST = Version("0.20")
"""The oldest Zep that answers as documented; before it an unknown session was an error."""

_JSON = {"content-type": "application/json"}


def malformed(what: str, zep: Zep, session: str) -> dict[str, Any]:
    """The arguments of a malformed write."""
    message: dict[str, Any] = {"role": "human", "content": "a message that must not be stored"}
    bodies: dict[str, Any] = {
        "a list": [message],
        "messages that are no list": {"messages": "hello"},
        "a message without text type": {"messages": [message | {"content": 5}]},
        "a message with a bad uuid": {"messages": [message | {"uuid": "not-a-uuid"}]},
    }
    if what == "text that is no JSON":
        return {"content": b"{not json", "headers": _JSON}
    if what == "nothing at all":
        return {"content": b"", "headers": _JSON}
    if what == "a message whose uuid is in use":
        used = zep.messages(session)[0].uuid
        return {"json": {"messages": [message | {"uuid": used}]}}
    return {"json": bodies[what]}


@when(parsers.parse("{what} is posted to its memory"), target_fixture="answer")
def post_malformed(conversation: Conversation, zep: Zep, what: str) -> httpx.Response:
    """One malformed write."""
    return zep.wire.post(memory_path(conversation.session), **malformed(what, zep, conversation.session))


@when(parsers.re(r"it is asked for (?P<what>.+)"), target_fixture="answer")
def ask_malformed(conversation: Conversation, zep: Zep, what: str) -> httpx.Response:
    """One malformed question."""
    path = session_path(conversation.session)
    quoted = re.search(r'"([^"]*)"', what)
    value = quoted[1] if quoted else ""
    questions: tuple[tuple[str, str, str, dict[str, Any] | None], ...] = (
        (r'the newest ".*" messages', "GET", f"{path}/memory?lastn={value}", None),
        (r'a message by ".*"', "GET", f"{path}/messages/{value}", None),
        ("a message by a uuid nobody uses", "GET", f"{path}/messages/{uuid.uuid4()}", None),
        (r'a page of ".*" messages', "GET", f"{path}/messages?limit={value}", None),
        (r'a search with limit ".*"', "POST", f"{path}/search?limit={value}", {"text": "x"}),
        ("a search for nothing", "POST", f"{path}/search", {"text": ""}),
        (r'a search in scope ".*"', "POST", f"{path}/search", {"text": "x", "search_scope": value}),
        ("a session without an id", "POST", "/api/v1/sessions", {"metadata": {}}),
    )
    _, method, url, body = next(question for question in questions if re.fullmatch(question[0], what))
    return zep.wire.request(method, url, json=body)


@when("a message of 6 million characters is posted to a session", target_fixture="answer")
def post_too_large(conversation: Conversation, zep: Zep) -> httpx.Response:
    """More than the 5 MB that Zep takes by default."""
    body = {"messages": [{"role": "human", "content": "x" * 6_000_000}]}
    try:
        return zep.wire.post(memory_path(conversation.session), content=json.dumps(body), headers=_JSON)
    except httpx.WriteError as error:
        # The server may answer and hang up while we are still sending; then no answer can be read.
        raise AssertionError(f"the server hung up without an answer that can be read ({error})") from error


@when(parsers.parse("{count:d} malformed requests have been made"))
def many_mistakes(conversation: Conversation, zep: Zep, count: int) -> None:
    """Each in turn, over and over."""
    kinds = ("text that is no JSON", "nothing at all", "a list", "messages that are no list")
    for number in range(count):
        zep.wire.post(memory_path(conversation.session), **malformed(kinds[number % 4], zep, conversation.session))


@then("a conversation of 2 messages can be written and read")
def goes_on(conversation: Conversation, zep: Zep, faker: Faker) -> None:
    """The server does its work as before."""
    conversation.write(zep, small_talk(faker, 2))
    assert texts(zep.memory(conversation.session).messages) == conversation.texts


@then("the answer is a 4xx that says why")
def is_client_error(answer: httpx.Response) -> None:
    """A status from 400 to 499, with words in the body."""
    assert 400 <= answer.status_code < 500, f"expected a 4xx, it is {answer.status_code} {answer.text!r}"
    assert answer.text.strip(), f"the answer {answer.status_code} does not say why"


@then(parsers.parse("the answer is {status:d}, and says why"))
def is_status_with_reason(answer: httpx.Response, status: int) -> None:
    """That status, with words in the body."""
    assert answer.status_code == status, f"expected {status}, it is {answer.status_code} {answer.text!r}"
    assert answer.text.strip(), f"the answer {status} does not say why"


@then(parsers.parse("the answer is {status:d}"))
def is_status(answer: httpx.Response, status: int) -> None:
    """That status."""
    assert answer.status_code == status, f"expected {status}, it is {answer.status_code} {answer.text[:200]!r}"


@then(parsers.parse("the answer is not {status:d}"))
def is_not_status(answer: httpx.Response, status: int) -> None:
    """Any other status."""
    assert answer.status_code != status, f"it is {status} {answer.text[:200]!r}"


@then("the session's memory is as it was")
def memory_unchanged(conversation: Conversation, zep: Zep) -> None:
    """What was written, and nothing of the malformed request."""
    assert texts(zep.memory(conversation.session).messages) == conversation.texts, "the memory has changed"


@then("the session has no memory")
def no_memory(conversation: Conversation, zep: Zep) -> None:
    """Nothing was stored."""
    assert zep.memory(conversation.session).messages == [], "something was stored"


@when("GET /healthz is asked for", target_fixture="answer")
def ask_health(zep: Zep) -> httpx.Response:
    """With whatever token Zep wants."""
    return zep.wire.get("/healthz")


@then("it says that it is a Zep of version 0.20 or later, and not 1.x")
def says_version(answer: httpx.Response) -> None:
    """In the header X-Zep-Version."""
    header = answer.headers.get("x-zep-version", "")
    found = re.match(r"v?(\d+\.\d+\.\d+)", header)
    assert found, f"X-Zep-Version is {header!r}"
    assert OLDEST <= Version(found[1]) < Version("1"), f"Zep {found[1]} is not a 0.x from {OLDEST} on"


@then("zep-nlp embeds it: it can be found by searching")
def can_be_found(zep: Zep, told: Told, enrichment: Enrichment) -> None:
    """Within the wait limit."""
    enrichment.await_embedded(zep, told["Alice"].session)


@then("nothing was written")
def nothing_written(secured_zep: Zep, refused_session: str) -> None:
    """The session of the refused write is empty."""
    assert secured_zep.memory(refused_session).messages == [], "a refused write was stored"


@when("a message is written to the secured Zep without a token", target_fixture="answer")
def write_without_token(secured_zep: Zep, refused_session: str) -> httpx.Response:
    """Everything right but the token."""
    return secured_zep.stranger.post(
        memory_path(refused_session), json={"messages": [{"role": "human", "content": "let me in"}]}
    )
