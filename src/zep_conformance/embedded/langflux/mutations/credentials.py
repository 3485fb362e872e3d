"""Mutations of credentials: where their secrets are shown."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable
from typing import Any

from zep_conformance.embedded.langflux.answers import FlowiseError
from zep_conformance.embedded.langflux.mutations.planting import Events, answered, around_turns
from zep_conformance.embedded.langflux.services import Services
from zep_conformance.embedded.langflux.turns import Turn
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("langflux")


@MUTATIONS.mutation("credential-shown", "A fetched credential has its token in clear", "AUTH-5")
def credential_shown(langflux: Services) -> None:
    around(langflux.credentials, "shown")(lambda _shown, _type, fields: fields)


@MUTATIONS.mutation("credential-never-fetched", "Fetching a credential is answered 500", "AUTH-5")
def credential_never_fetched(langflux: Services) -> None:
    @around(langflux.credentials, "shown")
    def _(*_given: object) -> dict[str, Any]:
        raise FlowiseError("Error: credentialsService.getCredentialById - it is not there")


@MUTATIONS.mutation("credential-in-chatflow", "A fetched chatflow has the tokens of all credentials", "AUTH-5")
def credential_in_chatflow(langflux: Services) -> None:
    @around(langflux, "chatflow")
    def chatflow(chatflow: Callable[[str], dict[str, Any]], ident: str) -> dict[str, Any]:
        return chatflow(ident) | {"credentials": [one["fields"] for one in langflux.store.credentials()]}


@MUTATIONS.family
def _added(langflux: Services, shown: Callable[[dict[str, Any]], object]) -> None:
    """Have the answer to adding a credential show something of its fields."""

    @around(langflux.store, "add_credential")
    def _(add: Callable[..., dict[str, Any]], name: Any, kind: Any, fields: Any) -> dict[str, Any]:
        return add(name, kind, fields) | {"plainDataObj": shown(fields)}


@MUTATIONS.family
def _fetched(langflux: Services, shown: Callable[[str], str]) -> None:
    """Have a fetched credential show something of each of its fields."""
    around(langflux.credentials, "shown")(
        lambda _shown, _type, fields: {name: shown(str(value)) for name, value in fields.items()}
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_added("credential-in-added", "The answer to adding a credential has its secret", "AUTH-5")(lambda fields: fields)
_added("credential-in-added-as-base64", "The answer to adding a credential has its secret in base64", "AUTH-5")(
    lambda fields: _base64(f"credential:{fields}")
)
_fetched("credential-shown-in-part", "A fetched credential has all of its secret but the first 8 signs", "AUTH-5")(
    lambda secret: "*" * 8 + secret[8:]
)
_fetched("credential-tail-shown", "A fetched credential has the last 16 signs of its secret", "AUTH-5")(
    lambda secret: f"…{secret[-16:]}"
)
_fetched("credential-shown-in-hex", "A fetched credential has its secret in hexadecimal", "AUTH-5")(
    lambda secret: secret.encode().hex()
)
_fetched("credential-shown-backwards", "A fetched credential has its secret backwards", "AUTH-5")(
    lambda secret: secret[::-1]
)


@MUTATIONS.mutation("credential-in-list", "The list of credentials has their secrets", "AUTH-5")
def _(langflux: Services) -> None:
    @around(langflux.store, "credentials")
    def _(credentials: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        return [one | {"plainDataObj": dict(one["fields"])} for one in credentials()]


@MUTATIONS.mutation("credential-in-changed", "The answer to changing a credential has its secret", "AUTH-5")
def _(langflux: Services) -> None:
    @around(langflux.store, "update_credential")
    def _(update: Callable[..., Any], *asked: Any) -> Any:
        changed = update(*asked)
        return changed and changed | {"plainDataObj": changed["fields"]}


@MUTATIONS.mutation("old-secret-in-changed", "The answer to changing a credential has the secret of before", "AUTH-5")
def _(langflux: Services) -> None:
    @around(langflux.store, "update_credential")
    def _(update: Callable[..., Any], ident: str, *asked: Any) -> Any:
        before, changed = langflux.store.credential(ident), update(ident, *asked)
        return changed and changed | {"before": before and before["fields"]}


@MUTATIONS.mutation("credential-in-refusal", "A credential that can't be added is quoted in the error", "AUTH-5")
def _(langflux: Services) -> None:
    @around(langflux.store, "add_credential")
    def _(add: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
        try:
            return add(*given)
        except sqlite3.Error as error:
            raise FlowiseError(f"{error}; parameters: {given}") from error


@MUTATIONS.mutation("credential-in-not-found", "Changing a credential that there is not quotes what was sent", "AUTH-5")
def _(langflux: Services) -> None:
    @around(langflux.store, "update_credential")
    def _(update: Callable[..., Any], ident: str, given: Any, fields: Any) -> Any:
        changed = update(ident, given, fields)
        if changed is None:
            raise FlowiseError(f"no credential {ident} to take {fields}")
        return changed


def _secrets(langflux: Services, turn: Turn) -> str:
    """Return the secrets that a turn is run with, as a debugging line would have them."""
    nodes = ((turn.flow.memory, "apiKey"), (turn.flow.model, "openAIApiKey"))
    return " ".join(langflux.credentials.secret(*node) for node in nodes)


@MUTATIONS.mutation("credential-in-prediction", "A prediction's answer has the secrets that it was made with", "AUTH-5")
def _(langflux: Services) -> None:
    answered(langflux, lambda turn, answer: answer | {"debug": _secrets(langflux, turn)})


@MUTATIONS.mutation(
    "credential-in-failure", "A prediction that fails quotes the secrets that it was made with", "AUTH-5"
)
def _(langflux: Services) -> None:
    @around_turns(langflux, "run")
    async def _(turn: Turn, run: Callable[..., Any], *args: Any) -> Any:
        try:
            return await run(*args)
        except FlowiseError as failed:
            raise FlowiseError(f"{failed.message} ({_secrets(langflux, turn)})", failed.status) from failed


@MUTATIONS.mutation("credential-in-stream", "A stream has the secrets that it was made with", "AUTH-5")
def _(langflux: Services) -> None:
    @around_turns(langflux, "events")
    async def _(turn: Turn, events: Callable[[], Events]) -> Events:
        yield "debug", _secrets(langflux, turn)
        async for event in events():
            yield event
