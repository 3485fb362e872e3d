"""Why a request is refused: one exception from the store to the wire."""

from __future__ import annotations

from zep_conformance.embedded.behaviours import Behaviours


class Refusal(Exception):
    """An answer other than success. status: the HTTP status; reason: what the client is told, one line."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def not_found() -> Refusal:
    """Return the 404 that Zep gives for sessions, messages and users alike."""
    return Refusal(404, "not found")


def mistake(behaviours: Behaviours, behaviour: str, reason: str) -> Refusal:
    """Return the refusal of a mistake: 400, or 500 where the named recorded behaviour blames the server for it."""
    return Refusal(500 if behaviour in behaviours else 400, reason)
