"""Every way of not being let in: each operation of Zep's API asked with each token that is not the right one, sent in
each place, by each method, to each spelling of its path.

    ways = Ways(operations, wrong_tokens(right, secret), right=right, ids=ids)
    for attempt in ways.sample():           # every two values of two ways together; `ways.all()` has every combination
        answer = send(client, ways.request(attempt))
        complaint(attempt, answer.status_code, len(answer.content))     # "" for a refusal
"""

from __future__ import annotations

import base64
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from zep_conformance.clients import tokens
from zep_conformance.facts.operations import API, ApiOperation
from zep_conformance.facts.servers import PUBLISHED_SECRET

HOUR = 3600
"""Seconds."""
Headers = list[tuple[str, str]]
Placed = tuple[Headers, str]
"""Headers, and the query (without its question mark, "" for none)."""

MOST = 0.4
"""The share of attempts with a value from which on that value stands for them."""
EMPTY, RIGHT = "an empty one", "the right one"
EXACT, OWN = "as it is documented", "its own"


def wrong_tokens(right: str, secret: str | None) -> dict[str, str]:
    """Return tokens that are not the right one, by what is wrong with them; fewer where the secret is not known.

    right: the right one. What can't be sent at all is left out.
    """
    header, payload, signature = (*right.split("."), "", "")[:3]
    changed = base64.urlsafe_b64encode(b'{"admin":true}').rstrip(b"=").decode()
    found = {
        EMPTY: "",
        "garbage": "not.a.token",
        "the right one cut short": right[:-2],
        "the right one without its signature": f"{header}.{payload}.",
        "the right one with other claims": f"{header}.{changed}.{signature}",
        "one signed with another secret": tokens.make_token(tokens.make_secret()),
        "one signed with an empty secret": tokens.make_token(""),
        "one signed with the published secret": tokens.make_token(PUBLISHED_SECRET),
        "one of the algorithm none": tokens.make_token("", algorithm="none"),
    }
    if secret:
        now = int(time.time())
        found |= {
            "the secret itself": secret,
            "one signed with the decoded secret": tokens.make_token(_decoded(secret)),
            "one signed with HS384": tokens.make_token(secret, algorithm="HS384"),
            "one signed with HS512": tokens.make_token(secret, algorithm="HS512"),
            "one that has expired": tokens.make_token(secret, {"exp": now - HOUR}),
            "one that is not valid yet": tokens.make_token(secret, {"nbf": now + HOUR}),
            "one that was issued later": tokens.make_token(secret, {"iat": now + HOUR}),
        }
    return {name: one for name, one in found.items() if not one or (tokens.can_be_sent(one) and one != right)}


def _decoded(secret: str) -> bytes:
    """Return what a secret is the base64 of; something else where it is none."""
    try:
        return base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4)) or b"?"
    except ValueError:
        return secret.encode()[::-1]


def _in(name: str, value: str) -> Placed:
    return [(name, value)], ""


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _quoted(token: str) -> str:
    """Return a token for a query; a variable that stands for one is left as it is."""
    return quote(token, safe="/$")


_QUERY = ("jwt", "token", "access_token")
LOOKED_AT: Mapping[str, Callable[[str, str], Placed]] = {
    "in Authorization, after “Bearer”": lambda wrong, _: _in("Authorization", f"Bearer {wrong}"),
    "in authorization, after “bearer”": lambda wrong, _: _in("authorization", f"bearer {wrong}"),
    "in AUTHORIZATION, after “BEARER”": lambda wrong, _: _in("AUTHORIZATION", f"BEARER {wrong}"),
    "in two headers": lambda wrong, _: ([("Authorization", f"Bearer {wrong}")] * 2, ""),
    "in the cookie jwt": lambda wrong, _: _in("Cookie", f"jwt={wrong}"),
    # The right one where none is looked for, beside a wrong one where it is.
    "with the right one in the query": lambda wrong, right: (
        [("Authorization", f"Bearer {wrong}")],
        f"jwt={_quoted(right)}&token={_quoted(right)}",
    ),
    "with the right one in another cookie": lambda wrong, right: (
        [("Authorization", f"Bearer {wrong}"), ("Cookie", f"token={right}; Authorization={right}")],
        "",
    ),
    "with the right one without “Bearer”": lambda wrong, right: (
        [("Authorization", right), ("Cookie", f"jwt={wrong}")],
        "",
    ),
    "with the right one in other headers": lambda wrong, right: (
        [("Authorization", f"Bearer {wrong}"), ("X-API-Key", right), ("Token", right), ("Jwt", right)],
        "",
    ),
}
"""Where a wrong token is sent so that it is looked at, given that and the right one."""

