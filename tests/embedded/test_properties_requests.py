"""Requests of any shape to the embedded LangFlux: answered, or refused with a reason, and never a surprise to it.

What surprises it is answered "Internal error" (`answers.answered`). The embedded Zep is asked so by Schemathesis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chatting import making_chatbots
from tests.support.properties import FEW, broken
from tests.support.zep_asked import asking, canonical, segment, texts
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object in which each field is as it should be, of any other kind, or not there."""
    return st.fixed_dictionaries({}, optional={name: one | json_values for name, one in known.items()})


predictions = fields(
    question=texts.filter(bool), chatId=texts, streaming=st.booleans(), overrideConfig=fields(sessionId=texts)
)
FLOWISE = re.compile(r'"message":"Error:? (\w+Services?\.|clearing chat messages)')
"""How Flowise says in a 500 which of its services did not do it. Any other 500 is none of its refusals."""
DEEP = '{"nodes":' + "[" * 5000 + "]" * 5000 + "}"
NUMEROUS = '{"nodes":' + "1" * 5000 + "}"
flow_data = (
    st.sampled_from(['{"nodes":[],"edges":[]}', '{"nodes":[{}],"edges":[{}]}', "[]", "{", DEEP, NUMEROUS]) | texts
)
chatflows = fields(name=texts, flowData=flow_data, apiConfig=json_values, isPublic=st.booleans())
credentials = fields(
    name=texts,
    credentialName=st.sampled_from(["zepMemoryApi", "openAIApi"]),
    plainDataObj=st.dictionaries(st.sampled_from(["apiKey", "openAIApiKey"]) | texts, json_values, max_size=2),
)
queries = st.fixed_dictionaries(
    {},
    optional={
        "chatId": texts,
        "sessionId": texts,
        "memoryType": texts,
        "order": st.sampled_from(["ASC", "DESC"]) | texts,
        "hardDelete": texts,
    },
)


@dataclass(frozen=True)
class Served:
    """A LangFlux with a chatbot in it."""

    langflux: LangFlux
    chatbot: str

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The answer to a request under /api/v1, which must be one that was thought of."""
        content = None if body is None else canonical(body).encode()
        headers = {"content-type": "application/json"}
        answer = self.langflux.wire.request(method, f"/api/v1/{path}", content=content, headers=headers)
        assert "Internal error" not in answer.text, f"{method} {path} {body!r}: {answer.text}"
        refused = answer.status_code in (200, 400, 401, 404)
        assert refused or (answer.status_code == 500 and FLOWISE.search(answer.text)), (
            f"{answer.status_code} {answer.text}"
        )
        assert answer.content, "an answer that says nothing"
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A LangFlux with a Zep and a model server behind it."""
    names = ["zep", "langflux"]
    with (
        Fleet(parts_for(["model"], data=tmp_path_factory.mktemp("model"))) as models,
        broken(tmp_path_factory.mktemp("data"), names, {}) as fleet,
        making_chatbots(fleet, models.url("model")) as (langflux, make),
        asking(fleet),
    ):
        yield Served(langflux, make("").chatflow)


@FEW
@given(body=predictions)
def test_a_prediction_is_answered_or_refused(served: Served, body: Any) -> None:
    served.ask("POST", f"prediction/{served.chatbot}", body)


@FEW
@given(body=json_values)
def test_a_body_of_any_kind_is_answered_or_refused(served: Served, body: Any) -> None:
    for path in (f"prediction/{served.chatbot}", "chatflows", "credentials"):
        served.ask("POST", path, body)


@FEW
@given(body=chatflows)
def test_a_chatflow_is_saved_or_refused(served: Served, body: dict[str, Any]) -> None:
    """And what was saved can be read, talked to, cleared, and deleted."""
    made = served.ask("POST", "chatflows", body)
    if made.status_code == 200:
        ident = made.json()["id"]
        served.ask("GET", f"chatflows/{ident}")
        served.ask("POST", f"prediction/{ident}", {"question": "How are you?"})
        served.ask("DELETE", f"chatmessage/{ident}")
        served.ask("GET", "chatflows")
        assert served.ask("DELETE", f"chatflows/{ident}").json()["affected"] == 1


@FEW
@given(body=credentials)
def test_a_credential_is_saved_or_refused(served: Served, body: dict[str, Any]) -> None:
    """And what was saved can be read, and deleted."""
    made = served.ask("POST", "credentials", body)
    if made.status_code == 200:
        ident = made.json()["id"]
        served.ask("GET", f"credentials/{ident}")
        served.ask("GET", "credentials")
        assert served.ask("DELETE", f"credentials/{ident}").json()["affected"] == 1


@FEW
@given(query=queries)
def test_chat_messages_are_listed_and_deleted_or_that_is_refused(served: Served, query: dict[str, str]) -> None:
    for method in ("GET", "DELETE"):
        served.ask(method, f"chatmessage/{served.chatbot}?{urlencode(query)}")


@FEW
@given(name=texts.filter(bool))
def test_what_is_not_there_is_said_so(served: Served, name: str) -> None:
    for path in ("chatflows", "credentials", "nodes", "components-credentials", "prediction", "chatmessage"):
        served.ask("POST" if path == "prediction" else "GET", f"{path}/{segment(name)}", {"question": "x"})


def test_a_500_that_is_no_refusal_is_noticed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        Fleet(parts_for(["model"], data=tmp_path_factory.mktemp("model"))) as models,
        broken(tmp_path_factory.mktemp("data"), ["zep", "langflux"], {"langflux": ["empty-session-id-500"]}) as fleet,
        making_chatbots(fleet, models.url("model")) as (langflux, make),
    ):
        one = Served(langflux, make("").chatflow)
        with pytest.raises(AssertionError, match="500"):
            one.ask("POST", f"prediction/{one.chatbot}", {"question": "x", "overrideConfig": {"sessionId": ""}})
