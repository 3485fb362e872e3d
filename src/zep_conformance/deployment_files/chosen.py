"""Which deployment files a run looks at: those that were given, or, on the suite's own target, those it comes with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings, mutations_of

if TYPE_CHECKING:
    from zep_conformance.deployment_files.sources import Sources


def missing_files(settings: Settings, *, own: bool) -> dict[str, str]:
    """For a target's `missing`: why there are no deployment files, empty where there are. own: the parts are ours.

    Raises CannotTell when those that were given can't be read.
    """
    if settings.deployment_files is not None:
        deployment_files(settings)
        return {}
    return {} if own else {"files": "no --deployment-files given"}


def deployment_files(settings: Settings) -> Sources:
    """Return the deployment files of a run. Raises CannotTell when those that were given can't be read."""
    from zep_conformance.deployment_files.shipped import shipped
    from zep_conformance.deployment_files.sources import load

    mutations = mutations_of(settings, "files")
    if settings.deployment_files is None:
        return shipped(mutations)
    if mutations:
        what = f"--mutations files:{mutations[0]} breaks the files that come with the suite, and others were given"
        advice = "Leave out --deployment-files, or the mutation."
        raise CannotTell(what, advice, code="options-conflict")
    return load([settings.deployment_files])


def files_ask_for_tokens(settings: Settings) -> bool:
    """Return whether every Zep in the deployment files that were given has ZEP_AUTH_REQUIRED, and there is one."""
    if settings.deployment_files is None:
        return False
    from zep_conformance.deployment_files.examination import planned

    asks: list[bool] = []
    with contextlib.suppress(CannotTell):  # what does not parse is for the scenarios about the files to say
        found = planned(deployment_files(settings))
        asks = [zep.asks_for_tokens for deployment in found for zep in deployment.having("zep")]
    return bool(asks) and all(asks)
