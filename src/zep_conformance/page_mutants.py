"""Proves that every check of the page can fail: breaks it in one way after the other on its way to the browser.

    python -m zep_conformance.page_mutants --target remote --zep-url … --langflux-url … --model-url …
    python -m zep_conformance.page_mutants --only base-url-lost --target remote …

It needs a real LangFlux, and takes the options of a run that say where that is. For each defect only the scenarios of
the requirements that it breaks are run; the unbroken page is run once. Exit code 0: every defect was noticed, and
every scenario of the page was seen to fail; 1: not so; 2: it could not be told. `make page-mutants` starts the servers.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from zep_conformance.catalogue import PAGE
from zep_conformance.mutants import Runner, judge, never_failed

WAIT_LIMIT = 15
"""Seconds that a run waits for anything in the page. What is broken by a defect never comes, or comes at once."""
SCOPE = " or ".join(sorted({requirement for defect in PAGE for requirement in defect.breaks}))
"""The marks of every scenario of the page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m zep_conformance.page_mutants",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Every other option is passed on: it says where LangFlux, Zep and the model server are.",
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (default 2)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this defect (may be repeated)")
    parser.add_argument("--report", type=Path, default=Path("reports/page-mutants.json"), help="as JSON and .md")
    given, target = parser.parse_known_args(arguments)
    unknown = sorted(set(given.only) - {defect.name for defect in PAGE})
    if unknown:
        sys.stderr.write(f"there is no defect {', '.join(unknown)}; docs/departures.md lists them\n")
        return 2
    defects = [defect for defect in PAGE if not given.only or defect.name in given.only]
    with tempfile.TemporaryDirectory(prefix="zep-conformance-mutants-", ignore_cleanup_errors=True) as folder:
        options = ["--wait-limit", str(WAIT_LIMIT), *target]
        runner = Runner(Path(folder), everything=False, target=options, scope=SCOPE, clean=False)
        verdicts = judge(defects, runner, given.jobs, given.report, whole=not given.only)
    if verdicts is None or any(verdict.exit_code == 2 for verdict in verdicts):
        return 2
    untouched = not given.only and never_failed(verdicts)
    return 0 if all(verdict.passed for verdict in verdicts) and not untouched else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped job leaves nothing running, either
    sys.exit(main())
