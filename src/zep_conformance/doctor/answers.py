"""What an error that Zep answers with means, by its words, as data (fixtures/data/answers.toml)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Literal

from zep_conformance import suite

Asked = Literal["store", "search"]


@cache
def _rows() -> tuple[tuple[Asked, str, re.Pattern[str]], ...]:
    entries = tomllib.loads((suite.data() / "answers.toml").read_text(encoding="utf-8"))["answer"]
    return tuple((one["asked"], one["code"], re.compile(one["pattern"], re.IGNORECASE)) for one in entries)


def code_of(text: str, asked: Asked) -> str | None:
    """Return the code of the finding that an error's text stands for, None where it says nothing that is known.

    asked: what was asked for. A search looks into the store, too, so that its errors may be the store's.
    """
    counting = (asked, "store")
    return next((code for of, code, pattern in _rows() if of in counting and pattern.search(text)), None)


def known_codes() -> set[str]:
    """Return every code that some text stands for."""
    return {code for _, code, _ in _rows()}
