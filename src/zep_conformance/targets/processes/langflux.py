"""The real LangFlux: where it is on this machine, whether it can run, and how it is started."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import HEALTH_PATHS
from zep_conformance.processes.programs import Program
from zep_conformance.settings import Settings
from zep_conformance.targets.base import Say
from zep_conformance.targets.processes import installation, surroundings

HEALTH = HEALTH_PATHS["langflux"]
NAME_ON_PATH = "flowise"
"""What the npm package is called that LangFlux is a rebrand of."""
START_LIMIT = 300.0
"""Seconds that it may take to be ready: it loads some thousand modules, and migrates its database."""
_SAID_EVERY = 0.25
"""How often the progress of an installation is told, as a share of the whole."""


@dataclass(frozen=True)
class LangFluxProgram:
    """How LangFlux is started here. program: the path that a report names."""

    command: tuple[str, ...]
    program: str


def find(settings: Settings) -> LangFluxProgram | None:
    """Return how the LangFlux of these settings is started; None where it is to be installed first, as was asked for.

    In this order: --langflux-command; the version that --langflux-version names; `flowise` on the PATH; the default
    version in the cache. Raises CannotTell where there is none, or it can't run, with the command that helps.
    """
    if settings.langflux_command is not None:
        return _commanded(settings.langflux_command)
    on_path = shutil.which(NAME_ON_PATH)
    if settings.langflux_version is None and on_path is not None:
        _check_node_of(Path(on_path))
        return LangFluxProgram((on_path, "start"), on_path)
    version = settings.langflux_version or installation.DEFAULT
    folder = installation.installed(version)
    if folder is not None:
        return in_cache(version, folder)
    if settings.install_langflux:
        return None
    where = "" if settings.langflux_version else f"no `{NAME_ON_PATH}` on the PATH, and "
    raise _not_installed(version, where)


def find_other(version: str) -> LangFluxProgram:
    """Return how the version to upgrade to is started. Raises CannotTell where it is not installed, or can't run."""
    folder = installation.installed(version)
    if folder is None:
        raise _not_installed(version, "")
    return in_cache(version, folder)


def _not_installed(version: str, where: str) -> CannotTell:
    """Return that a version is not there, with the command that installs it. where: what else was looked at."""
    lock = installation.locked_version(version)
    low, high = lock.minutes
    chosen = "" if version == installation.DEFAULT else f" --version {version}"
    return CannotTell(
        f"no LangFlux to start: {where}{version} is not installed in {lock.folder.parent}",
        f"`zep-conformance install-langflux{chosen}` does that ({lock.disk:.1f} GB, {low} to {high} minutes), and so "
        "does a run with --install-langflux; --langflux-command names another, --langflux-url one that runs.",
        code="langflux-not-installed",
    )


def in_cache(version: str, folder: Path) -> LangFluxProgram:
    """Return how an installed version is started. Raises CannotTell without a Node.js that it runs on."""
    command = installation.command(version, folder)
    return LangFluxProgram(tuple(command), command[1])


def install(settings: Settings, say: Say) -> LangFluxProgram:
    """Install the version that is wanted, telling `say` how it goes. Raises CannotTell where it can't be."""
    version = settings.langflux_version or installation.DEFAULT
    lock = installation.locked_version(version)
    say(f"installing LangFlux {version} into {lock.folder}: {lock.disk:.1f} GB, {lock.minutes[0]} minutes or more")
    shown: set[tuple[str, int]] = set()

    def on_progress(progress: installation.Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        at = (progress.stage, int(share / _SAID_EVERY))
        if at not in shown:
            shown.add(at)
            say(f"LangFlux: {progress.stage}{f', {share:.0%}' if progress.total else ''}")

    return in_cache(version, installation.install(version, on_progress))


def program(found: LangFluxProgram, state: Path, versions: Mapping[str, LangFluxProgram] | None = None) -> Program:
    """LangFlux with all its state in a folder of its own below `state`. versions: others, by what they are called."""
    folder = surroundings.subfolder(state, "langflux")
    own = installation.environment(folder, 0)
    return Program(
        name="langflux",
        command=found.command,
        folder=folder,
        log=state / "langflux.log",
        environment={**surroundings.variables(), **own, "PORT": "{langflux.port}"},
        health=HEALTH,
        versions={version: one.command for version, one in (versions or {}).items()},
        limit=START_LIMIT,
    )


def _commanded(text: str) -> LangFluxProgram:
    """Return what --langflux-command says. Raises CannotTell where it can't be run."""
    unusable = partial(CannotTell, code="langflux-command-unusable")
    advice = 'It is a command line, as --langflux-command "npx flowise start".'
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise unusable(f"--langflux-command can't be read: {error}", advice) from None
    if not words:
        raise unusable("--langflux-command is empty", advice)
    path = shutil.which(words[0])
    if path is None:
        kind = "may not be run" if Path(words[0]).exists() else "is no program on the PATH"
        help_ = f"chmod +x {shlex.quote(words[0])}" if Path(words[0]).exists() else advice
        raise unusable(f"--langflux-command: {words[0]} {kind}", help_)
    _check_node_of(Path(path))
    return LangFluxProgram((str(Path(path).absolute()), *words[1:]), path)


def _check_node_of(path: Path) -> None:
    """Check that there is a Node.js for a script that wants one, and a fitting one where its needs are known."""
    with path.open("rb") as file:
        first = file.readline(200)
    if not (first.startswith(b"#!") and b"node" in first):
        return
    version = _version_beside(path.resolve())
    if version in installation.versions():
        installation.check_node(installation.locked_version(version))
    elif shutil.which("node") is None:
        raise CannotTell(f"{path} wants Node.js, and no node is on the PATH", installation.GET_NODE, code="node-unfit")


def _version_beside(script: Path) -> str:
    """Return the version of the npm package flowise that a script belongs to, "" where it is no such."""
    for folder in script.parents[:3]:
        try:
            package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return str(package.get("version", "")) if package.get("name") == "flowise" else ""
    return ""
