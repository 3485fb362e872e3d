"""The command `zep-conformance upgrade`: the scenarios of an upgrade, from one version to another on the same store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from zep_conformance.cli.can_i_upgrade import TITLES
from zep_conformance.cli.recording_options import say
from zep_conformance.cli.run import run_suite
from zep_conformance.errors import CannotTell

TARGETS = ("embedded", "processes", "containers")
"""The targets whose parts can be started as another version."""
_OPTIONS = {
    "embedded": ("--from-zep", "--to-zep", "--from-langflux", "--to-langflux"),
    "processes": ("--zep-binary", "--to-zep", "--langflux-version", "--to-langflux"),
    "containers": ("--zep-image", "--to-zep", "--langflux-image", "--to-langflux"),
}
"""The settings of a run that say what is asked for here: from, to, and the same of LangFlux."""


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.option("--target", type=click.Choice(TARGETS), required=True, help="How the parts come to be.")
@click.option("--from", "from_zep", metavar="ZEP", help="The Zep to begin with: an image, a program, or a version.")
@click.option("--to", "to_zep", metavar="ZEP", help="The Zep to start on the same store.")
@click.option("--from-langflux", metavar="LANGFLUX", help="The LangFlux to begin with: an image or a version.")
@click.option("--to-langflux", metavar="LANGFLUX", help="The LangFlux to start on the same folder and database.")
@click.option("--and-back", is_flag=True, help="Start the Zep from before again in the end.")
@click.option(
    "--from-config", type=click.Path(path_type=Path), metavar="FILE", help="The config.yaml of the Zep before, …"
)
@click.option("--to-config", type=click.Path(path_type=Path), metavar="FILE",
              help="… and of the other: what differs is named first, and decides nothing.")  # fmt: skip
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION OF A RUN]...")
def command(
    *,
    target: str,
    from_zep: str | None,
    to_zep: str | None,
    from_langflux: str | None,
    to_langflux: str | None,
    and_back: bool,
    from_config: Path | None,
    to_config: Path | None,
    arguments: tuple[str, ...],
) -> int:
    """Carry out an upgrade: a deployment is filled as people use it, brought to rest and stopped; the other version is
    started on the same store; everything must be there, and go on.

    With --target processes a Zep is a program and a LangFlux an installed version (install-langflux --list), with
    containers both are images, or versions of the usual ones; with embedded both are versions that the suite's own
    servers say that they are.

    Exit code 0: nothing is lost, 1: something is, 2: could not tell.
    """
    asked = (from_zep, to_zep, from_langflux, to_langflux)
    if target != "embedded" and not (to_zep or to_langflux):
        advice = "Give --to, or --to-langflux; `zep-conformance upgrade --help` says what each target takes."
        raise CannotTell("nothing to upgrade to", advice, code="upgrade-nothing")
    for part, before, after in (("Zep", from_zep, to_zep), ("LangFlux", from_langflux, to_langflux)):
        if before and before == after:
            advice = "Give two versions: `zep-conformance upgrade --from X --to Y`."
            raise CannotTell(f"{part}: {before} is what it is to be upgraded from and to", advice, code="upgrade-same")
    if bool(from_config) != bool(to_config):
        what = f"--{'from' if from_config else 'to'}-config was given, and not the other"
        raise CannotTell(what, "Give both: what differs between them is named.", code="options-conflict")
    if from_config and to_config:
        from zep_conformance.deployment_files.config_changes import between_files

        for line in between_files(from_config, to_config) or ["nothing"]:
            say(f"changes with the upgrade: {line}")
    for line in _known_changes(target, zep=(from_zep, to_zep), langflux=(from_langflux, to_langflux)):
        say(f"changes with the upgrade: {line}")
    given = [word for name, value in zip(_OPTIONS[target], asked, strict=True) if value for word in (name, value)]
    back = ["--and-back"] if and_back else []
    marks = " or ".join(requirements(zep=bool(to_zep), langflux=bool(to_langflux), back=and_back, target=target))
    return run_suite(["-m", marks, "--target", target, *given, *back, *arguments])


def _known_changes(target: str, **given: tuple[str | None, str | None]) -> Iterator[str]:
    """Yield what is known to get worse with an upgrade of real parts, and what there is to do on the way.

    given: by part, from what to what, as far as a version is named there: in a program's or an image's name, too.
    """
    from zep_conformance.compatibility.upgrade import compare
    from zep_conformance.facts.servers import LANGFLUX_VERSION, ZEP_VERSION, version_in

    if target == "embedded":
        return
    usual = {"zep": ZEP_VERSION if target == "containers" else "", "langflux": LANGFLUX_VERSION}
    moves = {part: (version_in(one or usual[part]), version_in(other or "")) for part, (one, other) in given.items()}
    answer = compare({part: move for part, move in moves.items() if all(move)})
    worse = {one.subject: one.text for one in answer.worse}
    yield from (f"{subject}: {text}" for subject, text in worse.items())
    for one in answer.to_do:
        if one.subject in TITLES:
            yield f"{TITLES[one.subject]}: {one.what}, because: {one.why}"
        elif one.subject in worse:
            yield f"{one.subject}: {one.what}"


def requirements(*, zep: bool, langflux: bool, back: bool, target: str) -> list[str]:
    """Return the ids of the requirements of an upgrade. zep, langflux: which part is upgraded. back: and back again.

    The embedded servers are always upgraded both, and back.
    """
    from zep_conformance.facts.requirements import load_requirements
    from zep_conformance.settings import UPGRADES

    offered = {"zep-upgrade": zep, "langflux-upgrade": langflux, "way-back": back}
    wanted = {name for name, is_asked in offered.items() if is_asked or target == "embedded"}
    return [one.id for one in load_requirements().values() if (needs := UPGRADES & {*one.needs}) and needs <= wanted]
