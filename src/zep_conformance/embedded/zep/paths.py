"""Which resource a path names, and with which ids.

Routing looks at the path as it was sent, since an escaped slash belongs to an id and a bare one usually does
not. Usually: clients exist that put a session id into a path as it is (`@getzep/zep-js`, LangFlux's). So the
last segment says what is asked for, and everything between is the id, slashes and all.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.refusals import Refusal

API = "/api/v1/"
_GO_PATH_SAFE = "$&+,/:;=@~"  # what Go leaves alone in a path, beside letters, digits, "-", "_" and "."
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
_HEX = frozenset("0123456789abcdefABCDEF")


class Target(NamedTuple):
    """What a path names. resource: "" for nothing; ids: decoded."""

    resource: str
    ids: tuple[str, ...] = ()


NOTHING = Target("")


def _decode(text: str, departures: Departures) -> str:
    if "path-ids-stay-escaped" in departures or "session-ids-stay-escaped" in departures or "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Refusal(400, "the path is not UTF-8") from None


def _session(text: str, departures: Departures) -> str:
    """The session id in a path; another one where a planted defect takes it for that. Raises Refusal 400."""
    ident = _decode(text, departures)
    if not departures.active:
        return ident
    if "sessions-mixed" in departures:
        return "everybody"
    if "session-ids-ignore-case" in departures:
        return ident.lower()
    if "session-ids-cut-at-64" in departures:
        return ident[:64]
    if "session-ids-cut-at-sign" in departures:
        return re.split(r"[ ?#%&+/:@]", ident)[0]
    if "session-ids-ascii-only" in departures:
        return ident.encode("ascii", "replace").decode()
    if "session-ids-plus-is-space" in departures:
        return ident.replace("+", " ")
    if "odd-session-ids-refused" in departures and not _PLAIN.fullmatch(ident):
        raise Refusal(400, "a session id is made of letters, digits and - . _ ~")
    if "long-session-ids-refused" in departures and len(ident) > 100:
        raise Refusal(400, "a session id has at most 100 characters")
    return ident


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
        return Target("message", (_session(session, departures), _decode(last, departures)))
    else:
        target, text = single, rest
    if "/" in text and "unescaped-slash-404" in departures:
        return NOTHING
    return Target(target, ((_session if single == "session" else _decode)(text, departures),))


def parse(path: str, departures: Departures) -> Target:
    """The target of a path as it was sent, without its query. Raises Refusal 400 where it can't be read."""
    if path == "/healthz":
        return Target("healthz")
    if path == "/openapi.json":
        return NOTHING if "api-undescribed" in departures else Target("openapi")
    if "path-ids-stay-escaped" in departures:
        path = as_go_routes(path)
    tidied = "unescaped-slash-404" in departures
    path = posixpath.normpath("/" + path.lstrip("/")) if tidied else "/" + path.strip("/")
    if path.startswith("/admin"):
        rest = path[len("/admin") :]
        if rest[:1] not in ("", "/"):
            return NOTHING
        return Target("admin_pages", (rest.strip("/"),)) if rest.strip("/") else Target("admin")
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
    return Target("collections" if collection == "collection" and "collections-open" in departures else "api")


def _or_api(target: Target) -> Target:
    # Nothing is there, but it is asked for under the API: a token is needed to be told so.
    return target if target.resource else Target("api")
