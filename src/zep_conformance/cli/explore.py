"""The command `zep-conformance explore`."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from zep_conformance.cli.options import SERVERS, takes_settings
from zep_conformance.cli.recording_options import say
from zep_conformance.clients.zep import Zep
from zep_conformance.doctor.preflight import probe_zep
from zep_conformance.errors import CannotTell, needed
from zep_conformance.reference.carrying import Outcome
from zep_conformance.reference.comparing import compare
from zep_conformance.reference.kept import read
from zep_conformance.reference.operations import KINDS, Kind, Operation, kind
from zep_conformance.session.chatbots import chatting_at, chatting_of
from zep_conformance.session.exploring import Bounds, Explored, Explorer
from zep_conformance.session.run import Run
from zep_conformance.session.sequences import OnDeployment, Place
from zep_conformance.settings import Settings
from zep_conformance.targets import ZepServer

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
DEFAULT_TIME = 60.0
"""Seconds, where neither a time nor a number of operations is given."""
TIDIED_AFTER = 10
"""Sequences after which what they made is removed, on parts that are not a run's own."""


def _seconds(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a time as `90`, `90s`, `10m` or `1h`. Raises click.BadParameter."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
    if found is None or float(found[1]) <= 0:
        raise click.BadParameter(f"{value!r} is no time such as 90s, 10m or 1h")
    return float(found[1]) * UNITS[found[2]]


@click.command()
@takes_settings(
    "target", *SERVERS, "zep_binary", "postgres_dsn", "langflux_command", "langflux_version", "message_window",
    "wait_limit", "max_requests", "rate", "read_only", "seed", "recorded_behaviours", "mutations", "reports",
)  # fmt: skip
@click.option("--for", "seconds", callback=_seconds, metavar="TIME", help="how long: 90s, 10m, 1h (default: 60s)")
@click.option("--operations", type=click.IntRange(min=1), help="how many operations, in place of a time")
@click.option("--kind", "names", multiple=True, metavar="KIND", help=f"of these kinds only: {', '.join(KINDS)}")
@click.option("--largest-batch", type=click.IntRange(1, 30),
              help="messages in one write, at most (default: 30; on remote parts 2)")  # fmt: skip
@click.option("--replay", type=click.Path(path_type=Path), help="carry out the sequence in this file, and no other")
@click.option("--against", metavar="URL", help="carry the same out on this Zep, too, and show where the two differ")
@click.option("--against-token", metavar="TEXT", envvar="ZEP_CONFORMANCE_AGAINST_TOKEN", show_envvar=True,
              help="JWT for that Zep")  # fmt: skip
@click.option("--against-langflux", metavar="URL", help="the same with chats, in front of that Zep, or of the same one")
@click.option("--against-langflux-api-key", metavar="TEXT", envvar="ZEP_CONFORMANCE_AGAINST_LANGFLUX_API_KEY",
              show_envvar=True, help="API key of that LangFlux")  # fmt: skip
def command(
    *,
    settings: Settings,
    seconds: float | None,
    operations: int | None,
    names: tuple[str, ...],
    largest_batch: int | None,
    replay: Path | None,
    against: str | None,
    against_token: str | None,
    against_langflux: str | None,
    against_langflux_api_key: str | None,
) -> int:
    """Hold a Zep, and a LangFlux before it, to sequences of operations that nobody wrote: each answer is compared with
    the reference model, or with that of another server.

    Everything is made under names with a prefix of its own, and removed. A sequence that differs is made as short as
    it can be, shown in words and as curl, and kept in the reports. Exit code 0: no difference, 1: differences, 2:
    could not tell.
    """
    kinds = _kinds((*names, "chats") if against_langflux and not names else names)
    kept = read(replay) if replay else None
    if settings.read_only:
        what = "explore writes, and --read-only was given"
        raise CannotTell(what, "Leave it out, or give a Zep that may be written to.", code="options-conflict")
    if settings.target == "auto":
        settings = settings.model_copy(update={"target": "remote" if settings.zep_url else "embedded"})
    bounds = Bounds(seconds=None if operations or kept else seconds or DEFAULT_TIME, operations=operations)
    with ExitStack() as closing:
        run = _started(settings, closing)
        zep = _client(run, needed(run.deployment.zep, "a Zep"), closing)
        kinds = _offered(run, kinds, asked=bool(names or against_langflux), against_zep=bool(against))
        chats = [one for one in ([kept.kind] if kept else kinds) if "langflux" in one.parts]
        chatting = chatting_of(run, closing, say) if chats else None
        place = OnDeployment(run=run, zep=zep, batch=largest_batch, chatting=chatting)
        places = [place.place]
        if against or against_langflux:
            there, real = _other(run, against, against_token, closing) if against else (zep, True)
            before = None
            if against_langflux:
                before = chatting_at(
                    run, against_langflux, against_langflux_api_key, zep=there, closing=closing, say=say
                )
            patience = settings.wait_limit
            places.append(Place(zep=there, prefix=run.prefix, real=real, patience=patience, chatting=before))

        def attempt(of: Kind, drawn: Sequence[Operation[Any]]) -> Outcome:
            if len(places) == 1:
                return place.attempt(of, drawn)
            bots = places[1].chatting.chatbots if places[1].chatting else ()
            return compare(of, drawn, place.world(), places[0].servers, places[1].servers, chatbots=bots)

        click.echo(_about(run, places))
        explorer = Explorer(attempt=attempt, tidy=_tidying(places), curl=place.curl(), folder=settings.reports,
                            seed=run.seed, say=click.echo)  # fmt: skip
        try:
            if kept is not None:
                explored = explorer.replay(kept.kind, kept.operations)
            else:
                explored = explorer.run(kinds, place.how, bounds)
        finally:
            run.limits.lift_budget()
            for text in (text for one in places for text in one.remove()):
                say(f"could not be removed: {run.redactor(text)}")
    return _concluded(explored, is_embedded=not run.deployment.deployed)


def _kinds(names: tuple[str, ...]) -> list[Kind]:
    """Return the kinds that are asked for, all without any. Raises CannotTell for one that there is not."""
    for name in names:
        if name not in KINDS:
            raise CannotTell(f"no kind {name!r}", f"There are {', '.join(KINDS)}.", code="option-invalid")
    return [kind(name) for name in names or KINDS]


def _offered(run: Run, kinds: list[Kind], *, asked: bool, against_zep: bool) -> list[Kind]:
    """Return the kinds that the parts can be asked; one that was asked for is not left out.

    against_zep: whether a second Zep is given, and no LangFlux before it: then chats have nothing to be compared with.
    """
    if asked or (run.deployment.langflux is not None and not against_zep):
        return kinds
    return [one for one in kinds if "langflux" not in one.parts]


def _started(settings: Settings, closing: ExitStack) -> Run:
    """Return a run whose parts are up; they are stopped in the end. Raises CannotTell where they are not."""
    run = Run.of(settings)
    run.choose(os.environ)
    closing.callback(run.stop)
    run.start()
    run.ready(say)
    if run.trouble is not None:
        raise run.trouble
    return run


def _client(run: Run, server: ZepServer, closing: ExitStack) -> Zep:
    """Return a client of a Zep, within what the run may send."""
    zep = Zep(server.url, server.token, {"request": [run.limits.check]})
    closing.callback(zep.close)
    return zep


def _other(run: Run, url: str, token: str | None, closing: ExitStack) -> tuple[Zep, bool]:
    """Return the other Zep, looked at first, and whether it may do as real ones do.

    Raises CannotTell with the doctor's finding when it is unfit.
    """
    if token:
        run.redactor.hide(token)
    seen = probe_zep(url, token, None, any_version=True)
    zep = _client(run, ZepServer(url=seen.url, url_from_langflux=seen.url, token=seen.token), closing)
    return zep, not seen.version.endswith(("(documented)", "(mutated)"))


def _tidying(places: Sequence[Place]) -> Callable[[], None]:
    """Return what is called after each sequence, and removes what was made now and then."""
    numbers = itertools.count(1)

    def tidy() -> None:
        if next(numbers) % TIDIED_AFTER == 0:
            for one in places:
                one.remove()

    return tidy


def _about(run: Run, places: Sequence[Place]) -> str:
    """Return what is explored, in a line or two."""
    found = run.deployment
    urls = " and ".join(run.redactor(one.zep.url) for one in places)
    version = found.zep.version if found.zep else ""
    own = "" if found.deployed else "\nThese are the suite's own servers: this says nothing about a deployment."
    return f"seed {run.seed}, target {found.target}: zep {version} at {urls}{own}"


def _concluded(explored: Explored, *, is_embedded: bool) -> int:
    """Say what came of it. Returns the exit code."""
    if explored.ended:
        say(f"ended before its time: {explored.ended}")
    count = len(explored.differences)
    told = f"{count} difference{'s' if count != 1 else ''}" if count else "no difference"
    say(f"{told} in {explored.operations} operations, {explored.sequences} sequences")
    if is_embedded:
        say("These are the suite's own servers: this says nothing about a deployment.")
    if count:
        return 1
    return 2 if explored.interrupted or explored.silent or not explored.operations else 0
