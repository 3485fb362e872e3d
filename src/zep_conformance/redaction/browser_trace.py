"""A trace of Playwright's, cleaned of secrets: it keeps what was typed, asked and answered, and every field's value."""

from __future__ import annotations

import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from zep_conformance.redaction.redactor import SHORTEST, Redactor

LARGEST = 100_000
"""Characters of a text that is kept: lists of nodes and of templates are larger, and take long to clean."""
_PICTURES = (".png", ".jpeg", ".jpg", ".gif", ".webp", ".ico", ".woff", ".woff2", ".ttf", ".otf")


def clean(trace: Path, redactor: Redactor, to: Path) -> None:
    """Write a trace (a zip) without secrets. What is neither a text nor a picture, or is too large, is left out."""
    cleaner = _Cleaner(redactor)
    with zipfile.ZipFile(trace) as source, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if not name.endswith(_PICTURES):
                content = cleaner.member(name, content).encode()
            target.writestr(name, content)


class _Cleaner:
    """Cleans the members of one trace; a text that comes again and again is cleaned once."""

    def __init__(self, redactor: Redactor) -> None:
        self._clean = cache(redactor)

    def member(self, name: str, content: bytes) -> str:
        """Return one file of the trace, as text."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return f"(left out: {len(content)} bytes)"
        if name.endswith((".trace", ".network", ".stacks")):  # one JSON a line
            return "\n".join(json.dumps(self._inside(json.loads(line))) for line in text.splitlines())
        return self._style(text) if name.endswith(".css") else self._text(text)

    def _text(self, text: str) -> str:
        """A text by itself."""
        if len(text) < SHORTEST:
            return text
        return f"(left out: {len(text)} characters)" if len(text) > LARGEST else self._clean(text)

    def _inside(self, value: Any) -> Any:
        """A JSON document with every text in it cleaned."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {name: self._inside(member) for name, member in value.items()}
        if isinstance(value, list):
            # A snapshot's element: its name, its attributes, what is in it.
            if value[:1] == ["STYLE"]:
                return [value[0], *(self._style(one) if isinstance(one, str) else one for one in value[1:])]
            return [self._inside(member) for member in value]
        return value

    def _style(self, text: str) -> str:
        """A style sheet, rule by rule: each snapshot has all of them again, and most are the same."""
        return "}".join(self._clean(rule) for rule in text.split("}"))
