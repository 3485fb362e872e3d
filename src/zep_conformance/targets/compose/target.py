"""The target `compose:PATH`: a user's own Compose project, brought up a second time beside what runs already."""

from __future__ import annotations

import os
import random
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zep_conformance import suite
from zep_conformance.clients import tokens
from zep_conformance.clients.waiting import eventually
from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import LANGFLUX_VERSION
from zep_conformance.settings import CAPABILITIES, Settings, revealed
from zep_conformance.targets.base import Control, Deployment, LangFluxServer, Say, Target, ZepServer
from zep_conformance.targets.compose import commands, leftovers
from zep_conformance.targets.compose.control import ComposeControl
from zep_conformance.targets.compose.engine import Engine
from zep_conformance.targets.compose.objections import clashes, is_there, object_to, wants_token
from zep_conformance.targets.compose.project import Project, described, read
from zep_conformance.targets.compose.rewriting import MODEL, Ours, rewritten
from zep_conformance.targets.compose.spelling import Compose, written
from zep_conformance.targets.compose.troubles import explained
from zep_conformance.targets.compose.watching import Watch, images_of
from zep_conformance.targets.containers.images import OURS
from zep_conformance.targets.containers.ownership import Owner
from zep_conformance.targets.departures import changes
from zep_conformance.targets.seen import NO_MEANING, as_langflux_sees, given_langflux, seen_zep
from zep_conformance.targets.supervised import Supervisor

_PORTS = range(20000, 32000)
"""Where free ports are looked for: below those that the system gives to connections."""


@dataclass(frozen=True)
class Step:
    """A step of bringing a project up: pull, build or up. saying: what people are told of it, "" for nothing."""

    kind: str
    phase: str
    command: list[str]
    saying: str


