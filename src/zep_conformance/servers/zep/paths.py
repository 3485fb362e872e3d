"""Which resource a path names, and with which ids.

Routing looks at the path as it was sent, since an escaped slash belongs to an id and a bare one usually does
not. Usually: clients exist that put a session id into a path as it is (`@getzep/zep-js`, LangFlux's). So the
last segment says what is asked for, and everything between is the id, slashes and all.
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple
from urllib.parse import quote, unquote

from zep_conformance.servers.departures import Departures
from zep_conformance.servers.zep.refusals import Refusal

API = "/api/v1/"
_GO_PATH_SAFE = "$&+,/:;=@~"  # what Go leaves alone in a path, beside letters, digits, "-", "_" and "."
_HEX = frozenset("0123456789abcdefABCDEF")


class Target(NamedTuple):
    """What a path names. resource: "" for nothing; ids: decoded."""

    resource: str
    ids: tuple[str, ...] = ()


NOTHING = Target("")


def _decode(text: str, departures: Departures) -> str:
    if "path-ids-stay-escaped" in departures or "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Refusal(400, "the path is not UTF-8") from None


def as_go_routes(path: str) -> str:
    """The text that Go's router (net/url and chi) sees for a path as sent.

    It is decoded only where Go's own escaping would give the path back as it was sent. Raises Refusal 400
    for a percent sign that escapes nothing.
    """
    for piece in path.split("%")[1:]:
        if len(piece) < 2 or not _HEX.issuperset(piece[:2]):
            raise Refusal(400, "400 Bad Request")
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return path
    return decoded if quote(decoded, safe=_GO_PATH_SAFE) == path else path


def _under(rest: str, single: str, parts: tuple[str, ...], departures: Departures) -> Target:
    """The target of what follows a collection's name: `id`, or `id/part`."""
    before, slash, last = rest.rpartition("/")
    if slash and last in parts:
        target, text = last, before
    elif slash and single == "session" and before.rpartition("/")[2] == "messages" and before != "messages":
        session = before.rpartition("/")[0]
        if "/" in session and "unescaped-slash-404" in departures:
            return NOTHING
        return Target("message", (_decode(session, departures), _decode(last, departures)))
    else:
        target, text = single, rest
    if "/" in text and "unescaped-slash-404" in departures:
        return NOTHING
    return Target(target, (_decode(text, departures),))


def parse(path: str, departures: Departures) -> Target:
    """The target of a path as it was sent, without its query. Raises Refusal 400 where it can't be read."""
    if path == "/healthz":
        return Target("healthz")
    if "path-ids-stay-escaped" in departures:
        path = as_go_routes(path)
    if "unescaped-slash-404" in departures:
        path = posixpath.normpath("/" + path.lstrip("/"))
    else:
        path = "/" + path.strip("/")
    if path.startswith("/admin"):
        rest = path[len("/admin") :]
        return Target("admin", (rest.strip("/"),)) if rest[:1] in ("", "/") else NOTHING
    if not path.startswith(API):
        return Target("api") if path == API.rstrip("/") else NOTHING
    collection, slash, rest = path[len(API) :].partition("/")
    if collection == "sessions":
        if not slash:
            return Target("sessions")
        return _or_api(_under(rest, "session", ("memory", "messages", "search"), departures))
    if collection == "user":
        if not slash:
            return Target("users")
        target = _under(rest, "user", ("sessions",), departures)
        return _or_api(Target("user_sessions", target.ids) if target.resource == "sessions" else target)
    return Target("api")


def _or_api(target: Target) -> Target:
    # Nothing is there, but it is asked for under the API: a token is needed to be told so.
    return target if target.resource else Target("api")
