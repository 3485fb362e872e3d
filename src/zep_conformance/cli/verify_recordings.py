"""The command `zep-conformance verify-recordings`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import click

from zep_conformance.cli import recording_options as recording
from zep_conformance.cli.options import write
from zep_conformance.errors import CannotTell
from zep_conformance.recordings.format import RecordedExchange, load_recording
from zep_conformance.recordings.report import ResultText, as_json
from zep_conformance.recordings.server import ReplayServer, part_of
from zep_conformance.recordings.verify import Verification, server_for, verify_recording
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.settings import Settings


@click.command()
@recording.takes_server
@click.option(
    "--recording",
    "recordings",
    multiple=True,
    type=click.Path(path_type=Path),
    help="a recording to hold a server to (may be repeated; default: those that come with the harness)",
)
@click.option(
    "--version",
    "versions",
    multiple=True,
    help="the version whose recording to take, of those that come with the harness (may be repeated)",
)
@click.option("--report", type=click.Path(path_type=Path), help="write the result to this file, as JSON")
@click.option("--verbose", is_flag=True, help="show every difference, in full")
def command(
    *,
    settings: Settings,
    recordings: tuple[Path, ...],
    versions: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    report: Path | None,
    keep: bool,
    verbose: bool,
) -> int:
    """Hold a Zep, or a LangFlux, to recordings of the real ones: play every recorded request against it, and show
    where its answers differ.

    Sessions, users and chatflows are made under names with a prefix of their own, and removed at the end. Nothing that
    is not the command's own is listed or changed. Exit code 0: all as recorded, 1: differences, 2: could not tell.
    """
    recording.require_server(settings)
    given = {"zep": settings.zep_url, "langflux": settings.langflux_url}
    if recordings and versions:
        raise CannotTell("--recording and --version were given", "Give one of them.", code="options-conflict")
    files = recordings or recording.of_versions([part for part, url in given.items() if url], versions)
    all_exchanges = {path: recording.loaded(path, load_recording) for path in files}
    known = {exchange.sequence for exchanges in all_exchanges.values() for exchange in exchanges}
    parts = {path: part_of(exchanges) for path, exchanges in all_exchanges.items()}
    to_play = {path: recording.chosen(exchanges, only, skip, known) for path, exchanges in all_exchanges.items()}
    redactor = Redactor(settings.secrets())

    def show(held: Verification) -> None:
        for line in ResultText(held, redactor, verbose=verbose).lines():
            click.echo(line)

    results: list[Verification] = []
    with ExitStack() as closing:
        servers = _servers(((parts[path], exchanges) for path, exchanges in to_play.items()), settings)
        for server in servers.values():
            closing.callback(server.client.close)
        # LangFlux first: what is played to Zep may stall the queue that LangFlux's clears are waited for (DEV-1).
        for path, exchanges in sorted(to_play.items(), key=lambda entry: parts[entry[0]]):
            if exchanges:
                server = servers[parts[path]]
                results.append(
                    verify_recording(path.name, exchanges, server, settings, keep=keep, say=recording.say, show=show)
                )
    if report is not None:
        write(report, as_json(results, redactor), force=True)
    return _exit_code(results)


def _servers(played: Iterable[tuple[str, list[RecordedExchange]]], settings: Settings) -> dict[str, ReplayServer]:
    """Return the server of each part that something is played to, all of them looked at before the first is played to.

    Raises CannotTell when one is unfit, or not given.
    """
    by_part: dict[str, list[RecordedExchange]] = {}
    for part, exchanges in played:
        if exchanges:
            by_part.setdefault(part, []).extend(exchanges)
    return {part: server_for(part, exchanges, settings) for part, exchanges in by_part.items()}


def _exit_code(results: list[Verification]) -> int:
    """0: all as recorded, 1: differences. Raises CannotTell where nothing was compared, or a server went away."""
    for held in results:
        if held.trouble:
            raise held.trouble
    if any(held.differing for held in results):
        return 1
    if not any(held.as_recorded for held in results):
        raise CannotTell("nothing was compared", "Each exchange was left out: see above why.", code="nothing-compared")
    return 0
