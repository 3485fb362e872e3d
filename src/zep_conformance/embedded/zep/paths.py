"""Which resource a path names, and with which ids.

Routing looks at the path as it was sent, since an escaped slash belongs to an id and a bare one usually does
not. Usually: clients exist that put a session id into a path as it is (`@getzep/zep-js`, LangFlux's). So the
last segment says what is asked for, and everything between is the id, slashes and all.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, unquote

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.encoding import kept_text
from zep_conformance.embedded.zep.wire import Refusal

API = "/api/v1/"
_GO_PATH_SAFE = "$&+,/:;=@~"  # what Go leaves alone in a path, beside letters, digits, "-", "_" and "."
_HEX = frozenset("0123456789abcdefABCDEF")


class NamedResource(NamedTuple):
    """What a path names. resource: "" for nothing; ids: decoded."""

    resource: str
    ids: tuple[str, ...] = ()


NOTHING = NamedResource("")
NOT_THERE = NamedResource("api")
"""Of a path under the API that leads nowhere: a token is needed to be told so."""


def as_go_routes(path: str) -> str:
    """Return the text that Go's router (net/url and chi) sees for a path as sent.

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


class Paths:
    """Takes apart the paths that are asked for."""

    def __init__(self, behaviours: Behaviours) -> None:
        self._behaviours = behaviours
        self._stay_escaped = "path-ids-stay-escaped" in behaviours
        self._slash_ends_id = "unescaped-slash-404" in behaviours

    def parse(self, path: str) -> NamedResource:
        """Return the target of a path as it was sent, without its query. Raises Refusal 400 where it can't be read."""
        if path == "/healthz":
            return NamedResource("healthz")
        if path == "/openapi.json":
            return NOTHING if "api-undescribed" in self._behaviours else NamedResource("openapi")
        if self._stay_escaped:
            path = as_go_routes(path)
        path = posixpath.normpath("/" + path.lstrip("/")) if self._slash_ends_id else "/" + path.strip("/")
        if path.startswith("/admin"):
            rest = path[len("/admin") :]
            if rest[:1] not in ("", "/"):
                return NOTHING
            return NamedResource("admin_pages", (rest.strip("/"),)) if rest.strip("/") else NamedResource("admin")
        if not path.startswith(API):
            return NamedResource("api") if path == API.rstrip("/") else NOTHING
        collection, slash, rest = path[len(API) :].partition("/")
        if collection == "sessions":
            return self._in_sessions(rest) if slash else NamedResource("sessions")
        if collection == "user":
            return self._in_users(rest) if slash else NamedResource("users")
        return NOT_THERE

    def session_id(self, text: str) -> str:
        """Return the session id that a piece of a path is. Raises Refusal 400."""
        return self.decode(text)

    def decode(self, text: str) -> str:
        """Return an id without the escaping that it has in a path. Raises Refusal 400."""
        if self._stay_escaped or "%" not in text:
            return kept_text(text)
        try:
            return kept_text(unquote(text, errors="strict"))
        except UnicodeDecodeError:
            raise Refusal(400, "the path is not UTF-8") from None

    def _in_sessions(self, rest: str) -> NamedResource:
        """Return the target of `id`, `id/part`, or `id/messages/uuid`."""
        before, slash, last = rest.rpartition("/")
        session, _, collection = before.rpartition("/")
        if slash and last in ("memory", "messages", "search"):
            return self._target(last, before, self.session_id)
        if slash and collection == "messages" and "/" in before:
            target = self._target("message", session, self.session_id)
            return NamedResource(target.resource, (*target.ids, self.decode(last))) if target.ids else target
        return self._target("session", rest, self.session_id)

    def _in_users(self, rest: str) -> NamedResource:
        """Return the target of `id`, or `id/sessions`."""
        before, slash, last = rest.rpartition("/")
        if slash and last == "sessions":
            return self._target("user_sessions", before, self.decode)
        return self._target("user", rest, self.decode)

    def _target(self, resource: str, text: str, read: Callable[[str], str]) -> NamedResource:
        return NOT_THERE if "/" in text and self._slash_ends_id else NamedResource(resource, (read(text),))
