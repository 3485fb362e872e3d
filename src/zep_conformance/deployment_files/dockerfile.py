"""What a Dockerfile says of the image that it makes: what it is made from, and what is copied into it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zep_conformance.deployment_files.interpolation import Interpolation
from zep_conformance.deployment_files.located import NOWHERE, Place

_INSTRUCTION = re.compile(r"(?i)^\s*(FROM|ARG|COPY|ADD|ENV|WORKDIR|CMD|ENTRYPOINT)\s+(.*)$")


@dataclass
class Recipe:
    """What one makes. base: the image that its last stage is made from, with where that is said.

    copied: from a file or folder beside it, to where in the image, with where that is said. variables: of ENV.
    """

    base: str = ""
    base_place: Place = NOWHERE
    copied: list[tuple[str, str, Place]] = field(default_factory=list)
    variables: dict[str, tuple[str, Place]] = field(default_factory=dict)


def read_dockerfile(name: str, source: str, arguments: Mapping[str, str]) -> Recipe:
    """Return what a Dockerfile makes. arguments: those that it is built with, beside its own defaults."""
    known = dict[str, str]()
    stages: dict[str, Recipe] = {}
    recipe, folder = Recipe(), "/"
    for instruction, rest, line in _instructions(source):
        place = Place(name, line)
        words = _words(Interpolation(known, complete=True).put_in(rest))
        if instruction == "FROM":
            named = [word for word in words if not word.startswith("--")]
            base = stages.get(named[0].lower()) if named else None
            recipe = Recipe(base=named[0] if named else "", base_place=place)
            if base is not None:
                recipe = Recipe(base.base, base.base_place, list(base.copied), dict(base.variables))
            if len(named) == 3 and named[1].lower() == "as":
                stages[named[2].lower()] = recipe
        elif instruction == "ARG":
            for word in words:
                key, _, default = word.partition("=")
                known[key] = arguments.get(key, default)
        elif instruction == "ENV":
            for key, value in _pairs(words):
                recipe.variables[key], known[key] = (value, place), value
        elif instruction == "WORKDIR" and words:
            folder = os.path.join(folder, words[0])
        elif instruction in ("COPY", "ADD") and not any(word.startswith("--from") for word in words):
            named = [word for word in words if not word.startswith("--")]
            for one in named[:-1]:
                target = os.path.join(folder, named[-1])
                is_folder = named[-1].endswith(("/", ".")) or len(named) > 2
                inside = os.path.join(target, os.path.basename(one)) if is_folder else target
                recipe.copied.append((one, os.path.normpath(inside), place))
    return recipe


def _instructions(source: str) -> Iterator[tuple[str, str, int]]:
    """Yield instructions, what follows them, and their lines; those that go on behind a backslash are one."""
    text, begun = "", 0
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("#") or not (text or line.strip()):
            continue
        begun = begun if text else number
        text += line.rstrip().removesuffix("\\") + " "
        if line.rstrip().endswith("\\"):
            continue
        found = _INSTRUCTION.match(text)
        if found is not None:
            yield found[1].upper(), found[2].strip(), begun
        text = ""


def _words(rest: str) -> list[str]:
    """Return the words of an instruction: a list in brackets, or as a shell would part them."""
    try:
        return shlex.split(re.sub(r"[\[\],]", " ", rest) if rest.startswith("[") else rest)
    except ValueError:
        return rest.split()


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    if words and "=" not in words[0]:
        yield words[0], " ".join(words[1:])
        return
    for word in words:
        key, sign, value = word.partition("=")
        if sign:
            yield key, value
