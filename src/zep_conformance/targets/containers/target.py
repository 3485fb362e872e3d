"""The `containers` target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from pydantic import TypeAdapter
from testcontainers.core.container import DockerContainer

from zep_conformance.clients import tokens
from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.doctor.address import parse
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import CannotTell
from zep_conformance.facts.causes import last_lines
from zep_conformance.settings import Settings, revealed
from zep_conformance.targets.base import Control, Deployment, LangFluxServer, Say, Target, Upgrade, ZepServer
from zep_conformance.targets.containers.configs import config_changes
from zep_conformance.targets.containers.control import PartsControl
from zep_conformance.targets.containers.parts import Parts
from zep_conformance.targets.containers.plan import SECURED, Spec
from zep_conformance.targets.containers.startup import Startup, Up
from zep_conformance.targets.docker.engine import CALL_LIMIT, connect, without_ryuk
from zep_conformance.targets.langflux_access import access
from zep_conformance.targets.seen import (
    NO_MEANING,
    given_langflux,
    given_zep,
    missing_page,
    missing_tokens,
    seen_langflux,
    seen_zep,
)
from zep_conformance.targets.upgrading import missing_upgrades


class ContainersTarget(Target):
    """Each part a container; one set of them for all workers of pytest-xdist."""

    name = "containers"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._startup: Startup | None = None
        self._parts: Parts | None = None
        self._control: PartsControl | None = None
        self._token = ""
        self._say: Say = lambda _: None

    @property
    def control(self) -> Control | None:
        """Control over the containers."""
        return self._control

    def start(self) -> None:
        """Begin to pull and to start."""
        self._startup = Startup(self.settings, self.timeline)
        self._startup.begin()

    def deployment(self, say: Say) -> Deployment:
        """Wait until every part answers. Raises CannotTell when one does not, with its last words."""
        assert self._startup is not None
        up = self._startup.wait(say)
        self._parts, self._control, self._say = up.parts, PartsControl(up.parts), say
        for part, one in up.pinned.items():
            say(f"{part:12}{one.name}  {one.digest[:19]}")
        self._token = tokens.make_token(up.secrets.zep)
        return self._described(up)

    def _described(self, up: Up) -> Deployment:
        """Return the deployment, each part looked at once."""
        settings, parts = self.settings, up.parts
        missing = missing_files(settings, own=False)
        upgrades = {
            part: Upgrade(before=up.pinned[part].name, after=one.name)
            for part, one in up.upgrades.items()
            if part in up.pinned
        }
        missing |= missing_upgrades(settings, upgrades)
        if "zep" in upgrades:
            for line in config_changes(parts.engine, upgrades["zep"]):
                self._say(f"changes with the upgrade: {line}")
        zep = given_zep(settings)
        if zep is None:
            zep = _seen(parts, "zep", None, None)
        else:
            missing["control"] = missing["network"] = "this Zep is not ours to stop"
            if (address := parse(zep.url)) and address.is_loopback:
                missing["elsewhere"] = "its Zep is at this machine's own loopback address"
        if zep.embedded:
            missing["meaning"] = NO_MEANING
        secured, secret = zep, revealed(settings.zep_auth_secret)
        if settings.zep_url:
            missing |= missing_tokens(zep, secret)
        else:
            secured, secret = _seen(parts, SECURED, self._token, up.secrets.zep), up.secrets.zep
        langflux: LangFluxServer | None
        if settings.langflux_url:
            langflux, lacking = given_langflux(
                settings,
                model_url=settings.model_url or f"{parts.url('model')}/v1",
                zep_url=settings.zep_url_from_langflux or zep.url,
            )
        else:
            model = settings.model_url or f"{parts.specs['model'].inside}/v1"
            langflux = _langflux(up, model, _from_a_container(settings, zep))
            lacking = missing_page(langflux, settings)
        return Deployment(
            target=self.title,
            zep=zep,
            secured=None if "auth" in missing else secured,
            secret=secret,
            langflux=langflux,
            missing=missing | lacking,
            deployed=not (zep.embedded and langflux is not None and langflux.documented),
            details={part: {"image": one.name, "digest": one.digest} for part, one in up.pinned.items()},
            own=settings.zep_url is None and not settings.keep,
            upgrades=upgrades,
        )

    def handover(self) -> dict[str, Any]:
        """Return where the containers are, for another process of this run."""
        assert self._parts is not None
        return {
            "run": self._parts.run,
            "labels": self._parts.labels,
            "specs": {part: asdict(spec) for part, spec in self._parts.specs.items()},
            "token": self._token,
        }

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Use the containers that another process of this run has started."""
        without_ryuk(kept=True)  # whatever there is to be removed, the process that started it removes
        specs = TypeAdapter(dict[str, Spec]).validate_python(handed["specs"])
        self._parts = Parts(connect(), run=handed["run"], labels=handed["labels"], specs=specs)
        self._control = PartsControl(self._parts)
        self._token = handed["token"]

    def diagnose(self, part: str) -> list[Finding]:
        """Return what the doctor finds, run in the model server's container: another host than Zep's."""
        assert self._parts is not None
        given = self.settings.zep_url if part == "zep" else None
        token = self._token if part == SECURED else revealed(self.settings.zep_token) if given else None
        url = given or self._parts.specs[part].inside
        with self._standing_in(part):
            found = self._parts.current("model").exec_run(
                ["zep-conformance", "doctor", "--json", "--zep-url", url],
                environment={"ZEP_TOKEN": token} if token else {},
                demux=True,
            )
        streams: Any = found.output  # with `demux` both of them
        output, errors = ((one or b"").decode(errors="replace") for one in streams)
        try:
            return [Finding(**one) for one in json.loads(output)["findings"]]
        except (ValueError, KeyError, TypeError):
            what = f"the doctor in the model server's container gives no findings: {(errors or output)[-300:]}"
            advice = "Give a --model-image of this version of zep-conformance."
            raise CannotTell(what, advice, code="model-image-wrong") from None

    @contextmanager
    def _standing_in(self, part: str) -> Iterator[None]:
        """Where a part's container does not run, its name stands for a host on which nobody listens.

        A stopped container is no host any more, not even by name; a stopped server's host still is one.
        """
        parts = self._parts
        assert parts is not None
        if part not in parts.specs or parts.current(part).status in ("running", "paused"):
            yield
            return
        image = parts.specs["model"].image
        host = DockerContainer(image, {"timeout": CALL_LIMIT}, name=f"{parts.name(part)}-host")
        host.image = image
        host.with_network(parts.joined()).with_network_aliases(parts.specs[part].alias)
        host.with_kwargs(entrypoint=["python3", "-c", "import signal; signal.pause()"], labels=parts.labels)
        with parts.gate.passing():
            host.start()
        try:
            yield
        finally:
            host.stop()

    def ended(self) -> Mapping[str, str]:
        """Return the parts that ended though nobody had asked them to, and how."""
        return self._control.ended() if self._control is not None else {}

    def log(self, part: str, since: float | None = None) -> str:
        """Return what a part has written so far. since: a `mark` to begin at."""
        return self._parts.log(part, since) if self._parts is not None and part in self._parts.specs else ""

    def stop(self) -> None:
        """Remove the containers, their network and their volumes, unless they are kept."""
        if self._startup is not None:
            self._startup.end()


