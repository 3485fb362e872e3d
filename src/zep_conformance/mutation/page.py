"""Proves that every check of the page can fail: breaks it in one way after the other on its way to the browser.

    python -m zep_conformance.mutation.page                            starts LangFlux as target `processes` does
    python -m zep_conformance.mutation.page --only base-url-lost       one of the defects (may be repeated)
    python -m zep_conformance.mutation.page --target remote …          in a LangFlux that runs already

For each defect only the scenarios of the requirements that it breaks are run; the unbroken page is run once. Exit code
0: every defect was noticed, and every scenario of the page was seen to fail; 1: not so; 2: it could not be told.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from zep_conformance.errors import CannotTell, needed
from zep_conformance.mutation.catalogue import PAGE
from zep_conformance.mutation.runner import Runner, judge, never_failed
from zep_conformance.settings import Settings
from zep_conformance.targets import choose

WAIT_LIMIT = 20
"""Seconds that a run waits for anything in the page. What a defect keeps from coming never comes."""
SCOPE = " or ".join(sorted({requirement for defect in PAGE for requirement in defect.breaks}))
"""The marks of every scenario of the page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m zep_conformance.mutation.page",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Every other option is one of a run, and says where LangFlux, Zep and the model server are.",
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (default 2)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this defect (may be repeated)")
    parser.add_argument("--report", type=Path, default=Path("reports/page-mutants.json"), help="as JSON and .md")
    given, options = parser.parse_known_args(arguments)
    unknown = sorted(set(given.only) - {defect.name for defect in PAGE})
    if unknown:
        sys.stderr.write(f"there is no defect {', '.join(unknown)}; docs/departures.md lists them\n")
        return 2
    defects = [defect for defect in PAGE if not given.only or defect.name in given.only]
    try:
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
            verdicts = judge(defects, runner, given.jobs, given.report, whole=not given.only)
    except CannotTell as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if verdicts is None or any(verdict.exit_code == 2 for verdict in verdicts):
        return 2
    untouched = not given.only and never_failed(verdicts)
    return 0 if all(verdict.passed for verdict in verdicts) and not untouched else 1


@contextlib.contextmanager
def _started() -> Iterator[tuple[list[str], dict[str, str]]]:
    """The real LangFlux in front of a secured embedded Zep, for all runs; the options and variables that lead there.

    Raises CannotTell where it does not start, or its page can't be driven.
    """
    target = choose(Settings(target="processes"), "processes")
    try:
        target.start()
        found = target.deployment(lambda _: None)
        if "ui" in found.missing:
            raise CannotTell("the page can't be driven from here", found.missing["ui"])
        zep, langflux = needed(found.secured, "a secured Zep"), needed(found.langflux, "a LangFlux")
        options = ["--target", "remote", "--zep-url", zep.url, "--langflux-url", langflux.url]
        options += ["--model-url", langflux.model_url]
        variables = {"ZEP_TOKEN": zep.token, "ZEP_AUTH_SECRET": found.secret, "LANGFLUX_API_KEY": langflux.api_key}
        if langflux.account is not None:
            variables |= {"LANGFLUX_USER": langflux.account.user, "LANGFLUX_PASSWORD": langflux.account.password}
        yield options, {name: value for name, value in variables.items() if value}
    finally:
        target.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped job leaves nothing running, either
    sys.exit(main())
