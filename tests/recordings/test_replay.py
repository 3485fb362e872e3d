"""The parts that replays stand on: names, what is harmless, Zep's queue, what is left, kinds of difference."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replaying import LANGFLUX, ZEP
from zep_conformance.errors import CannotTell
from zep_conformance.facts import requirements
from zep_conformance.recordings import removal
from zep_conformance.recordings.comparison import ABSENT, Difference
from zep_conformance.recordings.format import RecordedExchange, load_recording
from zep_conformance.recordings.names import Names, lists_others, objection
from zep_conformance.recordings.player import Replay
from zep_conformance.recordings.removal import EnrichmentQueue, Removals, stalls
from zep_conformance.recordings.report import Promises, curl, kind
from zep_conformance.recordings.server import ReplayServer, part_of
from zep_conformance.redaction.redactor import Redactor

PREFIX = "zc-test-"
OK = {"status": 200, "content_type": "", "body": "OK"}
UUID = "6f1c3f0e-0b7a-4c58-9a53-3d1c5b5f0a01"


def ask(method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "path": path} | ({} if body is None else {"body": body})


def server(answer: Callable[[httpx.Request], httpx.Response], part: str = "zep") -> ReplayServer:
    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://server")
    return ReplayServer(part=part, url="http://server", version="", client=client)


def replay(exchanges: list[RecordedExchange], answer: Callable[[httpx.Request], httpx.Response]) -> Replay:
    names = Names(PREFIX)
    queue = EnrichmentQueue(None, prefix=PREFIX, limit=0)
    return Replay(exchanges, server(answer), names=names, removals=Removals(None, queue), queue=queue)


class TestNames:
    @pytest.mark.parametrize(
        ("path", "renamed"),
        [
            ("/api/v1/sessions/rec-rt/memory?lastn=1", f"/api/v1/sessions/{PREFIX}rec-rt/memory?lastn=1"),
            ("/api/v1/sessions/a%2Fb/search", f"/api/v1/sessions/{PREFIX}a%2Fb/search"),
            ("/api/v1/user/u1/sessions", f"/api/v1/user/{PREFIX}u1/sessions"),
            ("/api/v1/sessions//memory", "/api/v1/sessions//memory"),
            ("/api/v1/sessions?limit=abc", "/api/v1/sessions?limit=abc"),
            ("/api/v1/chatmessage/{{uuid:2}}?chatId={{uuid:3}}", "/api/v1/chatmessage/{{uuid:2}}?chatId={{uuid:3}}"),
            ("/api/v1/chatmessage/x?a=1&sessionId=s", f"/api/v1/chatmessage/x?a=1&sessionId={PREFIX}s"),
            ("/healthz", "/healthz"),
        ],
    )
    def test_in_paths(self, path: str, renamed: str) -> None:
        assert Names(PREFIX).request(ask("GET", path))["path"] == renamed

    def test_in_bodies(self) -> None:
        body = {
            "session_id": "s",
            "user_id": None,
            "overrideConfig": {"sessionId": "t", "chatId": ""},
            "metadata": {"text": "s"},
            "flowData": '{"nodes": [{"inputs": {"sessionId": "u", "model": "{{llm.data.instance}}"}}]}',
        }
        renamed = Names(PREFIX).request(ask("POST", "/api/v1/sessions", body))["body"]
        assert renamed == {
            "session_id": f"{PREFIX}s",
            "user_id": None,
            "overrideConfig": {"sessionId": f"{PREFIX}t", "chatId": ""},
            "metadata": {"text": "s"},
            "flowData": '{"nodes": [{"inputs": {"sessionId": "zc-test-u", "model": "{{llm.data.instance}}"}}]}',
        }

    def test_what_langflux_is_given_a_name_for(self) -> None:
        names = Names(PREFIX)
        assert names.request(ask("POST", "/api/v1/chatflows", {"name": "f"}))["body"] == {"name": f"{PREFIX}f"}
        assert names.request(ask("POST", "/api/v1/prediction/x", {"name": "f"}))["body"] == {"name": "f"}

    def test_a_uuid_of_a_client_is_a_fresh_one_and_the_same_throughout(self) -> None:
        names = Names(PREFIX)
        first = names.request(ask("POST", "/x", {"messages": [{"uuid": UUID}]}))["body"]["messages"][0]["uuid"]
        assert first != UUID
        assert names.request(ask("GET", f"/x/{UUID}"))["path"] == f"/x/{first}"
        assert names.request(ask("GET", f"/x/{first}"))["path"] == f"/x/{first}"
        assert Names(PREFIX).request(ask("GET", f"/x/{UUID}"))["path"] != f"/x/{first}"

    def test_a_long_name_keeps_its_length(self) -> None:
        names = Names(PREFIX)
        own = names.own("x" * 200)
        assert len(own) == 200 and own.startswith(PREFIX)
        assert names.restored(f"session {own}!") == f"session {'x' * 200}!"

    @given(st.text(min_size=1).filter(lambda name: not name.startswith(("{{", PREFIX))))
    def test_names_come_back_as_they_were(self, name: str) -> None:
        names = Names(PREFIX)
        own = names.own(name)
        assert names.restored(own) == name
        assert names.own(own) == own

    def test_names_that_differ_in_case_only_still_do(self) -> None:
        names = Names(PREFIX)
        one, other = names.own("rec-iso-b"), names.own("REC-ISO-B")
        assert one != other and one.lower() == other.lower()

    def test_two_runs_have_names_of_their_own(self) -> None:
        assert Names().prefix != Names().prefix


class TestHarmless:
    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/healthz", True),
            ("GET", "/admin", True),
            ("GET", f"/api/v1/sessions/{PREFIX}s/memory", True),
            ("GET", "/api/v1/sessions", False),
            ("GET", "/api/v1/sessions/", False),
            ("GET", "/api/v1/user?limit=1", False),
            ("GET", "/api/v1/chatflows", False),
            ("GET", "/admin/sessions", False),
            ("POST", f"/api/v1/sessions/{PREFIX}s/memory", True),
            ("DELETE", f"/api/v1/user/{PREFIX}u", True),
            ("POST", "/api/v1/sessions", True),
            ("POST", "/api/v1/credentials", True),
            ("DELETE", "/api/v1/credentials", False),
            ("DELETE", "/api/v1/sessions/theirs/memory", False),
            ("DELETE", f"/api/v1/sessions/{PREFIX}s/../theirs/memory", False),
            ("DELETE", f"/api/v1/sessions/{PREFIX}s%2F..%2Ftheirs/memory", False),
            ("DELETE", "/api/v1/sessions//memory", False),
            ("DELETE", f"/api/v1/chatflows/{UUID}", False),
            ("POST", f"/api/v1/prediction/{UUID}", False),
            ("POST", "/admin/sessions/delete/x", False),
            ("PUT", "/api/v1/apikey/1", False),
        ],
    )
    def test_requests(self, method: str, path: str, allowed: bool) -> None:
        exchange = RecordedExchange("a", 1, ask(method, path), OK)
        assert (objection(exchange, ask(method, path), Names(PREFIX), []) is None) is allowed

    def test_what_was_made_here_may_be_changed(self) -> None:
        request = ask("DELETE", f"/api/v1/chatflows/{UUID}")
        assert objection(RecordedExchange("a", 1, request, OK), request, Names(PREFIX), [UUID]) is None

    def test_a_listing_that_is_refused_where_it_was_recorded_may_be_asked_for(self) -> None:
        request = ask("GET", "/api/v1/sessions?limit=abc")
        refused = RecordedExchange("a", 1, request, {**OK, "status": 400})
        assert objection(refused, request, Names(PREFIX), []) is None
        assert lists_others(request)

    @pytest.mark.parametrize("path", [ZEP, LANGFLUX])
    def test_everything_that_was_recorded_may_be_asked(self, path: Any) -> None:
        names = Names(PREFIX)
        for exchange in load_recording(path):
            text = exchange.request["path"].replace("{{uuid:1}}", UUID).replace("{{uuid:2}}", UUID)
            request = names.request({**exchange.request, "path": text})
            assert objection(exchange, request, names, [UUID, *names._uuids.values()]) is None, exchange.name


class TestPlayer:
    def test_a_server_that_is_gone_ends_it(self) -> None:
        def gone(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        exchange = RecordedExchange("a", 1, ask("GET", "/healthz"), OK)
        with pytest.raises(CannotTell, match="zep has stopped answering: ConnectError at a-1"):
            replay([exchange], gone).play(exchange)

    def test_one_request_that_is_not_answered_is_a_difference_and_three_are_an_end(self) -> None:
        def dropped(request: httpx.Request) -> httpx.Response:
            raise httpx.RemoteProtocolError("disconnected", request=request)

        exchanges = [RecordedExchange("a", step, ask("GET", "/healthz"), OK) for step in (1, 2, 3)]
        playing = replay(exchanges, dropped)
        played = playing.play(exchanges[0])
        assert [str(one.came) for one in played.differences] == ["no answer (RemoteProtocolError)"]
        with pytest.raises(CannotTell, match="at a-3"):
            playing.play(exchanges[2])

    def test_what_needs_an_answer_that_never_came_is_not_asked(self) -> None:
        asked = []

        def refuse(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return httpx.Response(500, text="broken")

        made = RecordedExchange(
            "a", 1, ask("POST", "/api/v1/chatflows", {"name": "f"}), {**OK, "body": {"id": "{{uuid:1}}"}}
        )
        used = RecordedExchange("a", 2, ask("POST", "/api/v1/prediction/{{uuid:1}}", {"question": "x"}), OK)
        played = replay([made, used], refuse).play(used)
        assert asked == ["/api/v1/chatflows"]
        assert [(one.where, one.recorded) for one in played.differences] == [
            ("request", "{{uuid:1}} of an earlier answer")
        ]

    def test_sequences_wait_for_the_queue_together(self) -> None:
        """Two sequences that write and clear are played up to the clear, and the queue settles once for both."""
        order: list[str] = []

        class Zep:
            def write(self, *_: Any) -> None:
                order.append("settled")

        def answer(request: httpx.Request) -> httpx.Response:
            order.append(f"{request.method} {request.url.path.split('/')[4].removeprefix(PREFIX)}")
            return httpx.Response(200, content=b"OK")

        said = {"messages": [{"role": "human", "content": "x"}]}
        exchanges = [
            RecordedExchange(name, step, ask(method, f"/api/v1/sessions/{name}/memory", body), OK)
            for name, post in (("stalls", {}), ("a", said), ("b", said))
            for step, (method, body) in enumerate([("POST", post), ("DELETE", None)])
        ]
        zep: Any = Zep()
        queue = EnrichmentQueue(zep, prefix=PREFIX, limit=0.0)
        playing = Replay(exchanges, server(answer), names=Names(PREFIX), removals=Removals(None, queue), queue=queue)
        assert all(played.as_recorded for played in playing.play_all())
        assert order[:5] == ["POST a", "POST b", "settled", "DELETE a", "DELETE b"]
        assert order[5] == "POST stalls"


class TestRemains:
    def test_each_thing_is_removed_by_what_undoes_it_in_order(self) -> None:
        sent: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "DELETE":
                sent.append(request.url.raw_path.decode())
            return httpx.Response(404 if "gone" in request.url.path else 500 if "stays" in request.url.path else 200)

        zep, langflux = server(answer), server(answer, "langflux")
        removals = Removals(zep, EnrichmentQueue(None, prefix=PREFIX, limit=0))
        saved = httpx.Response(200, json={"id": "f1"})
        talked = httpx.Response(200, json={"chatId": "c", "sessionId": "s/1", "memoryType": "Zep"})
        ok = httpx.Response(200)
        removals.note(zep, "POST", "/api/v1/sessions/stays/memory", {"messages": []}, ok)
        removals.note(zep, "POST", "/api/v1/sessions/a%2Fb/memory", {"messages": []}, ok)
        removals.note(zep, "POST", "/api/v1/user", {"user_id": "gone"}, ok)
        removals.note(zep, "POST", "/api/v1/sessions", {"session_id": "made"}, ok)
        removals.note(zep, "DELETE", "/api/v1/sessions/made/memory", None, ok)
        removals.note(langflux, "POST", "/api/v1/credentials", {}, httpx.Response(500))
        removals.note(langflux, "POST", "/api/v1/chatflows", {}, saved)
        removals.note(langflux, "POST", "/api/v1/prediction/f1", {"question": "x"}, talked)
        left = removals.remove()
        assert sent == [
            "/api/v1/chatmessage/f1?chatId=c&sessionId=s%2F1&memoryType=Zep",
            "/api/v1/chatflows/f1",
            "/api/v1/user/gone",
            "/api/v1/sessions/stays/memory",
            "/api/v1/sessions/a%2Fb/memory",
            "/api/v1/sessions/s%2F1/memory",
        ]
        assert left == ["session stays (answered 500)"]

    def test_what_has_no_id_is_said_to_be_left(self) -> None:
        removals = Removals(None, EnrichmentQueue(None, prefix=PREFIX, limit=0))
        removals.note(
            server(lambda _: httpx.Response(200), "langflux"), "POST", "/api/v1/chatflows", {}, httpx.Response(200)
        )
        assert removals.remove() == ["a chatflow, whose id was not in the answer"]

    def test_an_enrichment_that_never_settles_is_said_and_the_rest_is_removed(self) -> None:
        class Broken:
            def write(self, *_: Any) -> None:
                raise KeyError("nonsense")

        sent: list[str] = []
        zep = server(lambda request: sent.append(request.method) or httpx.Response(200))  # type: ignore[func-returns-value]
        broken: Any = Broken()
        queue = EnrichmentQueue(broken, prefix=PREFIX, limit=0)
        removals = Removals(zep, queue)
        written = ask("POST", "/api/v1/sessions/a/memory", {"messages": [{}]})
        queue.note(written)
        removals.note(zep, written["method"], written["path"], written["body"], httpx.Response(200))
        left = removals.remove()
        assert len(left) == 1 and "enrichment did not settle before the removal (KeyError)" in left[0]
        assert sent == ["DELETE", "DELETE"]  # the session, and the one that was to settle


class TestMetadata:
    def queue(self, *answers: object) -> tuple[EnrichmentQueue, list[str]]:
        """A queue of a Zep that answers so, the last for good, and the paths that it was asked for."""
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.raw_path.decode())
            said = answers[min(len(asked), len(answers)) - 1]
            return httpx.Response(200, json={"messages": [{"content": "x", "metadata": {"system": said}}]})

        zep: Any = SimpleNamespace(wire=httpx.Client(base_url="http://zep", transport=httpx.MockTransport(answer)))
        return EnrichmentQueue(zep, prefix=PREFIX, limit=0.0), asked

    def test_a_change_waits_until_zep_has_written_what_it_finds_out(self) -> None:
        queue, asked = self.queue({}, {"entities": []}, {"entities": [], "intent": "x"})
        queue.await_metadata("/api/v1/sessions/a")
        assert asked == ["/api/v1/sessions/a/messages?limit=100"] * 3

    def test_a_zep_that_finds_out_nothing_is_not_waited_for_again_and_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(removal, "UNHURRIED", 0.0)
        queue, asked = self.queue({})
        for _ in range(removal.VAIN + 2):
            queue.await_metadata("/api/v1/sessions/a")
        assert len(asked) == removal.VAIN


def test_posts_without_messages_stall() -> None:
    path = "/api/v1/sessions/s/memory"
    assert stalls(ask("POST", path, {})) and stalls(ask("POST", path, {"messages": []}))
    assert not stalls(ask("POST", path, {"messages": [{}]})) and not stalls(ask("GET", path))
    assert not stalls({"method": "POST", "path": path, "raw": ""})


def test_differences_of_a_kind() -> None:
    one = Difference("body.messages[0].uuid", "{{uuid:1}}", ABSENT)
    assert kind(one) == kind(Difference("body.messages[7].uuid", "{{uuid:9}}", ABSENT))
    assert kind(one) != kind(Difference("body.messages[0].uuid", "{{uuid:1}}", "x"))
    assert kind(Difference("status", 200, 404)) != kind(Difference("status", 200, 500))
    assert kind(Difference("body.n", 1, 2)) == kind(Difference("body.n", 3, 4))
    assert kind(Difference("body", {}, [])) != kind(Difference("body", {}, None))


def test_the_part_of_a_recording() -> None:
    assert (part_of(load_recording(ZEP)), part_of(load_recording(LANGFLUX))) == ("zep", "langflux")


@pytest.mark.parametrize(("part", "path"), [("zep", ZEP), ("langflux", LANGFLUX)])
def test_promises_name_what_there_is(part: str, path: Any) -> None:
    promises = Promises.of(part)
    exchanges = load_recording(path)
    known = {exchange.name for exchange in exchanges} | {exchange.sequence for exchange in exchanges}
    assert set(promises.known) <= known
    ids = {name for names in promises.known.values() for name in names}
    assert ids <= set(requirements.load_requirements()) | set(promises.deviations)


def test_a_curl_command_names_the_token_by_its_variable() -> None:
    from zep_conformance.recordings.player import SentRequest

    secured = ReplayServer(
        part="zep", url="http://zep", version="", client=httpx.Client(), headers={"authorization": "Bearer t0ken"}
    )
    sent = SentRequest("POST", "http://zep/api/v1//x", {"authorization": "Bearer t0ken", "a": "it's"}, '{"b": 1}')
    assert curl(sent, secured, Redactor()) == [
        "curl -i", "-X POST", '-H "authorization: Bearer $ZEP_TOKEN"', """-H 'a: it'"'"'s'""",
        """--data-binary '{"b": 1}'""", "--path-as-is", "http://zep/api/v1//x",
    ]  # fmt: skip
