"""A shell command in lines that fit a terminal, and that a shell reads as the same command."""

from __future__ import annotations

from collections.abc import Iterator

COLUMNS = 80
"""What a line fits into."""


def command_lines(command: str) -> list[str]:
    """Return a shell command in lines that fit, and that a shell reads as the same command."""
    lines, line = [], ""
    for word in _words(command):
        if line and len(line) + 1 + len(word) > COLUMNS - 2:
            lines.append(f"{line} \\")
            line = ""
        line = f"{line} {word}" if line else word
        while len(line) > COLUMNS - 2:
            piece, line = _broken(line, COLUMNS - 2)
            lines.append(piece)
    return [*lines, line]


def _scanned(text: str) -> Iterator[tuple[str, str, bool]]:
    """Yield each character of a shell's text, with the quote that it stands in and whether a backslash goes before."""
    quote, escaped = "", False
    for char in text:
        yield char, quote, escaped
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char


def _words(command: str) -> Iterator[str]:
    """Yield the words of a command as they are written, with their quotes."""
    word = ""
    for char, quote, escaped in _scanned(command):
        if char == " " and not quote and not escaped:
            yield word
            word = ""
        else:
            word += char
    yield word


def _broken(word: str, most: int) -> tuple[str, str]:
    """Return the beginning of a word that is too long, ended by a backslash, and the rest: a shell joins them again."""
    at, quote = next(
        (at, quote) for at, (_, quote, escaped) in enumerate(_scanned(word)) if at >= most - 2 and not escaped
    )
    return f"{word[:at]}{quote}\\", f"{quote}{word[at:]}"
