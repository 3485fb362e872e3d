"""Imports all that a run needs, and collects the suite once: whoever imports this module is worth forking.

The process that runs of mutations are forked from does so (see `forking`), and does nothing else. What a run does with
what is collected stays in its own process.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal

import pytest

from zep_conformance import suite
from zep_conformance.mutation.forking import PLUGINS, ours

NEEDED = (
    *("hypothesis", "httpx", "uvicorn", "zep_conformance.processes.supervisor"),
    *(f"zep_conformance.embedded.{name}" for name in ("applications", "model", "nlp", "postgres")),
    *("zep_conformance.embedded.zep.app", "zep_conformance.embedded.langflux.app"),
    *("zep_conformance.mutation.catalogue", "zep_conformance.report.writers.data"),
)
"""What is imported by a run, or by its servers, only when it is needed first."""


def _warm_up() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches a whole terminal; who forks decides what it means
    environment = ours(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(suite.root())
    for name in NEEDED:
        importlib.import_module(name)
    command = [str(suite.root() / "features"), "--collect-only", "-qq", "-p", "no:cacheprovider", *PLUGINS]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        pytest.main(command)
    gc.collect()
    gc.freeze()  # what is there now is nobody's garbage: no copy looks through it again


_warm_up()