class ComposeTarget(Target):
    """The services of a user's project in a project of ours, a model server among them, and a LangFlux of ours.

    project_name: what Compose knows our project by.
    """

    name = "compose"
    offers = frozenset(CAPABILITIES) - {"ui", "network"}
    takes_path = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._supervisor = Supervisor()
        self.project_name = f"{leftovers.PREFIX}{secrets.token_hex(4)}"
        self._lines: list[str] = []
        self._steps: list[Step] = []
        self._running: commands.Running | None = None
        self._token: str | None = None
        self._langflux_key = secrets.token_urlsafe(24)
        self._is_begun = False
        self._control: ComposeControl | None = None
        self._engine: Engine
        self._compose: Compose
        self._project: Project
        self._ours: Ours

    @property
    def control(self) -> Control | None:
        """Control over the services, by way of the engine."""
        return self._controlled()

    def start(self) -> None:
        """Read the project, object to what can't work, and begin to bring it up.

        Raises CannotTell: no engine, no Compose, no such project, or one that could not start.
        """
        if self.settings.zep_url:
            raise CannotTell(
                "--target compose starts a Zep, and --zep-url names one that runs already",
                "Leave one of them out; --target remote tests the one that runs.",
            )
        self._find()
        project = self._project = read(self.title.partition(":")[2], self._compose)
        object_to(project, self._engine, self.settings.message_window)
        if leftovers.of_gone_runs(self._engine):
            self._lines.append("what an earlier run had left in the engine is removed")
        self._lines += clashes(project, self._engine)
        self._lines.insert(0, f"{project.path} comes up as project {self.project_name} ({self._compose.called})")
        self._ours = self._made_ours()
        if not self.settings.langflux_url:
            self._supervisor.make_folder()
            self._supervisor.launch(
                {
                    "names": ["langflux"],
                    **changes(self.settings),
                    "api_key": self._langflux_key,
                    "shared": True,
                }
            )
        self._steps = self._to_do()
        self._is_begun = True
        self._begin_next()

    def deployment(self, say: Say) -> Deployment:
        """Wait until everything is up. Raises CannotTell, with the last words of what did not come up."""
        for line in self._lines:
            say(line)
        while self._steps:
            step = self._steps[0]
            if step.saying:
                say(step.saying)
            with self.timeline.phase("all", step.phase):
                try:
                    if step.kind == "up":
                        services = {name: part for part, name in self._services().items()}
                        watch = Watch(self._engine, self.project_name, services, self._project.redactor)
                        watch.until_fit(self._has_ended, self._urls(), self.timeline, say)
                    else:
                        eventually(self._must_have_ended, float("inf"))
                except commands.Failed as error:
                    raise explained(step.kind, self._project.path, error.output, self._project.redactor) from None
            self._steps.pop(0)
            self._begin_next()
        return self._described()

    def handover(self) -> dict[str, Any]:
        """The project as it was read, and what is ours in it."""
        return {
            "name": self.project_name,
            "config": dict(self._project.config),
            "folder": str(self._project.folder),
            "path": self._project.path,
            "ours": {"ports": dict(self._ours.ports), "model_url": self._ours.model_url, "owner": self._ours.owner}
            | {"model_image": self._ours.model_image},
            "supervised": str(self._supervisor.folder),
            "token": self._token,
        }

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Control and logs by way of the same engine."""
        self._find()
        self.project_name = handed["name"]
        self._project = described(handed["config"], Path(handed["folder"]), handed["path"])
        self._ours = Ours(**handed["ours"])
        if not self.settings.langflux_url:
            self._supervisor.attach(Path(handed["supervised"]))
        self._token = handed["token"]

    def diagnose(self, part: str) -> list[Finding]:
        """Return what the doctor finds at the address where this machine publishes Zep."""
        return diagnose(self._urls()[part], self._token)

    def ended(self) -> Mapping[str, str]:
        """The parts that ended by themselves, and how."""
        ours = {} if self.settings.langflux_url else self._supervisor.ended()
        try:
            return {**self._controlled().ended(), **ours}
        except commands.Failed:
            return ours

    def log(self, part: str) -> str:
        """What a part has written so far, without what the project's variables keep secret."""
        if part == "langflux":
            return self._supervisor.log(part)
        try:
            return self._project.redactor(self._engine.log(self._controlled().container(part).id))
        except (CannotTell, commands.Failed):
            return ""

    def stop(self) -> None:
        """Take down what was brought up, with its volumes and built images; nothing of theirs."""
        if self._running is not None:
            self._running.end()
        self._supervisor.close()
        if not self._is_begun:
            return
        try:
            left = leftovers.of_project(self._engine, self.project_name, self._ours.owner)
        except commands.Failed as error:
            left = [str(error).splitlines()[-1]]
        if left:
            sys.stderr.write(
                self._project.redactor(f"left in the Docker engine: {'; '.join(left)}\n")
                + f"  `docker ps --all --filter label={leftovers.LABEL}` lists it; the next run removes it too.\n"
            )

    # -- how it comes up ----------------------------------------------------------------------------------------

    def _find(self) -> None:
        environment = commands.environment_of(os.environ)
        self._engine = Engine.found(environment)
        self._compose = Compose.found(environment)

    def _controlled(self) -> ComposeControl:
        """The one control of this process, which knows what it has stopped."""
        if self._control is None:
            hide = self._project.redactor
            self._control = ComposeControl(
                self._engine, self.project_name, self._services(), self._urls(), hide, self._remake
            )
        return self._control

    def _remake(self, part: str, changed: Mapping[str, str]) -> None:
        """Make the container of a part again, with variables that differ."""
        service = self._services()[part]
        up = ("up", "--detach", "--no-deps", "--no-build", "--force-recreate", service)
        config = rewritten(self._project, self._ours, part, changed)
        self._compose.run(self.project_name, self._project.folder, config, *up)

    def _services(self) -> dict[str, str]:
        """The service of each part, the model server's too."""
        return {**self._project.parts, **({"model": MODEL} if self._ours.model_image else {})}

    def _urls(self) -> dict[str, str]:
        """Where the parts that are published can be reached."""
        ports = {part: address.rpartition(":")[2] for part, address in self._ours.ports.items()}
        return {part: f"http://{self._engine.host}:{port}" for part, port in ports.items()}

    def _made_ours(self) -> Ours:
        """What is ours in the project: ports that are free, and the model server."""
        at = "127.0.0.1" if self._engine.is_here else "0.0.0.0"
        if not self._engine.is_here:
            self._lines.append(f"the engine is on {self._engine.host}: Zep is published there for as long as this runs")
        ports: dict[str, str] = {}
        for part in ("zep", "model") if self.settings.model_url is None else ("zep",):
            ports[part] = f"{at}:{_free_port({*ports.values()}, at)}"
        owner = Owner.here().label()
        if self.settings.model_url is not None:
            return Ours(owner, ports, self.settings.model_url.rstrip("/"))
        return Ours(owner, ports, model_image=self.settings.model_image or OURS)

    def _to_do(self) -> list[Step]:
        """What there is to do until the project is up."""
        config = rewritten(self._project, self._ours)
        services: dict[str, dict[str, Any]] = config["services"]
        built = [name for name, one in services.items() if "build" in one]
        missing = [
            name
            for name, one in services.items()
            if "build" not in one and one.get("image") and not is_there(self._engine, str(one["image"]))
        ]
        steps = []
        if MODEL in missing and self._ours.model_image == OURS:
            missing.remove(MODEL)
            if suite.is_installed():
                raise CannotTell(
                    f"Zep needs a model server, and there is no image {OURS}",
                    f"`docker build -t {OURS} .` in a checkout makes it; --model-image, --model-url name others.",
                )
            command = ["docker", "build", "--tag", OURS, str(suite.root())]
            steps.append(Step("build", "build", command, f"building {OURS}, the model server (some minutes, once) …"))
        if missing:
            images = ", ".join(str(services[name]["image"]) for name in missing)
            steps.append(self._composed("pull", "pull", f"pulling {images} …", "pull", "--quiet", *missing))
        if built:
            # 1.29 leaves the container of a build that fails.
            tidily = ["--force-rm"] if self._compose.version.startswith("1.") else []
            steps.append(self._composed("build", "build", f"building {', '.join(built)} …", "build", *tidily))
        return [*steps, self._composed("up", "create", "", "up", "--detach", "--no-build")]

    def _composed(self, kind: str, phase: str, saying: str, *arguments: str) -> Step:
        return Step(kind, phase, self._compose.command(self.project_name, self._project.folder, *arguments), saying)

    def _begin_next(self) -> None:
        """Begin the next step, if there is one."""
        if self._running is not None:
            self._running.end()
        self._running = None
        if self._steps:
            config = written(rewritten(self._project, self._ours))
            command = self._steps[0].command
            self._running = commands.Running(command, self._engine.environment, self._project.folder, config)

    def _has_ended(self) -> bool:
        return self._running is None or self._running.has_ended()

    def _must_have_ended(self) -> None:
        assert self._has_ended()

    # -- what it is ---------------------------------------------------------------------------------------------

    def _described(self) -> Deployment:
        """The deployment that has come up. Raises CannotTell for a Zep that is unfit."""
        variables = self._project.variables("zep")
        own = variables.get("ZEP_AUTH_SECRET") if wants_token(variables) else None
        secret = own or revealed(self.settings.zep_auth_secret)
        token = revealed(self.settings.zep_token) or (tokens.make_token(secret) if secret else None)
        zep = as_langflux_sees(seen_zep(self._urls()["zep"], token=token, secret=secret), self.settings)
        self._token = zep.token
        missing = {
            "network": "a port that Docker publishes can't be cut off without changing this machine's firewall",
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
            details=images_of(
                self._engine.containers(self.project_name), {name: part for part, name in self._services().items()}
            ),
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
            documented=self.settings.manner == "documented",
        ), {"ui": "the embedded LangFlux has no page"}


def _free_port(taken: set[str], at: str) -> int:
    """A port that nobody listens on. Of an engine elsewhere that can't be told: any."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if any(address.endswith(f":{port}") for address in taken):
            continue
        with socket.socket() as probe:
            try:
                probe.bind((at, port))
            except OSError:
                continue
        return port
