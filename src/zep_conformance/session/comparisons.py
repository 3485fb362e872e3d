"""Failed comparisons, told by paths and whole: pytest would cut what is long, and take long to compare long texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from _pytest.assertion import util

from zep_conformance.report.differences import explained

_HINT = "Use -v"
"""What pytest begins a line with that only says how to see more."""


@contextmanager
def told_by_path(config: pytest.Config) -> Iterator[None]:
    """Let what `assert` says of a comparison inside the block be said by `report.differences`, as far as that can."""
    before = util._reprcompare

    def told(op: str, came: object, expected: object) -> str | None:
        lines = explained(came, expected) if op == "==" else None
        if lines is None:
            found = config.hook.pytest_assertrepr_compare(config=config, op=op, left=came, right=expected)
            lines = next((some for some in found if some), None)
        if lines is None:
            return None
        text = "\n~".join(line.replace("\n", "\\n") for line in lines if not line.startswith(_HINT))
        return text.replace("%", "%%")  # what is rewritten is formatted once more

    util._reprcompare = told
    try:
        yield
    finally:
        util._reprcompare = before
