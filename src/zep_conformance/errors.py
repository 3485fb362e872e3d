"""What the harness says when it could not tell whether a deployment conforms."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class CannotTell(Exception):
    """A run can't say anything: wrong options, or a part that is unreachable or is something else.

    what: what was tried and what came back. advice: the likely cause and the next step, one sentence.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}\n  {advice}")
        self.what, self.advice = what, advice


class BrokenHarness(Exception):
    """The suite itself is wrong: a scenario that meets this says nothing about a deployment."""


def needed(value: T | None, what: str) -> T:
    """`value`, which must be there. Raises BrokenHarness saying what is missing: never a deployment's fault."""
    if value is None:
        raise BrokenHarness(f"this needs {what}, and there is none")
    return value
