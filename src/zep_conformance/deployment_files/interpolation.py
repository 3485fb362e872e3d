"""Puts variables into texts as Compose does: ${NAME}, ${NAME:-default}, defaults in defaults, $$ for a dollar.

A variable that nothing is known of stays, as ${NAME}: `is_known` tells such a text from others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_START = re.compile(r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<how>:?[-?+])?)")
_UNKNOWN = re.compile(r"\$\{\w+\}")


def is_known(text: str) -> bool:
    """Tell whether a text has no variable in it that nothing is known of."""
    return _UNKNOWN.search(text) is None


def is_variable(text: str) -> bool:
    """Tell whether a text is one variable that nothing is known of, and nothing else."""
    return _UNKNOWN.fullmatch(text) is not None


def put_in(text: str, value: str) -> str:
    """Return a text with one value for every variable that nothing is known of."""
    return _UNKNOWN.sub(value, text)


def differ(one: str, other: str) -> bool:
    """Tell whether two texts are known to differ."""
    return one != other and is_known(one) and is_known(other)


def defaults_only(text: str) -> str:
    """Return what of a text stands there itself: without variables, but with the defaults that they have."""
    return Interpolation(_Nothing(), complete=True, nothing=True).put_in(text)


class _Nothing(dict[str, str]):
    """No variable at all."""


@dataclass
class Interpolation:
    """Variables, which are put into texts.

    known: those with a value. complete: what has an empty default is not known to anybody else either. nothing: no
    variable has a value.
    """

    known: Mapping[str, str]
    complete: bool = False
    nothing: bool = False

    def put_in(self, text: str, needed: Callable[[str], None] = lambda _name: None) -> str:
        """Return a text with its variables put in. needed: called with each that is wanted, and has no value."""
        made: list[str] = []
        at = 0
        while (found := _START.search(text, at)) is not None:
            end, rest = found.end(), ""
            if found["name"]:
                close = _close(text, end)
                if close < 0:
                    made.append(text[at:end])
                    at = end
                    continue
                rest, end = text[end:close], close + 1
            made.append(text[at : found.start()])
            at = end
            if found["escaped"]:
                made.append("$")
            elif found["plain"] or found["how"] or not rest:
                made.append(self._value(found["plain"] or found["name"], found["how"] or "", rest, needed))
            else:
                made.append(text[found.start() : end])  # as ${NAME%x}, which Compose does not know
        return "".join([*made, text[at:]])

    def _value(self, name: str, how: str, rest: str, needed: Callable[[str], None]) -> str:
        known = self.known.get(name)
        if known or (known is not None and not how.startswith(":")):
            return self.put_in(rest, needed) if how.endswith("+") else known
        if how.endswith("-"):
            default = self.put_in(rest, needed)
            return default if default or self.complete else f"${{{name}}}"
        if self.nothing:
            return ""
        if how.endswith("?") and known is not None:
            needed(name)
        if how.endswith("+") and self.complete:
            return ""
        return "" if known is not None and not how.endswith("?") else f"${{{name}}}"


def _close(text: str, at: int) -> int:
    """Return where the brace closes that is open at a place; -1 where none does."""
    depth = 1
    while at < len(text):
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            continue
        if text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return -1
