"""A Zep asked over HTTP by property tests: ids of any kind, ids that no example before had, answers read strictly."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import strategies as st

from zep_conformance.clients.http import KEPT
from zep_conformance.clients.waiting import eventually
from zep_conformance.processes.fleet import Fleet

SOON = 10.0
"""Seconds in which what comes later must have come, on a machine that is busy."""

_numbers = itertools.count(1)


def fresh() -> str:
    """A piece of an id that no example before had, so that each begins on an empty server.

    Always with one letter: else what is done to ids would depend on how many there were.
    """
    return f"-n{next(_numbers)}-"


def segment(text: str) -> str:
    """A text as one segment of a path; dots too, which would mean "here" and "up"."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def canonical(value: Any) -> str:
    """JSON by which two values can be compared without 1 being True, or 1.0."""
    return json.dumps(value, sort_keys=True)


class Asked:
    """One Zep server."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def ask(
        self, method: str, *segments: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """The answer to a request under /api/v1. Raises AssertionError when it is a server error."""
        path = "/".join(["/api/v1", *map(segment, segments)])
        given = {name: value for name, value in (query or {}).items() if value is not None}
        # By hand: a client that tidies a path would ask for another id.
        url = self.client.base_url.copy_with(raw_path=f"{path}?{httpx.QueryParams(given)}".rstrip("?").encode())
        answer = self.client.request(method, url, json=body)
        assert answer.status_code < 500, f"{method} {path} is answered {answer.status_code} {answer.text!r}"
        return answer

    def get(self, *segments: str, **query: Any) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.ask("GET", *segments, query=query)
        assert answer.status_code == 200, f"GET {segments} is answered {answer.status_code} {answer.text!r}"
        return answer.json()

    def everything(self, session: str) -> list[dict[str, Any]]:
        """Every message of a session, the oldest first."""
        messages: list[dict[str, Any]] = self.get("sessions", session, "messages")["messages"]
        return messages

    def search(self, session: str, limit: int | None = None, **payload: Any) -> list[dict[str, Any]]:
        """What a search finds."""
        answer = self.ask("POST", "sessions", session, "search", body=payload, query={"limit": limit})
        assert answer.status_code == 200, f"a search is answered {answer.status_code} {answer.text!r}"
        found: list[dict[str, Any]] = answer.json()
        return found

    def settled(self, session: str, count: int) -> None:
        """Wait until so many messages of a session can be found by searching. Raises AssertionError."""

        def embedded() -> None:
            found = {one["message"]["uuid"] for one in self.search(session, 1000, text="anything")}
            assert len(found) >= count, f"{len(found)} of {count} messages are found in {session!r}"

        eventually(embedded, SOON)


@contextmanager
def asking(fleet: Fleet, part: str = "zep") -> Iterator[Asked]:
    """The Zep of a fleet."""
    with httpx.Client(base_url=fleet.url(part), timeout=30, limits=KEPT) as client:
        yield Asked(client)


# -- what is sent ---------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Any text that UTF-8 can hold."""

pieces = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3) | st.sampled_from(
    ["/", "%", "%2F", "+", " ", "?", "#", "..", "/memory", "/messages", "search", "\\", "\n", "é", "ß", "a" * 70]
)
"""Beginnings and ends of ids."""

_keys = st.sampled_from(["system", "mood", "a b", ""]) | texts
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=5,
)
metadata = st.dictionaries(_keys, _values, max_size=3)
"""Metadata as a client may send it, nested too, with Zep's own key in it."""


def others(ident: str) -> dict[str, str]:
    """Ids that a careless server takes for this one."""
    return {
        "in the other case": ident.swapcase(),
        "with a letter more": f"{ident}x",
        "beyond 64 characters": f"{ident:_<70}",
        "escaped": quote(ident, safe=""),
        "with blanks for plus signs": ident.replace("+", " "),
        "without what is no letter": "".join(filter(str.isalnum, ident)),
        "in ASCII": ident.encode("ascii", "replace").decode(),
    }
