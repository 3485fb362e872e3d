"""Hosts in texts, by name and by address: each is replaced by another name, the same wherever it stands.

    hosts = Hosts()
    hosts.learn("dial tcp: lookup db.example.com on 10.0.0.2:53")
    hosts.without("db.example.com is 10.0.0.7")             # "host-1 is host-3"

A name is known once it was seen where only a host stands: in a URL, behind `host=`, in what a resolver says. Addresses
are known by their form. This machine, and what parts are called in a network of their own, stay as they are.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*(?:://|%3A%2F%2F)(?:[^\s/@\"'<>]*@)?(\[[0-9a-f:.]+\]|[\w.-]+)", re.IGNORECASE)
_NAMED = (
    re.compile(r"\bhost(?:name|addr)?\\*['\"]?\s*=\s*\\*['\"]?([\w.-]+)", re.IGNORECASE),
    re.compile(r"\bhost(?:name|addr)?\\*['\"]?\s*:\s*\\*['\"]([\w.-]+)", re.IGNORECASE),
    re.compile(r"\[\s*\\*['\"](?:[\w-]+-)?host\\*['\"],\s*\\*['\"]([\w.-]+)", re.IGNORECASE),
    re.compile(r"\"host\", *\"value\": *\"([\w.-]+)", re.IGNORECASE),
    re.compile(r"\bhost:\s*([\w-]+\.[\w.-]+|\w+-[\w.-]+)", re.IGNORECASE),
    re.compile(r"\b(?:lookup|ENOTFOUND|EAI_AGAIN) ([\w.-]+)"),
    re.compile(r"\b(?:host name|resolve host|server at|the name):? \\*[\"']([\w.-]+)", re.IGNORECASE),
    re.compile(r"\b(?:resolve host|server at|the name|via: [\d.]+):? ([\w-]+[.-][\w.-]+)", re.IGNORECASE),
)
"""Where only a host stands."""
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_V6 = re.compile(
    r"(?<![\w:.])[0-9a-f]{0,4}:[0-9a-f:]*:[0-9a-f:]*(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?!\w)", re.IGNORECASE
)
_OWN = re.compile(
    r"localhost|[\w-]*\.?localhost|host\.docker\.internal|zep|zep-secured|nlp|postgres|langflux|model"
    r"|none|null|true|false|host-\d+|www\.w3\.org",
    re.IGNORECASE,
)
"""What is no name of a host, or says nothing: this machine, and what parts are called in a network of their own;
nor does where forms such as SVG are at home."""
_BEFORE = r"(?:(?<![\w.-])|(?<=%2F)|(?<=%40)|(?<=%3D)|(?<=%22)|(?<=\\n)|(?<=\\t)|(?<=\\r))"
"""What may stand before a name: its beginning, also in a URL's query and in a text of JSON."""
SHORTEST = 3
"""Characters of a name: shorter ones would be found in ordinary words' places."""


class Hosts:
    """Knows hosts, and what they are called instead. known: that, by host, in lower case."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self, text: str) -> None:
        """Know the hosts in a text from now on."""
        for host in _found(text):
            self._called(host)

    def without(self, text: str) -> str:
        """Return a text without the hosts that are known, and without those that stand in it as such."""
        self.learn(text)
        if not self.known:
            return text
        if self._pattern is None:
            bracketed = [f"[{name}]" for name in self.known if ":" in name]
            names = sorted((*self.known, *self._others, *bracketed), key=len, reverse=True)
            self._pattern = re.compile(rf"{_BEFORE}({'|'.join(map(re.escape, names))})(?![\w-])", re.IGNORECASE)
        return self._pattern.sub(lambda found: self._instead(found[1]), text)

    def _instead(self, host: str) -> str:
        name = host.strip("[]").lower()
        return self.known.get(name) or self._others[name]

    def _called(self, host: str) -> None:
        name = host.strip("[]").rstrip(".").lower()
        if name in self.known:
            return
        self.known[name] = f"host-{len(self.known) + 1}"
        self._pattern = None
        labels = name.split(".")
        if not _is_address(name) and len(labels) > 2:  # its domain stands in certificates and cookies
            self._others.setdefault(".".join(labels[1:]), f"domain-of-{self.known[name]}")


def _found(text: str) -> Iterator[str]:
    """Yield the hosts in a text that are not our own."""
    for pattern in (_URL, *_NAMED):
        for found in pattern.findall(text):
            if not is_own(found):
                yield found
    for found in (*_V4.findall(text), *_V6.findall(text)):
        # A colon may end a clause.
        address = next((one for one in (found, found[:-1]) if _is_address(one)), None)
        if address is not None and not is_own(address):
            yield address


def is_own(host: str) -> bool:
    """Return whether a host is this machine, a part by its name in a network of its own, or none at all."""
    name = host.strip("[]").rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        short = len(name) < SHORTEST or not re.search(r"[a-z]", name, re.IGNORECASE)
        return short or _OWN.fullmatch(name) is not None
    # Nothing on 0.0.0.0/8 can be reached: it is a version of four numbers.
    return address.is_loopback or address.is_unspecified or name.startswith("0.")


def _is_address(text: str) -> bool:
    """Return whether a text is an address, and not what only looks like one, such as `::error` or 12:30."""
    if text.startswith("::") and not text.lower().startswith("::ffff:"):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
