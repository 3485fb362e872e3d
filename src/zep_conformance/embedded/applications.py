"""The embedded servers as ASGI applications, each set up as the process that it runs in was told."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def zep_app(departures: Iterable[str], manner: str, database: Path, environment: Mapping[str, str]) -> Any:
    """The embedded Zep as an ASGI application, in a manner and with further departures.

    environment: the variables that configure it, as those of the real one. Ends the process when Zep would not start
    with them, saying why.
    """
    from zep_conformance.embedded.departures import Departures, recorded
    from zep_conformance.embedded.zep.app import ZepSettings, create_app
    from zep_conformance.embedded.zep.configuration import Misconfigured, configured
    from zep_conformance.embedded.zep.departures import CATALOGUE

    faithful = recorded(CATALOGUE) if manner == "faithful" else frozenset()
    active = faithful | frozenset(departures)
    try:
        settings = configured(environment, Departures(CATALOGUE, active))
    except Misconfigured as error:
        sys.exit(str(error))
    return create_app(ZepSettings(database=database, departures=active, **settings))


def langflux_app(departures: Iterable[str], manner: str, **settings: Any) -> Any:
    """The embedded LangFlux as an ASGI application, in a manner and with further departures."""
    from zep_conformance.embedded.departures import recorded
    from zep_conformance.embedded.langflux.app import LangFluxSettings, create_app
    from zep_conformance.embedded.langflux.departures import CATALOGUE

    faithful = recorded(CATALOGUE) if manner == "faithful" else frozenset()
    return create_app(LangFluxSettings(departures=faithful | frozenset(departures), **settings))
