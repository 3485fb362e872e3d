"""What planted defects do to messages on their way into the store."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.encoding import dumps
from zep_conformance.embedded.zep.messages import NewMessage
from zep_conformance.embedded.zep.refusals import Refusal

SLOWNESS = 0.3
"""Seconds that a slow server takes more."""
_HANDOVER = 0.003
"""Seconds in which writers get into each other's way."""
_MOST_WRITERS = 3

_TEXTS: dict[str, Callable[[str], str]] = {
    "content-cut": lambda text: text[:1000],
    "content-trimmed": str.strip,
    "newlines-normalised": lambda text: text.replace("\r\n", "\n"),
    "unicode-mangled": lambda text: text.encode("latin-1", "replace").decode("latin-1"),
    "markup-escaped": lambda text: html.escape(text, quote=False),
    "backslashes-lost": lambda text: text.replace("\\", ""),
}


def _flattened(metadata: str) -> str:
    fields = json.loads(metadata).items()
    return dumps({key: value if isinstance(value, str) else dumps(value) for key, value in fields})


def _spoilt(message: NewMessage, departures: Departures) -> NewMessage:
    for name, spoil in _TEXTS.items():
        if name in departures:
            message = replace(message, content=spoil(message.content))
    if "roles-lost" in departures:
        message = replace(message, role="human")
    if "metadata-dropped" in departures:
        message = replace(message, metadata=None)
    if "metadata-flattened" in departures and message.metadata is not None:
        message = replace(message, metadata=_flattened(message.metadata))
    return message


def spoilt(messages: Sequence[NewMessage], departures: Departures) -> list[NewMessage]:
    """The messages of a post as a server with planted defects stores them."""
    found = [_spoilt(message, departures) for message in messages] if departures.active else list(messages)
    if "writes-dropped" in departures:
        return []
    if "last-message-lost" in departures and len(found) > 1:
        found.pop()
    if "messages-doubled" in departures:
        found = [copy for message in found for copy in (message, replace(message, uuid=None))]
    return found


class Crowd:
    """The writes under way, for the defects that only several at once bring out."""

    def __init__(self, departures: Departures) -> None:
        self._departures = departures
        self._sessions: list[str] = []

    async def write(self, session_id: str, write: Callable[[str], None]) -> None:
        """Call `write` with a session id: with that one and once, unless a defect wants it otherwise.

        Raises Refusal 503 where a defect does, and what `write` raises.
        """
        departures = self._departures
        self._sessions.append(session_id)
        try:
            await asyncio.sleep(_HANDOVER)
            alone = len(self._sessions) == 1
            if "refused-under-load" in departures and len(self._sessions) > _MOST_WRITERS:
                raise Refusal(503, "too many writers")
            if alone or "lost-under-load" not in departures:
                write(self._sessions[-1] if "mixed-under-load" in departures else session_id)
            if not alone and "doubled-under-load" in departures:
                write(session_id)
        finally:
            self._sessions.remove(session_id)
