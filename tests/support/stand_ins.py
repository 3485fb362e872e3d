"""Programs that stand in for the real ones in tests of the target `processes`: small, quick, and as bad as wanted."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

_SERVE = """#!{python}
import os, sys, uvicorn
from pathlib import Path
{before}
from zep_conformance.embedded import applications
{make}
uvicorn.run(application, host={host}, port=int({port}), log_level="warning")
"""
_LANGFLUX = """
with open(Path(os.environ["TMPDIR"]) / "starts", "a") as starts:
    starts.write(f"{os.getpid()}\\n")
application = applications.langflux_app(database=Path("langflux.sqlite3"), api_key="a-key-of-its-own")
"""
_ZEP = """
variables = {name: value for name, value in os.environ.items() if name.startswith("ZEP_")}
application = applications.zep_app(database=Path("zep.sqlite3"), environment=variables)
"""

_LANGFLUX_THREE = """
import threading
sys.path.insert(0, {root!r})
from tests.support.langflux_three import Accounts
from zep_conformance.processes.parts import listen
behind = applications.langflux_app(database=Path("langflux.sqlite3"), api_key="its-own")
listener = listen("behind", "127.0.0.1", 0)
port = listener.getsockname()[1]
server = uvicorn.Server(uvicorn.Config(behind, log_level="warning"))
threading.Thread(target=server.run, kwargs={{"sockets": [listener]}}, daemon=True).start()
application = Accounts(f"http://127.0.0.1:{{port}}", "its-own").app()
"""


def script(path: Path, text: str) -> Path:
    """A program at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def shell(path: Path, text: str) -> Path:
    """A program in the shell's language."""
    return script(path, f"#!/bin/sh\n{text}\n")


def langflux_three(path: Path) -> Path:
    """A LangFlux 3.0.13 that nobody has registered in yet."""
    make = _LANGFLUX_THREE.format(root=str(Path(__file__).parents[2]))
    filled = _SERVE.format(
        python=sys.executable, before="", make=make, host='os.environ["HOST"]', port='os.environ["PORT"]'
    )
    return script(path, filled)


def langflux(path: Path, before: str = "") -> Path:
    """A LangFlux: the embedded one, told by variables where to listen as the real one is. before: what it does first.

    Each start is noted in the file `starts` of the temporary folder.
    """
    filled = _SERVE.format(
        python=sys.executable, before=before, make=_LANGFLUX, host='os.environ["HOST"]', port='os.environ["PORT"]'
    )
    return script(path, filled)


def zep(path: Path) -> Path:
    """A Zep: the embedded one, told by the real one's variables what to be."""
    filled = _SERVE.format(
        python=sys.executable, before="", make=_ZEP, host='os.environ["ZEP_SERVER_HOST"]',
        port='os.environ["ZEP_SERVER_PORT"]',
    )  # fmt: skip
    return script(path, filled)


def on_path(folder: Path) -> str:
    """A PATH that begins with `folder`."""
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
