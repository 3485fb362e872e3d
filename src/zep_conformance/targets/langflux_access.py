"""What lets a run into a LangFlux: one that it has just started itself, and one where a login is all that is given."""

from __future__ import annotations

import secrets
from dataclasses import replace

import httpx

from zep_conformance.clients import accounts
from zep_conformance.clients.families import INTERNAL, Account, family_of
from zep_conformance.clients.http import LangFluxRefused, trusted
from zep_conformance.errors import CannotTell
from zep_conformance.targets.base import LangFluxServer

ASK_LIMIT = 30.0
"""Seconds for one request."""


def access(url: str, secret: str | None = None) -> tuple[str | None, Account | None]:
    """Return what lets us into a LangFlux that was just started: its own key, or an account made in it.

    Flowise from 2.0.7 to 3.0.0 has made a key for itself, which it shows to its own page as long as nobody has set a
    password; since 3.0.1 whoever comes first registers. secret: for a LangFlux that is kept, from which the same
    account is made each time. Raises CannotTell where it does not let us.
    """
    try:
        with httpx.Client(base_url=url, verify=trusted(), headers=INTERNAL, timeout=ASK_LIMIT) as client:
            version = client.get("/api/v1/version").json().get("version", "")
            if family_of(version).has_accounts:
                account = accounts.first_account(secret)
                if secret is None or not accounts.is_registered(url):
                    accounts.register(url, account)
                return None, account
            answer = client.get("/api/v1/apikey")
            keys = answer.json() if answer.status_code == 200 else []
    except (httpx.HTTPError, ValueError, LangFluxRefused) as error:
        what = f"langflux was started, and does not let us in: {error}"
        advice = "Is it a LangFlux (Flowise)? --langflux-command names the program that was started."
        raise CannotTell(what, advice, code="langflux-no-access") from None
    return next((str(one["apiKey"]) for one in keys if one.get("apiKey")), None), None


def access_after_upgrade(server: LangFluxServer, version: str) -> LangFluxServer:
    """Return a LangFlux of the run's own, which is another version now, as it lets us in.

    It does as before, unless accounts have come: then nobody has registered yet, and until somebody does its chatflows
    are nobody's. The first account is registered, as its operator has to, and makes a key. An embedded LangFlux has no
    accounts, whatever version it says that it is. version: what it says now.
    Raises LangFluxRefused, httpx.HTTPError.
    """
    if server.embedded or family_of(server.version).has_accounts or not family_of(version).has_accounts:
        return replace(server, version=version)
    account = accounts.first_account()
    accounts.register(server.url, account)
    key = accounts.make_key(server.url, account, f"zc-{secrets.token_hex(4)}")
    return replace(server, version=version, account=account, api_key=key.value)


class OwnKey:
    """Makes at most one API key of a run's own in a LangFlux whose accounts make keys, and deletes it.

    That is done before the first scenario and after the last, by one process: two logins at once, or one beside other
    writes, leave a Flowise 3.0.13 on SQLite in a state in which nobody can log in until it is restarted
    (docs/real-servers.md).
    """

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
