"""Docker Compose in both of its spellings: `docker compose` (v2, a plugin) and `docker-compose` (1.29, or v2 alone).

Its commands are run to their end, or begun and watched.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from zep_conformance.errors import CannotTell
from zep_conformance.processes.ending import signal_group

POLITE = 5.0
"""Seconds between SIGTERM and SIGKILL for a command that is to end early."""
SPELLINGS = (("docker", "compose"), ("docker-compose",))
_NOT_OURS = ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME")
"""Variables that would have Compose look at another project than the one that was named."""


class CommandFailed(Exception):
    """A command ended with an error; the text is what it wrote."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        super().__init__(output.strip())
        self.command = tuple(command)


def environment_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what Compose is given: everything but what names another project, and no colours."""
    kept = {name: value for name, value in environment.items() if name not in _NOT_OURS}
    return {**kept, "NO_COLOR": "1", "DOCKER_CLI_HINTS": "false", "BUILDKIT_PROGRESS": "plain"}


def run(
    command: Sequence[str], environment: Mapping[str, str], *, folder: Path | None = None, given: str | None = None
) -> str:
    """Run a command. Returns its standard output. given: its standard input. Raises CommandFailed.

    Its process is in a session of its own: Ctrl-C in a terminal reaches only us, and we decide.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(environment),
            input=given or "",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            start_new_session=True,
        )
    except OSError as error:
        raise _not_run(command, error) from None
    if done.returncode != 0:
        raise CommandFailed(command, done.stderr + ("" if done.stderr.strip() else done.stdout))
    return done.stdout


def _not_run(command: Sequence[str], error: OSError) -> CommandFailed:
    """Return that a command can't even be begun, as if it had said so itself."""
    return CommandFailed(command, f"{error.filename or command[0]}: {error.strerror}")


class RunningCommand:
    """A command that has begun. `has_ended` says when it has; `output` is all that it has written so far.

    Raises CommandFailed when it can't be begun.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, given: str) -> None:
        self._command = tuple(command)
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (`end` closes it)
        with tempfile.TemporaryFile() as standard_input:  # a pipe would have to be fed while we wait
            standard_input.write(given.encode())
            standard_input.seek(0)
            try:
                self._process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=dict(environment),
                    stdin=standard_input,
                    stdout=self._output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                self._output.close()
                raise _not_run(command, error) from None

    @property
    def output(self) -> str:
        """Everything that it has written so far."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def has_ended(self) -> bool:
        """Tell whether it has ended well. Raises CommandFailed when it has ended with an error."""
        code = self._process.poll()
        if code:
            raise CommandFailed(self._command, self.output)
        return code == 0

    def end(self) -> None:
        """End it, where it still runs, and all that it has started."""
        if self._process.poll() is None:
            signal_group(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(POLITE)
            except subprocess.TimeoutExpired:
                signal_group(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._output.close()


@dataclass(frozen=True)
class Compose:
    """One that is installed. words: how it is called. version: as it says."""

    words: tuple[str, ...]
    version: str
    environment: Mapping[str, str]

    @classmethod
    def found(cls, environment: Mapping[str, str]) -> Compose:
        """Return the newer one of those that are installed. Raises CannotTell when none is."""
        for words in SPELLINGS:
            if shutil.which(words[0], path=environment.get("PATH")) is None:
                continue
            try:
                version = run([*words, "version", "--short"], environment).strip()
            except CommandFailed:
                continue
            return cls(words=words, version=version, environment=environment)
        what = "there is no Docker Compose: neither `docker compose` nor `docker-compose` is installed"
        advice = "Install the plugin, which Docker's packages call docker-compose-plugin."
        raise CannotTell(what, advice, code="compose-missing")

    @property
    def called(self) -> str:
        """How people know it: `docker compose 2.40.3`."""
        return f"{' '.join(self.words)} {self.version}"

    def config(self, folder: Path, *options: str) -> str:
        """Return the project in `folder` as Compose understands it, in YAML. Raises CommandFailed."""
        return run([*self.words, *options, "config"], self.environment, folder=folder)

    def run(self, project: str, folder: Path, config: Mapping[str, Any], *arguments: str) -> str:
        """Do something to a project that is described by `config` and by no file. Raises CommandFailed."""
        return run(self.command(project, folder, *arguments), self.environment, given=written(config))

    def command(self, project: str, folder: Path, *arguments: str) -> list[str]:
        """Return the command that does something to a project; it reads what is `written` from its standard input."""
        return [*self.words, "--file", "-", "--project-name", project, "--project-directory", str(folder), *arguments]


def written(config: Mapping[str, Any]) -> str:
    """Return a project as Compose reads it: as JSON, and through a pipe, since it holds what the .env holds."""
    return json.dumps(config, ensure_ascii=False)
