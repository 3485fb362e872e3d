"""What looks like a secret, whoever it belongs to: a server may echo somebody else's (data/secret-patterns.toml)."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache

from zep_conformance import suite

_NAME = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_ ]?key|encrypted[-_]?data|private[-_]?key|\bjwt"
    r"|authorization|cookie)"
)
"""Names of what holds a secret; `token_count` and the like go on after it, and are none."""
_END = r"(?:(?<!\\)(?P=e)(?P=q)|(?=\n)|\Z)"


def looks_drawn(text: str) -> bool:
    """Return whether a text is more like something drawn at random than like a word: digits or capitals inside it."""
    letters = any(character.isalpha() for character in text)
    digits = any(character.isdigit() for character in text)
    mixed = any(one.islower() and other.isupper() for one, other in itertools.pairwise(text))
    return letters and (digits or mixed)


def _pair_in_base64(text: str) -> bool:
    """Whether a text is user:password as HTTP's Basic sends it."""
    try:
        return b":" in base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_")
    except (ValueError, binascii.Error):
        return looks_drawn(text)


_HINTS = (
    *("eyj", "@", "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "_pat_", "glpat", "xox", "akia", "aiza", "z_"),
    *("bearer", "basic", "passw", "passphrase", "secret", "token", "key", "cookie", "authori", "jwt", "encrypted"),
    *("?auth", "&auth", "?sig", "&sig"),
)
"""Without any of these in it, in whatever case, a text matches no pattern. To look for them one by one is fast."""
_SAYS = re.compile(r"\w")
"""What a value has that is more than dots, stars or dashes in a secret's place."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{12,64}\b")
"""What names an image, and is no secret."""
_ONE = r"(?:[\w-]+=)?\$\{?[A-Z][A-Z0-9_]*\}?"
_VARIABLE = re.compile(rf"{_ONE}(?:; {_ONE})*[\"']?")
"""What stands for a secret in a shell command, and is none; in a cookie several do, by their names."""


@cache
def _patterns() -> list[tuple[re.Pattern[str], Callable[[str], bool]]]:
    """Return the patterns, each with what says whether a value is a secret."""
    entries = tomllib.loads((suite.data() / "secret-patterns.toml").read_text(encoding="utf-8"))["pattern"]
    kinds: dict[str, Callable[[str], bool]] = {"drawn": looks_drawn, "pair": _pair_in_base64, "any": bool}
    named = [
        (one["pattern"].replace("«name»", _NAME).replace("«end»", _END), one.get("only", "any")) for one in entries
    ]
    return [(re.compile(pattern), kinds[only]) for pattern, only in named]


def has_hints(text: str) -> bool:
    """Return whether there may be what looks like a secret in a text: most have nothing of the kind."""
    folded = text.casefold()
    for hint in _HINTS:  # noqa: SIM110  (most of the time would go into any())
        if hint in folded:
            return True
    return False


def suspects(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text there is what looks like a secret: start and end of each."""
    if not has_hints(text):
        return
    for pattern, is_secret in _patterns():
        for found in pattern.finditer(text):
            if not is_secret(found["v"]) or _VARIABLE.fullmatch(found["v"]) or not _SAYS.search(found["v"]):
                continue
            digests = (one.span() for one in _DIGEST.finditer(text))
            if not any(start <= found.start("v") and found.end("v") <= end for start, end in digests):
                yield found.span("v")
