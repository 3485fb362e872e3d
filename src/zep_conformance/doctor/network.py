"""The layers name, TCP and TLS, each tried by itself."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx

from zep_conformance.doctor.address import Address, parse
from zep_conformance.doctor.findings import CONNECT_LIMIT, Broken, Case, Late, TimeUp

EXPIRES_SOON = timedelta(days=14)
_GLANCE = 2.0
"""Seconds for a second probe of a port, to tell a fault from its neighbours."""
_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python's ssl has no name for
# OpenSSL's X509_V_ERR_*, which Python's ssl has no names for either.
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _WRONG_NAMES = 9, 10, 18, (62, 63, 64)


@dataclass(frozen=True)
class Reached:
    """How a server is reached. context: what TLS is done with, None for http. proxied: through a proxy."""

    context: ssl.SSLContext | None
    proxied: bool = False


def reach(case: Case, address: Address) -> Reached:
    """Look up, connect and shake hands. Raises Broken, OutOfTime."""
    proxy = _proxy(address)
    # Without TLS there is no need to load the authorities' certificates, which takes longer than all else.
    context = httpx.create_ssl_context() if address.scheme == "https" else None
    if proxy is not None:
        case.know(proxy=proxy)
        known = parse(proxy if "//" in proxy else f"http://{proxy}")
        if address.is_loopback and known is not None and not known.is_loopback:
            case.fail("proxy-of-environment", answer=f"{address.host} is the proxy itself to that proxy")
        case.report("through-proxy")
        return Reached(context, True)
    entry = _connect(case, address, _resolve(case, address))
    if context is not None:
        _shake_hands(case, address, entry, context)
    return Reached(context)


def _proxy(address: Address) -> str | None:
    """Return the proxy that the environment wants used, as it may be shown."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(address.host):
        return None
    return proxy.rpartition("@")[2] or proxy


def _resolve(case: Case, address: Address) -> list[tuple[Any, ...]]:
    """Return the addresses of a name. Raises Broken."""
    host, port = address.host, address.port
    try:
        found = case.budget.within(CONNECT_LIMIT, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except socket.gaierror as error:
        if error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL):
            case.fail("name-lookup-failed", answer=error.strerror)
        case.fail("name-unknown")
    except OSError as error:
        case.fail("name-lookup-failed", answer=error.strerror or error)
    except Late as late:
        case.fail("name-lookup-failed", answer=f"nothing in {late.limit:g} s")
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    case.ok("name", host if addresses == [host] else f"{host} is {', '.join(addresses)}")
    return found


def _connect(case: Case, address: Address, found: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Connect to the first address that lets us. Returns its entry of `found`."""
    failures: dict[str, OSError] = {}
    limit = case.budget.connect_limit or CONNECT_LIMIT
    for entry in found:
        began = time.monotonic()
        try:
            with _socket(entry, case.budget.at_most(limit)):
                case.ok("TCP", f"connected to {entry[4][0]} port {address.port} in {_ms(began)} ms")
                return entry
        except OSError as error:
            failures[str(entry[4][0])] = error
    # Of several addresses the most telling tells.
    for where, failure in failures.items():
        if isinstance(failure, TimeoutError):  # ETIMEDOUT is one too
            case.budget.at_most(limit)
            case.fail("tcp-dropped", address=where, limit=f"{limit:g}")
    for where, failure in failures.items():
        if failure.errno == errno.ECONNREFUSED:
            case.fail("tcp-refused", address=where)
    where, failure = next(iter(failures.items()))
    raise Broken(case.report("tcp-unreachable", address=where, answer=failure.strerror or failure))


def _socket(entry: tuple[Any, ...], limit: float) -> socket.socket:
    """Return a connection to an address. Raises OSError."""
    family, kind, protocol, _, where = entry
    connection = socket.socket(family, kind, protocol)
    connection.settimeout(limit)
    try:
        connection.connect(where)
    except BaseException:
        connection.close()
        raise
    return connection


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f}"


def _shake_hands(case: Case, address: Address, entry: tuple[Any, ...], context: ssl.SSLContext) -> None:
    """Probe the layer TLS. Raises Broken."""
    try:
        certificate = case.budget.within(CONNECT_LIMIT, lambda: _certificate(address, entry, context))
    except ssl.SSLCertVerificationError as error:
        _check_certificate(case, address, entry, error)
    except (Late, OSError) as error:
        if speaks_http(address):
            case.fail("tls-none", netloc=f"{address.netloc}")
        if isinstance(error, Late | TimeoutError):
            case.fail("tls-silent", limit=f"{CONNECT_LIMIT:g}")
        case.fail("tls-failed", answer=getattr(error, "reason", None) or error.strerror or type(error).__name__)
    until = _moment(certificate, "notAfter")
    if until - datetime.now(UTC) < EXPIRES_SOON:
        case.report("tls-expires-soon", when=f"{until:%Y-%m-%d}")
    else:
        case.ok("TLS", f"trusted certificate, valid until {until:%Y-%m-%d}")


def _certificate(address: Address, entry: tuple[Any, ...], context: ssl.SSLContext) -> dict[str, Any]:
    with _socket(entry, CONNECT_LIMIT) as plain, context.wrap_socket(plain, server_hostname=address.host) as secured:
        return cast("dict[str, Any]", secured.getpeercert() or {})


def _check_certificate(
    case: Case, address: Address, entry: tuple[Any, ...], error: ssl.SSLCertVerificationError
) -> None:
    """Which of the things that can be wrong with a certificate it is. Raises Broken."""
    lenient = httpx.create_ssl_context()  # trusts the same authorities, so that what is read is theirs
    lenient.check_hostname = False
    lenient.verify_flags |= cast("ssl.VerifyFlags", _NO_CHECK_TIME)
    certificate: dict[str, Any] = {}
    with contextlib.suppress(OSError, TimeUp):
        certificate = case.budget.within(_GLANCE, lambda: _certificate(address, entry, lenient))
    code = error.verify_code
    if code in (_EXPIRED, _NOT_YET_VALID):
        finding, name = ("tls-expired", "notAfter") if code == _EXPIRED else ("tls-not-yet-valid", "notBefore")
        when = f"{_moment(certificate, name):%Y-%m-%d %H:%M UTC}" if certificate else "a date that can't be read"
        case.fail(finding, when=when)
    if code in _WRONG_NAMES:
        names = [str(name) for _, name in certificate.get("subjectAltName", ())]
        case.fail("tls-wrong-name", names=", ".join(names) or "nothing")
    if code == _SELF_SIGNED:
        case.fail("tls-self-signed")
    case.fail("tls-unknown-authority", answer=error.verify_message)


def _moment(certificate: dict[str, Any], name: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate[name]), UTC)


def speaks_http(address: Address) -> bool | None:
    """Return whether plain HTTP is answered there; None when nothing is."""
    try:
        with socket.create_connection((address.host, address.port), timeout=_GLANCE) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: doctor\r\nConnection: close\r\n\r\n")
            heard = connection.recv(5)
    except OSError:
        return None
    return heard == b"HTTP/" if heard else None


def speaks_tls(address: Address) -> bool:
    """Return whether TLS is answered there, whatever the certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((address.host, address.port), timeout=_GLANCE) as connection:
            context.wrap_socket(connection, server_hostname=address.host).close()
            return True
    except OSError:
        return False
