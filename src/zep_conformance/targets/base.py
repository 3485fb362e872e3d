"""What a target is: a class with defaults, and the deployment that it describes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter

from zep_conformance.clients.families import Account
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import HarnessError, PartDied
from zep_conformance.facts.recorded_behaviours import shown_by
from zep_conformance.report.observations import Timeline
from zep_conformance.settings import CAPABILITIES, Settings

Say = Callable[[str], None]
"""Takes a line that tells people how the start goes."""
BEFORE, AFTER = "before", "after"
"""What the two versions of an upgrade are called, see `Control.start_as`."""


@dataclass(frozen=True, kw_only=True)
class ZepServer:
    """One Zep. token: the JWT it wants, None when it is open. url_from_langflux: its URL as LangFlux sees it.

    Where it is said to want one, by a token or a secret that is given for it, `token` is there though it may be open:
    that it lets in anybody is for scenarios to find.

    version: from X-Zep-Version, e.g. "0.27.2", or "" when it does not say. documented: an embedded Zep without
    recorded behaviours, of which no deviation is expected. part: its name for logs and control. embedded: it says that
    it is one of the suite's own.
    """

    url: str
    url_from_langflux: str
    token: str | None = None
    version: str = ""
    documented: bool = False
    part: str = "zep"
    embedded: bool = False


@dataclass(frozen=True, kw_only=True)
class LangFluxServer:
    """One LangFlux. api_key: None where it asks for none. model_url: a model server that it can reach (with /v1).

    zep_url: Zep's URL as it sees it. chatflow: the id of a chatflow to use as it is, "" to make some.
    account: a login that is known for it. embedded: it says that it is one of the suite's own.
    """

    url: str
    api_key: str | None
    model_url: str
    zep_url: str
    chatflow: str = ""
    version: str = ""
    documented: bool = False
    account: Account | None = None
    embedded: bool = False


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """The two versions that a part can be started as, as people call them: a version, a program, an image.

    has_begun: whether it runs as the version before from the start of the target on.
    """

    before: str
    after: str
    has_begun: bool = True


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The parts that a run tests, and what can be asked of them.

    secured: a Zep that demands tokens (the same as `zep` where that one does). secret: what it checks them with.
    missing: for each capability that is not offered, why; all others are offered.
    deployed: False where the parts are the suite's own, so that a run says nothing about a deployment.
    details: what else is known of each part for the report, such as its image and that image's digest.
    ruled_out: deviations of these versions that can't show here by how the parts were started, and why.
    own: whether each Zep was started for this run and goes with it, so that nobody else waits for it.
    upgrades: what zep and langflux can be started as, where they can be started as another version.
    """

    target: str
    zep: ZepServer | None = None
    secured: ZepServer | None = None
    secret: str | None = field(default=None, repr=False)
    langflux: LangFluxServer | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    deployed: bool = True
    details: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ruled_out: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    upgrades: Mapping[str, Upgrade] = field(default_factory=dict)

    def versions(self) -> dict[str, str]:
        """Return the version of each part, "unknown" of one that says none."""
        parts = {"zep": self.zep, "langflux": self.langflux}
        return {name: part.version or "unknown" for name, part in parts.items() if part}

    def deviating_versions(self) -> dict[str, str]:
        """Return the versions of the parts that may deviate: not those of servers that keep every requirement."""
        parts = {"zep": self.zep, "langflux": self.langflux}
        return {name: part.version for name, part in parts.items() if part and not part.documented}

    def behaviours(self, *parts: str) -> frozenset[str]:
        """Return the names of the recorded behaviours that these parts are known to show, by their versions."""
        versions = self.deviating_versions()
        return frozenset().union(*(shown_by(part, versions[part]) for part in parts if part in versions))

    def as_json(self) -> dict[str, Any]:
        """Return it as another process of this run is given it: with its secrets."""
        found: dict[str, Any] = TypeAdapter(Deployment).dump_python(self, mode="json")
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Return the deployment that `as_json` gave."""
        return TypeAdapter(cls).validate_python(found)


class Control(ABC):
    """What can be done to a part by its name, where a target owns the parts.

    Parts: zep, zep-secured, nlp, postgres, langflux, model. Each method returns when it is done.
    Raises CannotTell when the part won't, with its last words.
    """

    @abstractmethod
    def start(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running; returns when it answers.

        changed: environment variables that differ from those of the target, empty for one that is not set.
        They hold for this start; the next is as the target has it again.
        """

    def start_as(self, part: str, version: str) -> None:
        """Start a part that is not running as another version, on what it has stored; returns when it answers.

        version: BEFORE or AFTER. It stays that version. Where `zep-upgrade` or `langflux-upgrade` is offered.
        """
        raise HarnessError(f"{part} can't be started as the version {version}")

    def attempt(self, part: str, changed: Mapping[str, str]) -> str | None:
        """Try to start a part that is not running. Returns what it wrote when it ended, None if it came up."""
        try:
            self.start(part, changed)
        except PartDied as ended:
            return ended.log
        return None

    @abstractmethod
    def stop(self, part: str) -> None:
        """Stop a part as an operator does."""

    @abstractmethod
    def kill(self, part: str) -> None:
        """End a part without warning, as a crash does."""

    @abstractmethod
    def pause(self, part: str) -> None:
        """Stop a part's clock: it takes connections and never answers."""

    @abstractmethod
    def resume(self, part: str) -> None:
        """Let a paused part go on."""

    @abstractmethod
    def cut_off(self, part: str) -> None:
        """Drop what is sent to a part, as a firewall does. Where `network` is offered."""

    @abstractmethod
    def reconnect(self, part: str) -> None:
        """Let through again what is sent to a part."""


