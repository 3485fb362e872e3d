"""The layer view: Zep as LangFlux sees it, reasoned from the addresses. Nothing is made in LangFlux."""

from __future__ import annotations

import ipaddress
import socket

from zep_conformance.doctor import langflux
from zep_conformance.doctor.address import Address, parse, without_password
from zep_conformance.doctor.findings import Case


def as_typed(case: Case, url: str) -> Address:
    """Return the Base URL that LangFlux's Zep node has. Raises Broken: LangFlux takes nothing but a bare origin."""
    address = parse(url)
    shown = without_password(url)
    if address is None:
        case.fail("url-unreadable", shown=repr(shown))
    case.know(shown=shown, host=address.host, port=address.port, origin=address.origin, netloc=address.netloc)
    if address.path:
        case.fail("url-has-path")
    if address.slash:
        case.fail("view-trailing-slash")
    return address


def reason(case: Case, zep: Address, probe: langflux.LangFluxProbe, *, tried: bool) -> None:
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


def _elsewhere(probe: langflux.LangFluxProbe) -> str:
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
    """The address from which this machine talks to one of its own; None for another machine's."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as talking, socket.socket(family, socket.SOCK_DGRAM) as own:
            own.bind((where[0], 0))  # only an address of this machine can be bound
            talking.connect(where)
            return str(talking.getsockname()[0])
    except OSError:
        return None


def _as_langflux_sees_us(probe: langflux.LangFluxProbe) -> str | None:
    """Our address as LangFlux sees it (GET /api/v1/ip, there to check rate limits with); None if it can't say."""
    body = probe.connection.get("/api/v1/ip").json()
    try:
        address = ipaddress.ip_address(str(body["ip"]) if isinstance(body, dict) else "")
    except (KeyError, ValueError):
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)
