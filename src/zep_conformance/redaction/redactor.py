"""Nothing secret is ever written: the one place where texts are cleaned before they are shown or kept.

    redactor = Redactor(["the-token"])
    redactor("GET /?key=the%2Dtoken")       # "GET /?key=[hidden]"

What it knows is hidden as it is and encoded (see `encodings`), whole and in pieces: a piece of 16 characters
wherever it stands, one of 8 where a text is cut or a line ends, or where it looks like nothing but a secret. What
looks like a secret (see `patterns`) is hidden even where nobody said that it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from zep_conformance.redaction.encodings import Reading, encoded, may_be_encoded, readings
from zep_conformance.redaction.patterns import has_hints, looks_drawn, suspects

HIDDEN = "[hidden]"
SHORTEST = 6
"""Characters of a secret: anything shorter would hide ordinary words, and is not looked for."""
PIECE, LONG_PIECE = 8, 16
"""Characters of a piece of a secret that is hidden under conditions, and under none."""
_GRAM = 4
"""Characters that are looked for first: every piece has such a one that begins at a multiple of `_STRIDE`."""
_STRIDE = PIECE - _GRAM + 1
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")

Span = tuple[int, int]


class Redactor:
    """Cleans texts of secrets: those that it knows, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._blanks = False
        self._short: set[str] = set()
        self._pieces: dict[str, list[tuple[str, int, bool]]] = {}
        self._grams: set[str] = set()
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Hide this value from now on. Values of under 6 characters would hide ordinary words: they are ignored."""
        for value in {secret, secret.strip()}:
            if len(value) < SHORTEST or value in self._secrets:
                continue
            self._secrets.add(value)
            self._learn(value, base64=False)
            if " " in value:
                self._blanks = True
                self._learn("".join(value.split()), base64=False)
            for form in encoded(value):
                self._learn(form, base64=True)

    def _learn(self, form: str, *, base64: bool) -> None:
        if len(form) < PIECE:
            self._short.add(form)
            return
        self._grams |= {form[at : at + _GRAM] for at in range(len(form) - _GRAM + 1)}
        for at in range(len(form) - PIECE + 1):
            self._pieces.setdefault(form[at : at + PIECE], []).append((form, at, base64))

    @property
    def known(self) -> int:
        """Return how many values are hidden: what was cleaned when there were fewer may have to be cleaned again."""
        return len(self._secrets)

    def __call__(self, text: str) -> str:
        """`text` without secrets. Cleaning what is clean changes nothing."""
        spans: list[Span] = []
        for reading in readings(text, blanks=self._blanks):
            spans += [reading.origin(*span) for span in self._known(reading)]
            if not reading.joined:
                spans += [reading.origin(*span) for span in suspects(reading.text)]
        return _without(text, spans)

    def all_clean(self, texts: Sequence[str]) -> bool:
        """Return whether texts are clean at a glance, which takes a fraction of cleaning each; False tells nothing."""
        if self._blanks:
            return False
        joined = "\0".join(texts)
        if may_be_encoded(joined) or has_hints(joined) or any(form in joined for form in self._short):
            return False
        return next(self._begins(joined), None) is None

    def finds_known(self, text: str) -> bool:
        """Return whether there is something in `text` that this knows as a secret."""
        return any(True for reading in readings(text, blanks=self._blanks) for _ in self._known(reading))

    def everywhere(self, value: Any) -> Any:
        """Return a JSON document without secrets in its texts; names of fields stay as they are."""
        return self._inside(value, cache(self))

    def _inside(self, value: Any, clean: Callable[[str], str]) -> Any:
        if isinstance(value, str):
            return clean(value)
        if isinstance(value, dict):
            return {name: self._inside(member, clean) for name, member in value.items()}
        if isinstance(value, list | tuple):
            return [self._inside(member, clean) for member in value]
        return value

    def _known(self, reading: Reading) -> Iterator[Span]:
        """Where a reading holds a secret that this redactor knows, whole or in pieces that matter."""
        text = reading.text
        for form in self._short:
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)
        pieces = self._pieces
        if not pieces:
            return
        for at in self._begins(text):
            for form, offset, base64 in pieces[text[at : at + PIECE]]:
                if offset and at and text[at - 1] == form[offset - 1]:
                    continue  # found already, from its first character on
                end = at + PIECE
                while end < len(text) and offset + end - at < len(form) and text[end] == form[offset + end - at]:
                    end += 1
                if _matters(text, at, end, len(form)):
                    yield _whole_word(text, at, end) if base64 and not reading.joined else (at, end)

    def _begins(self, text: str) -> Iterator[int]:
        """Yield where there is a piece of a secret: few places have to be looked at for that, see `_GRAM`."""
        grams, pieces = self._grams, self._pieces
        for near in [at for at in range(0, len(text) - _GRAM + 1, _STRIDE) if text[at : at + _GRAM] in grams]:
            for at in range(max(0, near - _STRIDE + 1), near + 1):
                if text[at : at + PIECE] in pieces:
                    yield at


def _matters(text: str, start: int, end: int, whole: int) -> bool:
    """Whether a stretch that a secret of `whole` characters has in common with a text is more than chance."""
    length = end - start
    if length == whole or length >= LONG_PIECE:
        return True
    before, after = text[max(0, start - 3) : start], text[end : end + 3]
    cut = after[:1] in ("", "\n", "\r", "…", "\\") or before[-1:] in ("", "\n", "…") or "..." in (before, after)
    return cut or looks_drawn(text[start:end])


def _whole_word(text: str, start: int, end: int) -> Span:
    """Return the whole run of base64 around a stretch of it: what is at its ends has a part in the secret too."""
    while start > 0 and text[start - 1] in _BASE64:
        start -= 1
    while end < len(text) and text[end] in _BASE64:
        end += 1
    return start, end


def _without(text: str, spans: list[Span]) -> str:
    """`text` with each of the spans replaced; those that touch or overlap are one."""
    if not spans:
        return text
    kept: list[str] = []
    done, hidden_to = 0, -1
    for start, end in sorted(spans):
        if start > hidden_to:
            kept += [text[done:start], HIDDEN]
        hidden_to = max(hidden_to, end)
        done = hidden_to
    return "".join([*kept, text[done:]])
