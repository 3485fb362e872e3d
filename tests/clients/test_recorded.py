"""A transport that answers from the recording of a run: what it takes for the same request, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any

import httpx
import pytest

from zep_conformance.clients import clock
from zep_conformance.clients.http import http_client
from zep_conformance.clients.recorded import (
    CUT,
    LEFT_OUT,
    MORE_OFTEN,
    SOMETHING_ELSE,
    NotRecorded,
    Player,
    RecordedAnswer,
    beginning,
)
from zep_conformance.clients.waiting import eventually
from zep_conformance.redaction.redactor import Redactor

URL = "http://zep.test:8000"
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_turns = count(1000)


def exchange(
    method: str = "GET", path: str = "/a", answer: str = "", at: float | None = None, **known: Any
) -> RecordedAnswer:
    """Return an exchange. at: seconds from BEGAN; each comes after the one before where none are given."""
    defaults: dict[str, Any] = {"body": "", "credentials": "", "status": 200, "headers": (), "failure": ""}
    began = BEGAN + timedelta(seconds=next(_turns) if at is None else at)
    given = defaults | {"seconds": 0.25} | known
    return RecordedAnswer(method=method, url=f"{URL}{path}", answer=answer, began=began, **given)


@contextmanager
def playing(*exchanges: RecordedAnswer, redactor: Redactor | None = None) -> Iterator[tuple[Player, httpx.Client]]:
    player = Player(redactor or Redactor())
    player.begin(exchanges)
    with clock.running(player.clock), http_client(URL, timeout=1, transport=player) as client:
        yield player, client


def test_of_a_body_that_was_too_long_the_beginning_and_the_length_are_compared() -> None:
    player = Player(Redactor(), longest=4)
    player.begin([exchange("POST", body=beginning("abcd", 8, 4), answer="kept")])
    with http_client(URL, timeout=1, transport=player) as client:
        for other in ("abXdefgh", "abcdefghi", "abcd"):
            with pytest.raises(NotRecorded, match=SOMETHING_ELSE):
                client.post("/a", content=other)
        assert client.post("/a", content="abcdefgh").text == "kept"
    assert [one.why for one in player.missing] == [SOMETHING_ELSE] * 3


def test_an_answer_that_was_too_long_tells_nothing() -> None:
    with playing(exchange(answer="abcd", is_cut=True)) as (player, client):
        with pytest.raises(NotRecorded, match="too long to be recorded"):
            client.get("/a")
        assert [one.why for one in player.missing] == [CUT]


def test_an_answer_is_read_as_it_was_kept_whatever_it_was_sent_in() -> None:
    headers = (("content-type", "text/plain; charset=latin-1"),)
    with playing(exchange(answer="Zoë", headers=headers)) as (_, client):
        assert client.get("/a").text == "Zoë"


def test_cookies_that_an_answer_sets_are_sent_back() -> None:
    set_one = (("set-cookie", "name=value; Path=/"),)
    with playing(exchange(), exchange(path="/b", headers=set_one), exchange(path="/c")) as (_, client):
        assert "cookie" not in client.get("/a").request.headers
        client.get("/b")
        assert client.get("/c").request.headers["cookie"] == "name=value"


def test_the_same_request_is_answered_in_the_order_of_then() -> None:
    with playing(exchange(answer="one"), exchange(path="/b", answer="two"), exchange(answer="three")) as (_, client):
        assert [client.get(path).text for path in ("/a", "/b", "/a")] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.get("/b"),
        lambda client: client.post("/a"),
        lambda client: client.get("/a?lastn=1"),
        lambda client: client.request("GET", "/a", content="x"),
        lambda client: client.get("/a", headers={"authorization": "Bearer another"}),
    ],
    ids=["path", "method", "query", "body", "credentials"],
)
def test_another_request_is_not_recorded(ask: Callable[[httpx.Client], httpx.Response]) -> None:
    with playing(exchange()) as (player, client):
        with pytest.raises(NotRecorded) as caught:
            ask(client)
        assert caught.value.why == SOMETHING_ELSE and player.missing == [caught.value]


def test_what_is_asked_more_often_than_then_is_not_recorded() -> None:
    with playing(exchange()) as (_, client):
        client.get("/a")
        with pytest.raises(NotRecorded) as caught:
            client.get("/a")
        assert caught.value.why == MORE_OFTEN


def test_nothing_is_answered_from_before_what_was_answered_last() -> None:
    before, write, after = exchange(answer="before"), exchange("POST", "/b"), exchange(answer="after")
    with playing(before, exchange(answer="before"), write, after) as (_, client):
        client.get("/a")
        client.post("/b")
        assert client.get("/a").text == "after"


def test_what_follows_something_that_was_written_is_not_told_without_that() -> None:
    with playing(exchange(), exchange("POST", "/b"), exchange(path="/c")) as (_, client):
        client.get("/a")
        with pytest.raises(NotRecorded) as caught:
            client.get("/c")
        assert caught.value.why == LEFT_OUT


def test_threads_are_answered_by_what_they_ask() -> None:
    many = [exchange("POST", f"/{who}", f"{who} {turn}", at=turn / 9) for turn in range(5) for who in range(8)]
    together = Barrier(8)

    def talk(who: int) -> list[str]:
        together.wait()
        return [client.post(f"/{who}").text for _ in range(5)]

    with playing(*many) as (player, client), ThreadPoolExecutor(8) as pool:
        assert list(pool.map(talk, range(8))) == [[f"{who} {turn}" for turn in range(5)] for who in range(8)]
        assert not player.missing


def test_secrets_that_differ_are_the_same_request() -> None:
    told = Redactor(["the-secret-of-now"])
    kept = exchange("POST", body='{"key": "[hidden]"}', credentials="Bearer [hidden]")
    with playing(kept, redactor=told) as (_, client):
        headers = {"authorization": "Bearer the-secret-of-now"}
        assert client.post("/a", content='{"key": "the-secret-of-now"}', headers=headers).status_code == 200


def test_a_broken_connection_breaks_again() -> None:
    lost = exchange(failure="ReadTimeout", answer="timed out", seconds=40.0, at=0)
    with playing(lost) as (_, client), pytest.raises(httpx.ReadTimeout, match="timed out"):
        client.get("/a")
    with playing(lost, exchange(path="/b", at=40)) as (_, client):
        with pytest.raises(httpx.ReadTimeout):
            client.get("/a")
        assert clock.monotonic() == 40.0


def polled(client: httpx.Client) -> Callable[[], str]:
    def ready() -> str:
        answer = client.get("/a").text
        assert answer == "ready", "it is not ready"
        return answer

    return ready


def test_a_wait_takes_no_time_and_ends_where_it_ended_then() -> None:
    polls = [exchange(answer="" if number < 9 else "ready", at=number) for number in range(10)]
    with playing(*polls) as (_, client):
        assert eventually(polled(client), 30.0) == "ready"
        assert clock.now() == polls[-1].ended


def test_a_wait_that_was_in_vain_is_in_vain_again() -> None:
    polls = [exchange(at=number, seconds=0.5) for number in range(10)]
    with playing(*polls, exchange(answer="ready", at=99)) as (player, client):
        with pytest.raises(AssertionError, match="not ready"):
            eventually(polled(client), 5.0)
        assert not player.missing


def test_a_wait_is_in_vain_where_nothing_more_is_recorded_of_it() -> None:
    with playing(exchange(seconds=4.9)) as (player, client):
        with pytest.raises(AssertionError, match="not ready"):
            eventually(polled(client), 5.0)
        assert all(one.is_excused for one in player.missing)


def test_a_wait_that_goes_on_longer_than_the_recording_is_not_told() -> None:
    with playing(exchange()) as (player, client):
        with pytest.raises(NotRecorded):
            eventually(polled(client), 5.0)
        assert [one.is_excused for one in player.missing] == [False]
