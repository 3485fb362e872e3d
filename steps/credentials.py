"""Steps of credentials.feature: everything that LangFlux answers where a credential is concerned."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from pytest_bdd import parsers

from fixtures.chatflows import Chatflows
from fixtures.chats import Chats
from fixtures.cleanup import Cleanup
from fixtures.people import SessionIds
from fixtures.words import given, then, when
from zep_conformance.clients.langflux import ChatAnswer, LangFlux, LangFluxRefused, chat_path
from zep_conformance.clients.tokens import make_secret
from zep_conformance.errors import needed
from zep_conformance.facts.flows import MODEL_CREDENTIAL, ZEP_CREDENTIAL, credential_body
from zep_conformance.redaction.encodings import encoded
from zep_conformance.session.run import Run

KINDS = {"Zep": ZEP_CREDENTIAL, "the model": MODEL_CREDENTIAL}
PATH = "/api/v1/credentials"
PIECE = 8
"""Characters of a secret that nobody writes by chance: twice as many in a row have such a piece in them."""
CLOSED = "http://127.0.0.1:1"
"""A URL at which nobody answers: what needs it fails."""


@dataclass
class Shown:
    """What LangFlux has answered. secrets: what no answer may show. answers: (what was done, the answer's text)."""

    kind: str
    secrets: list[str]
    answers: list[tuple[str, str]] = field(default_factory=list)

    def note(self, what: str, answer: httpx.Response, status: int | None = 200) -> httpx.Response:
        """Note an answer and return it. status: which it must have, None for any that is no success."""
        right = answer.status_code >= 400 if status is None else answer.status_code == status
        assert right, f"{what} is answered {answer.status_code} {answer.text[:200]!r}"
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.answers.append((what, f"{headers}\n{answer.text}"))
        return answer


@given(parsers.parse("a secret for {what} that nobody has seen yet"), target_fixture="shown")
def new_secret(run: Run, what: str) -> Shown:
    """Return two secrets of our own making, which open nothing: one to begin with, one to change it to."""
    secrets = [make_secret(), make_secret()]
    for secret in secrets:
        run.redactor.hide(secret)
    return Shown(KINDS[what], secrets)


@when("a credential that holds it is added, listed, fetched, changed, used and deleted")
def whole_life(
    run: Run,
    langflux: LangFlux,
    chatflows: Chatflows,
    chats: Chats,
    cleanup: Cleanup,
    session_ids: SessionIds,
    shown: Shown,
) -> None:
    """Do all of that, and note every answer; what others keep is listed only where LangFlux is the run's own."""
    wire, (secret, other) = langflux.wire, shown.secrets
    name = f"{run.prefix}-to-be-hidden"
    added = shown.note("adding it", wire.post(PATH, json=credential_body(name, shown.kind, secret)))
    ident = cleanup.credential(langflux, added.json()["id"])
    if needed(run.target, "a target").control is not None:
        shown.note("listing all", wire.get(PATH))
        shown.note("listing those of its kind", wire.get(PATH, params={"credentialName": shown.kind}))
    shown.note("fetching it", wire.get(f"{PATH}/{ident}"))
    shown.note("renaming it", wire.put(f"{PATH}/{ident}", json={"name": f"{name}-still", "credentialName": shown.kind}))
    shown.note("changing it", wire.put(f"{PATH}/{ident}", json=credential_body(name, shown.kind, other)))
    shown.note("fetching it again", wire.get(f"{PATH}/{ident}"))
    deployed = needed(run.deployment.langflux, "a LangFlux")
    used = {"zep_credential" if shown.kind == ZEP_CREDENTIAL else "model_credential": ident}
    if shown.kind == MODEL_CREDENTIAL and chatflows.token is not None:
        used["zep_credential"] = chatflows.zep_credential(chatflows.token, "beside-the-hidden")
    for what, zep_url in (("works", deployed.zep_url), ("fails", CLOSED)):
        if what == "works" and shown.kind == ZEP_CREDENTIAL and chatflows.token is not None:
            continue  # A secured Zep takes no made-up token.
        chatflow = chatflows.with_credentials(f"hidden-{what}", zep_url, **used)
        session = session_ids.new("hidden")
        chats.removed_later(session)
        status = 200 if what == "works" else None
        where = f"a chatbot that uses it and {what}"
        shown.note(f"fetching {where}", wire.get(f"/api/v1/chatflows/{chatflow}"))
        answer = shown.note(f"asking {where}", langflux.predict(chatflow, "Hello", session=session), status)
        if answer.status_code == 200:
            chats.answer_removed_later(chatflow, ChatAnswer.of(answer.json()))
        shown.note(f"listing the chat messages of {where}", wire.get(chat_path(chatflow, {"sessionId": session})))
        try:
            events = langflux.stream(chatflow, "Hello", session=session)
        except LangFluxRefused as refusal:
            # Versions that answer a stream's prediction as well say there that it failed.
            if what == "works":
                raise
            events = [("error", refusal.body)]
        for event, data in events:
            shown.answers.append((f"the event {event} of a stream of {where}", str(data)))
    shown.note("deleting it", wire.delete(f"{PATH}/{ident}"))
    shown.note("fetching it once it is deleted", wire.get(f"{PATH}/{ident}"), None)


@when("adding it without a name, and changing one that there is not, is refused")
def refused(langflux: LangFlux, shown: Shown) -> None:
    """Note both refusals."""
    body = credential_body("", shown.kind, shown.secrets[0])
    nameless = {name: value for name, value in body.items() if name != "name"}
    shown.note("adding it without a name", langflux.wire.post(PATH, json=nameless), None)
    nobody = "00000000-0000-4000-8000-000000000000"
    shown.note("changing one that there is not", langflux.wire.put(f"{PATH}/{nobody}", json=body), None)


@then("no answer shows the secret, nor the one that it was changed to, nor a piece of either")
def secrets_hidden(shown: Shown) -> None:
    """Check every answer for pieces of the secrets, as they are, backwards, in base64 and in hexadecimal."""
    forms = [form for secret in shown.secrets for form in {secret, secret[::-1], *encoded(secret)}]
    pieces = [form[at : at + PIECE] for form in forms for at in range(0, len(form) - PIECE + 1, PIECE)]
    for what, text in shown.answers:
        assert not any(piece in text for piece in pieces), f"the answer to {what} shows a secret, or a piece of it"
