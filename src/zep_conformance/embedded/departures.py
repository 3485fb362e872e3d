"""Named departures: the one way in which an embedded server behaves other than documented.

A server without departures keeps every requirement: the *documented* manner. Each departure is a small named
change of behaviour, switched on by itself. Those that a recorded version really shows (`recorded=True`) make up
the *faithful* manner together::

    documented = Departures(CATALOGUE)                    # none
    faithful   = Departures(CATALOGUE, recorded(CATALOGUE))
    one        = Departures(CATALOGUE, {"token-count-reset"})

    if "token-count-reset" in departures: ...             # in a handler; an unknown name raises KeyError
"""

from __future__ import annotations

from collections.abc import Iterable

from zep_conformance.facts.departures import Departure


class Departures:
    """The departures that are switched on in one server.

    Raises KeyError for a name that the catalogue does not know, both when made and when asked:
    a misspelt name would otherwise be a departure that never happens.
    """

    def __init__(self, catalogue: Iterable[Departure], active: Iterable[str] = ()) -> None:
        self._known = {departure.name for departure in catalogue}
        self.active = frozenset(active)
        for name in self.active:
            self._check(name)

    def _check(self, name: str) -> None:
        if name not in self._known:
            raise KeyError(f"unknown departure {name!r}; known: {', '.join(sorted(self._known))}")

    def __contains__(self, name: str) -> bool:
        self._check(name)
        return name in self.active


def recorded(catalogue: Iterable[Departure]) -> frozenset[str]:
    """The names of the departures that the recorded version shows: the faithful manner."""
    return frozenset(departure.name for departure in catalogue if departure.recorded)
