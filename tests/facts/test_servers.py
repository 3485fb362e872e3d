"""Versions and ports stand in `facts/servers.py` alone: everything else has them from there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import zep_conformance
from zep_conformance.facts import servers

SOURCES = Path(zep_conformance.__file__).parent
EXCUSED = {
    "facts/servers.py": "it is where they stand",
    "clients/page/mutations.py": "Flowise's own default for a Base URL, whatever Zep's port here",
    "deployment_files/fly.py": "8080 is Fly.io's own default port, and no part's",
    "embedded/model.py": "3000 is a length, and no port",
}
"""Files that may write one, and why."""
PINNED = {
    servers.ZEP_VERSION,
    servers.LANGFLUX_VERSION,
    servers.NEWEST_LANGFLUX,
    *(image.rpartition(":")[2] for image in servers.IMAGES.values()),
}
_VERSION = re.compile("|".join(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)" for version in sorted(PINNED)))
_PORT = re.compile(rf"(?<![\d.]){'(?:' + '|'.join(map(str, servers.PORTS.values())) + ')'}(?!\d)")


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every constant of a module that is no docstring and no part of a sentence."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in prose and isinstance(node.value, str | int):
            yield node.lineno, str(node.value)


def is_fact(text: str) -> bool:
    """Return whether a constant states a version or a port: by itself, or in what a machine reads."""
    if _VERSION.fullmatch(text) or _PORT.fullmatch(text):
        return True
    return bool(re.search(rf"[:v]{_VERSION.pattern}|:{_PORT.pattern}", text)) and not text.count(" ") > 2


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_module_writes_a_version_or_a_port_of_its_own(path: Path) -> None:
    name = path.relative_to(SOURCES).as_posix()
    if name.startswith("_suite"):
        return
    found = [f"{name}:{line} {text!r}" for line, text in literals(path) if is_fact(text)]
    if name in EXCUSED:
        assert found, f"{name} needs no excuse any more"
    else:
        assert not found, "import it from facts/servers.py"


def test_every_excuse_is_for_a_module_that_there_is() -> None:
    assert [name for name in EXCUSED if not (SOURCES / name).is_file()] == []


def test_what_is_looked_for_would_be_found() -> None:
    for text in ("0.27.2", "v0.27.2", "5557", "http://zep-nlp:5557", "ghcr.io/getzep/zep-nlp-server:0.4.2", "8000"):
        assert is_fact(text), text
    for text in ("0.27.20", "15557", "the newest is Zep 0.27.2 of all", "80"):
        assert not is_fact(text), text
