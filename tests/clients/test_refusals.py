"""Every way of not being let in: what a sample meets, what counts as refused, and what those let in have in common."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import httpx
import pytest

from zep_conformance import suite
from zep_conformance.clients import tokens
from zep_conformance.clients.leaks import given_away
from zep_conformance.clients.refusals import (
    EXACT,
    LOOKED_AT,
    METHODS,
    OWN,
    PLACES,
    SPELLINGS,
    Attempt,
    Ways,
    complaint,
    grouped,
    pairs,
    send,
    wrong_tokens,
)
from zep_conformance.facts.operations import api_operations
from zep_conformance.settings import SETTINGS

SECRET = tokens.make_secret()
RIGHT = tokens.make_token(SECRET)
OPERATIONS = api_operations()
WAYS = Ways(
    operations=OPERATIONS,
    wrong=wrong_tokens(RIGHT, SECRET),
    right=RIGHT,
    ids={"sessionId": "a%2Fb", "userId": "u", "messageId": "m"},
    bodies={"POST /api/v1/sessions": {"session_id": "s"}},
)
SAMPLE = list(WAYS.sample())
READ = next(one for one in OPERATIONS if str(one) == "GET /api/v1/sessions/{sessionId}/memory")


def test_the_list_of_operations_is_that_of_the_description() -> None:
    described: dict[str, dict[str, Any]] = json.loads((suite.data() / "zep-api.json").read_text())["paths"]
    under_api = {f"{method.upper()} {path}" for path, of in described.items() if "/api/" in path for method in of}
    assert {str(one) for one in OPERATIONS} == under_api
    assert not any(one.answers & {401, 403, 500} or not one.answers & {200, 201} for one in OPERATIONS)


@pytest.mark.parametrize("lengths", [(1, 1), (3, 3), (5, 4, 3, 2), (17, 16, 16, 4, 15), (19, 4, 18)])
def test_any_two_values_of_two_ways_meet(lengths: tuple[int, ...]) -> None:
    ways = [tuple(range(length)) for length in lengths]
    rows = list(pairs(*ways))
    for one, other in itertools.combinations(range(len(ways)), 2):
        assert {(row[one], row[other]) for row in rows} == set(itertools.product(ways[one], ways[other]))


def test_a_sample_meets_every_two_values() -> None:
    names = (OPERATIONS, tuple(WAYS.wrong), tuple(PLACES), tuple(METHODS), tuple(SPELLINGS))
    rows = [(one.operation, one.token, one.place, one.method, one.spelling) for one in SAMPLE]
    for one, other in itertools.combinations(range(5), 2):
        assert {(row[one], row[other]) for row in rows} == set(itertools.product(names[one], names[other]))
    assert len(SAMPLE) < 700


def test_nothing_hides_a_token_or_a_place_from_an_operation() -> None:
    plain = [one for one in SAMPLE if one.is_plain]
    assert {(one.operation, one.token) for one in plain if one.place in LOOKED_AT} == set(
        itertools.product(OPERATIONS, WAYS.wrong)
    )
    assert {(one.operation, one.place) for one in plain} == set(itertools.product(OPERATIONS, PLACES))
    looked = [one for one in plain if one.place in LOOKED_AT]
    assert {(one.token, one.place) for one in looked} == set(itertools.product(WAYS.wrong, LOOKED_AT))


def test_thorough_is_every_combination_and_its_help_says_how_many() -> None:
    lengths = [len(one) for one in (OPERATIONS, WAYS.wrong, PLACES, METHODS, SPELLINGS)]
    count = sum(1 for _ in WAYS.all())
    assert count == math.prod(lengths)
    assert f"some {round(count, -4):,} requests" in SETTINGS["thorough"].text


def test_no_attempt_has_the_right_token_where_it_belongs() -> None:
    for attempt in SAMPLE:
        asked = WAYS.request(attempt)
        for name, value in asked.headers:
            assert value.lower() != f"bearer {RIGHT}".lower()
            assert not (name == "Cookie" and f"jwt={RIGHT}" in value)
            assert tokens.can_be_sent(value.replace("\t", " ")) or not value, (name, "can't be sent")


@pytest.mark.parametrize("secret", [None, SECRET, "short", "pass:word, with blanks", "not\nsendable"])
def test_wrong_tokens_can_be_sent_and_are_wrong(secret: str | None) -> None:
    right = tokens.make_token(secret or SECRET)
    found = wrong_tokens(right, secret)
    assert len(found) >= 9 + (6 if secret else 0)
    assert right not in found.values()
    for name, token in found.items():
        assert not token or (tokens.can_be_sent(token) and tokens.flaws(token, secret or SECRET)), name


def test_a_path_goes_out_as_it_is_spelled() -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.raw_path))
        return httpx.Response(401)

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://zep") as client:
        for spelling in SPELLINGS:
            send(client, WAYS.request(Attempt(READ, "garbage", "in the query", OWN, spelling)))
    paths = [path.partition(b"?")[0].decode() for _, path in seen]
    assert paths == [spell("/api/v1/sessions/a%2Fb/memory") for spell in SPELLINGS.values()]
    assert all(b"?jwt=not.a.token" in path for _, path in seen)


@pytest.mark.parametrize(
    ("method", "spelling", "status", "length", "refused"),
    [
        (OWN, EXACT, 401, 15, True), (OWN, EXACT, 403, 15, False), (OWN, EXACT, 404, 15, False),
        (OWN, EXACT, 500, 15, False), (OWN, EXACT, 200, 0, False), (OWN, EXACT, 302, 0, False),
        ("HEAD", EXACT, 405, 0, True), ("HEAD", EXACT, 401, 0, True), ("HEAD", EXACT, 200, 0, False),
        ("OPTIONS", EXACT, 204, 0, True), ("OPTIONS", EXACT, 200, 0, True), ("OPTIONS", EXACT, 200, 9, False),
        (OWN, "in capitals", 404, 99, True), (OWN, "in capitals", 301, 9, True), (OWN, "in capitals", 200, 9, False),
        (OWN, "in capitals", 204, 0, False), (OWN, "in capitals", 500, 9, False),
    ],
)  # fmt: skip
def test_what_counts_as_refused(method: str, spelling: str, status: int, length: int, refused: bool) -> None:
    assert (complaint(Attempt(READ, "garbage", "nowhere", method, spelling), status, length) == "") is refused


def test_what_is_let_in_is_said_by_what_it_has_in_common() -> None:
    def common(is_let_in: Any) -> list[str]:
        return grouped([one for one in SAMPLE if is_let_in(one)], SAMPLE)

    heads = len([one for one in SAMPLE if one.method == "HEAD"])
    assert common(lambda one: one.method == "HEAD") == [f"{heads} of {heads} requests by HEAD"]
    own = [one for one in SAMPLE if one.spelling == "in capitals" and one.method != "OPTIONS"]
    assert common(lambda one: one in own)[0].startswith(f"{len(own)} of ")
    assert common(lambda one: one in own)[0].endswith("requests a path in capitals")
    [line] = common(
        lambda one: one.token == "one that has expired" and one.operation == READ and one.place != "nowhere"
    )
    assert "with one that has expired" in line and str(READ) in line
    assert common(lambda _: False) == []
    alone = SAMPLE[5]
    assert str(alone.operation) in common(lambda one: one is alone)[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("token is unauthorized\n", []),
        ("select a session from the list, where you like it", []),
        ("http://127.0.0.1:8000/x@y is not there", []),
        ('Post "http://zep-nlp:5557/embeddings/message": dial tcp: lookup zep-nlp', []),
        ("ERROR: duplicate key value violates unique constraint (SQLSTATE=23505)", []),
        ("dial postgres://zep:pw@db:5432/zep", ["an address with a password"]),
        ('UPDATE "session" AS s SET deleted_at = now()', ["a database query"]),
        ("SELECT id,\n name FROM users", ["a database query"]),
        ("insert into message values (1)", []),
        ("goroutine 12 [running]:\nmain.main()", ["a stack of calls"]),
        ('{"stack":"Error: x\\n    at run (/usr/src/a.js:1:2)"}', ["a stack of calls"]),
        ('File "/app/x.py", line 7, in run', ["a stack of calls"]),
        (f"token {RIGHT} is bad", ["the token"]),
        (f"signature {RIGHT.rpartition('.')[2]} is bad", ["the token"]),
        (f"{SECRET}", ["the secret"]),
    ],
)
def test_what_an_answer_gives_away(text: str, what: list[str]) -> None:
    secrets = [("the token", RIGHT), ("the secret", SECRET), ("a short one", "token")]
    assert given_away(text, {"x-zep-version": "0.27.2", "location": f"/x?jwt={RIGHT}"}, secrets) == what
    assert given_away("refused", {"www-authenticate": text.replace("\n", " ")}, secrets) == what or "\n" in text
