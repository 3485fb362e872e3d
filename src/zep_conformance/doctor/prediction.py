"""What only LangFlux can tell of its view of Zep: a prediction through a temporary chatflow. Done when asked for.

The chatflow and its credentials have names with a prefix, and are removed afterwards, as is the session in Zep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from zep_conformance.doctor.address import Address
from zep_conformance.doctor.findings import ENRICH_LIMIT, PREDICTION_LIMIT, REMOVAL_LIMIT, Broken, Case, Late, OutOfTime
from zep_conformance.doctor.http import HttpAnswer
from zep_conformance.doctor.langflux import LangFluxProbe
from zep_conformance.doctor.writing import ProbeSession
from zep_conformance.facts.flows import (
    CHAIN,
    MODEL,
    MODEL_CREDENTIAL,
    MODEL_KEY,
    ZEP_CREDENTIAL,
    ZEP_MEMORY,
    canvas_node,
    chatflow_body,
    conversation_chain,
    credential_body,
    node_path,
)

_TOKEN_WORDS = re.compile(r"(?i)\b401\b|unauthori[sz]ed|authenticat|token")
_WAY_WORDS = re.compile(r"(?i)fetch failed|failed to connect|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH")


def predict(
    case: Case,
    probe: LangFluxProbe,
    zep: Address,
    *,
    token: str | None,
    model_url: str,
    prefix: str,
    session: ProbeSession | None,
) -> None:
    """Have LangFlux talk to Zep. Raises Broken, OutOfTime.

    zep: as LangFlux is to see it. token: what that Zep wants. session: the same in Zep, as it is seen from here;
    None where Zep can't be looked into.
    """
    with ExitStack() as made:
        if session is not None:
            made.callback(session.remove)  # also when no answer came: it may have been written all the same
        chatflow = _Maker(case, probe, prefix, made).chatflow(zep, token, model_url)
        question = {"question": f"Hello from {prefix}", "overrideConfig": {"sessionId": f"{prefix}-view"}}
        answer = _ask(case, probe, "POST", f"prediction/{chatflow}", question, {})
        message = case.quoted(_message(answer))
        if answer.status != 200:
            # A refused model is no refused Zep: Zep's memory is asked for before the model is.
            if _WAY_WORDS.search(message) and "openai" not in message.lower():
                case.fail("view-unreachable", answer=message)
            if _TOKEN_WORDS.search(message) and "openai" not in message.lower() and "api key" not in message.lower():
                case.fail("view-token", answer=message)
            case.fail("view-failed", status=answer.status, answer=message)
        if session is None:
            case.ok("view", f"a prediction with Zep at {zep.origin} works")
            return
        kept = session.messages(10)
        if len(kept) < 2:
            case.fail("view-forgets", count=len(kept))
        case.ok("view", f"a prediction is remembered in Zep at {zep.origin}")
        session.wait(str(kept[-1].get("content")), 2, ENRICH_LIMIT, summary=False)


class _Maker:
    """Makes things in LangFlux, and has them removed at the end."""

    def __init__(self, case: Case, probe: LangFluxProbe, prefix: str, made: ExitStack) -> None:
        self._case, self._probe, self._prefix, self._made = case, probe, prefix, made

    def chatflow(self, zep: Address, token: str | None, model_url: str) -> str:
        """Make a conversation chain that remembers in Zep; returns its id. Raises Broken, OutOfTime."""
        key = self._add("credentials", credential_body(self._name("model"), MODEL_CREDENTIAL, MODEL_KEY))
        held = ""
        if token:
            held = self._add("credentials", credential_body(self._name("zep"), ZEP_CREDENTIAL, token))
        inputs = {"basepath": model_url, "streaming": False}
        model = canvas_node(self._definition(MODEL), inputs=inputs, credential=key)
        inputs = {"baseURL": zep.origin, "sessionId": ""}
        memory = canvas_node(self._definition(ZEP_MEMORY), inputs=inputs, credential=held)
        flow = conversation_chain(model=model, memory=memory, definition=self._definition(CHAIN))
        return self._add("chatflows", chatflow_body(self._name("chatflow"), flow))

    def _name(self, what: str) -> str:
        return f"{self._prefix}-doctor-{what}"

    def _add(self, kind: str, body: dict[str, Any]) -> str:
        """Make a thing, to be removed at the end; returns its id."""
        answer = _ask(self._case, self._probe, "POST", kind, body, self._probe.headers)
        made = answer.json()
        if answer.status not in (200, 201) or not isinstance(made, dict) or "id" not in made:
            self._case.fail("view-failed", status=answer.status, answer=self._case.quoted(_message(answer)))
        self._made.callback(self._remove, f"{kind}/{made['id']}", body["name"])
        return str(made["id"])

    def _remove(self, path: str, name: str) -> None:
        why = "no answer"
        self._case.budget.spare(REMOVAL_LIMIT)
        try:
            answer = _ask(self._case, self._probe, "DELETE", path, None, self._probe.headers)
            if answer.status == 200:
                return
            why = f"{answer.status} {answer.text}"
        except (Broken, Late):
            pass
        self._case.report("left-behind", what=f"LangFlux's {name}", answer=why)

    def _definition(self, name: str) -> dict[str, Any]:
        """What LangFlux says of a node. Raises Broken where it has none of that name."""
        definition = self._probe.connection.get(node_path(name), self._probe.headers).json()
        if not isinstance(definition, dict) or "baseClasses" not in definition:
            self._case.fail("view-failed", status="no node", answer=name)
        return definition


def _ask(case: Case, probe: LangFluxProbe, method: str, path: str, body: Any, headers: Mapping[str, str]) -> HttpAnswer:
    """Raises Broken, OutOfTime."""
    try:
        return probe.connection.ask(method, f"/api/v1/{path}", headers=headers, body=body, limit=PREDICTION_LIMIT)
    except OutOfTime:
        raise
    except Late as late:
        case.fail("view-failed", status=f"no answer in {late.limit:g} s", answer=f"{method} {path}")


def _message(answer: HttpAnswer) -> str:
    body = answer.json()
    return str(body.get("message", answer.text)) if isinstance(body, dict) else answer.text
