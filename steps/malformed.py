"""Steps of malformed.feature: requests that are wrong, over plain HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from faker import Faker
from pytest_bdd import parsers

from fixtures.conversations import Conversation
from fixtures.words import then, when
from zep_conformance.facts.servers import memory_path, session_path
from zep_conformance.session.run import Run

_JSON = {"content-type": "application/json"}


def post_wrongly(conversation: Conversation, what: str) -> httpx.Response:
    """Post to a conversation's memory what is wrong in the way that `what` says, and return the answer."""
    message: dict[str, Any] = {"role": "human", "content": "a message that must not be stored"}
    unparsed = {"text that is no JSON": b"{not json", "nothing at all": b""}
    bodies: dict[str, Any] = {
        "a list": [message],
        "messages that are no list": {"messages": "hello"},
        "a message without text type": {"messages": [message | {"content": 5}]},
        "a message with a bad uuid": {"messages": [message | {"uuid": "not-a-uuid"}]},
    }
    path = memory_path(conversation.session)
    if what in unparsed:
        return conversation.zep.wire.post(path, content=unparsed[what], headers=_JSON)
    if what == "a message whose uuid is in use":
        bodies[what] = {"messages": [message | {"uuid": conversation.messages()[0].uuid}]}
    return conversation.zep.wire.post(path, json=bodies[what])


@when(parsers.parse("{what} is posted to its memory"), target_fixture="answer")
def post_malformed(conversation: Conversation, what: str) -> httpx.Response:
    """Return the answer to one malformed write."""
    return post_wrongly(conversation, what)


@when(parsers.re(r"it is asked for (?P<what>.+)"), target_fixture="answer")
def ask_malformed(run: Run, conversation: Conversation, what: str) -> httpx.Response:
    """Return the answer to one malformed question. What stands in quotes in `what` is the value that is wrong."""
    path = session_path(conversation.session)
    quoted = re.search(r'"([^"]*)"', what)
    value = quoted[1] if quoted else ""
    questions: tuple[tuple[str, str, str, dict[str, Any] | None], ...] = (
        (r'the newest ".*" messages', "GET", f"{path}/memory?lastn={value}", None),
        (r'a message by ".*"', "GET", f"{path}/messages/{value}", None),
        ("a message by a uuid nobody uses", "GET", f"{path}/messages/{run.drawn.uuid()}", None),
        (r'a page of ".*" messages', "GET", f"{path}/messages?limit={value}", None),
        (r'a search with limit ".*"', "POST", f"{path}/search?limit={value}", {"text": "x"}),
        ("a search for nothing", "POST", f"{path}/search", {"text": ""}),
        (r'a search in scope ".*"', "POST", f"{path}/search", {"text": "x", "search_scope": value}),
        ("a session without an id", "POST", "/api/v1/sessions", {"metadata": {}}),
    )
    _, method, url, body = next(question for question in questions if re.fullmatch(question[0], what))
    return conversation.zep.wire.request(method, url, json=body)


@when("a message of 6 million characters is posted to a session", target_fixture="answer")
def post_too_large(conversation: Conversation) -> httpx.Response:
    """Return the answer to more than the 5 MB that Zep takes by default."""
    body = {"messages": [{"role": "human", "content": "x" * 6_000_000}]}
    path = memory_path(conversation.session)
    try:
        return conversation.zep.wire.post(path, content=json.dumps(body), headers=_JSON)
    except httpx.WriteError as error:
        # The server may answer and hang up while we are still sending; then no answer can be read.
        raise AssertionError(f"the server hung up without an answer that can be read ({error})") from error


@when(parsers.parse("{count:d} malformed requests have been made"))
def many_mistakes(conversation: Conversation, count: int) -> None:
    """Make malformed writes of four kinds in turn."""
    kinds = ("text that is no JSON", "nothing at all", "a list", "messages that are no list")
    for number in range(count):
        post_wrongly(conversation, kinds[number % 4])


@then("a conversation of 2 messages can be written and read")
def goes_on(conversation: Conversation, faker: Faker) -> None:
    """Check that the server does its work as before."""
    conversation.go_on(faker, 2)
    assert conversation.remembered() == conversation.texts


@then("the session's memory is as it was")
def memory_unchanged(conversation: Conversation) -> None:
    """Check that it is what was written before, and has nothing of the malformed request."""
    assert conversation.remembered() == conversation.texts, "the memory has changed"


@then("the session has no memory")
def no_memory(conversation: Conversation) -> None:
    """Check that nothing was stored."""
    assert conversation.remembered() == [], "something was stored"
