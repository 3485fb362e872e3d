"""Readings of a text: as it is, and with what encodes it undone, so that a secret is found in any of them.

for reading in readings("/?key=a%2Fb", blanks=False):
    at = reading.text.find("a/b")
    if at >= 0:
        reading.origin(at, at + 3)      # (6, 11): where it stands in the text itself
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

DEPTH = 3
"""How many encodings are undone one after the other: JSON in JSON in a URL."""
MOST = 24
"""How many readings of a text are searched."""
DECODED = 1_000
"""Pieces of encoded text that are remembered: most are one sign, over and over."""
_Characters = Iterable[tuple[str, int]]
"""What stands for a piece of encoded text: characters, each with the length of what it was encoded as."""


@dataclass(frozen=True)
class Reading:
    """A text with encodings undone. joined: lines were put together, so that what goes by lines says nothing here.

    encoded: what it was before the last one was undone, with its pattern and what decodes it; None for a text itself.
    """

    text: str
    joined: bool = False
    encoded: tuple[Reading, re.Pattern[str], Callable[[str], _Characters]] | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of this reading stands in the text itself; it must not be empty."""
        return self._places[0][start], self._places[1][end - 1]

    @cached_property
    def _places(self) -> tuple[Sequence[int], Sequence[int]]:
        """Where each character begins and ends in the text itself: seldom asked, since most texts have no secret."""
        if self.encoded is None:
            return range(len(self.text)), range(1, len(self.text) + 1)
        before, pattern, decode = self.encoded
        old_starts, old_ends = before._places
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for match in pattern.finditer(before.text):
            at = match.start()
            starts += old_starts[done:at]
            ends += old_ends[done:at]
            for _, length in decode(match[0]):
                starts.append(old_starts[at])
                ends.append(old_ends[at + length - 1])
                at += length
            done = match.end()
        return [*starts, *old_starts[done:]], [*ends, *old_ends[done:]]


def readings(text: str, *, blanks: bool) -> list[Reading]:
    """Return the text itself, then every other reading of it, each once.

    blanks: what is looked for has blanks in it. Then + is read as one too, as in a form's fields, and a last reading
    has none at all, since what is wrapped loses those at the ends of its lines.
    """
    found = [Reading(text)]
    seen = {text}
    newest = found
    for _ in range(DEPTH):
        newest = [other for reading in newest for other in _one_step(reading, seen, blanks)]
        found = found + newest
        if not newest or len(found) >= MOST:
            break
    return found[:MOST]


def _one_step(reading: Reading, seen: set[str], blanks: bool) -> Iterator[Reading]:
    for name, (sign, pattern, decode) in _ENCODINGS.items():
        if sign not in reading.text or (name in _WITH_BLANKS and not blanks):
            continue
        other = _undone(reading, pattern, decode, joined=name in ("indented", "lines", "blanks"))
        if other.text not in seen:
            seen.add(other.text)
            yield other


def _undone(
    reading: Reading, pattern: re.Pattern[str], decode: Callable[[str], _Characters], *, joined: bool
) -> Reading:
    text = pattern.sub(lambda match: _decoded(decode, match[0]), reading.text)
    return Reading(text, reading.joined or joined, (reading, pattern, decode))


@lru_cache(DECODED)
def _decoded(decode: Callable[[str], _Characters], found: str) -> str:
    """Return what a piece of encoded text stands for."""
    return "".join(character for character, _ in decode(found))


def _bytes_as_text(octets: bytes, width: int) -> _Characters:
    """Characters of UTF-8, or of nothing in particular, where each byte was written as `width` characters."""
    for character in octets.decode("utf-8", "surrogateescape"):
        yield character, width * len(character.encode("utf-8", "surrogateescape"))


_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _escape(found: str) -> _Characters:
    """Return what JSON, Python's repr, Markdown and a shell write with backslashes (and a shell's quoted quote)."""
    if found.startswith("'"):
        yield "'", len(found)
    elif found.startswith("\\x"):
        octets = bytes.fromhex(found.replace("\\x", ""))
        try:
            octets.decode()
        except UnicodeDecodeError:
            for octet in octets:
                yield chr(octet), 4
        else:
            yield from _bytes_as_text(octets, 4)
    elif found.startswith("\\u"):
        units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in found.split("\\u")[1:])
        yield units.decode("utf-16-be", "replace")[0], len(found)
    else:
        yield _SHORT.get(found[1], found[1]), 2


def _percent(found: str) -> _Characters:
    return _bytes_as_text(bytes.fromhex(found.replace("%", "")), 3)


def _entity(found: str) -> _Characters:
    return [(html.unescape(found)[0], len(found))]


def _nothing(_: str) -> _Characters:
    return ()


_WITH_BLANKS = ("form", "blanks")
"""Encodings of blanks, which matter where what is looked for has some."""
_ENCODINGS: dict[str, tuple[str, re.Pattern[str], Callable[[str], _Characters]]] = {
    # name: a character without which there is nothing to undo, what is undone, and how
    "percent": ("%", re.compile(r"(?:%[0-9A-Fa-f]{2})+"), _percent),
    "form": ("+", re.compile(r"\+"), lambda _: [(" ", 1)]),
    "backslashes": (
        "\\",
        re.compile(
            r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
            r"|(?:\\x[0-9a-fA-F]{2})+|\\[!-/:-@\[-`{-~bfnrt]|'\"'\"'"
        ),
        _escape,
    ),
    "quotes": ("'", re.compile("'\"'\"'"), _escape),
    "entities": ("&", re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);"), _entity),
    "indented": ("\n", re.compile(r"[ \t]*\r?\n[ \t]*"), _nothing),
    # Wrapped text: an indentation, pytest's mark of an error, or a frame may stand before its next line.
    "lines": ("\n", re.compile(r"[ \t│┃|]*\\?\r?\n[ \t│┃|>]*(?:E[ \t]+)?"), _nothing),
    "blanks": (" ", re.compile(r"\s+"), _nothing),
}

_SIGNS = re.compile(
    "[" + re.escape("".join({sign for name, (sign, _, _) in _ENCODINGS.items() if name not in _WITH_BLANKS})) + "]"
)


def may_be_encoded(text: str) -> bool:
    """Return whether a text may have another reading than itself, where nothing with blanks is looked for."""
    return _SIGNS.search(text) is not None


def encoded(secret: str) -> set[str]:
    """Forms of a secret that no reading undoes: base64, by itself or within something longer, and hexadecimal."""
    octets = secret.encode("utf-8", "surrogateescape")
    forms = {binascii.hexlify(octets).decode()}
    forms.add(next(iter(forms)).upper())
    for before in range(3):
        # What stands before shifts the six-bit groups; those that it or what comes after has a part in are left out.
        plain = base64.b64encode(b"\0" * before + octets).decode()
        first = -(-before * 8 // 6)
        last = (before + len(octets)) * 8 // 6
        whole = plain[first:last]
        forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return forms
