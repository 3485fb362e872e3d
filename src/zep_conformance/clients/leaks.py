"""What an answer gives away that nobody should be told: tokens, secrets, passwords in addresses, queries and stacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SHORTEST = 16
"""Characters of a secret, or of a part of a token, that are looked for: what is shorter may be there by chance."""

_ADDRESS = r"(?P<address>\b[a-z][a-z0-9+.-]*://[^/\s:@\"']*:[^/\s@\"']+@[\w.\[-])"
_QUERY = (
    r"(?P<query>\bSELECT\s.{1,400}?\sFROM\s|\bINSERT\s+INTO\s|\bUPDATE\s+[\w\".]{1,60}\s+(?:AS\s+\S+\s+)?SET\s"
    r"|\bDELETE\s+FROM\s|\bWHERE\s.{1,200}?(?:=|\bIN\b|\bIS\b).{0,80}?(?:\$\d|\?|'))"
)
_STACK = (
    r"(?P<stack>\bTraceback \(most recent call last\)|\bgoroutine \d+ \[|\bpanic: |\.go:\d+|\.py\", line \d+"
    r"|^\s*at .{1,200}\(?\S+:\d+:\d+\)?|\\n\s*at \S.{0,200}?:\d+:\d+|node_modules/)"
)
_TELLING = re.compile(rf"(?ms){_ADDRESS}|{_QUERY}|{_STACK}")
_CALLED = {"address": "an address with a password", "query": "a database query", "stack": "a stack of calls"}
_HEADERS_LEFT_OUT = frozenset({"location", "date", "x-zep-version", "content-length", "content-type"})
"""Headers that have nothing in them but what was asked for, or what every answer has."""


def given_away(text: str, headers: Mapping[str, str], secrets: Iterable[tuple[str, str]]) -> list[str]:
    """Return in words what an answer to a request that failed gives away, without that itself; empty for nothing.

    text: its body. secrets: what must not be in it, each with what it is called; of a token its parts count, too.
    """
    said = "\n".join([text, *(value for name, value in headers.items() if name.lower() not in _HEADERS_LEFT_OUT)])
    found = {called for called, secret in secrets if any(part in said for part in _telling_parts(secret))}
    found |= {_CALLED[one.lastgroup or "stack"] for one in _TELLING.finditer(said) if one.lastgroup in _CALLED}
    return sorted(found)


def _telling_parts(secret: str) -> list[str]:
    """Return what of a secret would tell of it: the whole, and of a token its claims and its signature."""
    parts = secret.split(".")[1:] if secret.count(".") == 2 else []
    return [one for one in (secret, *parts) if len(one) >= SHORTEST]
