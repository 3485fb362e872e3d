"""What differs from one LangFlux (Flowise) to another, in one place: an adapter for each family of versions.

    family = family_of("1.8.4")
    family.headers(api_key, account)      # how it is let in
    family.completed(answer, …)           # an answer, with what this family leaves out of it

Everything else asks the client (`clients.langflux`) and never needs to know. The oldest family is read from
Flowise's source; the others are measured (docs/versions.md).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from packaging.version import Version

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import NEWEST_LANGFLUX

INTERNAL = {"x-request-from": "internal"}
"""What Flowise's own page says it is. Up to 3.0.0 it is let in where nothing is protected."""


@dataclass(frozen=True)
class Account:
    """Somebody's login. user: a name up to 3.0.0 (FLOWISE_USERNAME), an e-mail address since."""

    user: str
    password: str = field(repr=False)

    @classmethod
    def given(cls, user: str | None, password: str | None) -> Account | None:
        """Return the login that settings give; None without one. Raises CannotTell for half of one."""
        if user and password:
            return cls(user, password)
        if user or password:
            there, lacking = ("user", "password") if user else ("password", "user")
            what = f"--langflux-{there} was given, and no --langflux-{lacking}"
            advice = "Give both, or set $LANGFLUX_USER and $LANGFLUX_PASSWORD; with an API key neither is needed."
            raise CannotTell(what, advice, code="options-conflict")
        return None


@dataclass(frozen=True)
class Family:
    """How the LangFlux versions from `since` up to the next family's are asked.

    templates: the names of the documented template, the first that there is. marketplace: where templates are
    listed. streaming: by Server-Sent Events in the prediction's own answer, or by socket.io beside it.
    password: "basic" where a user name and password go with each request (FLOWISE_USERNAME), and alone will do;
    "either" where an API key will do too; "account" where they only log in, to make a key.
    says_ids: whether an answer always says its chat and session.
    """

    name: str
    since: str
    templates: tuple[str, ...]
    marketplace: str
    streaming: Literal["events", "sockets"]
    password: Literal["basic", "either", "account"]
    says_ids: bool = True

    @property
    def has_accounts(self) -> bool:
        """Whether a user name and password are an account's, with which an API key can be made."""
        return self.password == "account"

    def headers(self, api_key: str | None, account: Account | None = None) -> dict[str, str]:
        """Return the headers that go with each request: a key alone, a login, or neither where nothing is protected.

        Since 3.0.1 a key is refused when it comes with `x-request-from`.
        """
        if account is not None and (self.password == "basic" or (self.password == "either" and not api_key)):
            return {**INTERNAL, **basic(account)}
        return {"authorization": f"Bearer {api_key}"} if api_key else dict(INTERNAL)

    def completed(self, answer: Mapping[str, Any], session: str | None, chat: str | None) -> dict[str, Any]:
        """Return a prediction's answer with the chat and the session that it belongs to, as far as that is known.

        session, chat: what was sent. Up to 1.4.10 an answer has no session, and no chat where none was sent; what
        is sent is the session then, the chat before the session up to 1.4.9.
        """
        if self.says_ids:
            return dict(answer)
        sent = {"chatId": chat or session, "sessionId": chat or session}
        return {**{name: value for name, value in sent.items() if value}, **answer}


_SIMPLE = ("Simple Conversation Chain", "Simple Conversational Chain")
_CHAIN = "Conversation Chain"
_MARKETPLACE = "/api/v1/marketplaces"
FAMILIES = (
    # Read from the source of 1.4.0 to 1.5.0.
    Family("1.4", "0", _SIMPLE, f"{_MARKETPLACE}/chatflows", "sockets", "basic", says_ids=False),
    Family("1.8", "1.5.1", (_CHAIN, *_SIMPLE), f"{_MARKETPLACE}/templates", "sockets", "basic"),
    Family("2.2", "2.1.0", (_CHAIN,), f"{_MARKETPLACE}/templates", "events", "either"),
    Family("3.0", "3.0.1", (_CHAIN,), f"{_MARKETPLACE}/templates", "events", "account"),
)
NEWEST = FAMILIES[-1]


def basic(account: Account) -> dict[str, str]:
    """Return the header of HTTP's basic login."""
    pair = f"{account.user}:{account.password}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def family_of(version: str) -> Family:
    """Return the family of a version, as /api/v1/version says it; the newest where that is unknown or says nothing."""
    found = _parsed(version)
    if found is None:
        return NEWEST
    return next(family for family in reversed(FAMILIES) if found >= Version(family.since))


def remark(version: str) -> str:
    """Return a remark on a version that was never tried, in one line; "" for the others."""
    found = _parsed(version)
    if found is None:
        what = "does not say its version" if not version else f"says it is {version}, which is no version known here"
        return f"langflux {what}: it is asked as {NEWEST.name} is"
    if found > Version(NEWEST_LANGFLUX):
        return f"langflux {version} is newer than any tried here ({NEWEST_LANGFLUX}): it is asked as {NEWEST.name} is"
    return ""


def _parsed(version: str) -> Version | None:
    """Return the numbers of a version; what npm allows behind them ("-hotfix.1") makes no difference to us."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return Version(found[1]) if found else None
