"""Removing what is ours from an engine: at the end of a run, and what an earlier one left when it was killed.

Both find it by its labels, which every container, network, volume and built image of ours has. Compose's own `down`
would leave volumes without a name behind: once a container is made again it no longer counts them as that container's.
"""

from __future__ import annotations

import re

from zep_conformance.targets.compose import commands
from zep_conformance.targets.compose.engine import PROJECT_LABEL, Engine
from zep_conformance.targets.containers.ownership import OWNER, Owner

LABEL = "org.zep-conformance.compose"
"""The label on all that is ours: the process that made it, as `ownership.Owner` writes it. Not `ownership.OWNER`, since
the target `containers` leaves things with that behind on purpose (`--keep`)."""
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
_NAMELESS = re.compile(r"[0-9a-f]{64}")
"""The name of a volume that nobody has named."""


def of_project(engine: Engine, project: str, owner: str) -> list[str]:
    """Remove all that was made for a project of this process. Returns what is still there, and why."""
    compose = f"label={PROJECT_LABEL}={project}"
    return _remove(engine, {**dict.fromkeys(_KINDS, compose), "image": f"label={LABEL}={owner}"})


def of_gone_runs(engine: Engine) -> list[str]:
    """Remove what runs that no longer live have left. Returns the owners of what was removed."""
    owners = {owner for kind in _KINDS for owner in _owners(engine, kind)}
    gone = sorted(text for text in owners if (process := Owner.on({OWNER: text})) is not None and process.is_gone())
    for owner in gone:
        _remove(engine, dict.fromkeys(_KINDS, f"label={LABEL}={owner}"))
    return gone


def _remove(engine: Engine, filters: dict[str, str]) -> list[str]:
    left: list[str] = []
    nameless = _nameless(engine, _listed(engine, "container", filters["container"]))
    for kind in _KINDS:
        found = _listed(engine, kind, filters[kind]) + (nameless if kind == "volume" else [])
        if not found:
            continue
        try:
            engine.ask(*_REMOVE[kind], *found)
        except commands.Failed as error:
            # Another run may be removing the same things: only what is still there counts.
            why = str(error).splitlines()[-1]
            left += [f"{kind} {one} ({why})" for one in _listed(engine, kind, filters[kind])]
    return left


def _nameless(engine: Engine, containers: list[str]) -> list[str]:
    """The volumes without a name that containers have."""
    if not containers:
        return []
    mounted = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    try:
        names = engine.ask("container", "inspect", "--format", mounted, *containers).split()
    except commands.Failed:
        return []  # somebody else is removing them
    return sorted({name for name in names if _NAMELESS.fullmatch(name)})


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
        return engine.ask(kind, "inspect", "--format", f'{{{{index {path} "{LABEL}"}}}}', *ids).splitlines()
    except commands.Failed:
        return []  # some went away meanwhile: they were somebody's who lives
