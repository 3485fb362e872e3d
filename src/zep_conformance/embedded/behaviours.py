"""Which recorded behaviours an embedded server shows.

Without any it does as documented: every requirement holds. Each recorded behaviour is a small named difference that a
real version was seen to make, and a switch in the server; all together make it answer as the recordings have it::

    as_documented = Behaviours("zep")
    as_recorded = Behaviours("zep", "all")
    one = Behaviours("zep", {"token-count-reset"})

    if "token-count-reset" in behaviours: ...             # in a handler; an unknown name raises KeyError
"""

from __future__ import annotations

from collections.abc import Iterable

from zep_conformance.facts.recorded_behaviours import RECORDED, recorded_behaviours, shown_by


class Behaviours:
    """The recorded behaviours that are switched on in one server.

    active: names of those to switch on, or "all" for those of the version that was recorded.

    Raises KeyError for a name that the part does not know, both when made and when asked: a misspelt name would
    otherwise be a behaviour that is never shown.
    """

    def __init__(self, part: str, active: Iterable[str] = ()) -> None:
        self._known = {one.name for one in recorded_behaviours(part)}
        self.active = shown_by(part, RECORDED[part]) if active == "all" else frozenset(active)
        for name in self.active:
            self._check(name)

    def _check(self, name: str) -> None:
        if name not in self._known:
            raise KeyError(f"unknown recorded behaviour {name!r}; known: {', '.join(sorted(self._known))}")

    def __contains__(self, name: str) -> bool:
        self._check(name)
        return name in self.active


def variant(recorded_behaviours: Iterable[str], mutations: Iterable[str]) -> str:
    """Return what the version header calls a server: documented, recorded (behaviours are on) or mutated."""
    if mutations:
        return "mutated"
    return "recorded" if recorded_behaviours else "documented"
