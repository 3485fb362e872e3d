"""Targets: how the parts of a deployment come to be.

A target is named on the command line and starts, offers and stops the parts::

    --target embedded                                   all parts of our own, on this machine, in a second
    --target processes                                  real programs on this machine, the real LangFlux first
    --target containers                                 a deployment as documented, each part a container
    --target remote --zep-url https://zep.example.com   parts that run already; nothing is started
    --target compose:../zep                             a Compose project of your own, a second time, and down again
    --target embedded --zep-url https://…               that Zep, with the embedded LangFlux in front of it
    --target auto                                       the default: what this machine can do

    name, why = resolved(settings, os.environ)
    target = choose(settings, name)
    target.start()                          # begins, does not wait
    deployment = target.deployment(print)   # waits until it is usable, or raises CannotTell
    …
    target.stop()

A target is a folder NAME here with a module `target`, in which a class is a `base.Target` whose name is NAME. It is
imported when it is chosen: the Docker libraries take half a second, and nobody else has to read YAML.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings
from zep_conformance.targets.base import AFTER, BEFORE, Control, Deployment, LangFluxServer, Target, ZepServer

__all__ = [
    "AFTER", "BEFORE", "Control", "Deployment", "LangFluxServer", "Target", "ZepServer", "choose", "named", "names",
    "resolved",
]  # fmt: skip


def names() -> list[str]:
    """Return the names of all targets."""
    return sorted(found.parent.name for found in Path(__file__).parent.glob("*/target.py"))


def named(name: str) -> type[Target]:
    """Return the target of a name, which is one of `names`."""
    module = importlib.import_module(f"{__name__}.{name}.target")
    found = (one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Target))
    return next(one for one in found if getattr(one, "name", None) == name)


def choose(settings: Settings, name: str) -> Target:
    """Return a target that is not started yet. name: as `--target` takes it, but for "auto" (see `resolved`).

    Raises CannotTell for a name that is none, and for deployment files that can't be read.
    """
    kind, colon, _ = name.partition(":")
    if kind not in names() or (colon and not named(kind).takes_path):
        known = ", ".join(f"{one}:PATH" if named(one).takes_path else one for one in names())
        raise CannotTell(f"no target {name!r}", f"There are: auto, {known}.", code="target-unknown")
    missing_files(settings, own=True)  # complains of files that can't be read, before anything is started
    return named(kind)(settings)


def resolved(settings: Settings, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of the target that the settings name, and why, where it is what `auto` stands for here.

    Raises CannotTell for `auto` where $CI is set: a gate must name what it tested.
    """
    if settings.target != "auto":
        return settings.target, ""
    if environment.get("CI", "").lower() not in ("", "0", "false"):
        what = "no target named, and $CI is set: a gate must name what it tests"
        advice = "Give --target remote with --zep-url, or --target embedded to test the suite itself."
        raise CannotTell(what, advice, code="target-unnamed")
    # With a Zep or a LangFlux given and no target named, those are what somebody wants tested.
    if settings.zep_url or settings.langflux_url:
        return "remote", "auto: remote, since a URL is given"
    from zep_conformance.targets.containers import obstacle

    why_not = obstacle(settings)
    if why_not:
        return "embedded", f"auto: embedded, and not containers: {why_not}"
    return "containers", "auto: containers, since a Docker engine answers and has the images or can pull them"
