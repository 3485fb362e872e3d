"""What the harness says when it could not tell whether a deployment conforms."""

from __future__ import annotations


class CannotTell(Exception):
    """A run can't say anything: wrong options, or a part that is unreachable or is something else.

    what: what was tried and what came back. advice: the likely cause and the next step, one sentence.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}\n  {advice}")
        self.what, self.advice = what, advice
