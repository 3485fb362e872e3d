"""What pytest is given of a failed scenario in place of a traceback: for `--tb` and JUnit's report, all of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest._code.code import ReprFileLocation, TerminalRepr
from _pytest._io import TerminalWriter

from zep_conformance.facts.requirements import Requirement

LOG_LINES = 15
ATTACHED: pytest.StashKey[tuple[str, ...]] = pytest.StashKey()
"""Where a fixture keeps, for the scenario that failed, the paths of what else tells of it: a screenshot."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The evidence of one failure, in the order in which it is read."""

    requirements: tuple[Requirement, ...]
    scenario: str
    step: str
    complaint: str
    exchanges: str
    logs: tuple[tuple[str, str], ...]
    rerun: str
    attached: tuple[str, ...] = ()

    def sections(self) -> Iterable[tuple[str, str]]:
        """Yield title and text of each section; the text is empty where there is nothing to say."""
        yield "", "\n".join(str(requirement) for requirement in self.requirements)
        yield "scenario", f"{self.scenario}\nfailed at: {self.step}"
        yield "expected, and came", self.complaint
        yield "requests", self.exchanges
        for part, log in self.logs:
            yield f"log of {part}", "\n".join(log.splitlines()[-LOG_LINES:])
        yield "what the page looked like", "\n".join(self.attached)
        yield "run just this again", self.rerun

    def __str__(self) -> str:
        return "\n".join(
            (f"{title}:\n{textwrap.indent(text.strip(), '  ')}" if title else text)
            for title, text in self.sections()
            if text.strip()
        )

    @property
    def short(self) -> str:
        """The first line of the complaint."""
        return next(iter(self.complaint.strip().splitlines()), "")


class FailureRepr(TerminalRepr):
    """A failure as pytest shows it, without a traceback through the harness."""

    def __init__(self, text: str, short: str, path: str, line: int) -> None:
        self.text = text
        self.reprcrash = ReprFileLocation(path, line, short)

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it to a terminal."""
        tw.line(self.text)

    def __str__(self) -> str:
        return self.text


LONGEST_PATH = 40
_NAMED = re.compile(r"(/(?:sessions|users?|messages|collections?|prediction|chatmessage|chatflows|credentials)/)[^/]+")
"""A name in a path."""


def complaint(error: BaseException) -> str:
    """Return what an exception complains of: an assertion's own words, or the exception's name and text.

    Of a request without an answer it says which it was, without the names in its path: they differ for one cause.
    """
    text = str(error).strip()
    if isinstance(error, AssertionError) and text:
        return text
    return f"{type(error).__name__}: {text}{_asked(error)}"


def _asked(error: BaseException) -> str:
    """Return, in brackets, what was asked for where httpx had no answer; "" of any other exception."""
    try:
        request = error.request  # type: ignore[attr-defined]
        path = _NAMED.sub(r"\1…", request.url.path)
        return f" ({request.method} {path if len(path) <= LONGEST_PATH else f'{path[:LONGEST_PATH]}…'})"
    except (AttributeError, RuntimeError):
        return ""


def server_fault(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    """Return whether an exception speaks of the deployment: an unmet expectation, a broken exchange."""
    return isinstance(error, (AssertionError, *kinds))


def crash_site(excinfo: Any) -> tuple[str, int]:
    """Return file and line of the innermost frame of an exception."""
    frame = excinfo.traceback[-1]
    return str(frame.path), frame.lineno + 1
