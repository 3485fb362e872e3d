"""A LangFlux and a chatbot in it, for sequences of chats: that of a run, or another one to compare it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import httpx

from zep_conformance.clients.families import family_of
from zep_conformance.clients.langflux import LangFlux, LangFluxRefused
from zep_conformance.clients.zep import Zep
from zep_conformance.doctor.preflight import probe_langflux
from zep_conformance.errors import CannotTell, needed
from zep_conformance.facts.flows import (
    MODEL_CREDENTIAL,
    MODEL_KEY,
    ZEP_CREDENTIAL,
    ZEP_MEMORY,
    with_model,
    with_zep_memory,
)
from zep_conformance.session.run import Run
from zep_conformance.session.sequences import Chatting
from zep_conformance.targets import LangFluxServer

Say = Callable[[str], None]


def chatting_of(run: Run, closing: ExitStack, say: Say) -> Chatting:
    """Return the LangFlux of a run, and a chatbot in it; that is deleted in the end if it was made for this.

    say: is told what could not be deleted. Raises CannotTell where there is no LangFlux, or no chatbot can be made.
    """
    found = run.deployment.langflux
    if found is None:
        advice = "Give --langflux-url, or leave --kind chats out."
        raise CannotTell("chats are asked of a LangFlux, and there is none", advice, code="options-conflict")
    client = _client(run, found, closing)
    if found.chatflow:
        return Chatting(client, found.chatflow)
    zep = run.deployment.zep
    made = _made_in(run, client, zep_url=found.zep_url, token=zep.token if zep else None, say=say)
    return Chatting(client, closing.enter_context(made))


def chatting_at(run: Run, url: str, api_key: str | None, *, zep: Zep, closing: ExitStack, say: Say) -> Chatting:
    """Return another LangFlux, looked at first, and a chatbot in it that remembers in `zep`.

    It reaches Zep at the address that we do, and the model server at that of the first one.
    Raises CannotTell with the doctor's finding when it is unfit.
    """
    if api_key:
        run.redactor.hide(api_key)
    seen = probe_langflux(url, api_key)
    first = needed(run.deployment.langflux, "a LangFlux")
    server = replace(first, url=url, api_key=api_key, version=seen.version, chatflow="", account=None)
    client = _client(run, server, closing)
    made = _made_in(run, client, zep_url=zep.url, token=zep.token, say=say)
    return Chatting(client, closing.enter_context(made))


def _client(run: Run, found: LangFluxServer, closing: ExitStack) -> LangFlux:
    hooks = {"request": [run.limits.check]}
    family = family_of(found.version)
    client = LangFlux(found.url, found.api_key, hooks, account=found.account, family=family)
    closing.callback(client.close)
    return client


def _made_in(run: Run, client: LangFlux, *, zep_url: str, token: str | None, say: Say) -> AbstractContextManager[str]:
    model_url = needed(run.deployment.langflux, "a LangFlux").model_url
    name = f"{run.prefix}-explored"
    return _a_chatbot(client, name=name, zep_url=zep_url, zep_token=token, model_url=model_url, say=say)


@contextmanager
def _a_chatbot(
    langflux: LangFlux, *, name: str, zep_url: str, zep_token: str | None, model_url: str, say: Say
) -> Iterator[str]:
    """Make the documented chatbot, and yield the id of its chatflow; it is deleted in the end, chats and all.

    zep_url, model_url: as LangFlux sees them. say: is told what could not be deleted.
    Raises CannotTell where it can't be made.
    """
    made: list[tuple[Callable[[str], None], str]] = []
    is_made = False
    try:
        credentials = {}
        for kind, secret in ((ZEP_CREDENTIAL, zep_token), (MODEL_CREDENTIAL, MODEL_KEY)):
            if secret is not None:
                credentials[kind] = langflux.add_credential(f"{name}-{kind}", kind, secret)
                made.append((langflux.delete_credential, credentials[kind]))
        flow = with_zep_memory(
            langflux.template(),
            langflux.node(ZEP_MEMORY),
            base_url=zep_url,
            credential=credentials.get(ZEP_CREDENTIAL, ""),
        )
        flow = with_model(flow, model_url=model_url, credential=credentials[MODEL_CREDENTIAL])
        chatflow = langflux.add_chatflow(name, flow)
        made.append((langflux.delete_chatflow, chatflow))
        is_made = True
        yield chatflow
    except (LangFluxRefused, AssertionError, httpx.HTTPError) as error:
        if is_made:
            raise
        advice = "`zep-conformance doctor --langflux-url URL` says what is wrong; `--kind` leaves chats out."
        raise CannotTell(f"no chatbot can be made in LangFlux: {error}", advice, code="chatbot-unmade") from error
    finally:
        for delete, ident in reversed(made):
            try:
                delete(ident)
            except (LangFluxRefused, httpx.HTTPError) as error:
                say(f"could not be removed: {ident} of LangFlux ({type(error).__name__})")
