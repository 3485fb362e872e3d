"""Accounts of LangFlux since 3.0.1: the first is registered, it logs in, and makes an API key.

    account = first_account()
    register(url, account)                      # of a LangFlux that was just started
    key = make_key(url, account, "zc-1234")
    …
    delete_key(url, account, key.id)

Each logs in for itself and out again, past a run's transcript: nothing of it is ever shown. Not for two at a time:
Flowise 3.0.13 on SQLite does not survive that (docs/real-servers.md).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from zep_conformance.clients.families import INTERNAL, Account
from zep_conformance.clients.http import LangFluxRefused, http_client

PERMISSIONS = (
    *(f"chatflows:{what}" for what in ("create", "view", "update", "delete")),
    *(f"credentials:{what}" for what in ("create", "view", "delete")),
    "templates:marketplace",
)
"""What a key of ours may do (in 3.0.13 keys have permissions; in 3.0.5 all may everything)."""
TIMEOUT = 30.0
"""Seconds for one request: hashing a password is slow on purpose."""


@dataclass(frozen=True)
class Key:
    """An API key that was made."""

    id: str
    value: str = field(repr=False)


def first_account(secret: str | None = None) -> Account:
    """Return a made-up account, with a password as Flowise wants one: all kinds of characters.

    secret: what only those may know who are to come to the same account again; without, it is drawn.
    """
    drawn = hashlib.sha256((secret or secrets.token_urlsafe(18)).encode()).hexdigest()
    return Account(f"zc-{drawn[:8]}@example.com", f"Zc1!{drawn[8:40]}")


def register(url: str, account: Account) -> None:
    """Make the first account, the owner's, of a LangFlux that has none.

    Raises LangFluxRefused, also where there is one already; httpx.HTTPError.
    """
    person = {"name": "zep-conformance", "email": account.user, "type": "pro", "credential": account.password}
    with _client(url) as client:
        _checked("registering the first account", client.post("/api/v1/account/register", json={"user": person}))


def is_registered(url: str) -> bool:
    """Return whether somebody has registered. Raises LangFluxRefused, httpx.HTTPError."""
    with _client(url) as client:
        answer = _checked("asking where to sign in", client.post("/api/v1/auth/resolve", json={}))
        return "setup" not in str(answer.json().get("redirectUrl", ""))


def make_key(url: str, account: Account, name: str) -> Key:
    """Make an API key called `name`. Raises LangFluxRefused, httpx.HTTPError."""
    with _logged_in(url, account) as client:
        body = {"keyName": name, "permissions": list(PERMISSIONS)}
        keys = _checked("making an API key", client.post("/api/v1/apikey", json=body)).json()
        found = next((each for each in keys if each["keyName"] == name), None)
        assert found is not None, f"LangFlux says that the API key {name} is made, and does not list it"
        return Key(found["id"], found["apiKey"])


def delete_key(url: str, account: Account, key: str) -> None:
    """Delete an API key by its id. Raises LangFluxRefused, httpx.HTTPError."""
    with _logged_in(url, account) as client:
        _checked("deleting an API key", client.delete(f"/api/v1/apikey/{key}"))


def _client(url: str) -> httpx.Client:
    return http_client(url, timeout=TIMEOUT, headers=INTERNAL)


@contextmanager
def _logged_in(url: str, account: Account) -> Iterator[httpx.Client]:
    """Yield a client with the cookies of a login, which is ended afterwards."""
    with _client(url) as client:
        login = {"email": account.user, "password": account.password}
        _checked("logging in", client.post("/api/v1/auth/login", json=login))
        try:
            yield client
        finally:
            client.post("/api/v1/account/logout")


def _checked(what: str, answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise LangFluxRefused(what, answer)
    return answer
