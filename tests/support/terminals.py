"""A terminal that a command runs in: what it shows when the command is over, and what it was sent."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLOUR = re.compile(r"\x1b\[[\d;]*m")
_SEQUENCE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])")


@dataclass(frozen=True)
class Shown:
    """What a terminal was sent, as it came, and the exit code of the command."""

    code: int
    sent: str

    @property
    def screen(self) -> list[str]:
        """The lines that are there at the end, without colours."""
        lines: list[str] = []
        for line in COLOUR.sub("", self.sent).replace("\r\n", "\n").split("\n"):
            cells: list[str] = []
            at = 0
            while line:
                found = _SEQUENCE.match(line)
                if found:
                    assert found[0] == "\x1b[K", f"this terminal knows no {found[0]!r}"
                    del cells[at:]
                elif line[0] == "\r":
                    at = 0
                else:
                    cells[at : at + 1] = [line[0]]
                    at += 1
                line = line[len(found[0]) if found else 1 :]
            lines.append("".join(cells))
        return lines

    @property
    def rewritten(self) -> list[str]:
        """The lines that were shown and taken away again."""
        return [one for one in re.findall(r"\r\x1b\[K([^\r\n\x1b]+)", self.sent) if one]


def run_in_terminal(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], *, columns: int = 80, until: str = ""
) -> Shown:
    """Run a command in a terminal. until: when it has shown this, somebody presses Ctrl-C. It has 180 s."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def take() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take
    )
    os.close(theirs)
    sent, is_pressed = b"", False
    with contextlib.suppress(OSError):  # how the end of a terminal shows
        while select.select([ours], [], [], 180)[0] and (piece := os.read(ours, 65536)):
            sent += piece
            if until and not is_pressed and until in sent.decode(errors="replace"):
                is_pressed = True
                os.write(ours, b"\x03")
    os.close(ours)
    return Shown(process.wait(170), sent.decode(errors="replace"))
