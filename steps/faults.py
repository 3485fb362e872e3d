"""Steps about parts that stop, crash and come back."""

from __future__ import annotations

from pytest_bdd import parsers, when

from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.settings import Settings
from zep_conformance.targets import Control, Deployment
from zep_conformance.waiting import eventually


@when(parsers.re(r"Zep (?P<ends>is stopped|crashes) and is started again"))
def zep_comes_back(control: Control, deployment: Deployment, zep: Zep, settings: Settings, ends: str) -> None:
    """End Zep as an operator or a crash does, start it, and wait until it is healthy."""
    part = needed(deployment.zep, "a Zep").part
    (control.stop if ends == "is stopped" else control.kill)(part)
    control.start(part)

    def healthy() -> None:
        assert zep.wire.get("/healthz").status_code == 200, "Zep is not healthy after its start"

    eventually(healthy, settings.wait_limit)
