"""Runs the parts of a target for another process, which commands them line by line.

`python -m zep_conformance.processes.supervisor` reads JSON lines: first what to start (the arguments of
`parts.parts_for`, and `programs`), then commands, each with a number: ``[1, ["kill", "zep"]]``, or ``[2, ["ended"]]``,
which asks what ended by itself. It answers each with one JSON line, ``{"ok": …}``
or ``{"error": …}``, with ``"log"`` where a part did not start; while it starts programs, ``{"phase": …}`` lines come
before the answer. With `"shared": true` other processes may command too, by way of a socket in its data.

When its input ends, for whatever reason, it stops everything and removes its data.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell, DatabaseRefused, PartDied
from zep_conformance.processes.commands import Abandoned, Askers
from zep_conformance.processes.ending import adopt_orphans, end_descendants
from zep_conformance.processes.fleet import Fleet, Program
from zep_conformance.processes.parts import parts_for
from zep_conformance.processes.readiness import DatabaseReady, drop_databases

COMMANDS = ("start", "start_as", "stop", "kill", "pause", "resume", "cut_off", "reconnect")


def _answer(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)  # noqa: T201  (this is the protocol)


def _ended(*_: object) -> None:
    raise Abandoned


def main() -> None:
    """Serve one other process until it closes our input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process decides when to stop
    signal.signal(signal.SIGTERM, _ended)
    adopt_orphans()
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as first:  # what comes after is for `Askers`
        configuration = json.loads(first.readline() or "null")
    if configuration is None:
        return
    data = Path(configuration["data"])
    try:
        _supervise(configuration, data)
    except Abandoned:
        pass
    except (CannotTell, KeyError) as error:
        _answer(**_as_answer(error))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_descendants()
        shutil.rmtree(data, ignore_errors=True)


def _supervise(configuration: dict[str, Any], data: Path) -> None:
    programs = [Program.from_json(one) for one in configuration.pop("programs", [])]
    askers = Askers(data if configuration.pop("shared", False) else None)
    borrowed = configuration.pop("borrowed", None)
    parts = parts_for(**configuration | {"data": data})
    with _databases(borrowed), Fleet(parts, programs, on_phase=_report_phase, pause=askers.pause) as running:
        _answer(ok={name: running.url(name) for name in running.parts})
        askers.serve(lambda command: _obey(running, *command))


def _report_phase(part: str, phase: str, began: float, ended: float) -> None:
    _answer(phase=[part, phase, began, ended])


def _obey(running: Fleet, verb: str, *arguments: Any) -> dict[str, Any]:
    """Do what a command says; the answer."""
    if verb == "ended":
        return {"ok": running.ended()}
    if verb not in COMMANDS:
        return {"error": f"no command {verb!r}"}
    try:
        getattr(running, verb)(*arguments)
    except (CannotTell, KeyError) as error:
        return _as_answer(error)
    return {"ok": None}


def _as_answer(error: CannotTell | KeyError) -> dict[str, Any]:
    """Return what went wrong as the answer to a command."""
    if isinstance(error, KeyError):
        return {"error": str(error)}
    answer = {"error": error.what, "advice": error.advice, "code": error.code}
    return answer | ({"part": error.part, "how": error.how, "log": error.log} if isinstance(error, PartDied) else {})


@contextlib.contextmanager
def _databases(borrowed: dict[str, Any] | None) -> Iterator[None]:
    """Databases in a PostgreSQL that is not ours, for as long as the parts run."""
    if borrowed is None:
        yield
        return
    try:
        if not DatabaseReady(borrowed["dsn"], tuple(borrowed["names"])).is_ready():
            raise DatabaseRefused("the given PostgreSQL does not answer")
        yield
    finally:
        with contextlib.suppress(DatabaseRefused):
            drop_databases(borrowed["dsn"], borrowed["names"])


if __name__ == "__main__":
    main()
