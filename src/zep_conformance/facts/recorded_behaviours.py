"""Recorded behaviours: what a real version does beside its documentation, as recordings show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordedBehaviour:
    """One thing that a real version does beside its documentation, which an embedded server can do as well.

    name: kebab-case, what then happens. part: "zep" or "langflux". about: what then happens, as a sentence. breaks: ids
    of the requirements that do not hold because of it, empty where none speaks of it. deviation: the DEV-n id under
    which it is known, where it has one.
    """

    name: str
    part: str
    about: str
    breaks: tuple[str, ...] = ()
    deviation: str | None = None

    @property
    def full_name(self) -> str:
        """Part and name, as --recorded-behaviours wants it: `zep:token-count-reset`."""
        return f"{self.part}:{self.name}"
