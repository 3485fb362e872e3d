"""What the page carries without showing it at once: compressed, as text, for a script to unpack on demand.

The form is zlib's (`DecompressionStream("deflate")` in a browser) in base64, which nothing in it can break out of.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from typing import Any

_LEVEL = 6
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def packed(value: Any) -> str:
    """Return a JSON value, compressed."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode()


def packed_within(texts: Sequence[str], most: int) -> tuple[str, int]:
    """Return the first of some texts, compressed to at most so many characters, and how many they are."""
    count = len(texts)
    while len(found := packed(texts[:count])) > most and count:
        count = min(count - 1, int(count * most / len(found)))
    return found, count


def showable(value: Any) -> Any:
    """Return a JSON document whose texts a page can show: control characters as pictures, half characters as �."""
    if isinstance(value, str):
        return _UNSHOWABLE.sub(_picture, value)
    if isinstance(value, dict):
        return {showable(name): showable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [showable(member) for member in value]
    return value


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def allowed(text: str) -> str:
    """Return the source by which a content security policy allows this script or style, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
