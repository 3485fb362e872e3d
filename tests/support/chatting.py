"""Chatbots in an embedded LangFlux, for tests of what they remember."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from zep_conformance.clients.langflux import LangFlux
from zep_conformance.facts.flows import MODEL_CREDENTIAL, ZEP_MEMORY, with_model, with_zep_memory
from zep_conformance.processes.fleet import Fleet
from zep_conformance.reference.operations import Chatbot

API_KEY = "embedded-langflux-key"
"""What `parts_for` gives a LangFlux, unless it is told otherwise."""

MakeBot = Callable[[str], Chatbot]


@contextmanager
def making_chatbots(fleet: Fleet, model_url: str) -> Iterator[tuple[LangFlux, MakeBot]]:
    """The LangFlux of a fleet, and what makes a chatbot in it, given the Session Id of its Zep Memory node.

    model_url: the model server, which is better in another fleet: Zep then has none, and sums nothing up.
    """
    langflux = LangFlux(fleet.url("langflux"), API_KEY)
    template, node = langflux.template(), langflux.node(ZEP_MEMORY)
    credential = langflux.add_credential("model", MODEL_CREDENTIAL, "any")

    def make(session: str) -> Chatbot:
        flow = with_zep_memory(template, node, base_url=fleet.url("zep"), session=session)
        flow = with_model(flow, model_url=f"{model_url}/v1", credential=credential)
        return Chatbot(langflux.add_chatflow("chatbot", flow), session)

    yield langflux, make
    langflux.close()
