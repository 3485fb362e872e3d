"""Targets: how the parts of a deployment come to be.

A target is named on the command line and starts, offers and stops the parts::

    --target embedded                                   all parts of our own, on this machine, in a second
    --target processes                                  real programs on this machine, the real LangFlux first
    --target containers                                 a deployment as documented, each part a container
    --target remote --zep-url https://zep.example.com   parts that run already; nothing is started
    --target compose:../zep                             a Compose project of your own, a second time, and down again
    --target embedded --zep-url https://…               that Zep, with the embedded LangFlux in front of it
    --target auto                                       the default: what this machine can do

    target = choose(settings, os.environ)
    target.start()                          # begins, does not wait
    deployment = target.deployment(print)   # waits until it is usable, or raises CannotTell
    …
    target.stop()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.errors import CannotTell
from zep_conformance.settings import CAPABILITIES, Settings
from zep_conformance.targets.base import Control, Deployment, LangFluxServer, Target, ZepServer
from zep_conformance.targets.embedded import EmbeddedTarget
from zep_conformance.targets.processes import ProcessesTarget
from zep_conformance.targets.remote import RemoteTarget


def _containers(settings: Settings) -> Target:
    # The Docker libraries take half a second to import: only who wants containers waits for them.
    from zep_conformance.targets.containers.target import ContainersTarget

    return ContainersTarget(settings)


def _compose(settings: Settings) -> Target:
    # It reads YAML, which nobody else has to import.
    from zep_conformance.targets.compose import ComposeTarget

    return ComposeTarget(settings)


TARGETS: dict[str, Callable[[Settings], Target]] = {
    "containers": _containers,
    "compose": _compose,
    "embedded": EmbeddedTarget,
    "processes": ProcessesTarget,
    "remote": RemoteTarget,
}

_ALL = frozenset(CAPABILITIES)
OFFERS: dict[str, frozenset[str]] = {
    "containers": _ALL,
    "compose": _ALL - {"ui", "network"},
    "processes": _ALL,
    "embedded": _ALL - {"ui"},
    "remote": _ALL - {"control", "network"},
}
"""What each target can offer at most. Whether it does is seen at its start."""

__all__ = [
    "OFFERS",
    "TARGETS",
    "Control",
    "Deployment",
    "LangFluxServer",
    "Target",
    "ZepServer",
    "choose",
    "resolved",
]


def choose(settings: Settings, environment: Mapping[str, str]) -> Target:
    """The target that the settings name.

    Raises CannotTell for a name that is none, for deployment files that can't be read, and what `resolved` does.
    """
    name, _ = resolved(settings, environment)
    kind, colon, _ = name.partition(":")
    if kind not in TARGETS or (colon and kind != "compose"):
        known = ", ".join(f"{one}:PATH" if one == "compose" else one for one in TARGETS)
        raise CannotTell(f"no target {name!r}", f"There are: auto, {known}.")
    missing_files(settings, own=True)  # complains of files that can't be read, before anything is started
    return TARGETS[kind](settings)


def resolved(settings: Settings, environment: Mapping[str, str]) -> tuple[str, str]:
    """The target's name, what `auto` stands for here, and then why.

    Raises CannotTell for `auto` where $CI is set: a gate must name what it tested.
    """
    if settings.target != "auto":
        return settings.target, ""
    if environment.get("CI", "").lower() not in ("", "0", "false"):
        raise CannotTell(
            "no target named, and $CI is set: a gate must name what it tests",
            "Give --target remote with --zep-url, or --target embedded to test the suite itself.",
        )
    # With a Zep or a LangFlux given and no target named, those are what somebody wants tested.
    if settings.zep_url or settings.langflux_url:
        return "remote", "auto: remote, since a URL is given"
    from zep_conformance.targets.containers.choice import obstacle

    why_not = obstacle(settings)
    if why_not:
        return "embedded", f"auto: embedded, and not containers: {why_not}"
    return "containers", "auto: containers, since a Docker engine answers and has the images or can pull them"