class Target(ABC):
    """How parts come to be. Every method may be called once, in this order; `stop` also after a failure.

    With pytest-xdist, a `shared` target is started once, by the controlling process: each worker is given what
    `handover` returns, and calls `attach` with it in place of `start` and `deployment`; it never calls `stop`.
    """

    name: ClassVar[str]
    """What it is chosen by: the name of its folder."""
    offers: ClassVar[frozenset[str]] = frozenset(CAPABILITIES)
    """What it can offer at most. Whether it does is seen at its start."""
    shared: ClassVar[bool] = True
    """Whether one set of parts serves all workers of pytest-xdist; else each worker has a target of its own."""
    takes_path: ClassVar[bool] = False
    """Whether it is chosen as NAME:PATH."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.timeline = Timeline()
        """How long each part took to come up."""

    @property
    def title(self) -> str:
        """The name with the path, as it was given."""
        return self.settings.target if self.takes_path else self.name

    @property
    def control(self) -> Control | None:
        """Control over the parts, None where they are not ours to stop."""
        return None

    @abstractmethod
    def start(self) -> None:
        """Begin to start what is to be started; do not wait. Raises CannotTell when that can't work."""

    @abstractmethod
    def deployment(self, say: Say) -> Deployment:
        """Wait until the parts are usable, telling `say` how it goes. Raises CannotTell when they are not."""

    def handover(self) -> dict[str, Any]:
        """Return what a worker needs to use the parts that this process has started; JSON."""
        return {}

    def attach(self, handed: Mapping[str, Any]) -> None:  # noqa: B027  (there may be nothing to attach)
        """Use the parts that another process of this run has started. handed: what its `handover` returned."""

    @abstractmethod
    def diagnose(self, part: str) -> list[Finding]:
        """Return what the doctor finds at a Zep, from another host than its own where the target has one."""

    def ended(self) -> Mapping[str, str]:
        """Return the parts that ended though nobody had asked them to, and how in words.

        It is empty where that can't be seen.
        """
        return {}

    def log(self, part: str, since: float | None = None) -> str:  # noqa: ARG002
        """Return what a part has written so far; "" where that can't be seen. since: a `mark` to begin at."""
        return ""

    def mark(self, part: str) -> float:  # noqa: ARG002
        """Return where a part's log is now, for `log`: at once, whatever the part is doing."""
        return time.time()

    def stop(self) -> None:  # noqa: B027  (nothing may have been started)
        """Stop everything that this target started."""
