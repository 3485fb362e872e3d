"""What lets a run into a LangFlux that it has just started itself."""

from __future__ import annotations

import httpx

from zep_conformance.clients.accounts import first_account, is_registered, register
from zep_conformance.clients.families import INTERNAL, Account, family_of
from zep_conformance.clients.http import LangFluxRefused, trusted
from zep_conformance.errors import CannotTell

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
                account = first_account(secret)
                if secret is None or not is_registered(url):
                    register(url, account)
                return None, account
            answer = client.get("/api/v1/apikey")
            keys = answer.json() if answer.status_code == 200 else []
    except (httpx.HTTPError, ValueError, LangFluxRefused) as error:
        raise CannotTell(
            f"langflux was started, and does not let us in: {error}",
            "Is it a LangFlux (Flowise)? --langflux-command names the program that was started.",
            code="langflux-no-access",
        ) from None
    return next((str(one["apiKey"]) for one in keys if one.get("apiKey")), None), None
