"""Why something did not come up, or did not answer, by what it wrote: one table of causes as data.

The table is fixtures/data/causes.toml.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Literal

from zep_conformance import suite
from zep_conformance.facts.codes import with_facts

Source = Literal["part", "engine", "socket", "registry", "build", "npm", "request"]

SHOWN = 12
"""Lines of a log that are shown."""
_WIDTH = 300
"""Characters of a line that are shown."""


@dataclass(frozen=True)
class Cause:
    """One row of the table. pattern: looked for without regard to case. cause: why, as it follows a comma.

    cause and advice may have words in braces, which are filled in by `Cause.filled`.
    """

    source: Source
    code: str
    pattern: str
    cause: str
    advice: str

    def filled(self, **words: str) -> Cause:
        """Return the same cause with its words in braces filled in."""
        cause, advice = self.cause.format_map(words), self.advice.format_map(words)
        return Cause(self.source, self.code, self.pattern, cause, advice)


@cache
def causes() -> tuple[Cause, ...]:
    """Return the table, in its order. Raises KeyError or TypeError for a bad row."""
    rows = tomllib.loads((suite.data() / "causes.toml").read_text(encoding="utf-8"))["cause"]
    return tuple(Cause(**with_facts(row)) for row in rows)


def cause_of(text: str, source: Source) -> Cause | None:
    """Return the likely cause of what `source` wrote, None where it is not known."""
    return next((one for one in causes() if one.source == source and re.search(one.pattern, text, re.IGNORECASE)), None)


def last_lines(text: str, count: int = SHOWN) -> str:
    """Return the last lines of what was written, as an error shows them: indented, "(nothing)" where there are none."""
    kept = [line.rstrip()[:_WIDTH] for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in kept[-count:]) or "    (nothing)"


def one_line(text: str) -> str:
    """Return what was written as one line that can be shown."""
    return re.sub(r"\s+", " ", text).strip()[:_WIDTH]
