"""Mutations of an upgrade: what another version, started on the same database, does to what the one before has left.

Each happens when a newer version opens the database: a mere restart shows none of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from packaging.version import Version

from zep_conformance.embedded.langflux.answers import FlowiseError
from zep_conformance.embedded.langflux.mutations.planting import session
from zep_conformance.embedded.langflux.services import Services
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("langflux")


@MUTATIONS.family
def _after(langflux: Services, change: Callable[[Services], object]) -> None:
    """Have something done to a newer version as it starts."""
    if langflux.before and Version(langflux.before) < Version(langflux.version):
        change(langflux)


@MUTATIONS.family
def _migrating(langflux: Services, statement: str) -> None:
    """Have a newer version change the database as it opens it. statement: SQL."""
    if langflux.before and Version(langflux.before) < Version(langflux.version):
        langflux.store.execute(statement)


_migrating("upgrade-loses-chatflows", "An upgrade loses all chatflows", "UPGRADE-7")("DELETE FROM chatflow")
_migrating(
    "upgrade-resets-base-url", "An upgrade sets the Base URL of each Zep Memory node to its default", "UPGRADE-7"
)(
    'UPDATE chatflow SET flowData = replace(flowData, \'"baseURL": "http://127.0.0.1\', \'"baseURL": "http://localhost\')'
)
_migrating("upgrade-loses-credentials", "An upgrade loses all credentials", "UPGRADE-7")("DELETE FROM credential")
_migrating("upgrade-renames-credentials", "An upgrade gives credentials other names", "UPGRADE-7")(
    "UPDATE credential SET name = name || ' (imported)'"
)
_migrating("upgrade-loses-chat-messages", "An upgrade loses all chat messages", "UPGRADE-7")("DELETE FROM chatmessage")
_migrating("upgrade-swaps-chat-roles", "After an upgrade every chat message is listed as the user's", "UPGRADE-7")(
    "UPDATE chatmessage SET role = 'userMessage'"
)
_migrating("upgrade-loses-chat-sessions", "After an upgrade chat messages are of no session", "UPGRADE-7")(
    "UPDATE chatmessage SET sessionId = NULL"
)


@_after("upgrade-loses-keys", "An upgrade loses all API keys", "UPGRADE-7")
def _(langflux: Services) -> None:
    langflux.api_key = secrets.token_urlsafe(24)


@_after("upgrade-loses-encryption-key", "After an upgrade credentials can't be decrypted", "UPGRADE-7")
def _(langflux: Services) -> None:
    @around(langflux.credentials, "secret")
    def _(*_given: object) -> str:
        raise FlowiseError("Error: Credentials could not be decrypted.")


@_after("upgrade-mixes-up-secrets", "After an upgrade nodes get no secrets, and nobody is told", "UPGRADE-7")
def _(langflux: Services) -> None:
    def secret(_secret: Callable[..., str], *_given: Any) -> str:
        return ""

    around(langflux.credentials, "secret")(secret)


@_after("upgrade-moves-chats", "After an upgrade a chat goes on in another session of Zep", "UPGRADE-7")
def _(langflux: Services) -> None:
    session(langflux, lambda turn: f"{turn.session}-2")


@_after("upgrade-shares-chats", "After an upgrade all chats of a chatflow are one", "UPGRADE-7")
def _(langflux: Services) -> None:
    session(langflux, lambda _turn: "chat")
