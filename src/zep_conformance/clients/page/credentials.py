"""The page of credentials: where a Zep's token is put, and must never be seen again."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from zep_conformance.clients.page import places
from zep_conformance.clients.page.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ZEP_CREDENTIAL = r"^Zep Memory A[Pp][Ii]$"
"""What the kind of credential is called in the list."""


class CredentialsPage:
    """LangFlux's page of credentials."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def open(self) -> None:
        """Open it; it can be added to."""
        self.visit.open("/credentials", places.ADD_CREDENTIAL)

    def add_zep(self, name: str, token: str) -> str:
        """Add a credential for Zep that holds a token; returns its id. Raises PageFailed with LangFlux's refusal."""
        visit = self.visit
        visit.click(places.ADD_CREDENTIAL)
        visit.click(places.KIND, visit.find(places.DIALOG), text=re.compile(ZEP_CREDENTIAL))
        # The first dialog gives way to one that asks for the credential.
        dialog = visit.find(places.DIALOG, text=re.compile(r"^Credential Name"))
        visit.fill(places.CREDENTIAL_NAME, name, dialog)
        visit.fill(places.API_KEY, token, dialog)
        ask = partial(visit.click, places.CONFIRM_CREDENTIAL, dialog)
        added = visit.saved_by("adding a credential", path="/api/v1/credentials", methods=("POST",), ask=ask)
        return str(added["id"])

    def listed(self, name: str) -> Locator:
        """Return the row of a credential. Raises PageFailed when it is not listed."""
        return self.visit.find(places.CREDENTIAL_ROW, text=places.exactly(name))

    def edit(self, name: str) -> Locator:
        """Open a credential to edit it; returns the dialog, with the credential in it."""
        visit = self.visit
        visit.click(places.EDIT_CREDENTIAL, self.listed(name))
        dialog = visit.find(places.DIALOG)
        field = visit.find(places.CREDENTIAL_NAME, dialog)
        visit.until("the credential is not shown for editing", lambda expect: expect(field).to_have_value(name))
        return dialog
