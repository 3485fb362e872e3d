"""An API key of a run's own, in a LangFlux whose accounts make keys, where a login is all that was given.

It is made before the first scenario and deleted after the last, by one process: two logins at once, or one beside
other writes, leave a Flowise 3.0.13 on SQLite in a state in which nobody can log in until it is restarted
(docs/real-servers.md).
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import httpx

from zep_conformance.clients import accounts
from zep_conformance.clients.families import family_of
from zep_conformance.clients.http import LangFluxRefused
from zep_conformance.errors import CannotTell
from zep_conformance.targets.base import LangFluxServer


class OwnKey:
    """Makes at most one key, and deletes it."""

    def __init__(self) -> None:
        self._made: tuple[LangFluxServer, accounts.Key] | None = None

    def given_to(self, server: LangFluxServer) -> LangFluxServer:
        """Return the server with an API key: the one that it has, or one that is made where that is what it lacks.

        Raises CannotTell where LangFlux makes none.
        """
        if server.account is None or server.api_key or not family_of(server.version).has_accounts:
            return server
        name = f"zc-{secrets.token_hex(4)}"
        try:
            key = accounts.make_key(server.url, server.account, name)
        except (LangFluxRefused, httpx.HTTPError) as error:
            raise CannotTell(
                f"langflux at {server.url}: no API key could be made: {error}",
                "May this account make keys? One that is made on LangFlux's page will do as well: $LANGFLUX_API_KEY.",
                code="langflux-key-unmade",
            ) from None
        self._made = server, key
        return replace(server, api_key=key.value)

    def delete(self) -> list[str]:
        """Delete the key that was made, if one was. Returns what could not be, for the report."""
        if self._made is None:
            return []
        (server, key), self._made = self._made, None
        assert server.account is not None
        try:
            accounts.delete_key(server.url, server.account, key.id)
        except (LangFluxRefused, httpx.HTTPError) as error:
            return [f"API key {key.id} in LangFlux ({type(error).__name__})"]
        return []
