"""The embedded servers as ASGI applications, each set up as the process that it runs in was asked to."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def zep_app(
    *,
    database: Path,
    environment: Mapping[str, str],
    recorded_behaviours: Iterable[str] = (),
    mutations: Iterable[str] = (),
) -> Any:
    """Return the embedded Zep as an ASGI application.

    environment: the variables that configure it, as those of the real one. recorded_behaviours: names, or "all".
    mutations: names of those to plant. Ends the process when Zep would not start with them, saying why.
    """
    from zep_conformance.embedded.behaviours import Behaviours
    from zep_conformance.embedded.zep.app import ZepSettings, create_app
    from zep_conformance.embedded.zep.configuration import Misconfigured, configured

    behaviours = Behaviours("zep", recorded_behaviours)
    planted, environment = frozenset(mutations), dict(environment)
    try:
        if planted:
            from zep_conformance.embedded.zep.mutations import MUTATIONS

            MUTATIONS.plant(planted, environment, into="environment")
        settings = configured(environment, behaviours)
    except Misconfigured as error:
        sys.exit(str(error))
    return create_app(
        ZepSettings(database=database, recorded_behaviours=behaviours.active, mutations=planted, **settings)
    )


def langflux_app(*, recorded_behaviours: Iterable[str] = (), mutations: Iterable[str] = (), **settings: Any) -> Any:
    """Return the embedded LangFlux as an ASGI application.

    recorded_behaviours: names, or "all". mutations: names of those to plant. settings: further ones of
    `LangFluxSettings`.
    """
    from zep_conformance.embedded.behaviours import Behaviours
    from zep_conformance.embedded.langflux.app import create_app
    from zep_conformance.embedded.langflux.services import LangFluxSettings

    recorded = Behaviours("langflux", recorded_behaviours).active
    return create_app(LangFluxSettings(recorded_behaviours=recorded, mutations=frozenset(mutations), **settings))
