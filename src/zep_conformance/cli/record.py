"""The command `zep-conformance record`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from zep_conformance.cli import recording_options as recording
from zep_conformance.cli.options import refuse_existing, write
from zep_conformance.errors import CannotTell
from zep_conformance.recordings.format import RecordedExchange, load_script
from zep_conformance.recordings.record import Recorder
from zep_conformance.recordings.report import named, wrapped
from zep_conformance.recordings.server import addresses, part_of
from zep_conformance.recordings.verify import Verification, server_for, verify_recording
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.settings import Settings


@click.command()
@recording.takes_server
@click.option("--script", type=click.Path(path_type=Path), help="what to ask (default: the recording that is shipped)")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="the recording to write")
@click.option("--force", is_flag=True, help="overwrite it")
def command(
    *,
    settings: Settings,
    script: Path | None,
    output: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    force: bool,
    keep: bool,
) -> int:
    """Make a recording of a Zep, or of a LangFlux: play a script against it, and write its answers down with
    placeholders for what may differ from server to server.

    The script is a recording (its requests are played, and its placeholders kept where they still fit), or a file of
    requests, one a line. What is made is removed at the end. Neither a secret nor an address is written. Exit code 0:
    recorded, 1: recorded in part, 2: could not tell.
    """
    recording.require_server(settings)
    if not force:
        refuse_existing(output)
    path = script or recording.shipped("langflux" if settings.langflux_url else "zep")
    everything = recording.loaded(path, load_script)
    exchanges = recording.chosen(everything, only, skip, {exchange.sequence for exchange in everything})
    if not exchanges:
        advice = "Leave out a --skip, or an --only."
        raise CannotTell("nothing to record: every sequence was skipped", advice, code="nothing-recorded")
    private = _private(settings)
    _refuse_secrets(path, exchanges, private)
    server = server_for(part_of(everything), exchanges, settings)
    try:
        held = verify_recording(path.name, exchanges, server, settings, keep=keep, say=recording.say)
    finally:
        server.client.close()
    if held.trouble:
        raise held.trouble
    made = Recorder(lambda text: private(text) or Redactor()(text) != text).recording(exchanges, held.played)
    text = "".join(f"{exchange.line()}\n" for exchange in made)
    if private(text):
        advice = "Nothing was: this is a fault of ours."
        raise CannotTell("a secret or an address would have been written", advice, code="harness-broken")
    write(output, text, force=True)
    for line in _said(held, made, output):
        click.echo(line)
    return 0 if len(made) == len(exchanges) else 1


def _private(settings: Settings) -> Callable[[str], bool]:
    """Whether a text holds one of the secrets that were given, or says where a server is."""
    private = [text for text in (*map(str.strip, settings.secrets()), *addresses(settings)) if text]
    return lambda text: any(one in text for one in private)


def _refuse_secrets(path: Path, exchanges: Sequence[RecordedExchange], private: Callable[[str], bool]) -> None:
    """Refuse a script with a token, or an address, in it, which would be recorded. Raises CannotTell."""
    for exchange in exchanges:
        headers = {name.lower() for name in exchange.request.get("headers", {})}
        if headers & {"authorization", "cookie"} or private(exchange.line()):
            raise CannotTell(
                f"{path}: {exchange.name} has a token or a server's address in it, which must not be recorded",
                "Tokens and keys are given by $ZEP_TOKEN and $LANGFLUX_API_KEY, addresses as {{zep-url}} and "
                "{{model-url}}.",
                code="recording-has-secret",
            )


def _said(held: Verification, recording: Sequence[RecordedExchange], output: Path) -> list[str]:
    lines = [f"{len(recording)} exchanges of {held.server.part} {held.server.version} written to {output}"]
    for title, found in (
        ("answered otherwise than in the script", [one for one in held.differing if one.answer]),
        (
            "not recorded, for they were not answered or could not be asked",
            [one for one in held.differing if not one.answer],
        ),
        ("not recorded, for they might do harm", held.left_out),
    ):
        if found:
            lines.append(f"{len(found)} {title}: {named(found)}")
    return [wrapped_line for line in lines for wrapped_line in wrapped(line)]
