"""Paths of Zep's API, and which id Zep takes from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

API = "/api/v1"
_GO_LEAVES = "$&+,/:;=@~"
"""What Go's own escaping leaves alone in a path, beside letters, digits, "-", "_" and "."."""


def segment(ident: str) -> str:
    """Return an id as one segment of a path; dots too, which would mean "here" and "up"."""
    return quote(ident, safe="") if ident.strip(".") else ident.replace(".", "%2E")


def path(*segments: str, **query: Any) -> str:
    """Return a path under the API; what is None in the query is left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return "/".join([API, *map(segment, segments)]) + (f"?{urlencode(given)}" if given else "")


def kept_id(ident: str, behaviours: frozenset[str]) -> str:
    """Return the id that Zep keeps for one that stands in a path: the same, as documented.

    With the recorded behaviour path-ids-stay-escaped it is the escaped text, wherever the whole path is escaped
    otherwise than Go does it (DEV-9).
    """
    sent = segment(ident)
    if "path-ids-stay-escaped" not in behaviours or quote(unquote(sent), safe=_GO_LEAVES) == sent:
        return ident
    return sent


def only(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without what is None."""
    return {name: value for name, value in given.items() if value is not None}
