"""What may be asked of a server that others use: nothing that changes, or lists, what is not this run's own."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

from zep_conformance.recordings.comparison import UUID
from zep_conformance.recordings.format import RecordedExchange
from zep_conformance.recordings.names import OWNERS, Names

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
