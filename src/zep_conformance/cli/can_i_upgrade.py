"""The command `zep-conformance can-i-upgrade`: what it means to move from one version to another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Literal

import click

from zep_conformance.cli.main import COLUMNS
from zep_conformance.errors import CannotTell

if TYPE_CHECKING:
    from zep_conformance.compatibility.upgrade import Answer

TITLES = {"zep": "Zep", "langflux": "LangFlux"}
SAID = {0: "yes: nothing gets worse", 1: "something gets worse", 2: "can't tell: nobody has measured that"}
_COLOURS = {0: "green", 1: "red", 2: "yellow"}
_NOTHING = "nothing that was measured"


@click.command()
@click.option("--zep", metavar="FROM..TO", help="Versions of Zep, as 0.23.0..0.27.2; one alone for one that stays.")
@click.option("--langflux", metavar="FROM..TO", help="Versions of LangFlux (Flowise), as 1.8.4..2.2.8.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, or for machines."
)
def command(*, zep: str | None, langflux: str | None, form: Literal["text", "json"]) -> int:
    """Say what gets better, what gets worse and what there is to do on the way from one version to another.

    It is answered from runs of the suite on real versions (docs/compatibility.md); no server is asked.

    Exit code 0: nothing gets worse, 1: something does, 2: can't tell, as of a version that nobody has measured: what is
    said then is said of the nearest one measured before it.
    """
    from zep_conformance.compatibility.upgrade import compare

    given = {"zep": zep, "langflux": langflux}
    moves = {part: _move(part, text) for part, text in given.items() if text is not None}
    if not any(one != other for one, other in moves.values()):
        advice = "As in: zep-conformance can-i-upgrade --zep 0.23.0..0.27.2 --langflux 1.8.4..2.2.8"
        raise CannotTell("nothing is to be moved from one version to another", advice, code="option-invalid")
    answer = compare(moves)
    if form == "json":
        click.echo(json.dumps(_body(answer), indent=2, ensure_ascii=False))
        return answer.code
    for line in _lines(answer):
        # What it comes to is in the first line.
        click.secho(line, fg=_COLOURS[answer.code]) if line.endswith(SAID[answer.code]) else click.echo(line)
    return answer.code


def _move(part: str, text: str) -> tuple[str, str]:
    """Return the two versions of "0.23.0..0.27.2". Raises CannotTell for anything else."""
    from packaging.version import Version

    from zep_conformance.compatibility.measurements import is_version

    one, dots, other = text.partition("..")
    both = (one.strip().removeprefix("v"), (other if dots else one).strip().removeprefix("v"))
    if not all(is_version(version) for version in both):
        advice = f"Give two versions, as --{part} {'0.23.0..0.27.2' if part == 'zep' else '1.8.4..2.2.8'}"
        raise CannotTell(f"--{part} {text!r} names no versions", advice, code="option-invalid")
    if part == "zep" and any(Version(version) >= Version("1") for version in both):
        what = f"--zep {text}: Zep 1.x is another product, with another API (/api/v2, no JWT)"
        advice = "LangFlux's Zep node can't use it, and no data carries over: stay with 0.x."
        raise CannotTell(what, advice, code="zep-1")
    return both


def _body(answer: Answer) -> dict[str, object]:
    found = asdict(answer)
    found["moves"] = {part: {"from": one, "to": other} for part, (one, other) in answer.moves.items()}
    return {"schema": 1, "exit_code": answer.code, "answer": SAID[answer.code], **found}


def _lines(answer: Answer) -> Iterator[str]:
    """Yield it in lines of at most 80 columns."""
    moves = ", ".join(
        f"{TITLES[part]} {one}" + (f" to {other}" if one != other else "")
        for part, (one, other) in answer.moves.items()
    )
    yield from _wrapped(f"{moves}: {SAID[answer.code]}", "", "  ")
    for stand_in in answer.unmeasured:
        text = f"nobody has measured {TITLES[stand_in.part]} {stand_in.version}: taken for {stand_in.taken_for}"
        yield from _wrapped(text, "  ", "    ")
    for pair in answer.apart:
        text = f"nobody has measured {pair} together: what is said is said of each by itself"
        yield from _wrapped(text, "  ", "    ")
    for title, changes in (("worse", answer.worse), ("better", answer.better), ("stays as it is", answer.stays)):
        yield f"{title}:" if changes else f"{title}: {_NOTHING}"
        for change in changes:
            yield from _wrapped(f"{change.subject}: {change.text}", "  ", "    ")
    if answer.to_do:
        yield "to do:"
    for to_do in answer.to_do:
        name = TITLES.get(to_do.subject, to_do.subject)
        yield from _wrapped(f"{name}: {to_do.what}", "  ", "    ")
        if name != to_do.subject:  # what a deviation is has been said
            yield from _wrapped(f"because: {to_do.why}", "    ", "    ")
    for known in answer.rests_on:
        times = f"{known.runs} run{'s' * (known.runs != 1)}"
        yield from _wrapped(f"measured: {known.title}, {times} until {known.measured}: {known.verdict}", "", "  ")
    if not answer.rests_on:
        yield from _wrapped("measured: no two whole runs are kept to compare: deviations alone are", "", "  ")


def _wrapped(text: str, first: str, then: str) -> list[str]:
    return wrap(text, COLUMNS, initial_indent=first, subsequent_indent=then, break_long_words=False,
                break_on_hyphens=False)  # fmt: skip
