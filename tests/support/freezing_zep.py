"""A plugin for runs: a burst of imports from outside freezes an embedded Zep of two cores while a scenario runs.

It comes when the scenario whose name has $FREEZE_IN in it asks for something, $FREEZE_TIMES times, and ends as soon as
Zep is frozen: what other scenarios have just written counts as well. With $FREEZE_ONCE it does not come when a scenario
is carried out once more. Nobody waits for answers as long as in an ordinary
run.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest

from zep_conformance.clients import zep
from zep_conformance.session.run import RUN

zep.TIMEOUT = 2.0
left = int(os.environ["FREEZE_TIMES"])


def pytest_bdd_before_step_call(request: pytest.FixtureRequest, scenario: Any, step: Any) -> None:
    """Send the burst before the scenario looks at what it has written."""
    global left
    is_spared = bool(os.environ.get("FREEZE_ONCE")) and request.config.stash[RUN].is_again
    if left and not is_spared and os.environ["FREEZE_IN"] in scenario.name and step.type == "when":
        left -= 1
        messages = [{"role": "human", "content": "imported"}] * 12
        url = request.config.stash[RUN].deployment.zep.url
        with httpx.Client(base_url=url, timeout=1.0) as client:
            for number in range(12):
                try:
                    client.post(f"/api/v1/sessions/burst-{number}/memory", json={"messages": messages})
                except httpx.ReadTimeout:
                    break
