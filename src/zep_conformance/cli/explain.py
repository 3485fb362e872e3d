"""The command `zep-conformance explain`: what a code means that an error or a finding ends with."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from textwrap import wrap

import click

from zep_conformance.cli.main import COLUMNS
from zep_conformance.errors import CannotTell

WROTE = {
    "part": "a part that ended",
    "engine": "the Docker engine",
    "socket": "the Docker engine's socket",
    "registry": "a registry of images",
    "build": "the build of an image",
    "npm": "npm",
    "request": "a request without an answer",
}
"""Who wrote what a cause is known by, see `facts.causes`."""
ANYWHERE = {
    "where": "$DOCKER_HOST",
    "registry": "its registry",
    "login": "docker login",
    "with_": "by its option, or in the Compose project",
    "mirror": " with --registry",
}
"""What causes are filled in with where nothing in particular is meant."""


@dataclass(frozen=True)
class Explanation:
    """What a code means in one room. verdict: "error" where it ends a run or a command, else the finding's."""

    code: str
    room: str
    verdict: str
    meaning: str
    cause: str
    advice: str

    def lines(self) -> Iterator[str]:
        """Yield it in lines of at most 80 columns."""
        yield f"{self.code}: {self.verdict}, {self.room}"
        for title, text in (("", self.meaning), ("why: ", self.cause), ("to do: ", self.advice)):
            yield from wrap(text, COLUMNS, initial_indent=f"  {title}", subsequent_indent="    ",
                            break_long_words=False, break_on_hyphens=False)  # fmt: skip


def explanations() -> list[Explanation]:
    """Return what every code means, room by room; one that two rooms have is there twice."""
    from zep_conformance.facts.causes import causes
    from zep_conformance.facts.codes import Catalogue, codes

    rooms: dict[Catalogue, str] = {"errors": "", "doctor": "the doctor: ", "deployment-files": "deployment files: "}
    found = [
        Explanation(entry.code, f"{room}{entry.layer}", entry.verdict, *texts)
        for catalogue, room in rooms.items()
        for entry in codes(catalogue).values()
        for texts in [[entry.explained(text, str.upper) for text in (entry.symptom, entry.cause, entry.advice)]]
    ]
    known = {one.code for one in found}
    unnamed = {
        one.code: Explanation(
            one.code, f"causes: {one.source}", "error", one.cause, f"{WROTE[one.source]} says so", one.advice
        )
        for one in (cause.filled(**ANYWHERE) for cause in causes())
        if one.code not in known
    }
    return found + list(unnamed.values())


@click.command()
@click.argument("code", required=False)
@click.option("--json", "as_machine", is_flag=True, help="For machines.")
def command(*, code: str | None, as_machine: bool) -> int:
    """Say what CODE means, its cause, and what to do: the word in brackets behind an error or a finding.

    Without one every code is listed. Exit code 0: explained, 2: there is no such code.
    """
    known = explanations()
    chosen = [one for one in known if code is None or one.code == code.strip("[]")]
    if not chosen:
        close = difflib.get_close_matches(code or "", [one.code for one in known], n=3, cutoff=0.5)
        advice = f"Did you mean {' or '.join(dict.fromkeys(close))}?" if close else "Without a code all are listed."
        raise CannotTell(f"no code {code!r}", advice, code="name-unknown-here")
    if as_machine:
        body = {"schema": 1, "codes": [asdict(one) for one in chosen]}
        click.echo(json.dumps(body, indent=2, ensure_ascii=False))
    elif code is not None:
        click.echo("\n\n".join("\n".join(one.lines()) for one in chosen))
    else:
        for room, group in groupby(chosen, key=lambda one: one.room):
            click.echo(room)
            for one in group:
                click.echo("\n".join(wrap(f"{one.code}: {one.meaning}", COLUMNS, initial_indent="  ",
                                          subsequent_indent="      ", break_on_hyphens=False)))  # fmt: skip
    return 0
