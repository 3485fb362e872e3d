"""What the commands `verify-recordings` and `record` have in common: options, and the files that they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from packaging.version import Version

from zep_conformance import suite
from zep_conformance.cli.options import SERVERS, takes_settings
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import RECORDINGS
from zep_conformance.recordings.format import RecordedExchange
from zep_conformance.recordings.report import wrapped
from zep_conformance.settings import Settings


def takes_server(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that both have: which servers to ask, what to play, whether to clean up."""
    for made in (
        click.option(
            "--keep",
            is_flag=True,
            help="leave what was made, and do not wait for Zep's queue at the end: for a server that is thrown away",
        ),
        click.option("--skip", multiple=True, metavar="SEQUENCE", help="do not play this sequence (may be repeated)"),
        click.option("--only", multiple=True, metavar="SEQUENCE", help="play this sequence (may be repeated)"),
        takes_settings(*SERVERS, "wait_limit"),
    ):
        command = made(command)
    return command


def shipped(part: str) -> Path:
    """Return the path of the recording of a part that comes with the harness: of the version that all is pinned to."""
    return suite.data() / "recordings" / RECORDINGS[part]


def shipped_versions(part: str) -> dict[str, Path]:
    """Return every recording of a part that comes with the harness, by the version that was recorded."""
    begins = RECORDINGS[part].rpartition("-")[0] + "-"
    found = {path.stem.removeprefix(begins): path for path in shipped(part).parent.glob(f"{begins}*.jsonl")}
    return {version: found[version] for version in sorted(found, key=Version)}


def of_versions(parts: Iterable[str], versions: Iterable[str]) -> tuple[Path, ...]:
    """Return the recordings of these parts that come with the harness.

    versions: those to take in place of the pinned one, each of any of the parts. Raises CannotTell for one that there
    is no recording of.
    """
    there = {part: shipped_versions(part) for part in parts}
    wanted = list(versions)
    for version in wanted:
        if not any(version in found for found in there.values()):
            listed = "; ".join(f"{part} {', '.join(found)}" for part, found in there.items())
            advice = f"There are recordings of {listed}; another is given with --recording."
            raise CannotTell(f"no recording of version {version} comes with this", advice, code="name-unknown-here")
    return tuple(
        path
        for part, found in there.items()
        for path in [found[version] for version in wanted if version in found] or [shipped(part)]
    )


def loaded(path: Path, load: Callable[[Path], list[RecordedExchange]]) -> list[RecordedExchange]:
    """Return the exchanges in a file. Raises CannotTell when it can't be read, or is no recording."""
    try:
        exchanges = load(path)
    except OSError as error:
        advice = "Give a file that is there."
        raise CannotTell(f"can't read {path}: {error.strerror}", advice, code="file-unreadable") from error
    except ValueError as error:
        raise CannotTell(str(error), "docs/recordings.md describes the format.", code="recording-malformed") from error
    if not exchanges:
        advice = "docs/recordings.md describes the format."
        raise CannotTell(f"{path} has no exchange in it", advice, code="recording-malformed")
    return exchanges


def chosen(
    exchanges: list[RecordedExchange], only: Iterable[str], skip: Iterable[str], known: set[str]
) -> list[RecordedExchange]:
    """Return the exchanges of the sequences that were asked for. known: those of every recording that is played.

    Raises CannotTell naming a sequence that there is not.
    """
    only, skip = set(only), set(skip)
    unknown = sorted((only | skip) - known)
    if unknown:
        advice = f"There are {', '.join(sorted(known))}."
        raise CannotTell(f"no sequence {', '.join(unknown)}", advice, code="name-unknown-here")
    return [one for one in exchanges if (not only or one.sequence in only) and one.sequence not in skip]


def say(text: str) -> None:
    """Write a line, wrapped."""
    for line in wrapped(text):
        click.echo(line)


def require_server(settings: Settings) -> None:
    """Check that a server is given. Raises CannotTell where none is."""
    if not settings.zep_url and not settings.langflux_url:
        advice = "Give one, or set $ZEP_URL or $LANGFLUX_URL."
        raise CannotTell("no server to ask: no --zep-url and no --langflux-url", advice, code="address-missing")
