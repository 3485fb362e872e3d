"""Runs the embedded servers for another process, which commands them line by line.

`python -m zep_conformance.servers.supervisor` reads JSON lines: first what to start (the arguments of
`fleet.parts_for`), then commands ``["kill", "zep"]``. It answers each with one JSON line, ``{"ok": …}`` or
``{"error": …}``, with ``"log"`` where a part did not start. When its input ends, for whatever reason, it stops
everything and removes its data.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

# Imported before the parts are forked, so that each finds it in memory.
import httpx  # noqa: F401
import uvicorn  # noqa: F401

from zep_conformance.servers import fleet

COMMANDS = ("start", "stop", "kill", "pause", "resume", "cut_off", "reconnect")


def _say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201  (this is the protocol)


def main() -> None:
    """Serve one other process until it closes our input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process decides when to stop
    configuration = json.loads(sys.stdin.readline() or "null")
    if configuration is None:
        return
    data = Path(configuration["data"])
    try:
        parts = fleet.parts_for(**configuration | {"data": data})
        for part in parts:
            fleet.preload(part)
        with fleet.Fleet(parts) as running:
            _say(ok={name: running.url(name) for name in running.parts})
            for line in sys.stdin:
                verb, part_name, *further = json.loads(line)
                if verb not in COMMANDS:
                    _say(error=f"no command {verb!r}")
                    continue
                try:
                    getattr(running, verb)(part_name, *further)
                    _say(ok=None)
                except fleet.PartDied as error:
                    _say(error=str(error), log=error.log)
                except (fleet.PortTaken, KeyError) as error:
                    _say(error=str(error))
    except (fleet.PortTaken, fleet.PartDied, KeyError) as error:
        _say(error=str(error))
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
