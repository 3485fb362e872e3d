"""What only LangFlux can tell of its view of Zep: a prediction through a temporary chatflow. Done when asked for.

The chatflow and its credentials have names with a prefix, and are removed afterwards, as is the session in Zep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from zep_conformance.doctor.address import Address
from zep_conformance.doctor.findings import ENRICH_LIMIT, PREDICTION_LIMIT, REMOVAL_LIMIT, Broken, Case, Late, OutOfTime
from zep_conformance.doctor.http import Answer
from zep_conformance.doctor.langflux import Look
from zep_conformance.doctor.writing import Session

_TOKEN_WORDS = re.compile(r"(?i)\b401\b|unauthori[sz]ed|authenticat|token")
_WAY_WORDS = re.compile(r"(?i)fetch failed|failed to connect|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH")
_MODEL_KEY = "sk-none-is-needed-here"


def predict(
    case: Case,
    look: Look,
    zep: Address,
    *,
    token: str | None,
    model_url: str,
    prefix: str,
    session: Session | None,
) -> None:
    """Have LangFlux talk to Zep. Raises Broken, OutOfTime.

    zep: as LangFlux is to see it. token: what that Zep wants. session: the same in Zep, as it is seen from here;
    None where Zep can't be looked into.
    """
    with ExitStack() as made:
        if session is not None:
            made.callback(session.remove)  # also when no answer came: it may have been written all the same
        chatflow = _Maker(case, look, prefix, made).chatflow(zep, token, model_url)
        question = {"question": f"Hello from {prefix}", "overrideConfig": {"sessionId": f"{prefix}-view"}}
        answer = _ask(case, look, "POST", f"prediction/{chatflow}", question, {})
        said = case.said(_message(answer))
        if answer.status != 200:
            # A refused model is no refused Zep: Zep's memory is asked for before the model is.
            if _WAY_WORDS.search(said) and "openai" not in said.lower():
                case.fail("view-unreachable", said=said)
            if _TOKEN_WORDS.search(said) and "openai" not in said.lower() and "api key" not in said.lower():
                case.fail("view-token", said=said)
            case.fail("view-failed", status=answer.status, said=said)
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

    def __init__(self, case: Case, look: Look, prefix: str, made: ExitStack) -> None:
        self._case, self._look, self._prefix, self._made = case, look, prefix, made

    def chatflow(self, zep: Address, token: str | None, model_url: str) -> str:
        """A conversation chain that remembers in Zep; returns its id. Raises Broken, OutOfTime."""
        key = self._add("credentials", "model", credentialName="openAIApi", plainDataObj={"openAIApiKey": _MODEL_KEY})
        held = ""
        if token:
            held = self._add("credentials", "zep", credentialName="zepMemoryApi", plainDataObj={"apiKey": token})
        model = self._node("chatOpenAI", {"basepath": model_url, "streaming": False}, key)
        memory = self._node("ZepMemory", {"baseURL": zep.origin, "sessionId": ""}, held)
        inputs = {"model": "{{chatOpenAI_0.data.instance}}", "memory": "{{ZepMemory_0.data.instance}}"}
        chain = self._node("conversationChain", inputs, "")
        edges = [_edge(model, chain, "model", "BaseChatModel"), _edge(memory, chain, "memory", "BaseMemory")]
        flow = json.dumps({"nodes": [model, memory, chain], "edges": edges})
        return self._add("chatflows", "chatflow", flowData=flow, deployed=False, isPublic=False, type="CHATFLOW")

    def _add(self, kind: str, what: str, **body: Any) -> str:
        """Make a thing, to be removed at the end; returns its id."""
        body["name"] = f"{self._prefix}-doctor-{what}"
        answer = _ask(self._case, self._look, "POST", kind, body, self._look.headers)
        made = answer.json()
        if answer.status not in (200, 201) or not isinstance(made, dict) or "id" not in made:
            self._case.fail("view-failed", status=answer.status, said=self._case.said(_message(answer)))
        self._made.callback(self._remove, f"{kind}/{made['id']}", body["name"])
        return str(made["id"])

    def _remove(self, path: str, name: str) -> None:
        said = "no answer"
        self._case.patience.spare(REMOVAL_LIMIT)
        try:
            answer = _ask(self._case, self._look, "DELETE", path, None, self._look.headers)
            if answer.status == 200:
                return
            said = f"{answer.status} {answer.text}"
        except (Broken, Late):
            pass
        self._case.report("left-behind", what=f"LangFlux's {name}", said=said)

    def _node(self, name: str, inputs: Mapping[str, Any], credential: str) -> dict[str, Any]:
        """A node as a person puts it on the canvas."""
        definition = self._look.line.get(f"/api/v1/nodes/{name}", self._look.headers).json()
        if not isinstance(definition, dict) or "baseClasses" not in definition:
            self._case.fail("view-failed", status="no node", said=name)
        identity = f"{name}_0"
        parameters = definition.get("inputs", [])
        data = {
            **{key: value for key, value in definition.items() if key not in ("inputs", "filePath", "icon")},
            "id": identity,
            "inputs": {one["name"]: one.get("default", "") for one in parameters} | dict(inputs),
            "inputParams": [one for one in parameters if one.get("type", "")[:1].islower()],
            "inputAnchors": [one for one in parameters if not one.get("type", "")[:1].islower()],
            "outputAnchors": [],
            "outputs": {},
            "credential": credential,
        }
        return {"id": identity, "type": "customNode", "position": {"x": 0, "y": 0}, "data": data}


def _edge(source: Mapping[str, Any], target: Mapping[str, Any], anchor: str, kind: str) -> dict[str, Any]:
    classes = "|".join(source["data"]["baseClasses"])
    return {
        "id": f"{source['id']}-{target['id']}-{anchor}",
        "type": "buttonedge",
        "source": source["id"],
        "sourceHandle": f"{source['id']}-output-{source['data']['name']}-{classes}",
        "target": target["id"],
        "targetHandle": f"{target['id']}-input-{anchor}-{kind}",
    }


def _ask(case: Case, look: Look, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
    """Raises Broken, OutOfTime."""
    try:
        return look.line.ask(method, f"/api/v1/{path}", headers=headers, body=body, limit=PREDICTION_LIMIT)
    except OutOfTime:
        raise
    except Late as late:
        case.fail("view-failed", status=f"no answer in {late.limit:g} s", said=f"{method} {path}")


def _message(answer: Answer) -> str:
    body = answer.json()
    return str(body.get("message", answer.text)) if isinstance(body, dict) else answer.text
