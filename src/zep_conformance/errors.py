"""Every error that zep-conformance raises on purpose. `zep-conformance explain CODE` says what a code means.

    ConformanceError              what was tried and what came back, what to do about it, and a code
    ├── CannotTell                nothing can be said about the deployment: exit code 2
    │   ├── PortTaken             a port that a part was to listen on is in use
    │   ├── PartDied              a part ended, or did not come up; carries its log
    │   └── DatabaseRefused       a PostgreSQL takes no connection, or makes or removes no database
    ├── LimitReached              a request that --read-only or --max-requests forbids; it was not sent
    ├── HarnessError              the suite itself is wrong: what meets it says nothing about a deployment
    └── DeploymentFailed          a part of the deployment did not do what it should (an AssertionError, too)
        ├── LangFluxRefused       … LangFlux answered with an error (`clients.http`)
        └── PageFailed            … LangFlux's page did (`clients.page.visit`)

What never leaves the room that raises it (a step that is given up, a deadline that has passed) is a private exception
there. The embedded servers know nothing of these: their errors are the answers of the servers that they stand for.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")

REPORT_IT = "This is a fault of zep-conformance: please report it."
"""The advice where nobody else can be at fault."""


class ConformanceError(Exception):
    """What every error of ours is.

    what: what was tried and what came back. advice: the likely cause and the next step, one sentence. code:
    kebab-case, one of `facts.codes`.
    """

    def __init__(self, what: str, advice: str = "", *, code: str = "") -> None:
        super().__init__(what)
        self.what, self.advice, self.code = what, advice, code

    def __str__(self) -> str:
        """Return what a user sees: what happened, then what to do about it, ended by the code in brackets."""
        text = f"{self.what}\n  {self.advice}" if self.advice else self.what
        return f"{text} [{self.code}]" if self.code else text


class CannotTell(ConformanceError):
    """A run can't say anything: wrong options, or a part that is unreachable or is something else."""

    def __init__(self, what: str, advice: str, *, code: str) -> None:
        super().__init__(what, advice, code=code)

    def as_json(self) -> dict[str, Any]:
        """Return it for another process, see `from_json`."""
        return {"what": self.what, "advice": self.advice, "code": self.code}

    @staticmethod
    def from_json(kept: dict[str, Any]) -> CannotTell:
        """Return what `as_json` gave as an error again."""
        return CannotTell(kept["what"], kept["advice"], code=kept["code"])


class PortTaken(CannotTell):
    """A port that a part was to listen on is in use."""

    def __init__(self, *, part: str, host: str, port: int) -> None:
        advice = "Another program listens there: end it, or give another port."
        super().__init__(f"port {port} on {host}, for {part}, is in use", advice, code="port-taken")
        self.part = part


class PartDied(CannotTell):
    """A part ended, or did not come up.

    how: in words, as "ended with exit code 1". log: what it wrote. what, advice, code: where more is known than that.
    """

    def __init__(
        self,
        *,
        part: str,
        how: str = "did not start",
        log: str = "",
        what: str = "",
        advice: str = "See its log.",
        code: str = "part-died",
    ) -> None:
        last = next(reversed(log.strip().splitlines()), "(empty)")
        super().__init__(what or f"{part} {how}; its log ends: {last[:500]}", advice, code=code)
        self.part, self.how, self.log = part, how, log


class DatabaseRefused(CannotTell):
    """A PostgreSQL takes no connection, or makes or removes no database; says why in PostgreSQL's words."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what, "See that its user may make databases, and that pgvector is there.", code="postgres-refuses"
        )


class LimitReached(ConformanceError):
    """A request that a limit forbids; it was not sent."""

    def __init__(self, what: str, *, code: str) -> None:
        super().__init__(what, code=code)


class HarnessError(ConformanceError):
    """The suite itself is wrong: a scenario that meets this says nothing about a deployment."""

    def __init__(self, what: str) -> None:
        super().__init__(what, REPORT_IT, code="harness-broken")


class DeploymentFailed(ConformanceError, AssertionError):
    """A part of the deployment did not do what it should: a scenario fails."""

    def __init__(self, what: str) -> None:
        super().__init__(what)


def needed(value: T | None, what: str) -> T:
    """Return `value`, which must be there. Raises HarnessError saying what is missing: never a deployment's fault."""
    if value is None:
        raise HarnessError(f"this needs {what}, and there is none")
    return value
