"""Secrets to plant, the ways in which they are written, and how to find them."""

from __future__ import annotations

import base64
import gzip
import html
import json
import shlex
import string
import textwrap
import xml.etree.ElementTree
import xml.sax.saxutils
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from zep_conformance.redaction.encodings import readings
from zep_conformance.redaction.redactor import LONG_PIECE
from zep_conformance.report.writers import summary

MODEST = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
TOKEN = string.ascii_letters + string.digits + "-_"
PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))

drawn = st.text(TOKEN, min_size=12, max_size=70).filter(lambda text: any(map(str.isdigit, text)) and text.isprintable())
"""What a machine draws: a key, a secret, a part of a token."""
typed = st.text(PRINTABLE + "äß€\N{SNOWMAN}\N{GRINNING FACE}", min_size=8, max_size=40).filter(
    lambda text: text == text.strip() and len(set(text)) > 4
)
"""What a person thinks of: any characters, blanks and quotes too."""
plain = st.text(string.ascii_letters + string.digits, min_size=20, max_size=60).filter(
    lambda text: any(map(str.isdigit, text)) and any(map(str.isalpha, text))
)
"""What looks like a secret wherever it stands: letters and digits, many of them."""
secret = st.one_of(drawn, typed)
words = st.lists(st.sampled_from(["the", "message of", "Zita", "{", "was", "é", "12", "→", "'", '"']), max_size=5).map(
    " ".join
)


def percent(text: str) -> str:
    return quote(text, safe="")


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": percent,
    "in a URL, lower case": lambda text: "".join(
        char if char.isalnum() and char.isascii() else percent(char).lower() for char in text
    ),
    "in a URL, every character": lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    "in a form": quote_plus,
    "in JSON": in_json,
    "in JSON in JSON": lambda text: in_json(in_json(text)),
    "in JSON, unescaped letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in JSON in a URL": lambda text: percent(json.dumps({"a": text})),
    "twice in a URL": lambda text: percent(percent(text)),
    "in a repr": repr,
    "in the repr of bytes": lambda text: repr(text.encode()),
    "in a shell command": shlex.quote,
    "in HTML": html.escape,
    "in XML": lambda text: xml.sax.saxutils.escape(text, {'"': "&quot;"}),
    "in Markdown": summary.text,
    "user:password in base64": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"somebody:{text}".encode()).decode().rstrip("="),
    "in base64 in a URL": lambda text: percent(base64.b64encode(f"a:{text}".encode()).decode()),
    "in hexadecimal": lambda text: text.encode().hex(),
    "over two lines": lambda text: f"{text[: len(text) // 2]}\n    {text[len(text) // 2 :]}",
}
WRAPPED: dict[str, Callable[[str], str]] = {
    "in a narrow frame": lambda text: "│ " + " │\n│ ".join(textwrap.wrap(text, 7, break_on_hyphens=False)) + " │",
    "over a failure's lines": lambda text: f"E   {text[:9]}\nE   {text[9:]}",
    "over a command's lines": lambda text: f"{text[:5]}\\\n{text[5:]}",
}


def text_in(path: Path) -> str:
    """Return what is written in a file, which may be compressed."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def leaks(needle: str, text: str) -> list[str]:
    """Pieces of a needle that some reading of a text has, the longest there is first."""
    found = []
    for reading in readings(text, blanks=" " in needle):
        if needle in reading.text:
            found.append(needle)
        found += [
            needle[at : at + LONG_PIECE]
            for at in range(len(needle) - LONG_PIECE + 1)
            if needle[at : at + LONG_PIECE] in reading.text
        ]
    return found
