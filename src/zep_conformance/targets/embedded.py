"""The `embedded` target: Zep, LangFlux, model and NLP servers of our own, for trying and testing the suite.

A run against it says nothing about anybody's deployment. Parts given by URL are used instead of embedded ones.
"""

from __future__ import annotations

import difflib
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zep_conformance import tokens
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import CannotTell
from zep_conformance.evidence.timeline import Timeline
from zep_conformance.settings import Settings, names_in
from zep_conformance.targets.base import Control, Deployment, LangFluxServer, Say, ZepServer
from zep_conformance.targets.remote import NO_MEANING, given_langflux, given_zep

STOP_LIMIT = 10.0
"""Seconds that the servers have for a clean stop."""
CONNECT_LIMIT = 0.7
"""Seconds for a connection on this machine. What is dropped is sent again after a second: that must not get through."""
PARTS = ("postgres", "nlp", "model", "zep", "zep-secured", "langflux")
VERSIONS = {"zep": "0.27.2", "langflux": "2.2.8"}


class EmbeddedTarget:
    """Our own servers, each a process, under one supervisor."""

    name = "embedded"
    shared = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._data = Path()
        self._supervisor: subprocess.Popen[str] | None = None
        self._secret = tokens.make_secret()
        self._api_key = secrets.token_urlsafe(24)
        self._timeline = Timeline()
        self._urls: dict[str, str] = {}

    @property
    def control(self) -> Control | None:
        """Control over the embedded parts."""
        return _Commands(self)

    def start(self) -> None:
        """Launch the supervisor and tell it what to start."""
        settings = self._settings
        departures = _departures(settings.departures)
        self._data = Path(tempfile.mkdtemp(prefix="zep-conformance-"))
        given = {
            name: url
            for name, url in (("zep", settings.zep_url), ("langflux", settings.langflux_url))
            if url is not None
        }
        names = [name for name in PARTS if name not in given]
        configuration = {
            "names": names,
            "manner": settings.manner,
            "data": str(self._data),
            "departures": departures,
            "secrets": {"zep-secured": self._secret},
            "api_key": self._api_key,
            "embedding_model": str(settings.embedding_model) if settings.embedding_model else None,
        }
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "zep_conformance.servers.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C and a killed process group must not reach it: it stops when we close its input or end.
            start_new_session=True,
        )
        self._tell(configuration)

    def deployment(self, say: Say) -> Deployment:  # noqa: ARG002  (it takes half a second)
        """Wait until every part answers. Raises CannotTell when one does not, with its last words."""
        with self._timeline.phase("all", "start"):
            urls = self._urls = self._answer()["ok"]
        documented = self._settings.manner == "documented"
        missing = {"ui": "the embedded LangFlux has no page", "files": "no deployment files given"}
        if self._settings.embedding_model is None and not self._settings.zep_url:
            missing["meaning"] = NO_MEANING
        if sys.platform != "linux":
            missing["network"] = "only Linux drops what is sent to a port that nobody serves"
        zep = given_zep(self._settings) or ZepServer(urls["zep"], urls["zep"], None, VERSIONS["zep"], documented, "zep")
        secured = ZepServer(
            urls["zep-secured"],
            urls["zep-secured"],
            tokens.make_token(self._secret),
            VERSIONS["zep"],
            documented,
            "zep-secured",
        )
        model = f"{urls['model']}/v1"
        if self._settings.langflux_url:
            settings = self._settings.model_copy(
                update={"model_url": self._settings.model_url or model, "zep_url": zep.url}
            )
            langflux = given_langflux(settings, missing)
        else:
            langflux = LangFluxServer(
                urls["langflux"], self._api_key, model, zep.url_from_langflux, "", VERSIONS["langflux"], documented
            )
        if self._settings.zep_url:
            missing["control"] = missing["network"] = "this Zep is not ours to stop"
            secured = replace(secured, part="zep-secured")
        deployed = bool(self._settings.zep_url or self._settings.langflux_url)
        return Deployment(self.name, zep, secured, self._secret, langflux, missing, deployed)

    def handover(self) -> dict[str, Any]:
        """Nothing: each worker has servers of its own."""
        return {}

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Nothing: each worker has servers of its own."""

    def timeline(self) -> Timeline:
        """How long the servers took to come up, all together: they are forked from one process."""
        return self._timeline

    def look(self, part: str) -> list[Finding]:
        """What the doctor finds; it looks from here, there being no other host."""
        token = tokens.make_token(self._secret) if part == "zep-secured" else None
        return diagnose(self._urls[part], token, connect_limit=CONNECT_LIMIT)

    def log(self, part: str) -> str:
        """What a part has written so far."""
        path = self._data / f"{part}.log"
        return path.read_text(errors="replace") if path.is_file() else ""

    def stop(self) -> None:
        """Stop the servers and remove their data."""
        if self._supervisor is None:
            return
        try:
            self._supervisor.communicate(timeout=STOP_LIMIT)  # closes its input, which is how it is told
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.communicate()
        self._supervisor = None
        shutil.rmtree(self._data, ignore_errors=True)

    def command(self, verb: str, part: str, *further: object) -> None:
        """Have the supervisor do something to a part. Raises CannotTell with its answer when it could not."""
        self._tell([verb, part, *further])
        self._answer()

    def attempt(self, part: str, changed: Mapping[str, str]) -> str | None:
        """Have the supervisor start a part. Returns what it wrote when it ended by itself."""
        self._tell(["start", part, dict(changed)])
        log: str | None = self._answer(or_log=True).get("log")
        return log

    def _tell(self, message: object) -> None:
        assert self._supervisor is not None and self._supervisor.stdin is not None
        self._supervisor.stdin.write(json.dumps(message) + "\n")
        self._supervisor.stdin.flush()

    def _answer(self, *, or_log: bool = False) -> dict[str, Any]:
        assert self._supervisor is not None and self._supervisor.stdout is not None
        answer: dict[str, Any] = json.loads(self._supervisor.stdout.readline() or '{"error": "the servers ended"}')
        if "error" in answer and not (or_log and "log" in answer):
            raise CannotTell(
                f"the embedded servers: {answer['error']}",
                "This is a fault of zep-conformance: please report it.",
            )
        return answer


def _departures(text: str) -> dict[str, list[str]]:
    """The departures that `--departures` names, by part. Raises CannotTell for one that there is not."""
    from zep_conformance.servers.langflux.departures import CATALOGUE as LANGFLUX
    from zep_conformance.servers.zep.departures import CATALOGUE as ZEP

    known = [f"{departure.part}:{departure.name}" for departure in (*ZEP, *LANGFLUX)]
    found: dict[str, list[str]] = {}
    for departure in names_in(text):
        if departure not in known:
            close = difflib.get_close_matches(departure, known, n=3)
            raise CannotTell(
                f"--departures: there is no {departure!r}",
                f"Did you mean {' or '.join(close)}?" if close else "docs/departures.md lists them, as part:name.",
            )
        part, _, name = departure.partition(":")
        found.setdefault(part, []).append(name)
    return found


class _Commands:
    """Control over embedded parts."""

    def __init__(self, target: EmbeddedTarget) -> None:
        self._target = target

    def start(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running; returns when it answers. changed: Zep's variables that differ."""
        self._target.command("start", part, dict(changed or {}))

    def attempt(self, part: str, changed: Mapping[str, str]) -> str | None:
        """Try to start a part that is not running. Returns what it wrote when it ended, None if it came up."""
        return self._target.attempt(part, changed)

    def stop(self, part: str) -> None:
        """Stop a part as an operator does (SIGTERM)."""
        self._target.command("stop", part)

    def kill(self, part: str) -> None:
        """End a part without warning (SIGKILL)."""
        self._target.command("kill", part)

    def pause(self, part: str) -> None:
        """Stop a part's clock (SIGSTOP)."""
        self._target.command("pause", part)

    def resume(self, part: str) -> None:
        """Let a paused part go on (SIGCONT)."""
        self._target.command("resume", part)

    def cut_off(self, part: str) -> None:
        """Drop what is sent to a part."""
        self._target.command("cut_off", part)

    def reconnect(self, part: str) -> None:
        """Let through again what is sent to a part."""
        self._target.command("reconnect", part)
