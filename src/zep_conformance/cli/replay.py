"""The command `zep-conformance replay`: judges a run again, by what it recorded."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import click

from zep_conformance.errors import CannotTell

COLUMNS = 80


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run")
@click.argument("arguments", metavar="[SCENARIO]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--fail-on", metavar="WHAT", help="What fails it: must, should or deviation.")
@click.option("--accept", metavar="DEV-n,…", help="Known deviations that fail nothing.")
@click.option("--strict-deviations", is_flag=True, default=None, help="Fail when a known deviation is found fixed.")
@click.option("--latency-budget", type=float, metavar="MS", help="For the 95th percentile of writes and reads.")
@click.option("--message-window", type=int, metavar="N", help="Messages that bring a summary.")
@click.option("-v", "--verbose", is_flag=True, help="Say of each scenario what became of it.")
def command(run: str, arguments: tuple[str, ...], verbose: bool, **rules: Any) -> int:
    """Judge a recorded run again, without any server.

    RUN is a folder of reports, a conformance.json, a run's name in reports/, or latest. Its scenarios are carried out
    by the steps and the rules of now on the exchanges of then; nothing is asked of any server, and nothing is written.
    Options of pytest choose some of them: -k WORDS, -m SESSION-3, features/….

    (A sequence that a run or `explore` has kept is carried out again by `explore --replay FILE`.)

    Exit code 0: nothing fails, 1: something does, 2: nothing could be told.
    """
    gc.disable()  # as in a run: until all is collected
    from zep_conformance.report.terminal import wrapped
    from zep_conformance.session.recorded import read_run
    from zep_conformance.session.replayed import summary
    from zep_conformance.session.replaying import replay

    _refuse_settings(arguments)
    recorded = read_run(run, Path("reports"))
    given = {name: value for name, value in rules.items() if value is not None}
    replayed = replay(recorded, given, arguments)
    for line in replayed.failures():
        click.echo(line)
    for line in wrapped(summary(recorded, replayed, verbose=verbose), COLUMNS):
        click.echo(line)
    return replayed.exit_code


def _refuse_settings(arguments: tuple[str, ...]) -> None:
    """Raise CannotTell for a setting that a replay does not use: pytest would take it."""
    from zep_conformance.settings import RULES, SETTINGS, option

    known = {one.option for one in SETTINGS.values()}
    for word in arguments:
        if (name := word.partition("=")[0]) in known:
            what = f"{name} was given, and a replay does not use it: the run is over"
            raise CannotTell(what, f"Leave it out; there are {', '.join(map(option, RULES))}.", code="setting-unused")
