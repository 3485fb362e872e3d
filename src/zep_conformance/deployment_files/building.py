"""What an application has from the Dockerfile that it is built by: its image, files, variables."""

from __future__ import annotations

import os
from collections.abc import Mapping

from zep_conformance.deployment_files.dockerfile import read_dockerfile
from zep_conformance.deployment_files.model import Application, Image, Mount, Value, role_of
from zep_conformance.deployment_files.sources import Sources

_LOOKED_AT = ("/etc/", "/usr/local/", "/docker-entrypoint-initdb.d")
"""Folders in images in which the configuration of a proxy and scripts of a database are looked for."""


def build(
    made: Application, sources: Sources, *, name: str, source: str | None, context: str, arguments: Mapping[str, str]
) -> None:
    """Give an application what its Dockerfile says. source: what that holds; None to read it by its name.

    context: the folder that it copies from. arguments: of the build. An image is one that it is known what it is.
    """
    source = sources.text(name) if source is None else source
    if source is None:
        return
    recipe = read_dockerfile(name, source, arguments)
    based = Image.of(recipe.base) if recipe.base else None
    made.base = recipe.base
    if based is not None and role_of("", based):
        made.image, made.image_place = based, recipe.base_place
    for one, inside, place in recipe.copied:
        path = os.path.normpath(os.path.join(context, one))
        text = None if sources.is_folder(path) else sources.text(path)
        if sources.is_folder(path) and inside.startswith(_LOOKED_AT):
            text = "\n".join(filter(None, map(sources.text, sources.within(path))))
        made.mounts.append(Mount(inside, False, place, source=path, text=text))
    for key, (value, place) in recipe.variables.items():
        made.variables.setdefault(key, Value(place=place, text=value, written=value))
