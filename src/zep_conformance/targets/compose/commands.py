"""Commands of Docker's: run to their end, or begun and watched; what they say when they fail, without secrets."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

POLITE = 5.0
"""Seconds between SIGTERM and SIGKILL for a command that is to end early."""
_NOT_OURS = ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME")
"""Variables that would have Compose look at another project than the one that was named."""


class Failed(Exception):
    """A command ended with an error; the text is what it wrote."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        super().__init__(output.strip())
        self.command, self.output = tuple(command), output


def environment_of(environment: Mapping[str, str]) -> dict[str, str]:
    """What Docker's commands are given: everything but what names another project, and no colours."""
    kept = {name: value for name, value in environment.items() if name not in _NOT_OURS}
    return {**kept, "NO_COLOR": "1", "DOCKER_CLI_HINTS": "false", "BUILDKIT_PROGRESS": "plain"}


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    given: str | None = None,
    limit: float | None = None,
) -> str:
    """Run a command. Returns its standard output. given: its standard input. limit: seconds. Raises Failed.

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
            timeout=limit,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise Failed(command, f"nothing in {limit:g} s") from None
    if done.returncode != 0:
        raise Failed(command, done.stderr + ("" if done.stderr.strip() else done.stdout))
    return done.stdout


class Running:
    """A command that has begun. `poll` says when it has ended; `output` is all that it has written so far."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, given: str) -> None:
        self._command = tuple(command)
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (`end` closes it)
        with tempfile.TemporaryFile() as standard_input:  # a pipe would have to be fed while we wait
            standard_input.write(given.encode())
            standard_input.seek(0)
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=standard_input,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """Everything that it has written so far."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def has_ended(self) -> bool:
        """Whether it has ended well. Raises Failed when it has ended with an error."""
        code = self._process.poll()
        if code:
            raise Failed(self._command, self.output)
        return code == 0

    def end(self) -> None:
        """End it, where it still runs, and all that it has started."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(POLITE)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()
        self._output.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