PLACES: Mapping[str, Callable[[str, str], Placed]] = {
    **LOOKED_AT,
    "nowhere": lambda _wrong, _right: ([], ""),
    "after two spaces": lambda wrong, _: _in("Authorization", f"Bearer  {wrong}"),
    "after a tab": lambda wrong, _: _in("Authorization", f"Bearer\t{wrong}"),
    "without “Bearer”": lambda wrong, _: _in("Authorization", wrong),
    "after “Basic”": lambda wrong, _: _in("Authorization", f"Basic {_in_base64(f'jwt:{wrong}')}"),
    "in other cookies": lambda wrong, _: _in("Cookie", f"token={wrong}; session={wrong}"),
    "in the query": lambda wrong, _: ([], "&".join(f"{name}={_quoted(wrong)}" for name in _QUERY)),
}
"""Where one is sent at all."""

METHODS: Mapping[str, Callable[[str], tuple[str, Headers]]] = {
    OWN: lambda method: (method, []),
    "HEAD": lambda _method: ("HEAD", []),
    "OPTIONS": lambda _method: ("OPTIONS", []),
    "POST, said to be its own": lambda method: ("POST", [("X-HTTP-Method-Override", method)]),
}
"""By which method it is asked for, and with which headers, given its own."""


def _elsewhere(path: str) -> str:
    return path.removeprefix(API)


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    EXACT: lambda path: path,
    "with a slash at the end": lambda path: f"{path}/",
    "with two slashes in front": lambda path: f"/{path}",
    "with two slashes inside": lambda path: f"/api//v1{_elsewhere(path)}",
    "with a dot inside": lambda path: f"/api/./v1{_elsewhere(path)}",
    "by way of two dots": lambda path: f"/api/v1/../v1{_elsewhere(path)}",
    "by way of the health check": lambda path: f"/healthz/..{path}",
    "by way of escaped dots": lambda path: f"/healthz/%2e%2e{path}",
    "with an escaped letter": lambda path: f"/%61pi/v1{_elsewhere(path)}",
    "with an escaped slash": lambda path: f"/api%2Fv1{_elsewhere(path)}",
    "in capitals": lambda path: f"{API.upper()}{_elsewhere(path)}",
    "with a parameter inside": lambda path: f"/api;a=b/v1{_elsewhere(path)}",
    "with a parameter at the end": lambda path: f"{path};a=b",
    "with a zero byte at the end": lambda path: f"{path}%00",
    "with an ending": lambda path: f"{path}.json",
}
"""How a path is spelled."""


@dataclass(frozen=True)
class Attempt:
    """One request of somebody who is not to be let in: an operation, and the names of a value of each way."""

    operation: ApiOperation
    token: str
    place: str
    method: str = OWN
    spelling: str = EXACT

    @property
    def is_plain(self) -> bool:
        """Whether it is the operation itself that is asked for."""
        return self.method == OWN and self.spelling == EXACT

    def values(self) -> tuple[str, ...]:
        """Return in words what it has of each way, the most telling first."""
        sent = f"with {self.token}" if self.place != "nowhere" else "without a token"
        return (
            *([] if self.method == OWN else [f"by {self.method}"]),
            *([] if self.spelling == EXACT else [f"a path {self.spelling}"]),
            *([] if self.place == "nowhere" else [f"a token {self.place}"]),
            sent,
            str(self.operation),
        )


