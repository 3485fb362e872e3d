"""The command `zep-conformance mutants`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from zep_conformance.errors import CannotTell


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--page", is_flag=True, help="Those of LangFlux's page, in a real browser before the real LangFlux.")
@click.option("--only", multiple=True, metavar="NAME", help="This mutation only (may be repeated); zep:lastn-ignored.")
@click.option(
    "--share", metavar="K/N", help="The K-th of N shares, each run ending with the first scenario that notices."
)
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Runs at the same time.")
@click.option("--all-scenarios", is_flag=True, help="Run everything on each, not only what the mutation breaks.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="The table, as JSON and as .md.  [default: reports/mutants.json, with --page reports/page-mutants.json]",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION OF A RUN]...")
def command(
    *,
    page: bool,
    only: tuple[str, ...],
    share: str | None,
    jobs: int,
    all_scenarios: bool,
    report: Path | None,
    options: tuple[str, ...],
) -> int:
    """Prove that every check can fail: plant one mutation after the other, and look which scenario notices.

    With --page, options of a run, such as --target remote, say where a LangFlux, a Zep and a model server are that run
    already; without any, LangFlux is started as target `processes` does.

    Exit code 0: every mutation was noticed, 1: one was not, 2: could not tell.
    """
    for other, given, why in (
        ("--page", page and all_scenarios, "its scenarios take a minute"),
        ("--page", page and share, "they are few"),
        ("--only", bool(only) and share, "say which by the one or by the other"),
        ("--all-scenarios", all_scenarios and share, "a share's runs end with the first scenario that notices"),
    ):
        if given:
            what = f"{'--share' if share else '--all-scenarios'} is not for {other}: {why}"
            raise CannotTell(what, "Leave one of them out.", code="options-conflict")
    if page:
        from zep_conformance.mutation.runner import run_page_mutants

        report = report or Path("reports/page-mutants.json")
        return run_page_mutants(only=only, jobs=jobs, report=report, options=options)
    if options:
        what = f"mutants takes no {options[0]} without --page"
        raise CannotTell(what, "`zep-conformance mutants --help` says what it takes.", code="usage-wrong")
    from zep_conformance.mutation.runner import run_mutants

    return run_mutants(
        only=only,
        share=_share(share) if share else None,
        jobs=jobs,
        all_scenarios=all_scenarios,
        report=report or Path("reports/mutants.json"),
    )


def _share(text: str) -> tuple[int, int]:
    """Return which of how many shares. Raises CannotTell for what says neither."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found:
        raise CannotTell(f"--share {text!r} is no share", "Say which of how many: --share 1/4.", code="usage-wrong")
    return int(found[1]), int(found[2])
