"""A departure: one named way of behaving other than documented, whoever can be made to behave so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Departure:
    """One way of behaving other than documented.

    name: kebab-case, what then happens. part: "zep", "langflux", "model" or "nlp" for an embedded server, "files" for
    our deployment files, "page" for what reaches the browser. breaks: ids of the requirements that no longer hold
    (empty where none speaks of it).
    recorded: True if the recorded version (Zep 0.27.2, Flowise 2.2.8) does this.
    deviation: the DEV-n id under which it is known, where it has one.
    """

    name: str
    part: str
    about: str
    breaks: tuple[str, ...] = ()
    recorded: bool = False
    deviation: str | None = None
