"""The command `zep-conformance mutants`."""

from __future__ import annotations

from pathlib import Path

import click

from zep_conformance.errors import CannotTell


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--page", is_flag=True, help="Those of LangFlux's page, in a real browser before the real LangFlux.")
@click.option("--only", multiple=True, metavar="NAME", help="This mutation only (may be repeated); zep:lastn-ignored.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Runs at the same time.")
@click.option("--all-scenarios", is_flag=True, help="Run everything on each, not only what the mutation breaks.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="The table, as JSON and as .md.  [default: reports/mutants.json, with --page reports/page-mutants.json]",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION OF A RUN]...")
def command(
    *, page: bool, only: tuple[str, ...], jobs: int, all_scenarios: bool, report: Path | None, options: tuple[str, ...]
) -> int:
    """Prove that every check can fail: plant one mutation after the other, and look which scenario notices.

    With --page, options of a run, such as --target remote, say where a LangFlux, a Zep and a model server are that run
    already; without any, LangFlux is started as target `processes` does.

    Exit code 0: every mutation was noticed, 1: one was not, 2: could not tell.
    """
    if page:
        if all_scenarios:
            what = "--all-scenarios is not for --page: its scenarios take a minute"
            raise CannotTell(what, "Leave it out.", code="options-conflict")
        from zep_conformance.mutation.runner import run_page_mutants

        report = report or Path("reports/page-mutants.json")
        return run_page_mutants(only=only, jobs=jobs, report=report, options=options)
    if options:
        what = f"mutants takes no {options[0]} without --page"
        raise CannotTell(what, "`zep-conformance mutants --help` says what it takes.", code="usage-wrong")
    from zep_conformance.mutation.runner import run_mutants

    return run_mutants(only=only, jobs=jobs, all_scenarios=all_scenarios, report=report or Path("reports/mutants.json"))
