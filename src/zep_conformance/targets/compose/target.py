"""The target `compose:PATH`: a user's own Compose project, brought up a second time beside what runs already."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zep_conformance.clients.waiting import eventually
from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import Source, cause_of, last_lines
from zep_conformance.facts.servers import LANGFLUX_VERSION
from zep_conformance.mutation.asked import planted_in_servers
from zep_conformance.processes.interruption import put_off, raise_if_lost
from zep_conformance.processes.readiness import HttpReady
from zep_conformance.settings import CAPABILITIES, UPGRADES, Settings, revealed
from zep_conformance.targets.base import Deployment, LangFluxServer, Say, Target, ZepServer
from zep_conformance.targets.compose.commands import CommandFailed, Compose, RunningCommand, environment_of, written
from zep_conformance.targets.compose.control import ServicesControl, Watch
from zep_conformance.targets.compose.project import GivenProject, clashes, read_given, refuse_unfit
from zep_conformance.targets.compose.rewriting import MODEL, Additions, rewritten
from zep_conformance.targets.docker.control import image_of, logged
from zep_conformance.targets.docker.engine import ENGINE_ERRORS, DockerEngine, answering, connect, without_ryuk
from zep_conformance.targets.docker.images import OURS, build_ours, is_there
from zep_conformance.targets.docker.ownership import COMPOSE, OWNER, RUN, Owner, remove_leftovers, remove_run
from zep_conformance.targets.seen import NO_MEANING, as_langflux_sees, given_langflux, seen_zep
from zep_conformance.targets.supervised import Supervisor
from zep_conformance.targets.upgrading import NOT_OURS

PREFIX = "zc-"
"""What the name of a project of ours begins with."""
SHOWN = 8
"""Lines of what Compose wrote that are shown."""
_NOISE = re.compile(r"level=warning|^\s*$|variable is not set|^DEPRECATED|docs\.docker\.com/go/buildx|legacy builder")
_FAILED: dict[str, tuple[Source, str]] = {
    "pull": ("registry", "an image can't be pulled"),
    "build": ("build", "the build failed"),
    "up": ("engine", "Compose could not bring it up"),
}
"""Of each step whose words a failure is explained by, and what has failed."""
ANSWER_LIMIT = 2.0
"""Seconds for one answer of a part that is starting."""


@dataclass(frozen=True)
class Step:
    """A step of bringing a project up: pull, build or up. saying: what people are told of it, "" for nothing."""

    kind: str
    command: list[str]
    saying: str

    @property
    def phase(self) -> str:
        """What the timeline calls it."""
        return "create" if self.kind == "up" else self.kind


class ComposeTarget(Target):
    """The services of a user's project in a project of ours, a model server among them, and a LangFlux of ours.

    project_name: what Compose knows our project by.
    """

    name = "compose"
    offers = frozenset(CAPABILITIES) - {"ui", "network"} - UPGRADES
    takes_path = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._supervisor = Supervisor()
        self.project_name = f"{PREFIX}{secrets.token_hex(4)}"
        self._lines: list[str] = []
        self._steps: list[Step] = []
        self._running: RunningCommand | None = None
        self._token: str | None = None
        self._langflux_key = secrets.token_urlsafe(24)
        self._is_begun = self._lacks_model = False
        self._engine: DockerEngine
        self._compose: Compose
        self._project: GivenProject
        self._ours: Additions

    @cached_property
    def control(self) -> ServicesControl:
        """Control over the services, by way of the engine; the one of this process, which knows what it has stopped."""
        return ServicesControl(
            self._engine,
            project=self.project_name,
            services=self._services(),
            answering=self._answering(),
            redactor=self._project.redactor,
            remake=self._remake,
        )

    @answering()
    def start(self) -> None:
        """Read the project, object to what can't work, and begin to bring it up.

        Raises CannotTell: no engine, no Compose, no such project, or one that could not start.
        """
        self._find()
        project = self._project = read_given(self.title.partition(":")[2], self._compose)
        refuse_unfit(project, self.settings.message_window)
        if remove_leftovers(self._engine):
            self._lines.append("what an earlier run had left in the engine is removed")
        self._lines += clashes(project, self._engine)
        self._lines.insert(0, f"{project.path} comes up as project {self.project_name} ({self._compose.called})")
        self._ours = self._made_ours()
        if not self.settings.langflux_url:
            self._supervisor.make_folder()
            planted = planted_in_servers(self.settings)
            self._supervisor.launch({"names": ["langflux"], **planted, "api_key": self._langflux_key, "shared": True})
        self._steps = self._to_do()
        self._is_begun = True
        if not self._lacks_model:
            self._begin_next()

    @answering()
    def deployment(self, say: Say) -> Deployment:
        """Wait until everything is up. Raises CannotTell, with the last words of what did not come up."""
        for line in self._lines:
            say(line)
        if self._lacks_model:
            with self.timeline.phase("all", "build"):
                build_ours(self._engine, say)
            self._begin_next()
        while self._steps:
            step = self._steps[0]
            if step.saying:
                say(step.saying)
            with self.timeline.phase("all", step.phase):
                try:
                    if step.kind == "up":
                        services = {name: part for part, name in self._services().items()}
                        hide = self._project.redactor
                        watch = Watch(self._engine, project=self.project_name, parts=services, redactor=hide)
                        watch.until_fit(self._has_ended, answering=self._answering(), timeline=self.timeline, say=say)
                    else:
                        eventually(self._must_have_ended, float("inf"))
                except CommandFailed as error:
                    raise self._explained(step.kind, str(error)) from None
            self._steps.pop(0)
            self._begin_next()
        return self._described()

    def handover(self) -> dict[str, Any]:
        """Return the project as it was read, and what is ours in it."""
        return {
            "name": self.project_name,
            "text": self._project.text,
            "folder": str(self._project.folder),
            "path": self._project.path,
            "ours": dataclasses.asdict(self._ours),
            "supervised": str(self._supervisor.folder),
            "token": self._token,
        }

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Control and logs by way of the same engine."""
        self._find()
        self.project_name = handed["name"]
        self._project = GivenProject.of(handed["text"], folder=Path(handed["folder"]), path=handed["path"])
        self._ours = Additions(**handed["ours"])
        if not self.settings.langflux_url:
            self._supervisor.attach(Path(handed["supervised"]))
        self._token = handed["token"]

    def diagnose(self, part: str) -> list[Finding]:
        """Return what the doctor finds at the address where this machine publishes Zep."""
        return diagnose(self._urls()[part], self._token)

    def ended(self) -> Mapping[str, str]:
        """Return the parts that ended by themselves, and how."""
        ours = {} if self.settings.langflux_url else self._supervisor.ended()
        try:
            return {**self.control.ended(), **ours}
        except ENGINE_ERRORS:
            return ours

    def log(self, part: str, since: float | None = None) -> str:
        """Return what a part has written so far, without what the project's variables keep secret.

        since: a `mark` to begin at.
        """
        if part == "langflux":
            return self._supervisor.log(part, since)
        try:
            return self._project.redactor(logged(self.control.container(part), since))
        except (CannotTell, *ENGINE_ERRORS):
            return ""

    def mark(self, part: str) -> float:
        """Return where a part's log is now."""
        return self._supervisor.mark(part) if part == "langflux" else super().mark(part)

    def stop(self) -> None:
        """Take down what was brought up, with its volumes and built images; nothing of theirs."""
        if self._running is not None:
            self._running.end()
        self._supervisor.close()
        if not self._is_begun:
            return
        if left := remove_run(self._engine, self.project_name):
            sys.stderr.write(
                self._project.redactor(f"left in the Docker engine: {'; '.join(left)}\n")
                + f"  `docker ps --all --filter label={COMPOSE}` lists it; the next run removes it too.\n"
            )

    def _find(self) -> None:
        without_ryuk(kept=True)  # whoever has started something removes it by its labels
        self._engine = connect()  # first: it sets $DOCKER_HOST to that engine, wherever it was named
        self._compose = Compose.found(environment_of(os.environ))

    def _remake(self, part: str, changed: Mapping[str, str]) -> None:
        """Make the container of a part again, with variables that differ."""
        service = self._services()[part]
        up = ("up", "--detach", "--no-deps", "--no-build", "--force-recreate", service)
        config = rewritten(self._project, self._ours, part=part, changed=changed)
        self._compose.run(self.project_name, self._project.folder, config, *up)

    def _services(self) -> dict[str, str]:
        """Return the service of each part, the model server's too."""
        parts = {part: one.name for part, one in self._project.parts.items()}
        return {**parts, **({"model": MODEL} if self._ours.model_image else {})}

    def _urls(self) -> dict[str, str]:
        """Where the parts that are published can be reached."""
        return {part: f"http://{one.host}:{one.port}" for part, one in self._answering().items()}

    def _answering(self) -> dict[str, HttpReady]:
        """When the parts that are published answer: with anything at all."""
        ports = {part: int(address.rpartition(":")[2]) for part, address in self._ours.ports.items()}
        return {
            part: HttpReady(self._engine.host, port, "/", any_answer=True, limit=ANSWER_LIMIT)
            for part, port in ports.items()
        }

    def _made_ours(self) -> Additions:
        """Return what is ours in the project: ports that are free, and the model server."""
        if not self._engine.is_here:
            self._lines.append(f"the engine is on {self._engine.host}: Zep is published there for as long as this runs")
        chosen: dict[str, int] = {}
        for part in ("zep", "model") if self.settings.model_url is None else ("zep",):
            chosen[part] = self._engine.free_port(chosen.values())
        ports = {part: f"{self._engine.bind}:{port}" for part, port in chosen.items()}
        labels = {RUN: self.project_name, OWNER: Owner.here().label(), COMPOSE: self.project_name}
        if self.settings.model_url is not None:
            return Additions(labels=labels, ports=ports, model_url=self.settings.model_url.rstrip("/"))
        return Additions(labels=labels, ports=ports, model_image=self.settings.model_image or OURS)

    def _to_do(self) -> list[Step]:
        """Return what there is to do until the project is up."""
        config = rewritten(self._project, self._ours)
        services: dict[str, dict[str, Any]] = config["services"]
        built = [name for name, one in services.items() if "build" in one]
        missing = [
            name
            for name, one in services.items()
            if "build" not in one and one.get("image") and not is_there(self._engine, str(one["image"]))
        ]
        steps: list[Step] = []
        if MODEL in missing and self._ours.model_image == OURS:
            missing.remove(MODEL)
            self._lacks_model = True
        if missing:
            images = ", ".join(str(services[name]["image"]) for name in missing)
            steps.append(self._composed("pull", f"pulling {images} …", "--quiet", *missing))
        if built:
            # 1.29 leaves the container of a build that fails.
            tidily = ["--force-rm"] if self._compose.version.startswith("1.") else []
            steps.append(self._composed("build", f"building {', '.join(built)} …", *tidily))
        return [*steps, self._composed("up", "", "--detach", "--no-build")]

    def _composed(self, kind: str, saying: str, *options: str) -> Step:
        command = self._compose.command(self.project_name, self._project.folder, kind, *options)
        return Step(kind=kind, command=command, saying=saying)

    def _begin_next(self) -> None:
        """Begin the next step, if there is one."""
        if self._running is not None:
            self._running.end()
        self._running = None
        if self._steps:
            config = written(rewritten(self._project, self._ours))
            step = self._steps[0]
            try:
                with put_off():  # a command that runs and is not known here would go on by itself
                    self._running = RunningCommand(
                        step.command, environment=self._compose.environment, folder=self._project.folder, given=config
                    )
            except CommandFailed as error:
                raise self._explained(step.kind, str(error)) from None

    def _explained(self, step: str, output: str) -> CannotTell:
        """Return what went wrong at a step (pull, build or up) of bringing the project up, from what Compose wrote."""
        kept = "\n".join(line for line in output.splitlines() if not _NOISE.search(line))
        source, failed = _FAILED[step]
        known = cause_of(kept, source)
        advice, code = f"`docker compose {step}` in its folder says the same.", "compose-failed"
        if known is not None:
            words = {"registry": "its registry", "login": "docker login", "with_": "in the project", "mirror": ""}
            advice, code = known.filled(**words).advice, known.code
        return CannotTell(
            self._project.redactor(f"{self._project.path}: {failed}:\n{last_lines(kept, SHOWN)}"), advice, code=code
        )

    def _has_ended(self) -> bool:
        raise_if_lost()
        return self._running is None or self._running.has_ended()

    def _must_have_ended(self) -> None:
        assert self._has_ended()

    def _described(self) -> Deployment:
        """Return the deployment that has come up. Raises CannotTell for a Zep that is unfit."""
        asks = self._project.zep.asks_for_tokens
        own = self._project.zep.value_of("ZEP_AUTH_SECRET") if asks else None
        secret, token = own or revealed(self.settings.zep_auth_secret), revealed(self.settings.zep_token)
        seen = seen_zep(self._urls()["zep"], token=token, secret=secret, is_said_to_want_tokens=asks)
        zep = as_langflux_sees(seen, self.settings)
        self._token = zep.token
        missing = {
            "network": "a port that Docker publishes can't be cut off without changing this machine's firewall",
            **NOT_OURS,
            **missing_files(self.settings, own=False),
        }
        if zep.embedded:
            missing["meaning"] = NO_MEANING
        if self._engine.is_here:
            missing["elsewhere"] = "this run publishes Zep for this machine alone"
        if zep.token is None:
            missing |= dict.fromkeys(("auth", "secret"), "this Zep is open: ZEP_AUTH_REQUIRED is not set for it")
        elif not secret:
            missing["secret"] = "ZEP_AUTH_SECRET is not among Zep's variables, nor given"
        if not self._ours.model_image:
            missing["control"] = "the model server of --model-url is not ours to stop"
        elif "nlp" not in self._project.parts:
            missing["control"] = "no NLP server is in this project"
        langflux, lacking = self._langflux(zep)
        return Deployment(
            target=self.title,
            zep=zep,
            secured=zep if zep.token else None,
            secret=secret if zep.token else None,
            langflux=langflux,
            missing=missing | lacking,
            own=True,
            details={
                part: {"image": image_of(one), "digest": str(one.attrs["Image"])}
                for part in self._services()
                if (one := self.control.find(part)) is not None
            },
        )

    def _langflux(self, zep: ZepServer) -> tuple[LangFluxServer | None, dict[str, str]]:
        """Return the embedded LangFlux, or the one that is given, and why a capability is missing for it."""
        model = self._ours.model_url if not self._ours.model_image else f"{self._urls()['model']}/v1"
        if self.settings.langflux_url:
            zep_url = self.settings.zep_url_from_langflux or zep.url
            return given_langflux(self.settings, model_url=model, zep_url=zep_url)
        return LangFluxServer(
            url=self._supervisor.await_parts(lambda *_: None)["langflux"],
            api_key=self._langflux_key,
            model_url=model,
            zep_url=zep.url_from_langflux,
            version=LANGFLUX_VERSION,
            documented=self.settings.recorded_behaviours != "all",
        ), {"ui": "the embedded LangFlux has no page"}
