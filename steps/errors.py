"""Vocabulary: what goes wrong, and what the answer to it must not give away."""

from __future__ import annotations

from typing import Any

import httpx

from fixtures.chatflows import Chatflows
from fixtures.cleanup import Cleanup
from fixtures.conversations import Conversation
from fixtures.people import SessionIds
from fixtures.refusals import Untold
from fixtures.words import given, then, when
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.leaks import given_away
from zep_conformance.clients.tokens import make_secret, make_token
from zep_conformance.clients.zep import Zep
from zep_conformance.facts.servers import memory_path, session_path
from zep_conformance.session.run import Run
from zep_conformance.targets import LangFluxServer

NOWHERE = "http://127.0.0.1:9"
"""A Base URL at which nobody listens."""
_HUMAN = {"role": "human", "content": "a message that must not be stored"}
_JSON = {"content-type": "application/json"}


@when("everything is asked of Zep in wrong ways", target_fixture="answers")
def ask_zep_wrongly(
    run: Run, conversation: Conversation, zep: Zep, session_ids: SessionIds, cleanup: Cleanup
) -> list[httpx.Response]:
    """Return the answers to mistakes in bodies, paths, queries, filters, and ids that are taken or not there."""
    path, nowhere = session_path(conversation.session), session_path(session_ids.new("nobody"))
    unowned = cleanup.session(zep, session_ids.new("unowned"))
    memory, taken = memory_path(conversation.session), conversation.messages()[0].uuid
    filters = [
        {"where": {"jsonpath": text}} for text in ("$ ? (@.", "'; DROP TABLE message; --", '$.x ? (@ like_regex "[")')
    ]
    wrong: tuple[tuple[str, str, Any], ...] = (
        ("POST", memory, [_HUMAN]),
        ("POST", memory, {"messages": "hello"}),
        ("POST", memory, {"messages": [_HUMAN | {"uuid": "' OR 1=1 --"}]}),
        ("POST", memory, {"messages": [_HUMAN | {"uuid": taken}]}),
        ("GET", f"{path}/memory?lastn=abc", None),
        ("GET", f"{path}/messages?limit=-1&cursor=%27", None),
        ("GET", f"{path}/messages/not-a-uuid", None),
        ("GET", f"{path}/messages/{run.drawn.uuid()}", None),
        ("PATCH", f"{path}/messages/{run.drawn.uuid()}", {"metadata": {"a": 1}}),
        ("POST", "/api/v1/sessions", {"session_id": ""}),
        ("POST", "/api/v1/sessions", {"session_id": conversation.session}),
        ("POST", "/api/v1/sessions", {"session_id": unowned, "user_id": session_ids.new("nobody")}),
        ("POST", f"{path}/search", {"text": ""}),
        ("POST", f"{path}/search?limit=abc", {"text": "x"}),
        *(("POST", f"{path}/search", {"text": "x", "metadata": one}) for one in filters),
        ("GET", nowhere, None),
        ("PATCH", nowhere, {"metadata": []}),
        ("DELETE", f"{nowhere}/memory", None),
        ("GET", f"/api/v1/user/{session_ids.new('nobody')}", None),
        ("DELETE", "/api/v1/user/%27%20OR%201%3D1%20--", None),
        ("POST", "/api/v1/user", {"user_id": ["a", "list"]}),
        ("GET", "/api/v1/there-is-no-such-thing", None),
        ("PUT", memory, {}),
    )
    asked = [zep.wire.request(method, url, json=body) for method, url, body in wrong]
    return [*asked, zep.wire.post(memory, content=b"{not json", headers=_JSON)]


@given("a chatbot whose Zep is not there has a credential for it", target_fixture="chatflow")
def chatbot_without_zep(chatflows: Chatflows, untold: Untold) -> str:
    """Return the chatflow id of a chatbot whose Base URL leads nowhere. Its credential's token opens nothing."""
    token = make_token(make_secret(), {"made": "to be looked for"})
    untold.append(("the credential's token", token))
    return chatflows.for_url(NOWHERE, token=token)


@when("everything is asked of LangFlux in wrong ways", target_fixture="answers")
def ask_langflux_wrongly(langflux: LangFlux, run: Run, chatflow: str) -> list[httpx.Response]:
    """Return the answers to predictions that fail, bodies that are none, and ids that are not there."""
    nothing, session = run.drawn.uuid(), f"{run.prefix}-nowhere"
    return [
        langflux.predict(chatflow, "Hello", session=session),
        langflux.predict(nothing, "Hello", session=session),
        langflux.public.post(f"/api/v1/prediction/{chatflow}", content=b"{not json", headers=_JSON),
        langflux.public.get(
            f"/api/v1/credentials/{nothing}", headers={"authorization": "Bearer a-key-that-nobody-has"}
        ),
        langflux.wire.get(f"/api/v1/credentials/{nothing}"),
        langflux.wire.get(f"/api/v1/chatflows/{nothing}"),
        langflux.wire.get("/api/v1/nodes/there-is-no-such-node"),
        langflux.wire.post("/api/v1/credentials", content=b"{not json", headers=_JSON),
    ]


@then("no error gives anything away")
def nothing_given_away(run: Run, untold: Untold, answers: list[httpx.Response]) -> None:
    """Check that there are errors, and that none holds a secret, an address with a password, a query or a stack."""
    failed = [answer for answer in answers if answer.status_code >= 400]
    assert failed, "nothing was refused"
    known = _known(run, untold)
    wrong = [
        f"{answer.request.method} {answer.request.url.path} is answered {answer.status_code} with {' and '.join(what)}"
        for answer in failed
        if (what := given_away(answer.text, answer.headers, known))
    ]
    assert not wrong, "given away: " + "; ".join(wrong)


@then("the answer gives nothing away")
def answer_gives_nothing_away(run: Run, untold: Untold, answer: httpx.Response) -> None:
    """Check the answer that a step before has got."""
    nothing_given_away(run, untold, [answer])


@then("its words give nothing away")
def prediction_gives_nothing_away(run: Run, untold: Untold, prediction: httpx.Response) -> None:
    """Check the prediction that a step before has got."""
    nothing_given_away(run, untold, [prediction])


def _known(run: Run, untold: Untold) -> Untold:
    """Return what must be in no error: the deployment's secrets, and what a scenario has made."""
    found = run.deployment
    servers = [server for server in (found.secured, found.zep, found.langflux) if server]
    given = [(server.url, server.api_key if isinstance(server, LangFluxServer) else server.token) for server in servers]
    secrets = [("the secret", found.secret), *((f"what lets into {url}", one) for url, one in given)]
    return [*untold, *((called, one) for called, one in secrets if one)]
