"""Removing what is ours from an engine: at the end of a run, and what an earlier one left when it was killed."""

from __future__ import annotations

from zep_conformance.targets.compose import commands
from zep_conformance.targets.compose.engine import PROJECT_LABEL, Engine
from zep_conformance.targets.owners import LABEL, is_gone

PREFIX = "zc-"
"""What the name of a project of ours begins with."""
_KINDS = ("container", "network", "volume", "image")
"""In the order in which they can be removed."""
_REMOVE = {
    "container": ["rm", "--force", "--volumes"],
    "network": ["network", "rm"],
    "volume": ["volume", "rm", "--force"],
    "image": ["image", "rm", "--force"],
}


def of_project(engine: Engine, project: str) -> list[str]:
    """Remove all that Compose has made for a project, except what it did not make. Returns what is still there."""
    return _remove(engine, f"label={PROJECT_LABEL}={project}")


def of_gone_runs(engine: Engine) -> list[str]:
    """Remove what runs that no longer live have left. Returns the owners of what was removed."""
    owners = {owner for kind in _KINDS for owner in _owners(engine, kind)}
    gone = sorted(owner for owner in owners if is_gone(owner))
    for owner in gone:
        _remove(engine, f"label={LABEL}={owner}")
    return gone


def _remove(engine: Engine, filtered: str) -> list[str]:
    left = []
    for kind in _KINDS:
        found = _listed(engine, kind, filtered)
        if not found:
            continue
        try:
            engine.ask(*_REMOVE[kind], *found)
        except commands.Failed as error:
            # Another run may be removing the same things.
            still = _listed(engine, kind, filtered)
            left += [f"{kind} {one} ({str(error).splitlines()[-1]})" for one in still]
    return left


def _listed(engine: Engine, kind: str, filtered: str) -> list[str]:
    everything = {"container": ["--all"], "image": ["--all"]}.get(kind, [])
    found = engine.ask(kind, "ls", *everything, "--quiet", "--filter", filtered).split()
    return list(dict.fromkeys(found))


def _owners(engine: Engine, kind: str) -> list[str]:
    """The owners of all things of a kind that have one."""
    ids = _listed(engine, kind, f"label={LABEL}")
    if not ids:
        return []
    path = ".Config.Labels" if kind in ("container", "image") else ".Labels"
    try:
        return engine.ask(kind, "inspect", "--format", f'{{{{index {path} "{LABEL}"}}}}', *ids).split()
    except commands.Failed:
        return []  # some went away meanwhile: they were somebody's who lives
