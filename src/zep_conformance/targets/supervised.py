"""Parts under a supervisor: a process that starts, commands and ends them, and outlives nobody it works for."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from zep_conformance.clients import tokens
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import REPORT_IT, CannotTell, PartDied
from zep_conformance.processes import launching
from zep_conformance.settings import Settings, revealed
from zep_conformance.targets.base import Control, Target

STOP_LIMIT = 20.0
"""Seconds that the supervisor has to end everything."""
CONNECT_LIMIT = 0.3
"""Seconds for a connection on this machine, which the system makes at once, however busy the part is. What is dropped
is sent again after a second: that must not get through."""


class Supervisor(Control):
    """The supervisor as its target knows it. It is also the target's `control`.

    folder: the state of the parts, removed by the supervisor when it ends.
    """

    def __init__(self) -> None:
        self.folder = Path()
        self._launched: launching.Launched | None = None
        self._connection: socket.socket | None = None
        self._to: IO[str] | None = None
        self._from: IO[str] | None = None
        self._commands = itertools.count(1)

    def make_folder(self) -> Path:
        """Make the temporary folder for the state. Raises CannotTell where that can't be."""
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="zep-conformance-"))
        except OSError as error:
            what = f"can't make a temporary folder: {error.strerror}"
            advice = "Make room, or name another folder in $TMPDIR."
            raise CannotTell(what, advice, code="file-unwritable") from None
        return self.folder

    def launch(self, configuration: Mapping[str, Any]) -> None:
        """Launch it and tell it what to start, see `processes.supervisor`; does not wait."""
        self._launched = launching.launch()
        self._to, self._from = self._launched.to, self._launched.answers
        self._tell({**configuration, "data": str(self.folder)})

    def attach(self, folder: Path) -> None:
        """Command the supervisor that another process of this run has launched."""
        from zep_conformance.processes.commands import address

        self.folder = folder
        self._connection = socket.socket(socket.AF_UNIX)
        where, handle = address(folder)
        try:
            self._connection.connect(where)
        finally:
            os.close(handle)
        self._to, self._from = self._connection.makefile("w"), self._connection.makefile("r")

    def await_parts(self, on_phase: Callable[[str, str, float, float], None]) -> dict[str, str]:
        """Wait until every part answers; returns their URLs.

        on_phase: told of each phase of a program's start, with its beginning and end by time.monotonic().
        Raises PartDied, or CannotTell with another reason.
        """
        answer = self._read()
        while "phase" in answer:
            on_phase(*answer["phase"])
            answer = self._read()
        urls: dict[str, str] = _well(answer)["ok"]
        return urls

    def log(self, part: str, since: float | None = None) -> str:
        """Return what a part has written so far. since: bytes to leave out, see `mark`."""
        try:
            with (self.folder / f"{part}.log").open("rb") as file:
                file.seek(int(since or 0))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def mark(self, part: str) -> float:
        """Return how many bytes a part has written so far."""
        try:
            return (self.folder / f"{part}.log").stat().st_size
        except OSError:
            return 0

    def ended(self) -> dict[str, str]:
        """Return the parts that ended by themselves, and how."""
        try:
            found: dict[str, str] = self._ask("ended")["ok"]
        except (CannotTell, OSError):
            return {"the supervisor of all parts": "ended"}
        return found

    def close(self) -> None:
        """End everything, where this process launched it; returns when that is done and the state is removed."""
        if self._connection is not None:
            self._connection.close()
        if self._launched is not None:
            self._launched.close(STOP_LIMIT)
            self._launched = None
        if self._connection is None and self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, part: str, changed: Mapping[str, str] | None = None) -> None:
        """Start a part that is not running; returns when it answers."""
        self._ask("start", part, dict(changed or {}))

    def start_as(self, part: str, version: str) -> None:
        """Start a part that is not running as another version, on what it has stored."""
        self._ask("start_as", part, version)

    def stop(self, part: str) -> None:
        """Stop a part as an operator does (SIGTERM, or what it takes for that)."""
        self._ask("stop", part)

    def kill(self, part: str) -> None:
        """End a part without warning (SIGKILL)."""
        self._ask("kill", part)

    def pause(self, part: str) -> None:
        """Stop a part's clock (SIGSTOP)."""
        self._ask("pause", part)

    def resume(self, part: str) -> None:
        """Let a paused part go on (SIGCONT)."""
        self._ask("resume", part)

    def cut_off(self, part: str) -> None:
        """Drop what is sent to a part."""
        self._ask("cut_off", part)

    def reconnect(self, part: str) -> None:
        """Let through again what is sent to a part."""
        self._ask("reconnect", part)

    def _ask(self, *command: object) -> dict[str, Any]:
        """Return the answer to a command. An earlier one, whose wait was interrupted, is passed over."""
        number = next(self._commands)
        self._tell([number, command])
        answer = self._read()
        while answer.get("to", number) != number:
            answer = self._read()
        return _well(answer)

    def _tell(self, message: object) -> None:
        assert self._to is not None, "the supervisor was launched"
        self._to.write(json.dumps(message) + "\n")
        self._to.flush()

    def _read(self) -> dict[str, Any]:
        assert self._from is not None, "the supervisor was launched"
        answer: dict[str, Any] = json.loads(self._from.readline() or '{"error": "the supervisor ended"}')
        return answer


def _well(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer. Raises PartDied, or CannotTell, where it says that something went wrong."""
    if "log" in answer:
        raise PartDied(
            part=answer["part"], how=answer["how"], log=answer["log"], what=answer["error"], advice=REPORT_IT
        )
    if "error" in answer:
        what, advice = f"the parts on this machine: {answer['error']}", answer.get("advice") or REPORT_IT
        raise CannotTell(what, advice, code=answer.get("code") or "harness-broken")
    return answer


class SupervisedTarget(Target):
    """What the targets whose parts are processes of this machine have in common."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._supervisor = Supervisor()
        self._secret = tokens.make_secret()
        self._urls: dict[str, str] = {}

    @property
    def control(self) -> Supervisor:
        """Control over the parts."""
        return self._supervisor

    def token_of(self, part: str) -> str | None:
        """Return a new token for the secured Zep, None for any other part."""
        return tokens.make_token(self._secret) if part == "zep-secured" else None

    def diagnose(self, part: str) -> list[Finding]:
        """Return what the doctor finds from here, there being no other host."""
        given = self.settings.zep_url if part == "zep" else None
        token = revealed(self.settings.zep_token) if given else self.token_of(part)
        return diagnose(given or self._urls[part], token, connect_limit=CONNECT_LIMIT)

    def ended(self) -> Mapping[str, str]:
        """Return the parts that ended by themselves, and how."""
        return self._supervisor.ended()

    def log(self, part: str, since: float | None = None) -> str:
        """Return what a part has written so far. since: a `mark` to begin at."""
        return self._supervisor.log(part, since)

    def mark(self, part: str) -> float:
        """Return where a part's log is now."""
        return self._supervisor.mark(part)

    def stop(self) -> None:
        """Stop the parts and remove their state."""
        self._supervisor.close()
