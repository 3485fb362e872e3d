"""Proves that every check of the page can fail: plants one mutation after the other on its way to the browser.

For each mutation only the scenarios of the requirements that it breaks are run; the page without one is run once.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from zep_conformance.errors import CannotTell, needed
from zep_conformance.mutation.catalogue import PAGE
from zep_conformance.mutation.runner import Runner, chosen, never_failed, try_all
from zep_conformance.settings import read_settings
from zep_conformance.targets import choose

WAIT_LIMIT = 20
"""Seconds that a run waits for anything in the page. What a mutation keeps from coming never comes."""
SCOPE = " or ".join(sorted({requirement for mutation in PAGE for requirement in mutation.breaks}))
"""The marks of every scenario of the page."""


def run_page_mutants(*, only: Sequence[str] = (), jobs: int = 2, report: Path, options: Sequence[str] = ()) -> int:
    """Plant every mutation of the page, or those named, and look who notices.

    only, jobs, report: as of `run_mutants`. options: those
    of a run, for a LangFlux, a Zep and a model server that run already; without any, LangFlux is started as target
    `processes` does.

    Returns the exit code: 0 when every one was noticed, and every scenario of the page seen to fail, 1 when not, 2 when
    that could not be told. Raises CannotTell for a name that there is not, and where the page can't be driven.
    """
    mutations = chosen(only, PAGE) if only else PAGE
    with contextlib.ExitStack() as until_done:
        target, variables = (options, dict(os.environ)) if options else until_done.enter_context(_started())
        folder = until_done.enter_context(
            tempfile.TemporaryDirectory(prefix="zep-conformance-mutants-", ignore_cleanup_errors=True)
        )
        runner = Runner(
            Path(folder),
            everything=False,
            target=["--wait-limit", str(WAIT_LIMIT), *target],
            variables=variables,
            scope=SCOPE,
        )
        trials = try_all(mutations, runner, jobs=jobs, report=report, whole=not only)
    if trials is None or any(trial.exit_code == 2 for trial in trials):
        return 2
    untouched = not only and never_failed(trials)
    return 0 if all(trial.passed for trial in trials) and not untouched else 1


@contextlib.contextmanager
def _started() -> Iterator[tuple[list[str], dict[str, str]]]:
    """The real LangFlux in front of a secured embedded Zep, for all runs; the options and variables that lead there.

    Raises CannotTell where it does not start, or its page can't be driven.
    """
    target = choose(read_settings({"target": "processes"}), "processes")
    try:
        target.start()
        found = target.deployment(lambda _: None)
        if "ui" in found.missing:
            raise CannotTell("the page can't be driven from here", found.missing["ui"], code="page-undrivable")
        zep, langflux = needed(found.secured, "a secured Zep"), needed(found.langflux, "a LangFlux")
        options = ["--target", "remote", "--zep-url", zep.url, "--langflux-url", langflux.url]
        options += ["--model-url", langflux.model_url]
        variables = {"ZEP_TOKEN": zep.token, "ZEP_AUTH_SECRET": found.secret, "LANGFLUX_API_KEY": langflux.api_key}
        if langflux.account is not None:
            variables |= {"LANGFLUX_USER": langflux.account.user, "LANGFLUX_PASSWORD": langflux.account.password}
        yield options, {name: value for name, value in variables.items() if value}
    finally:
        target.stop()
