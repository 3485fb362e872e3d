"""What is a run's own: a recording's ids under names that are nobody else's, and what may be asked beside others.

Recordings use fixed ids (`rec-rt`). Played on a server that keeps its state, or that others use, they would meet what
is there already. So requests are sent with a prefix before each id, which is taken away again in answers: they are
compared, shown and recorded as in the recording. A UUID that a client chose is replaced by a fresh one::

    names = Names("zc-1a2b3c4d-")
    names.request({"method": "GET", "path": "/api/v1/sessions/rec-rt"})["path"]  # /api/v1/sessions/zc-1a2b3c4d-rec-rt
    names.restored("session zc-1a2b3c4d-rec-rt")                                 # session rec-rt

Of a server that others use nothing is asked that changes, or lists, what is not this run's own (`objection`).
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

from zep_conformance.recordings.comparison import UUID
from zep_conformance.recordings.format import ZERO_UUID, RecordedExchange

LONG = 64
"""Characters from which on an id is one because of its length, which is then kept."""
OWNERS = ("sessions", "user", "collection")
"""Parts of Zep's paths that an id follows."""
KEYS = ("session_id", "user_id", "sessionId", "chatId")
"""Fields, and parameters of a query, that hold an id."""
_IN_PATH = re.compile(rf"(/api/v\d+/(?:{'|'.join(OWNERS)})/)([^/?#]+)")
_IN_QUERY = re.compile(rf"([?&](?:{'|'.join(KEYS)})=)([^&#]+)")
_NAMED = re.compile(r"/api/v\d+/(chatflows|credentials)/?$")
_LITERAL_UUID = re.compile(UUID)


class Names:
    """The ids of one run. prefix: what each begins with, of characters that no client or server escapes."""

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = prefix or f"zc-{secrets.token_hex(4)}-"
        self._long: dict[str, str] = {}
        self._uuids: dict[str, str] = {}

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a request with ids of this run's own."""
        renamed = dict(request)
        path, _, query = request["path"].partition("?")
        path = _IN_PATH.sub(lambda found: found[1] + self.own(found[2]), path)
        query = _IN_QUERY.sub(lambda found: found[1] + self.own(found[2]), f"?{query}") if query else ""
        renamed["path"] = self._fresh_uuids(path + query)
        if "body" in request:
            body = self._in_body(request["body"])
            if _NAMED.search(path) and isinstance(body, dict) and isinstance(body.get("name"), str):
                body["name"] = self.own(body["name"])
            renamed["body"] = body
        return renamed

    def own(self, name: str) -> str:
        """Return this run's own name for one in the recording; placeholders and what is no name stay as they are."""
        if not name or name.startswith(("{{", self.prefix)) or _LITERAL_UUID.fullmatch(name):
            return name
        if len(name) < LONG:
            return self.prefix + name
        own = self.prefix + name[len(self.prefix) :]
        self._long[own] = name
        return own

    def is_own(self, text: str) -> bool:
        """Return whether a text names something of this run's."""
        return self.prefix in text or any(fresh in text for fresh in self._uuids.values())

    def restored(self, text: str) -> str:
        """Return a text of the server's with the recording's names in it."""
        for own, name in self._long.items():
            text = text.replace(own, name)
        return text.replace(self.prefix, "")

    def _in_body(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._in_body(item) for item in value]
        if isinstance(value, str):
            return self._fresh_uuids(value)
        if not isinstance(value, dict):
            return value
        renamed = {}
        for key, item in value.items():
            if key in KEYS and isinstance(item, str):
                renamed[key] = self._fresh_uuids(self.own(item))
            elif key == "flowData" and isinstance(item, str):
                renamed[key] = self._in_flow(item)
            else:
                renamed[key] = self._in_body(item)
        return renamed

    def _in_flow(self, flow: str) -> str:
        """Rename what is in a chatflow, which is JSON in a text: its memory node may have a Session Id."""
        try:
            return json.dumps(self._in_body(json.loads(flow)), ensure_ascii=False)
        except ValueError:
            return flow

    def _fresh_uuids(self, text: str) -> str:
        return _LITERAL_UUID.sub(lambda found: self._fresh(found[0]), text)

    def _fresh(self, literal: str) -> str:
        if literal == ZERO_UUID or literal in self._uuids.values():
            return literal
        return self._uuids.setdefault(literal, str(uuid.uuid4()))


READS = ("GET", "HEAD", "OPTIONS")
_MAKES = re.compile(r"/api/v\d+/(sessions|user|chatflows|credentials)/?")
_NAMES_ONE = re.compile(rf"/api/v\d+/(?:{'|'.join(OWNERS)})/([^/]+)(/.*)?")
_BY_UUID = re.compile(rf"/api/v\d+/[a-z-]+/({UUID})(/.*)?")
_LISTS = re.compile(
    r"/api/v\d+/(sessions|user|users|collection|collections|chatflows|credentials|apikey|apikeys|variables|tools"
    r"|assistants|document-store|documentstore|chatmessage|leads|stats|executions|export-import)(/(store|all))?/*"
    r"|/admin/.+"
)
FREE_BODIES = ("{{any}}", "{{text}}", "{{html}}")
"""Recorded bodies that any answer fits: it is taken as it came, and need not be looked into."""


def lists_others(request: dict[str, Any]) -> bool:
    """Return whether the answer to a request may hold what is not ours, so that it must not be kept or shown."""
    path = unquote(request["path"].partition("?")[0])
    return request["method"] in READS and bool(_LISTS.fullmatch(path))


def objection(exchange: RecordedExchange, request: dict[str, Any], names: Names, made: Collection[str]) -> str | None:
    """Return why a request is not to be sent, None where it may be.

    request: as it would be sent. made: the UUIDs of what this run has made.
    """
    path = request["path"].partition("?")[0]
    if request["method"] in READS:
        recorded = exchange.response
        succeeds = not recorded or (recorded["status"] < 400 and recorded["body"] not in FREE_BODIES)
        return "it lists what is not ours" if succeeds and lists_others(request) else None
    if ".." in re.split(r"[/\\]", unquote(path)):
        return "its path leads elsewhere"
    named = _NAMES_ONE.fullmatch(path)
    by_uuid = _BY_UUID.fullmatch(path)
    name = named[1] if named else by_uuid[1] if by_uuid else ""
    if name and (names.is_own(name) or name in made):
        return None
    if request["method"] == "POST" and _MAKES.fullmatch(path):
        return None
    return "it could change what is not ours"
