"""Every operation of Zep's API, from its description (fixtures/data/zep-api.json): the one list that there is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from zep_conformance import suite

API = "/api/v1"
_UNREFUSED = ("401", "500")
"""The statuses that are described and are no answer to a request with the right token."""


@dataclass(frozen=True)
class ApiOperation:
    """One method of one path. path: as OpenAPI writes it, its ids in {braces}.

    answers: the statuses that are documented for whoever has the right token and a store that works.
    """

    method: str
    path: str
    takes_body: bool
    answers: frozenset[int]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, by its method."""
        return self.method == "GET"

    def at(self, ids: Mapping[str, str]) -> str:
        """Return its path with ids in it, which are escaped already. Raises KeyError where one is missing."""
        return self.path.format_map(dict(ids))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def api_operations() -> tuple[ApiOperation, ...]:
    """Return every operation of the API, each of which wants a token where Zep is secured."""
    described: Mapping[str, Mapping[str, Any]] = json.loads((suite.data() / "zep-api.json").read_text())["paths"]
    return tuple(
        ApiOperation(
            method=method.upper(),
            path=path,
            takes_body="requestBody" in about,
            answers=frozenset(int(status) for status in about["responses"] if status not in _UNREFUSED),
        )
        for path, methods in described.items()
        if path.startswith(f"{API}/")
        for method, about in methods.items()
    )
