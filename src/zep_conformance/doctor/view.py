"""The layer view: Zep as LangFlux sees it.

Reasoned from the addresses, nothing is made in LangFlux. What only LangFlux can tell is a prediction through a
temporary chatflow, done when asked for: that and its credentials have names with a prefix, and are removed
afterwards, as is the session in Zep.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from zep_conformance.doctor.address import Address, known
from zep_conformance.doctor.findings import ENRICH_LIMIT, PREDICTION_LIMIT, REMOVAL_LIMIT, Broken, Case, Late, TimeUp
from zep_conformance.doctor.http import HttpAnswer
from zep_conformance.doctor.langflux import LangFluxProbe
from zep_conformance.doctor.writing import ProbeSession
from zep_conformance.facts import flows

_TOKEN_WORDS = re.compile(r"(?i)\b401\b|unauthori[sz]ed|authenticat|token")
_WAY_WORDS = re.compile(r"(?i)fetch failed|failed to connect|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH")


def as_typed(case: Case, url: str) -> Address:
    """Return the Base URL that LangFlux's Zep node has. Raises Broken: LangFlux takes nothing but a bare origin."""
    address = known(case, url)
    if address.slash:
        case.fail("view-trailing-slash")
    return address


def reason(case: Case, zep: Address, probe: LangFluxProbe, *, tried: bool) -> None:
    """Find out whether LangFlux can find Zep at that address, as far as that can be known without trying.

    tried: whether it will be tried. Raises Broken, OutOfTime.
    """
    if zep.is_loopback:
        elsewhere = _elsewhere(probe)
        if elsewhere:
            case.fail("view-loopback", why=elsewhere)
        if not tried:
            case.ok("view", f"{zep.origin}, and LangFlux is on this machine too")
    elif not tried:
        case.report("view-unchecked")


def _elsewhere(probe: LangFluxProbe) -> str:
    """Why LangFlux is not on this machine, as a clause; "" where it seems to be."""
    host, port = probe.connection.address.host, probe.connection.address.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError:
        return ""  # reached through a proxy: nothing is known
    ours = [address for family, _, _, _, where in found if (address := _our_end(family, where)) is not None]
    if not ours:
        return "LangFlux runs on another machine"
    seen = _as_langflux_sees_us(probe)
    # On one machine both ends of a connection have the same view of it; a container's gateway has not.
    if seen is not None and seen not in ours:
        return f"LangFlux sees this machine as {seen}, so it runs in a container"
    return ""


def _our_end(family: int, where: tuple[object, ...]) -> str | None:
    """Return the address from which this machine talks to one of its own; None for another machine's."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as talking, socket.socket(family, socket.SOCK_DGRAM) as own:
            own.bind((where[0], 0))  # only an address of this machine can be bound
            talking.connect(where)
            return str(talking.getsockname()[0])
    except OSError:
        return None


def _as_langflux_sees_us(probe: LangFluxProbe) -> str | None:
    """Our address as LangFlux sees it (GET /api/v1/ip, there to check rate limits with); None if it can't say."""
    try:
        address = ipaddress.ip_address(str(probe.connection.get("/api/v1/ip").fields().get("ip")))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)


def predict(
    case: Case,
    probe: LangFluxProbe,
    zep: Address,
    *,
    token: str | None,
    model_url: str,
    prefix: str,
    session: ProbeSession | None,
) -> None:
    """Have LangFlux talk to Zep. Raises Broken, OutOfTime.

    zep: as LangFlux is to see it. token: what that Zep wants. session: the same in Zep, as it is seen from here;
    None where Zep can't be looked into.
    """
    with ExitStack() as made:
        if session is not None:
            made.callback(session.remove)  # also when no answer came: it may have been written all the same
        chatflow = _Maker(case, probe, prefix, made).chatflow(zep, token, model_url)
        question = {"question": f"Hello from {prefix}", "overrideConfig": {"sessionId": f"{prefix}-view"}}
        answer = _ask(case, probe, "POST", f"prediction/{chatflow}", question, {})
        message = case.quoted(answer.message())
        if answer.status != 200:
            # A refused model is no refused Zep: Zep's memory is asked for before the model is.
            if _WAY_WORDS.search(message) and "openai" not in message.lower():
                case.fail("view-unreachable", answer=message)
            if _TOKEN_WORDS.search(message) and "openai" not in message.lower() and "api key" not in message.lower():
                case.fail("view-token", answer=message)
            case.fail("view-failed", status=answer.status, answer=message)
        if session is None:
            case.ok("view", f"a prediction with Zep at {zep.origin} works")
            return
        kept = session.messages(10)
        if len(kept) < 2:
            case.fail("view-forgets", count=len(kept))
        case.ok("view", f"a prediction is remembered in Zep at {zep.origin}")
        session.wait(str(kept[-1].get("content")), 2, ENRICH_LIMIT, summary=False)


