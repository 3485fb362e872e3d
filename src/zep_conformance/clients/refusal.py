"""What a LangFlux client raises, whichever part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from zep_conformance.errors import DeploymentFailed

Hooks = Mapping[str, list[Callable[..., Any]]]
"""httpx event hooks, which see every exchange."""


class LangFluxRefused(DeploymentFailed):
    """LangFlux answered a request that should have worked with an error."""

    def __init__(self, what: str, answer: httpx.Response) -> None:
        super().__init__(f"{what}: LangFlux answered {answer.status_code}: {answer.text[:300]}")
        self.status = answer.status_code
