"""The layer URL: what was typed, before anything is sent anywhere."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from zep_conformance.doctor.findings import Case

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """Where a server is. url: without a trailing slash, with the user's name and password if it has them.

    path: what is behind the origin, without a trailing slash (a model server's /v1). slash: whether it ended
    with one.
    """

    url: str
    scheme: str
    host: str
    port: int
    path: str = ""
    slash: bool = False

    @property
    def netloc(self) -> str:
        """Host and port as in a URL, without a user's name and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The URL as it may be shown, without a path."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def is_loopback(self) -> bool:
        """Whether it names the very machine that uses it."""
        if f".{self.host.lower()}".endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified


def parse(url: str) -> Address | None:
    """Return the address that a URL names; None when it is no http or https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host or re.search(r"[\s'\"<>\x00-\x1f]", url) or not _can_be_a_name(host):
        return None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    port = PORTS[parts.scheme] if port is None else port
    return Address(url.rstrip("/"), parts.scheme, host, port, path.rstrip("/"), path.endswith("/"))


def _can_be_a_name(host: str) -> bool:
    try:
        return ":" in host or bool(host.encode("idna"))
    except UnicodeError:
        return False


def without_password(url: str) -> str:
    """`url` as it may be shown."""
    return re.sub(r"//[^/@]*@", "//***@", url)


def typed(case: Case, url: str, *, path_allowed: bool = False) -> Address:
    """Look at a URL as it was typed. Raises Broken: not a URL, or one with a path where that is no good."""
    address = known(case, url, path_allowed=path_allowed)
    if address.slash and not path_allowed:
        case.report("url-trailing-slash")
    else:
        case.ok("URL", without_password(url))
    return address


def known(case: Case, url: str, *, path_allowed: bool = False) -> Address:
    """Return the address that a URL names, known to the case's texts from here on. Raises Broken as `typed` does."""
    shown = without_password(url)
    address = parse(url)
    if address is None:
        case.fail("url-unreadable", shown=repr(shown))
    case.has_login = shown != url
    case.know(shown=shown, host=address.host, port=address.port, origin=address.origin, netloc=address.netloc)
    if address.path and not path_allowed:
        case.fail("url-has-path")
    return address