def _seen(parts: Parts, part: str, token: str | None, secret: str | None) -> ZepServer:
    """Return a Zep of ours, looked at once."""
    with _quoting(parts, part):
        seen = seen_zep(parts.url(part), token=token, secret=secret, part=part)
    return replace(seen, url_from_langflux=parts.specs[part].inside)


def _langflux(up: Up, model_url: str, zep_url: str) -> LangFluxServer:
    """Return a LangFlux of ours, looked at once."""
    url = up.parts.url("langflux")
    with _quoting(up.parts, "langflux"):
        api_key, account = access(url, secret=up.secrets.postgres)
        return seen_langflux(
            LangFluxServer(url=url, api_key=api_key, account=account, model_url=model_url, zep_url=zep_url)
        )


@contextmanager
def _quoting(parts: Parts, part: str) -> Iterator[None]:
    """Add how the part's log ends to what is found unfit inside: it answers, but not as it should."""
    try:
        yield
    except CannotTell as error:
        raise CannotTell(
            f"{error.what}; its log ends:\n{last_lines(parts.log(part))}", error.advice, code=error.code
        ) from None


def _from_a_container(settings: Settings, zep: ZepServer) -> str:
    """Zep's URL as the LangFlux in a container sees it. Raises CannotTell for one that means the container itself."""
    url = zep.url_from_langflux
    address = parse(url)
    if settings.zep_url and address is not None and address.is_loopback:
        raise CannotTell(
            f"LangFlux runs in a container, and {url} is that container itself there",
            "Give --zep-url-from-langflux: http://host.docker.internal:PORT, with a Zep that does not listen on "
            "127.0.0.1 alone.",
            code="view-loopback",
        )
    return url
