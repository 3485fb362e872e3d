"""Why a request is refused: one exception from the store to the wire."""

from __future__ import annotations

from zep_conformance.embedded.departures import Departures


class Refusal(Exception):
    """An answer other than success. status: the HTTP status; reason: what the client is told, one line."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def not_found() -> Refusal:
    """The 404 that Zep gives for sessions, messages and users alike."""
    return Refusal(404, "not found")


def mistake(departures: Departures, departure: str, reason: str) -> Refusal:
    """A client's mistake: 400, or 500 where the named departure blames the server for it."""
    return Refusal(500 if departure in departures else 400, reason)
