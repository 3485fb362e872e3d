"""One run of the suite: its settings, its target, and what it has seen. The plugin and the fixtures share it."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

from zep_conformance.errors import CannotTell
from zep_conformance.facts.measured import remarks
from zep_conformance.facts.servers import memory_path
from zep_conformance.mutation.asked import refuse_unknown_names
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report import document as reports
from zep_conformance.report.folder import RunFolder
from zep_conformance.report.observations import Known, Observations, PartSeen, TargetSeen
from zep_conformance.report.transcript import Transcript
from zep_conformance.session.activity import Activity
from zep_conformance.session.drawn import Drawn
from zep_conformance.session.surroundings import environment
from zep_conformance.settings import CAPABILITIES, UPGRADES, Settings, for_target, names_in
from zep_conformance.targets import Deployment, Target, choose, names, resolved

if TYPE_CHECKING:
    import httpx

    from zep_conformance.clients.http import Limits
    from zep_conformance.session.freezes import Freezes
    from zep_conformance.targets.langflux_access import OwnKey

T = TypeVar("T")

PARTS = ("zep", "zep-secured", "nlp", "postgres", "langflux", "model")
"""What the parts of a target are called, see `targets.base.Control`."""
LOGGED = ("zep", "zep-secured", "langflux")
"""The parts whose logs tell of a scenario that has asked none of them."""
RUN: pytest.StashKey[Run] = pytest.StashKey()
"""Where the run is kept in a pytest configuration."""


@dataclass(kw_only=True)
class Run:
    """One run.

    prefix: what the name of everything that it makes begins with. trouble: why it can't tell anything, if so.
    left_behind: what could not be removed from the target.
    """

    settings: Settings
    seed: int
    redactor: Redactor
    transcript: Transcript
    prefix: str = field(default_factory=lambda: f"zc-{secrets.token_hex(4)}")
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    trouble: CannotTell | None = None
    target: Target | None = None
    because: str = ""
    """Why it is this target, where `auto` chose it."""
    unused: list[str] = field(default_factory=list)
    """The variables that are set, and that the target does not use."""
    remarks: list[str] = field(default_factory=list)
    """What parts say otherwise than the settings, where that keeps nobody from telling anything."""
    _deployment: Deployment | None = None
    _key: OwnKey | None = None
    _has_begun: bool = False
    is_attached: bool = False
    """Whether another process of this run started the target, and will stop it."""
    left_behind: list[str] = field(default_factory=list)
    became: dict[str, str] = field(default_factory=dict)
    """What parts said that they are, once they were upgraded: by part, a version."""
    scenarios: dict[str, Known] = field(default_factory=dict)
    """All that the suite has, by node id, and whether they were asked for."""
    ending: str = ""
    """Why the run ends before every scenario has had its turn, if it does."""
    _marks: dict[str, float] = field(default_factory=dict)
    """Where the logs of the parts were when the scenario began."""
    is_again: bool = False
    """Whether a scenario that Zep froze in is carried out for the second time, under new names."""
    drawn: Drawn = field(default_factory=Drawn)
    """What scenarios draw that their seed does not give again."""
    transport: httpx.BaseTransport | None = None
    """What answers in place of the parts; None where they do."""
    closing: ExitStack = field(default_factory=ExitStack)
    """Closes clients at the very end: what was made is removed with them after the last scenario."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return a run with these settings, its seed drawn where none is given."""
        redactor = Redactor(settings.secrets())
        transcript = Transcript(redactor, settings.secret_variables())
        seed = settings.seed if settings.seed is not None else random.SystemRandom().randrange(10**6)
        return cls(settings=settings, seed=seed, redactor=redactor, transcript=transcript)

    @cached_property
    def folder(self) -> RunFolder:
        """Where its reports go."""
        return RunFolder.of(self.settings.reports, started=self.started, prefix=self.prefix)

    @cached_property
    def limits(self) -> Limits:
        """What the run may send."""
        from zep_conformance.clients.http import Limits  # imports httpx, while the target comes up

        given = self.settings
        return Limits(
            max_requests=given.max_requests,
            rate=given.rate,
            read_only=given.read_only,
            seconds=given.time_limit,
            began=self.clock,
        )

    @cached_property
    def activity(self) -> Activity:
        """What it is doing."""
        return Activity(lambda: self.limits.sent)

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """httpx event hooks for every client of this run: limits before a request, the transcript after it.

        Somebody waits for each answer, and looks at Zep where it does not come.
        """
        return {
            "request": [self.limits.check, self.freezes.sent, self.activity.asks],
            "response": [self.activity.answered, self.freezes.answered, self.transcript.answered],
        }

    @cached_property
    def freezes(self) -> Freezes:
        """Whoever sees that Zep is frozen."""
        from zep_conformance.session.freezes import Freezes  # imports httpx, while the target comes up

        path = memory_path(f"{self.prefix}-nobody")
        return Freezes(patience=self.settings.freeze_after, path=path, zeps=self._clients_of_zeps)

    def _clients_of_zeps(self) -> list[httpx.Client]:
        from zep_conformance.clients.http import http_client

        servers = {one.url: one for one in (self.deployment.zep, self.deployment.secured) if one is not None}
        given = ((url, {"authorization": f"Bearer {one.token}"} if one.token else {}) for url, one in servers.items())
        return [http_client(url, timeout=self.settings.freeze_after, headers=headers) for url, headers in given]

    @property
    def target_name(self) -> str:
        """The target, as far as it is known."""
        return self.target.title if self.target is not None else self.settings.target

    def choose(self, environment: Mapping[str, str], chosen: str | None = None) -> None:
        """Choose the target. What goes wrong is kept as `trouble`.

        chosen: what another process of this run has found `auto` to stand for.
        """
        try:
            name, self.because = (chosen, "") if chosen is not None else resolved(self.settings, environment)
            refuse_unknown_names(self.settings)
            if name.partition(":")[0] in names():  # else `choose` says which there are
                self.settings, self.unused = for_target(self.settings, name)
            self.target = choose(self.settings, name)
        except CannotTell as error:
            self.trouble = error

    def start(self) -> None:
        """Begin to start the target. What goes wrong is kept as `trouble`."""
        if self.target is None:
            return
        try:
            self.target.start()
            self._has_begun = True
        except CannotTell as error:
            self.trouble = error

    def ready(self, say: Callable[[str], None]) -> None:
        """Wait until the target is usable, telling `say` how it goes. What goes wrong is kept as `trouble`."""
        if self.trouble or self.target is None or self._deployment is not None:
            return
        from zep_conformance.targets.claims import check_claims  # imports httpx

        try:
            found = self._with_key(self.target.deployment(say))
            self.remarks = [*check_claims(self.settings, found), *remarks(found.deviating_versions())]
            self._use(found)
        except CannotTell as error:
            self.trouble = error

    def _with_key(self, found: Deployment) -> Deployment:
        """Return the deployment, its LangFlux with an API key that is made now, where there is but a login for it."""
        if found.langflux is None or self.settings.read_only:
            return found
        from zep_conformance.targets.langflux_access import OwnKey  # imports httpx

        self._key = OwnKey()
        return replace(found, langflux=self._key.given_to(found.langflux))

    def handover(self) -> dict[str, Any]:
        """Return what a worker of pytest-xdist needs to use the target that this process has started; JSON."""
        target = self.target
        handed: dict[str, Any] = {}
        handed = self.heard(target.handover, handed) if target is not None and not self.trouble else {}
        if self.trouble or target is None:
            return {"trouble": self.trouble.as_json() if self.trouble else None}
        return {"deployment": self.deployment.as_json(), "handed": handed}

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Use the target that another process of this run has started."""
        self.is_attached = True
        if handed.get("trouble"):
            self.trouble = CannotTell.from_json(handed["trouble"])
        elif self.target is not None:
            target = self.target
            self.heard(lambda: target.attach(handed["handed"]), None)
            if self.trouble is None:
                self._use(Deployment.from_json(handed["deployment"]))

    def _use(self, found: Deployment) -> None:
        """Take a deployment for the one under test; from now on its secrets are hidden."""
        without = dict.fromkeys(names_in(self.settings.without), "--without was given")
        if self.settings.read_only:
            without["write"] = "--read-only was given"
        if not (self.settings.allow_load or self._is_alone_with(found)):
            without["load"] = "others use this Zep, and so much at once may keep them waiting; --allow-load sends it"
        if self.is_attached:
            without |= dict.fromkeys(UPGRADES, "the workers of -n share these parts; an upgrade wants a run without -n")
        if self.settings.chatflow:
            without["build"] = "--chatflow was given: it is used as it is, and none is made"
        self._deployment = replace(found, missing={**found.missing, **without})
        confidential = [found.secret, *(server.token for server in (found.zep, found.secured) if server)]
        if found.langflux is not None:
            account = found.langflux.account
            confidential += [found.langflux.api_key, account.password if account else None]
        for secret in filter(None, confidential):
            self.redactor.hide(secret)
        self.transcript.name(
            ZEP_TOKEN=found.zep.token if found.zep else None,
            LANGFLUX_API_KEY=found.langflux.api_key if found.langflux else None,
        )

    def _is_alone_with(self, found: Deployment) -> bool:
        return found.own or (self.settings.keep and not self.settings.zep_url)

    @property
    def shares_zep(self) -> bool:
        """Whether others may use the Zep under test, who wait where it keeps anybody waiting."""
        return not self._is_alone_with(self.deployment)

    @property
    def writes_little(self) -> bool:
        """Whether no more is written at once than a turn of a chat: Zep is others', too, or has frozen (DEV-15)."""
        return self.shares_zep or self.freezes.count > 0

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

    def tidy(self) -> None:
        """After the last scenario: delete the API key that was made, if one was."""
        if self._key is not None:
            self.left_behind += self._key.delete()

    def stop(self) -> None:
        """Close every client, keep what the parts wrote, and stop what the target started."""
        self.freezes.close()
        self.closing.close()
        self.tidy()
        if self.target is not None and not self.is_attached:
            reports.keep_logs(self.folder.path, {part: self.log(part) for part in PARTS}, self.redactor)
            self.heard(self.target.stop, None)

    def heard(self, asked: Callable[[], T], otherwise: T) -> T:
        """Return what the target answers; `otherwise`, and the reason is kept as `trouble`, when it can't tell."""
        try:
            return asked()
        except CannotTell as error:
            self.trouble = self.trouble or error
            return otherwise

    def log(self, part: str, since: float | None = None) -> str:
        """Return what a part has written so far; "" where that can't be seen. since: a mark of the target's."""
        target, has_parts = self.target, self._has_begun or self.is_attached
        return self.heard(lambda: target.log(part, since), "") if target is not None and has_parts else ""

    def begin(self) -> None:
        """Begin a scenario: with a new transcript, and marks in the logs of all parts."""
        self.transcript.begin()
        self._marks = {part: self.target.mark(part) for part in PARTS} if self.target is not None else {}

    def part_of(self, url: str) -> str | None:
        """Return which part a URL is of; None where it is of none that is asked."""
        found = self._deployment
        if found is None:
            return None
        servers = {"zep": found.zep, "zep-secured": found.secured, "langflux": found.langflux}
        urls = {name: server.url for name, server in servers.items() if server is not None}
        if found.langflux is not None and found.langflux.model_url:
            urls["model"] = found.langflux.model_url
        matching = [(len(base), name) for name, base in urls.items() if f"{url}/".startswith(f"{base.rstrip('/')}/")]
        return max(matching)[1] if matching else None

    def logs(self) -> dict[str, str]:
        """Return what the parts that the scenario has asked, and those behind them, have written since it began."""
        asked = {self.part_of(exchange.url) for exchange in self.transcript.exchanges}
        parts: list[str] = [part for part in ("zep-secured", "zep") if part in asked]
        if "langflux" in asked:
            parts = [*dict.fromkeys(["langflux", *parts, "zep"])]
        logs = {part: self.log(part, self._marks.get(part)) for part in parts or LOGGED}
        return {part: log for part, log in logs.items() if log.strip()}

    def ended(self) -> Mapping[str, str]:
        """Return the parts that ended though nobody had asked them to, and how; empty where that can't be seen."""
        return self.heard(self.target.ended, {}) if self.target is not None else {}

    @property
    def removes(self) -> bool:
        """Whether there is something to remove of what the run made."""
        return True

    def capabilities(self) -> dict[str, str | None]:
        """Return each capability: None where it is offered, else why not."""
        if self._deployment is None:
            return {}
        return {name: self._deployment.missing.get(name) for name in CAPABILITIES}

    def observations(self) -> Observations:
        """Return what this process found out about the target, without secrets."""
        troubles = (self.redactor(str(self.trouble)),) if self.trouble else ()
        left_behind = tuple(self.redactor(text) for text in self.left_behind)
        seen_so_far = Observations(
            troubles=troubles,
            left_behind=left_behind,
            requests=self.limits.sent,
            scenarios=self.scenarios,
            ended=(self.redactor(self.ending),) if self.ending else (),
            environment=environment(),
        )
        found = self._deployment
        if found is None:
            return seen_so_far
        parts = {name: PartSeen(**dict[str, Any](details)) for name, details in found.details.items()}
        for name, part in (("zep", found.zep), ("langflux", found.langflux)):
            if part is not None:
                version, url = part.version or "unknown", self.redactor(part.url)
                parts[name] = replace(parts.get(name, PartSeen()), version=version, url=url, embedded=part.embedded)
        timeline = self.target.timeline.spans() if self.target is not None and not self.is_attached else []
        target = TargetSeen(name=found.target, deployed=found.deployed, timeline=tuple(timeline))
        recorded = self.redactor.everywhere(self._recorded(found))
        return replace(
            seen_so_far,
            target=target,
            parts=parts,
            capabilities=self.capabilities(),
            recorded=(recorded,) if self.drawn.kept else (),
            remarks=tuple(self.redactor(line) for line in self.remarks),
        )

    def _recorded(self, found: Deployment) -> dict[str, Any]:
        """Return what a replay of this process needs, beside its exchanges."""
        return {
            "prefix": self.prefix,
            "settings": self.settings.as_recorded(),
            "deployment": found.as_json(),
            "shares_zep": self.shares_zep,
            "drawn": self.drawn.kept,
        }
