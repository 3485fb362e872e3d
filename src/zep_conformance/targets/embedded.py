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
from dataclasses import replace
from pathlib import Path
from typing import Any

from zep_conformance import tokens
from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings, names_in
from zep_conformance.targets.base import Control, Deployment, LangFluxServer, ZepServer
from zep_conformance.targets.remote import given_langflux, given_zep

STOP_LIMIT = 10.0
"""Seconds that the servers have for a clean stop."""
VERSIONS = {"zep": "0.27.2", "langflux": "2.2.8"}


class EmbeddedTarget:
    """Our own servers, each a process, under one supervisor."""

    name = "embedded"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._data = Path()
        self._supervisor: subprocess.Popen[str] | None = None
        self._secret = tokens.make_secret()
        self._api_key = secrets.token_urlsafe(24)

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
        names = [name for name in ("zep", "zep-secured", "langflux", "model", "nlp") if name not in given]
        configuration = {
            "names": names,
            "manner": settings.manner,
            "data": str(self._data),
            "departures": departures,
            "secrets": {"zep-secured": self._secret},
            "api_key": self._api_key,
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

    def deployment(self) -> Deployment:
        """Wait until every part answers. Raises CannotTell when one does not, with its last words."""
        urls = self._answer()
        documented = self._settings.manner == "documented"
        missing = {"ui": "the embedded LangFlux has no page", "files": "no deployment files given"}
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
            missing["control"] = "this Zep is not ours to stop"
            secured = replace(secured, part="zep-secured")
        deployed = bool(self._settings.zep_url or self._settings.langflux_url)
        return Deployment(self.name, zep, secured, self._secret, langflux, missing, deployed)

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

    def command(self, verb: str, part: str) -> None:
        """Have the supervisor do something to a part. Raises CannotTell with its answer when it could not."""
        self._tell([verb, part])
        self._answer()

    def _tell(self, message: object) -> None:
        assert self._supervisor is not None and self._supervisor.stdin is not None
        self._supervisor.stdin.write(json.dumps(message) + "\n")
        self._supervisor.stdin.flush()

    def _answer(self) -> Any:
        assert self._supervisor is not None and self._supervisor.stdout is not None
        answer = json.loads(self._supervisor.stdout.readline() or '{"error": "the servers ended"}')
        if "error" in answer:
            raise CannotTell(
                f"the embedded servers: {answer['error']}",
                "This is a fault of zep-conformance: please report it.",
            )
        return answer["ok"]


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

    def start(self, part: str) -> None:
        """Start a part that is not running; returns when it answers."""
        self._target.command("start", part)

    def stop(self, part: str) -> None:
        """Stop a part as an operator does (SIGTERM)."""
        self._target.command("stop", part)

    def kill(self, part: str) -> None:
        """End a part without warning (SIGKILL)."""
        self._target.command("kill", part)
