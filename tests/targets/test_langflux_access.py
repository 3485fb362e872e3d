"""What lets a run into a LangFlux that it has upgraded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zep_conformance.clients import accounts
from zep_conformance.clients.families import Account
from zep_conformance.targets.base import LangFluxServer
from zep_conformance.targets.langflux_access import access_after_upgrade


def server(version: str) -> LangFluxServer:
    return LangFluxServer(url="http://127.0.0.1:1", api_key="old", model_url="", zep_url="", version=version)


@pytest.mark.parametrize(
    ("before", "after", "registers"),
    [("1.8.4", "2.2.8", False), ("2.2.8", "3.0.13", True), ("1.8.4", "3.0.13", True), ("3.0.5", "3.0.13", False)],
)
def test_an_account_is_registered_where_accounts_have_come(
    before: str, after: str, registers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[Account] = []
    monkeypatch.setattr(accounts, "register", lambda _url, account: registered.append(account))
    monkeypatch.setattr(accounts, "make_key", lambda _url, _account, _name: accounts.Key("id", "new"))
    found = access_after_upgrade(server(before), after)
    assert (found.version, found.api_key) == (after, "new" if registers else "old")
    assert registered == ([found.account] if registers else [])
    registered.clear()
    assert access_after_upgrade(replace(server(before), embedded=True), after).api_key == "old"
    assert not registered
