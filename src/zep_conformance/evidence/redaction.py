"""Nothing secret is ever written: the one place where texts are cleaned before they are shown or kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[hidden]"

# What looks like a secret is hidden even where nobody told us that it is one: a server may echo somebody else's.
_LOOKS_SECRET = (
    (re.compile(r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(?i)\b(bearer\s+)[^\s'\",\\]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{6,}"), HIDDEN),
    (re.compile(r"(?i)(//[^/\s:@]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)((?:set-)?cookie:\s*)[^\n]+"), rf"\1{HIDDEN}"),
    (
        re.compile(r'(?i)("(?:encryptedData|apiKey|openAIApiKey|password|secret)"\s*:\s*")[^"]+'),
        rf"\1{HIDDEN}",
    ),
)


class Redactor:
    """Cleans texts of secrets: those it was told, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """From now on hide this value. Values of under 6 characters would hide ordinary words: they are ignored."""
        if len(secret) >= 6:
            self._secrets.add(secret)

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        for pattern, replacement in _LOOKS_SECRET:
            text = pattern.sub(replacement, text)
        return text
