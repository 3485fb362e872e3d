"""What planted defects do to a turn on its way to Zep: where it is remembered, and what of it."""

from __future__ import annotations

import re

from zep_conformance.embedded.departures import Departures

_PLAIN = re.compile(r"[A-Za-z0-9._-]*")


def memory_key(departures: Departures, flow_id: str, session: str) -> str:
    """The session id that Zep is asked with; "" remembers nothing."""
    if "memory-per-chatflow" in departures:
        return flow_id
    if "session-id-prefixed" in departures:
        return f"langflux-{session}"
    if "timestamp-ignored" in departures:
        return session.rpartition("-")[0] or session
    if "odd-session-ids-forgotten" in departures and not _PLAIN.fullmatch(session):
        return ""
    return session


def spoilt_turn(turn: list[dict[str, str]], departures: Departures) -> list[dict[str, str]]:
    """What is written of a turn, which is the human's message and the AI's."""
    human, ai = turn
    if "human-turn-forgotten" in departures:
        return [ai]
    if "ai-turn-forgotten" in departures:
        return [human]
    if "turn-written-twice" in departures:
        return turn * 2
    if "roles-swapped" in departures:
        return [human | {"role": ai["role"]}, ai | {"role": human["role"]}]
    return turn
