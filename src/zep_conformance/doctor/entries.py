"""What an entry of the catalogue is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "fault", "note"]

LAYERS = ("URL", "name", "TCP", "TLS", "HTTP", "version", "token", "store", "NLP", "model", "key", "view")
"""In the order in which they are looked at. view: Zep as LangFlux sees it."""
PIN = "ghcr.io/getzep/zep-cloud:0.27.2"
OLDEST = (0, 20, 0)
"""The oldest Zep whose answers are the documented ones."""
NEWEST = (0, 27, 2)
"""The newest Zep 0.x."""


@dataclass(frozen=True)
class Entry:
    """One finding there can be. Its texts have words in braces for what was found."""

    code: str
    layer: str
    verdict: Verdict
    symptom: str
    cause: str
    advice: str


def faults(layer: str, *rows: tuple[str, str, str, str]) -> list[Entry]:
    """Faults of one layer, each (code, symptom, cause, advice)."""
    return [Entry(code, layer, "fault", symptom, cause, advice) for code, symptom, cause, advice in rows]


def notes(layer: str, *rows: tuple[str, str, str, str]) -> list[Entry]:
    """Notes of one layer: worth a word, and no fault."""
    return [Entry(code, layer, "note", symptom, cause, advice) for code, symptom, cause, advice in rows]
