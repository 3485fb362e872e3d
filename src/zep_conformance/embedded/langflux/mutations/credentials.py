"""Mutations of credentials: where their secrets are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zep_conformance.embedded.langflux.services import Services
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("langflux")


@MUTATIONS.mutation("credential-shown", "A fetched credential has its token in clear", "AUTH-5")
def credential_shown(langflux: Services) -> None:
    around(langflux.credentials, "shown")(lambda _shown, _type, fields: fields)


@MUTATIONS.mutation("credential-in-chatflow", "A fetched chatflow has the tokens of all credentials", "AUTH-5")
def credential_in_chatflow(langflux: Services) -> None:
    @around(langflux, "chatflow")
    def chatflow(chatflow: Callable[[str], dict[str, Any]], ident: str) -> dict[str, Any]:
        return chatflow(ident) | {"credentials": [one["fields"] for one in langflux.store.credentials()]}
