"""One run of the suite: its settings, its target, and what it has seen. The plugin and the fixtures share it."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from zep_conformance import suite
from zep_conformance.clients.limits import Limits
from zep_conformance.errors import CannotTell
from zep_conformance.evidence import deviations, requirements
from zep_conformance.evidence.redaction import Redactor
from zep_conformance.evidence.transcript import Transcript

if TYPE_CHECKING:
    from zep_conformance.settings import Settings
    from zep_conformance.targets import Deployment, Target

RUN: pytest.StashKey[Run] = pytest.StashKey()
"""Where the run is kept in a pytest configuration."""


@dataclass
class Run:
    """One run.

    prefix: what the name of everything that it makes begins with. trouble: why it can't tell anything, if so.
    left_behind: what could not be removed from the target. measurements: named figures for the report.
    """

    settings: Settings
    seed: int
    redactor: Redactor
    transcript: Transcript
    limits: Limits
    prefix: str = field(default_factory=lambda: f"zc-{secrets.token_hex(4)}")
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    trouble: CannotTell | None = None
    target: Target | None = None
    _deployment: Deployment | None = None
    left_behind: list[str] = field(default_factory=list)
    closing: ExitStack = field(default_factory=ExitStack)
    """Closes clients at the very end: what was made is removed with them after the last scenario."""

    @classmethod
    def of(cls, settings: Settings) -> Run:
        """A run with these settings, its seed drawn where none is given."""
        redactor = Redactor(settings.secrets())
        seed = settings.seed if settings.seed is not None else random.SystemRandom().randrange(10**6)
        limits = Limits(settings.max_requests, settings.rate, settings.read_only)
        return cls(settings, seed, redactor, Transcript(redactor), limits)

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """httpx event hooks for every client of this run: limits before a request, the transcript after it."""
        return {"request": [self.limits.check], "response": [self.transcript.answered]}

    def start(self, environment: dict[str, str]) -> None:
        """Choose the target and begin to start it. What goes wrong is kept as `trouble`."""
        from zep_conformance.targets import choose

        try:
            self.target = choose(self.settings, environment)
            self.target.start()
        except CannotTell as error:
            self.trouble = error

    def ready(self) -> None:
        """Wait until the target is usable. What goes wrong is kept as `trouble`."""
        if self.trouble or self.target is None or self._deployment is not None:
            return
        try:
            found = self.target.deployment()
        except CannotTell as error:
            self.trouble = error
            return
        from dataclasses import replace

        from zep_conformance.settings import names_in

        without = dict.fromkeys(names_in(self.settings.without), "--without was given")
        if self.settings.read_only:
            without["write"] = "--read-only was given"
        if self.settings.chatflow:
            without["build"] = "--chatflow was given: it is used as it is, and none is made"
        self._deployment = replace(found, missing={**found.missing, **without})
        for server in (found.zep, found.secured):
            if server is not None and server.token:
                self.redactor.hide(server.token)
        if found.secret:
            self.redactor.hide(found.secret)
        if found.langflux is not None and found.langflux.api_key:
            self.redactor.hide(found.langflux.api_key)

    @property
    def deployment(self) -> Deployment:
        """The parts under test. Raises RuntimeError before they are ready."""
        if self._deployment is None:
            raise RuntimeError("the target is not ready")
        return self._deployment

    @property
    def is_ready(self) -> bool:
        """Whether the parts can be used."""
        return self._deployment is not None

    def stop(self) -> None:
        """Close every client, and stop what the target started."""
        self.closing.close()
        if self.target is not None:
            self.target.stop()

    def capabilities(self) -> dict[str, str | None]:
        """Each capability: None where it is offered, else why not."""
        from zep_conformance.settings import CAPABILITIES

        if self._deployment is None:
            return {}
        return {name: self._deployment.missing.get(name) for name in CAPABILITIES}

    def facts(self) -> dict[str, Any]:
        """What the report says of the target; JSON, so that a worker can send it."""
        if self._deployment is None:
            return {"trouble": self.redactor(str(self.trouble)) if self.trouble else None}
        found = self._deployment
        parts = {"zep": found.zep, "langflux": found.langflux}
        return {
            "trouble": self.redactor(str(self.trouble)) if self.trouble else None,
            "target": {"name": found.target, "deployed": found.deployed},
            "parts": {
                name: {"version": part.version or "unknown", "url": self.redactor(part.url)}
                for name, part in parts.items()
                if part
            },
            "capabilities": self.capabilities(),
            "left_behind": [self.redactor(text) for text in self.left_behind],
            "requests": self.limits.sent,
            "prefix": self.prefix,
        }


def load_requirements() -> dict[str, requirements.Requirement]:
    """The requirements of the suite, by id."""
    return requirements.load(suite.data() / "requirements.toml")


def load_deviations() -> dict[str, deviations.Deviation]:
    """The known deviations, by id."""
    return deviations.load(suite.data() / "deviations.toml")
