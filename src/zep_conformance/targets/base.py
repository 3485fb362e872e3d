"""What every target offers: a small interface, and the deployment it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class ZepServer:
    """One Zep. token: the JWT it wants, None when it is open. url_from_langflux: its URL as LangFlux sees it.

    version: from X-Zep-Version, e.g. "0.27.2", or "" when it does not say. documented: an embedded Zep without
    departures, of which no deviation is expected. part: its name for logs and control.
    """

    url: str
    url_from_langflux: str
    token: str | None = None
    version: str = ""
    documented: bool = False
    part: str = "zep"


@dataclass(frozen=True)
class LangFluxServer:
    """One LangFlux. api_key: None where it asks for none. model_url: a model server that it can reach (with /v1).

    zep_url: Zep's URL as it sees it. chatflow: the id of a chatflow to use as it is, "" to make some.
    """

    url: str
    api_key: str | None
    model_url: str
    zep_url: str
    chatflow: str = ""
    version: str = ""
    documented: bool = False


@dataclass(frozen=True)
class Deployment:
    """The parts that a run tests, and what can be asked of them.

    secured: a Zep that demands tokens (the same as `zep` where that one does). secret: what it checks them with.
    missing: for each capability that is not offered, why; all others are offered.
    deployed: False where the parts are the suite's own, so that a run says nothing about a deployment.
    """

    target: str
    zep: ZepServer | None = None
    secured: ZepServer | None = None
    secret: str | None = field(default=None, repr=False)
    langflux: LangFluxServer | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    deployed: bool = True

    def versions(self) -> dict[str, str]:
        """The version of each part that says one."""
        parts = {"zep": self.zep, "langflux": self.langflux}
        return {name: part.version or "unknown" for name, part in parts.items() if part}


class Control(Protocol):
    """What can be done to a part by its name, where a target owns the parts."""

    def start(self, part: str) -> None:
        """Start a part that is not running; returns when it answers."""

    def stop(self, part: str) -> None:
        """Stop a part as an operator does."""

    def kill(self, part: str) -> None:
        """End a part without warning, as a crash does."""


class Target(Protocol):
    """How parts come to be. Every method may be called once, in this order; `stop` also after a failure."""

    @property
    def name(self) -> str:
        """The name under which it is chosen."""

    @property
    def control(self) -> Control | None:
        """Control over the parts, None where they are not ours to stop."""

    def start(self) -> None:
        """Begin to start what is to be started; does not wait."""

    def deployment(self) -> Deployment:
        """Wait until the parts are usable. Raises CannotTell when they are not."""

    def log(self, part: str) -> str:
        """What a part has written so far, empty where that can't be seen."""

    def stop(self) -> None:
        """Stop everything that this target started."""
