"""The `processes` target put together: found, checked, started under a supervisor, looked at."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.errors import PartDied
from zep_conformance.facts.causes import cause_of, last_lines
from zep_conformance.mutation.asked import planted_in_servers
from zep_conformance.processes.programs import Program
from zep_conformance.settings import Settings, revealed
from zep_conformance.targets.base import AFTER, BEFORE, Deployment, Say, Upgrade, ZepServer
from zep_conformance.targets.langflux_access import access
from zep_conformance.targets.processes import langflux, postgres, surroundings, tokenizer, zep
from zep_conformance.targets.seen import (
    NO_MEANING,
    given_langflux,
    given_zep,
    missing_tokens,
    seen_zep,
    usable_langflux,
)
from zep_conformance.targets.supervised import SupervisedTarget
from zep_conformance.targets.upgrading import missing_upgrades

ZEPS = ("zep", "zep-secured")
"""The two Zeps: an open one, and one that demands tokens."""


class ProcessesTarget(SupervisedTarget):
    """Real programs on this machine. What is not given by URL, or as a program, is embedded."""

    name = "processes"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._details: dict[str, dict[str, str]] = {}
        self._has_to_install = False
        self._upgrades: dict[str, Upgrade] = {}
        self._other_langflux: langflux.LangFluxProgram | None = None

    def start(self) -> None:
        """Check everything that is needed, and launch the parts, unless LangFlux has to be installed first.

        Raises CannotTell with the first thing that is missing; nothing was started then.
        """
        settings = self.settings
        surroundings.check_room()
        found = None if settings.langflux_url else langflux.find(settings)
        self._has_to_install = found is None and not settings.langflux_url
        self._check_zep()
        if settings.to_langflux:
            self._other_langflux = langflux.find_other(settings.to_langflux)
        if not self._has_to_install:
            self._launch(found)

    def _check_zep(self) -> None:
        """Check a real Zep and what it needs, so that it is said before work starts. Raises CannotTell."""
        if self.settings.zep_binary is None:
            return
        zep.check(self.settings.zep_binary)
        if self.settings.to_zep:
            zep.check(Path(self.settings.to_zep), "--to-zep")
        if self.settings.postgres_dsn is not None:
            postgres.check_given(self.settings.postgres_dsn)
        else:
            postgres.find()
            postgres.check_user()
        tokenizer.folder()

    def _launch(self, found: langflux.LangFluxProgram | None) -> None:
        """Lay out the state and launch the supervisor. found: how LangFlux is started, None for one given by URL."""
        settings, state = self.settings, self._supervisor.make_folder()
        programs: list[Program] = []
        configuration: dict[str, Any] = {"shared": True}
        embedded = ["nlp", "model"]
        if found is not None:
            programs.append(langflux.program(found, state, self._versions_of_langflux(found)))
            self._details["langflux"] = {"program": found.program}
        if settings.zep_binary is None:
            embedded += ["postgres", *self._zeps()]
            self._details |= {name: {"program": "embedded"} for name in self._zeps()}
        else:
            real, borrowed = self._real_zeps(zep.check(settings.zep_binary), state)
            programs += real
            configuration["borrowed"] = borrowed
        configuration |= {
            "names": embedded,
            "programs": [program.as_json() for program in programs],
            **planted_in_servers(settings),
            "secrets": {"zep-secured": self._secret},
            "embedding_model": str(settings.embedding_model) if settings.embedding_model else None,
        }
        self._supervisor.launch(configuration)

    def _versions_of_langflux(self, found: langflux.LangFluxProgram) -> dict[str, langflux.LangFluxProgram]:
        """Return the LangFlux of before and after an upgrade; none without --to-langflux."""
        if self._other_langflux is None:
            return {}
        before = self.settings.langflux_version or found.program
        self._upgrades["langflux"] = Upgrade(before=before, after=str(self.settings.to_langflux))
        return {BEFORE: found, AFTER: self._other_langflux}

    def _versions_of_zep(self, binary: Path) -> dict[str, Path]:
        """Return the Zep of before and after an upgrade; none without --to-zep."""
        if self.settings.to_zep is None:
            return {}
        other = zep.check(Path(self.settings.to_zep), "--to-zep")
        self._upgrades["zep"] = Upgrade(before=binary.name, after=other.name)
        return {BEFORE: binary, AFTER: other}

    def _zeps(self) -> tuple[str, ...]:
        """Return the Zeps that are started: an open one only where none is given."""
        return ZEPS[1:] if self.settings.zep_url else ZEPS

    def _real_zeps(self, binary: Path, state: Path) -> tuple[list[Program], dict[str, Any] | None]:
        """Real Zeps with what they store in; and which databases to borrow in a PostgreSQL that is given."""
        programs: list[Program] = []
        borrowed, given = None, self.settings.postgres_dsn
        if given is None:
            server = postgres.find()
            names = {name: name.replace("-", "_") for name in self._zeps()}
            program, by_database = postgres.program(server, state, names.values())
            programs.append(program)
            self._details["postgres"] = {"program": str(server.folder / "postgres"), "version": server.version}
        else:
            dsn = postgres.check_given(given)
            prefix = f"zep_conformance_{secrets.token_hex(4)}"
            names = {name: f"{prefix}_{name.replace('-', '_')}" for name in self._zeps()}
            by_database = {name: postgres.with_database(dsn, name) for name in names.values()}
            borrowed = {"dsn": dsn, "names": list(names.values())}
        for name, database in names.items():
            programs.append(
                zep.program(
                    name,
                    binary,
                    state,
                    dsn=by_database[database],
                    secret=self._secret if name == "zep-secured" else None,
                    window=self.settings.message_window,
                    tokenizer=tokenizer.folder(),
                    after=("postgres",) if given is None else (),
                    versions=self._versions_of_zep(binary),
                )
            )
            self._details[name] = {"program": str(binary)}
        return programs, borrowed

    def deployment(self, say: Say) -> Deployment:
        """Wait until every part answers. Raises CannotTell when one does not, with its last words."""
        if self._has_to_install:
            self._launch(langflux.install(self.settings, say))

        def on_phase(part: str, phase: str, began: float, ended: float) -> None:
            self.timeline.add(part, phase, began=began, ended=ended)
            if phase == "start":
                say(f"{part} is ready after {ended - began:.1f} s")

        try:
            self._urls = self._supervisor.await_parts(on_phase)
        except PartDied as error:
            known = cause_of(f"{error.how}\n{error.log}", "part")
            what = f"{error.part} {error.how}; its log ends:\n{last_lines(error.log)}"
            advice, code = "Run it by hand to see more; docs/processes.md says with what settings.", "part-died"
            if known:
                advice, code = known.advice, known.code
            raise PartDied(part=error.part, how=error.how, log=error.log, what=what, advice=advice, code=code) from None
        return self._described()

    def _described(self) -> Deployment:
        settings, urls = self.settings, self._urls
        missing = {
            **missing_files(settings, own=False),
            **missing_upgrades(settings, self._upgrades),
            "elsewhere": "its Zep is at this machine's own loopback address",
        }
        if sys.platform != "linux":
            missing["network"] = "only Linux drops what is sent to a port that nobody serves"
        if settings.postgres_dsn is not None:
            missing["control"] = "this PostgreSQL is not ours to stop"
        if settings.zep_url is not None:
            missing["control"] = missing["network"] = "this Zep is not ours to stop"
            missing["zep-upgrade"] = "this Zep is not ours to start as another version"
        open_zep = given_zep(settings) or self._seen("zep")
        secured, secret = open_zep, revealed(settings.zep_auth_secret)
        if settings.zep_url is not None:
            missing |= missing_tokens(open_zep, secret)
        else:
            secured, secret = self._seen("zep-secured"), self._secret
        if settings.embedding_model is None and (settings.zep_url is None or open_zep.embedded):
            missing["meaning"] = NO_MEANING
        model_url = settings.model_url or f"{urls['model']}/v1"
        zep_url = open_zep.url_from_langflux
        if settings.langflux_url:
            found, lacking = given_langflux(settings, model_url=model_url, zep_url=zep_url)
        else:
            url = urls["langflux"]
            found, lacking = usable_langflux(
                settings, url=url, model_url=model_url, zep_url=zep_url, access=access(url)
            )
        return Deployment(
            target=self.title,
            zep=open_zep,
            secured=None if "auth" in missing else secured,
            secret=secret,
            langflux=found,
            missing=missing | lacking,
            details=self._details,
            ruled_out=zep.RULED_OUT if settings.zep_binary else {},
            own=settings.zep_url is None,
            upgrades=self._upgrades,
        )

    def _seen(self, part: str) -> ZepServer:
        """Return a Zep that was started here, as it says that it is."""
        secret = self._secret if part == "zep-secured" else None
        return seen_zep(self._urls[part], token=self.token_of(part), secret=secret, part=part)

    def handover(self) -> dict[str, Any]:
        """Return where the supervisor listens, the parts' URLs and the secret."""
        return {"folder": str(self._supervisor.folder), "urls": self._urls, "secret": self._secret}

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Command the supervisor that another process of this run has launched."""
        self._urls, self._secret = dict(handed["urls"]), handed["secret"]
        self._supervisor.attach(Path(handed["folder"]))
