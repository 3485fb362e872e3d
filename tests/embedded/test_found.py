"""What state machines, Schemathesis and many at once have found in the embedded servers, each kept as an example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.chatting import API_KEY, making_chatbots
from tests.support.crowds import Talk
from tests.support.properties import broken
from tests.support.zep_asked import Asked, asking, fresh
from zep_conformance.clients import tokens
from zep_conformance.clients.langflux import LangFlux, chat_path
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

SECRET = tokens.make_secret()
MOST = 2**63 - 1
DEEP = '{"a":' * 300 + "1" + "}" * 300


@pytest.fixture(scope="module")
def zep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with broken(tmp_path_factory.mktemp("data"), ["zep", "nlp"], {}) as fleet, asking(fleet) as asked:
        yield asked


@pytest.fixture
def session(zep: Asked) -> str:
    """A session with one message."""
    ident = fresh()
    zep.ask("POST", "sessions", ident, "memory", body={"messages": [{"role": "human", "content": "tea"}]})
    return ident


@pytest.mark.parametrize("limit", [2**32, 2**62, MOST])
def test_a_page_far_beyond_is_empty(zep: Asked, session: str, limit: int) -> None:
    """(cursor - 1) * limit was more than SQLite can hold: 500."""
    page = zep.get("sessions", session, "messages", limit=limit, cursor=MOST)
    assert page == {"messages": [], "total_count": 0, "row_count": 0}


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_at_the_end_of_the_calendar_is_refused(zep: Asked, session: str, time: str) -> None:
    """In UTC it is in the year 0 or 10000, which Python has not: 500."""
    message = {"role": "human", "content": "tea", "created_at": time}
    answer = zep.ask("POST", "sessions", session, "memory", body={"messages": [message]})
    assert (answer.status_code, "is not a time" in answer.text) == (400, True)
    answer = zep.ask("POST", "sessions", session, "search", body={"metadata": {"start_date": time}})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "where", [{"or": {}}, {"and": ""}, {"and": 0}, {"or": False}, {"jsonpath": 0}, {"jsonpath": []}]
)
def test_a_filter_of_a_wrong_type_is_refused_also_when_it_is_empty(zep: Asked, session: str, where: object) -> None:
    """What counts as false in Python was taken for a filter that is not given."""
    answer = zep.ask("POST", "sessions", session, "search", body={"metadata": {"where": where}})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        '$ ? (@.a like_regex "a")',
        "$.a[0]",
        "$.**",
        "$.a.size() ? (@ > 1)",
        "strict $.a",
        '$.a == "x"',
        "$ ? " + "(" * 2000 + "@.a == 1" + ")" * 2000,
        "$ ? " + "(!" * 3000,
    ],
    ids=[
        "a pattern",
        "an index",
        "every descendant",
        "a method",
        "strict mode",
        "a predicate",
        "deep parentheses",
        "deep negations",
    ],
)
def test_a_path_beyond_what_is_understood_is_refused(zep: Asked, session: str, path: str) -> None:
    """Where it is only deep, Python's stack ran over: 500."""
    answer = zep.ask("POST", "sessions", session, "search", body={"metadata": {"where": {"jsonpath": path}}})
    assert (answer.status_code, "jsonpath" in answer.text) == (400, True)


def test_a_path_of_usual_depth_is_understood(zep: Asked, session: str) -> None:
    path = "$ ? " + "(" * 40 + "@.a == 1" + ")" * 40
    assert zep.search(session, metadata={"where": {"jsonpath": path}}) == []


@pytest.mark.parametrize("escape", ["", "\\ud800"], ids=["plain", "with half a surrogate pair"])
def test_deep_metadata_is_refused_whole(zep: Asked, session: str, escape: str) -> None:
    """What could be read could not always be written again, or searched: 500, now or with a later request."""
    bodies = {
        ("POST", "sessions"): f'{{"session_id":"{fresh()}{escape}","metadata":{DEEP}}}',
        ("PATCH", "sessions", session): f'{{"metadata":{DEEP},"x":"{escape}"}}',
        ("POST", "sessions", session, "memory"): f'{{"messages":[{{"content":"{escape}","metadata":{DEEP}}}]}}',
        ("POST", "sessions", session, "search"): f'{{"text":"{escape}","metadata":{{"where":{DEEP}}}}}',
    }
    for (method, *segments), body in bodies.items():
        answer = zep.client.request(method, "/".join(["/api/v1", *segments]), content=body.encode())
        assert (answer.status_code, "max depth" in answer.text) == (400, True), segments
    assert len(zep.everything(session)) == 1


def test_metadata_as_deep_as_is_allowed_comes_back(zep: Asked) -> None:
    ident, depth = fresh(), 199
    metadata = json.loads('{"a":' * depth + "1" + "}" * depth)
    assert zep.ask("POST", "sessions", body={"session_id": ident, "metadata": metadata}).status_code == 201
    assert zep.ask("PATCH", "sessions", ident, body={"metadata": {"b": 1}}).json()["metadata"] == metadata | {"b": 1}