def variable(token: str) -> str:
    """Return what stands for a token in a request that is shown, by what is wrong with it: a variable of a shell."""
    return "$" + re.sub(r"\W+", "_", token).upper() if token != EMPTY else ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it is sent, or shown. target: the path as it is spelled, and the query."""

    method: str
    target: str
    headers: Headers
    body: Any


@dataclass(frozen=True, kw_only=True)
class Ways:
    """All ways of asking for some operations without being let in.

    wrong: tokens by name, see `wrong_tokens`. right: the right one. ids: for the paths, escaped. bodies: of an
    operation's request, by its text; it would be carried out, were it let in.
    """

    operations: Sequence[ApiOperation]
    wrong: Mapping[str, str]
    right: str
    ids: Mapping[str, str]
    bodies: Mapping[str, Any]

    def sample(self) -> Iterator[Attempt]:
        """Yield attempts in which any two values of two ways meet.

        An operation meets each token, and each place, in a request for that operation itself, its token where it is
        looked at: so that nothing else is refused before that is.
        """
        names = tuple(self.wrong)
        yield from (Attempt(*values) for values in pairs(self.operations, names, tuple(LOOKED_AT)))
        others = itertools.product(self.operations, [place for place in PLACES if place not in LOOKED_AT])
        for number, (operation, place) in enumerate(others):
            yield Attempt(operation, names[number % len(names)], place)
        every = (self.operations, names, tuple(PLACES), tuple(METHODS), tuple(SPELLINGS))
        yield from (Attempt(*values) for values in pairs(*every))

    def all(self) -> Iterator[Attempt]:
        """Yield every combination of an operation and a value of each way."""
        every = itertools.product(self.operations, self.wrong, PLACES, METHODS, SPELLINGS)
        return (Attempt(*values) for values in every)

    def request(self, attempt: Attempt) -> Asked:
        """Return the request that an attempt is."""
        return self._request(attempt, self.wrong[attempt.token], self.right)

    def shown(self, attempt: Attempt) -> Asked:
        """Return the same request with variables in place of tokens, which say what is wrong with each."""
        return self._request(attempt, variable(attempt.token), variable(RIGHT))

    def _request(self, attempt: Attempt, wrong: str, right: str) -> Asked:
        operation = attempt.operation
        headers, query = PLACES[attempt.place](wrong, right)
        method, further = METHODS[attempt.method](operation.method)
        path = SPELLINGS[attempt.spelling](operation.at(self.ids))
        body = self.bodies.get(str(operation)) if method not in ("HEAD", "OPTIONS", "GET") else None
        sent = [(name, value.strip()) for name, value in headers + further]  # blanks at an end can't be sent
        return Asked(method=method, target=f"{path}?{query}" if query else path, headers=sent, body=body)


def pairs(*ways: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield rows with one value of each way, so that any two values of two ways are in some row together.

    They are the lines over the integers modulo a prime: no smaller table has every pair of the two longest ways.
    """
    size = next(
        number for number in itertools.count(max(map(len, ways))) if all(number % one for one in range(2, number))
    )
    if len(ways) > size + 1:
        raise ValueError("more ways than values")
    rows = {
        tuple(
            way[(first if index == 0 else second + index * first) % size % len(way)] for index, way in enumerate(ways)
        ): None
        for first in range(size)
        for second in range(size)
    }
    yield from rows


class _AsSpelled(httpx.URL):
    """A URL whose path is sent as it is: httpx takes dots out of one, and escapes some letters."""

    def __init__(self, url: httpx.URL, target: str) -> None:
        super().__init__(url)
        self._target = target.encode()

    @property
    def raw_path(self) -> bytes:
        """The path and the query, as they go into the request."""
        return self._target


def send(client: httpx.Client, asked: Asked, **extensions: Any) -> httpx.Response:
    """Send a request, its path as it is spelled. extensions: for the client's hooks. Raises httpx.HTTPError."""
    request = client.build_request(asked.method, "/", headers=asked.headers, json=asked.body, extensions=extensions)
    request.url = _AsSpelled(request.url, asked.target)
    return client.send(request)


def complaint(attempt: Attempt, status: int, length: int) -> str:
    """Return what is wrong with the answer to an attempt, "" where it is refused.

    The operation itself is refused by 401, as documented. Another method or spelling may be none that there is: then it
    is any 4xx, or a redirection; OPTIONS may be answered as long as nothing is in the answer. length: of the body.
    """
    if attempt.is_plain:
        refused = status == 401
    else:
        says_nothing = attempt.method == "OPTIONS" and 200 <= status < 300 and length == 0
        refused = 300 <= status < 500 or says_nothing
    return "" if refused else f"{status}, {length} bytes"


def grouped(failed: Sequence[Attempt], asked: Iterable[Attempt]) -> list[str]:
    """Return in words what attempts that were let in have in common, the most telling first.

    asked: all that were made. A value, or two together, stands for attempts with it where many of those were let in.
    """
    everything = list(asked)
    left, found = list(failed), []
    for keys in (_ones, _twos):
        total, counts = (Counter(key for one in some for key in keys(one)) for some in (everything, failed))
        while left:
            helps = Counter(key for one in left for key in keys(one) if counts[key] > max(1, MOST * total[key]))
            if not helps:
                break
            best = max(helps, key=lambda key: (helps[key], counts[key] / total[key]))
            found.append(f"{counts[best]} of {total[best]} requests {' and '.join(best)}")
            left = [one for one in left if best not in keys(one)]
    return [*found, *(", ".join(one.values()) for one in left)]


def _ones(attempt: Attempt) -> set[tuple[str, ...]]:
    return {(value,) for value in attempt.values()}


def _twos(attempt: Attempt) -> set[tuple[str, ...]]:
    return set(itertools.combinations(attempt.values(), 2))
