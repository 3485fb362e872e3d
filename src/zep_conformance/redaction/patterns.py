"""What looks like a secret, whoever it belongs to: a server may echo somebody else's.

Each pattern names the value (group `v`) that is hidden; what stands around it, so that a reader sees what was there,
stays.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Callable, Iterator

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


def _anything(text: str) -> bool:
    return bool(text)


_Pattern = tuple[re.Pattern[str], Callable[[str], bool]]
_PATTERNS: tuple[_Pattern, ...] = (
    # A JSON Web Token, also where it is cut, or wrapped to a next line.
    (re.compile(r"(?P<v>eyJ[\w-]{4,}(?:[.\w=-]|\s*\n[ \t]*(?=[\w.-]{20}))*)"), _anything),
    # Keys that say what they are: OpenAI's, GitHub's, GitLab's, Slack's, Amazon's, Google's, Zep Cloud's.
    (
        re.compile(
            r"\b(?P<v>sk-[\w-]{6,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{10,}|xox[abeprs]-[\w-]{8,}"
            r"|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|z_[\w-]{12,}\.[\w-]{12,})"
        ),
        _anything,
    ),
    (re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<v>.*?)(?:-----END|\Z)"), _anything),
    # user:password@ in a URL; a port is no password.
    (re.compile(r"//[^/\s:@\"'<>\[]*:(?!\d{1,5}(?:[/?#\s\"']|$))(?P<v>[^\s\"'<>]+)@"), _anything),
    (re.compile(r"//[^/\s:@\"'<>\[]*:(?!\d{1,5}…)(?P<v>[^\s\"'<>@/]+)…"), _anything),
    (re.compile(r"//(?P<v>[^/\s:@\"'<>]{16,})@"), _anything),
    # HTTP's Authorization.
    (re.compile(r"(?i)\bbearer\s+(?!(?:tokens?|auth\w*)(?:[\s,.;:)]|$))(?P<v>[^\s'\",\\<>]+)"), _anything),
    (re.compile(r"(?i)\bbasic\s+(?P<v>[A-Za-z0-9+/_-]{6,}={0,2})"), _pair_in_base64),
    (
        re.compile(
            r"(?im)(?:^|[\s\"'(,{>])(?:proxy-)?authorization:[ \t]*"
            r"(?:(?:bearer|basic|token|api-?key|digest|negotiate)[ \t]+)?(?P<v>[^\s\"']+)"
        ),
        _anything,
    ),
    # Cookies, as a header's line: within quotes to the quote, else to the end of the line.
    (re.compile(r"(?i)(?P<q>[\"'])(?:set-)?cookie:[ \t]*(?P<v>(?:'\"'\"'|\\.|(?!(?P=q))[^\n])+)"), _anything),
    (re.compile(r"(?i)(?<![\"'\w-])(?:set-)?cookie:[ \t]*(?P<v>[^\n]+)"), _anything),
    (re.compile(r"(?i)(?<=set-)cookie:[ \t]*(?P<v>[^\n]+)"), _anything),
    # A quoted name and its quoted value: JSON, also within a JSON text, and Python's repr of dicts and headers.
    (
        re.compile(
            rf"(?i)(?P<e>\\*)(?P<p>[\"']){_NAME}(?P=e)(?P=p)\s*[:=,]\s*b?(?P=e)(?P<q>[\"'])(?P<v>[^\n]*?){_END}"
        ),
        _anything,
    ),
    (re.compile(rf"(?i)\"{_NAME}\\*\"\s*:\s*(?P<v>\d{{4,}})"), _anything),
    # NAME=value: variables, options, fields of a form, parts of a query.
    (
        re.compile(
            rf"(?i)(?<![\w$]){_NAME}\s?=\s?(?P<v>\"[^\"\n]*\"?|'[^'\n]*'?|[^\s\"'&;,)]+)",
        ),
        _anything,
    ),
    (re.compile(r"(?i)[?&](?:key|auth|sig|signature)=(?P<v>[^\s\"'&#<>]+)"), _anything),
    # An option's value in the next word, and a name with a colon: only what is hardly a word of a sentence, except
    # where the line has nothing else on it.
    (re.compile(rf"(?i)(?<!\w)--{_NAME}\s+(?P<v>[^\s\"',;]+)"), looks_drawn),
    (re.compile(rf"(?i)(?<!\w){_NAME}:\s+(?P<v>[^\s\"',;]+)"), looks_drawn),
    (
        re.compile(r"(?im)^[ \t-]*[\w.-]*(?:passw(?:or)?d|passphrase|api[-_]?key):[ \t]+(?P<v>[^\s\"']+)[ \t]*$"),
        _anything,
    ),
)
_HINT = re.compile(
    r"(?i)eyJ|@|sk-|gh[pousr]_|_pat_|glpat|xox|akia|aiza|\bz_|bearer|basic|passw|passphrase|secret|token|key|cookie"
    r"|authori|jwt|encrypted|[?&](?:auth|sig)"
)
"""Without any of these in it a text matches no pattern."""
_VARIABLE = re.compile(r"\$\{?[A-Z][A-Z0-9_]*\}?")
"""What stands for a secret in a shell command, and is none."""


def suspects(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text there is what looks like a secret: start and end of each."""
    if _HINT.search(text) is None:
        return
    for pattern, is_secret in _PATTERNS:
        for found in pattern.finditer(text):
            if is_secret(found["v"]) and not _VARIABLE.fullmatch(found["v"]):
                yield found.span("v")