@pytest.mark.parametrize("path", ["model/v1/chat/completions", "nlp/entities"])
def test_a_deep_body_is_refused_by_every_server(tmp_path: Path, path: str) -> None:
    """Python's stack ran over: 500."""
    part, _, rest = path.partition("/")
    with broken(tmp_path, [part], {}) as fleet:
        answer = httpx.post(f"{fleet.url(part)}/{rest}", content="[" * 100_000)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("number", ["1e400", "9" * 400, "9" * 5000], ids=["1e400", "400 digits", "5000 digits"])
def test_a_number_that_nobody_can_compute_with_is_refused(zep: Asked, session: str, number: str) -> None:
    """As an mmr_lambda an integer of 400 digits was multiplied with a likeness: 500."""
    search = f'{{"text":"tea","search_type":"mmr","mmr_lambda":{number}}}'
    answer = zep.client.post(f"/api/v1/sessions/{session}/search", content=search.encode())
    assert (answer.status_code, "out of range" in answer.text) == (400, True)


@pytest.mark.parametrize(("count", "status"), [("5.0", 200), ("-2e1", 200), ("5.5", 400), ("1e30", 400)])
def test_a_whole_number_may_be_written_with_a_point(zep: Asked, session: str, count: str, status: int) -> None:
    """JSON knows one kind of number: 5.0 was refused where the description wants an integer."""
    body = f'{{"messages":[{{"role":"human","content":"more tea","token_count":{count}}}]}}'
    assert zep.client.post(f"/api/v1/sessions/{session}/memory", content=body.encode()).status_code == status
    assert len(zep.everything(session)) == (2 if status == 200 else 1)


def test_the_first_of_a_parameter_counts_also_when_it_is_empty(zep: Asked, session: str) -> None:
    """As in Go: the second was taken."""
    answer = zep.client.get(f"/api/v1/sessions/{session}/memory?lastn=&lastn=nonsense")
    assert (answer.status_code, len(answer.json()["messages"])) == (200, 1)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_token_of_no_time_is_refused(zep_with_token: Fleet, claim: str, value: float) -> None:
    """Signed, and with a time that is no number: 500."""
    import jwt

    token = jwt.encode({claim: value} if claim == "iat" else {"x": 1, claim: value}, SECRET, "HS256")
    with asking(zep_with_token, "zep-secured") as zep:
        answer = zep.client.get("/api/v1/sessions", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.text) == (401, "token is unauthorized\n")
        good = {"authorization": f"Bearer {tokens.make_token(SECRET)}"}
        assert zep.client.get("/api/v1/sessions", headers=good).status_code == 200


@pytest.fixture(scope="module")
def zep_with_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    parts = parts_for(["zep-secured"], data=tmp_path_factory.mktemp("secured"), secrets={"zep-secured": SECRET})
    with Fleet(parts) as fleet:
        yield fleet


def test_methods_that_the_health_check_has_not_are_405(zep: Asked) -> None:
    """They were 404, as though it were not there."""
    answer = zep.client.post("/healthz")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.fixture(scope="module")
def langflux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LangFlux]:
    with broken(tmp_path_factory.mktemp("langflux"), ["langflux"], {}) as fleet:
        client = LangFlux(fleet.url("langflux"), API_KEY)
        yield client
        client.close()


def test_a_deep_flow_is_refused(langflux: LangFlux) -> None:
    """Python's stack ran over: "Internal error"."""
    made = langflux.wire.post("/api/v1/chatflows", json={"name": "deep", "flowData": "[" * 5000 + "]" * 5000})
    assert (made.status_code, "is not a flow" in made.text) == (500, True)


def test_an_id_that_looks_escaped_is_escaped_in_a_query() -> None:
    """The suite's own client: httpx 0.24 left `a%2Fb` as it is, and another session's chat messages were listed."""
    assert chat_path("flow", {"sessionId": "%2F-n5"}) == "/api/v1/chatmessage/flow?sessionId=%252F-n5"


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\x0b", "\x1c", "\r"])
def test_a_sign_that_ends_a_line_elsewhere_ends_none_in_a_stream(talk: Talk, sign: str) -> None:
    """Both the suite's client and the embedded LangFlux cut an event in two there: the answer was not JSON."""
    _, langflux, make = talk
    session, question = f"{fresh()}{sign}", f"one{sign}two"
    events = langflux.stream(make("").chatflow, question, session=session)
    assert "".join(data for name, data in events if name == "token") == f"Noted: {question}"
    assert next(data for name, data in events if name == "metadata")["sessionId"] == session


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    with (
        broken(tmp_path_factory.mktemp("talk"), ["zep", "langflux", "model"], {}) as fleet,
        asking(fleet) as zep,
        making_chatbots(fleet, fleet.url("model")) as (langflux, make),
    ):
        yield zep, langflux, make