class _Maker:
    """Makes things in LangFlux, and has them removed at the end."""

    def __init__(self, case: Case, probe: LangFluxProbe, prefix: str, made: ExitStack) -> None:
        self._case, self._probe, self._prefix, self._made = case, probe, prefix, made

    def chatflow(self, zep: Address, token: str | None, model_url: str) -> str:
        """Make a conversation chain that remembers in Zep; returns its id. Raises Broken, OutOfTime."""
        key = self._credential("model", flows.MODEL_CREDENTIAL, flows.MODEL_KEY)
        held = self._credential("zep", flows.ZEP_CREDENTIAL, token) if token else ""
        inputs = {"basepath": model_url, "streaming": False}
        model = flows.canvas_node(self._definition(flows.MODEL), inputs=inputs, credential=key)
        inputs = {"baseURL": zep.origin, "sessionId": ""}
        memory = flows.canvas_node(self._definition(flows.ZEP_MEMORY), inputs=inputs, credential=held)
        flow = flows.conversation_chain(model=model, memory=memory, definition=self._definition(flows.CHAIN))
        return self._add("chatflows", flows.chatflow_body(f"{self._prefix}-doctor-chatflow", flow))

    def _credential(self, what: str, kind: str, secret: str) -> str:
        return self._add("credentials", flows.credential_body(f"{self._prefix}-doctor-{what}", kind, secret))

    def _add(self, kind: str, body: dict[str, Any]) -> str:
        """Make a thing, to be removed at the end; returns its id."""
        answer = _ask(self._case, self._probe, "POST", kind, body, self._probe.headers)
        made = answer.fields()
        if answer.status not in (200, 201) or "id" not in made:
            self._case.fail("view-failed", status=answer.status, answer=self._case.quoted(answer.message()))
        self._made.callback(self._remove, f"{kind}/{made['id']}", body["name"])
        return str(made["id"])

    def _remove(self, path: str, name: str) -> None:
        why = "no answer"
        self._case.budget.spare(REMOVAL_LIMIT)
        try:
            answer = _ask(self._case, self._probe, "DELETE", path, None, self._probe.headers)
            if answer.status == 200:
                return
            why = f"{answer.status} {answer.text}"
        except (Broken, TimeUp):
            pass
        self._case.report("left-behind", what=f"LangFlux's {name}", answer=why)

    def _definition(self, name: str) -> dict[str, Any]:
        """Return what LangFlux says of a node. Raises Broken where it has none of that name."""
        definition = self._probe.connection.get(flows.node_path(name), self._probe.headers).fields()
        if not {"name", "type", "baseClasses"} <= definition.keys():
            self._case.fail("view-failed", status="no node", answer=name)
        return definition


def _ask(case: Case, probe: LangFluxProbe, method: str, path: str, body: Any, headers: Mapping[str, str]) -> HttpAnswer:
    """Ask LangFlux something that has a model behind it. Raises Broken, OutOfTime."""
    try:
        return probe.connection.ask(method, f"/api/v1/{path}", headers=headers, body=body, limit=PREDICTION_LIMIT)
    except Late as late:
        case.fail("view-failed", status=f"no answer in {late.limit:g} s", answer=f"{method} {path}")
