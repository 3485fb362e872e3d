"""Why a part did not come up, by what it wrote last, and what to do about it."""

from __future__ import annotations

import re

from zep_conformance.errors import CannotTell, PartDied

LAST_WORDS = 12
"""Lines of a log that are shown."""
_CAUSES: tuple[tuple[str, str], ...] = (
    (r"EADDRINUSE|address already in use|Address already in use", "Another program took its port: run this again."),
    (r"openaipublic|tiktoken", "It could not fetch its tokenizer: see TIKTOKEN_CACHE_DIR in docs/processes.md."),
    (r"ENOSPC|No space left", "The disk is full: make room, or set TMPDIR to a folder on another disk."),
    (r"GLIBC|error while loading shared libraries|Exec format error", "It was built for another system than this."),
    (r"SQLITE|sqlite3|invalid ELF", "Its sqlite3 was built for another Node.js: npm rebuild sqlite3, beside it."),
    (r"Cannot find module|ERR_MODULE_NOT_FOUND", "Its installation is not complete: remove it, and install it again."),
    (r"extension \"vector\"|vector\.control", "This PostgreSQL lacks pgvector, or its user may not enable it."),
)
_OTHERWISE = "Run it by hand to see more; docs/processes.md says with what settings."


def explained(ended: PartDied) -> CannotTell:
    """How a part ended, with its last words and the likely cause."""
    lines = [line.rstrip() for line in ended.log.splitlines() if line.strip()]
    shown = "\n".join(f"    {line}" for line in lines[-LAST_WORDS:]) or "    (it wrote nothing)"
    text = f"{ended.how}\n{ended.log}"
    advice = next((advice for signs, advice in _CAUSES if re.search(signs, text)), _OTHERWISE)
    return CannotTell(f"{ended.part} {ended.how}; the end of its log:\n{shown}", advice)
