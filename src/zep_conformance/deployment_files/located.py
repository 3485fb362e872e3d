"""YAML and TOML that remember their lines, with every scalar as the text that it is written as.

Texts, since that is what an environment variable becomes in the end: `false` is "false", `8000` is "8000", and YAML
1.1's own ideas (3000:22 is a number in base 60) stay out of it. Nothing at all (`key:`) is None.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from zep_conformance.errors import CannotTell

_MERGE, _NULL, _RESET = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:null", "!reset"
OVERRIDE = "!override"
"""The tag of what replaces a value of the file that it changes, and is not merged with it."""


@dataclass(frozen=True)
class Place:
    """Where something stands: a file, and a line of it from 1 on (0 where no line says it)."""

    file: str
    line: int = 0


NOWHERE = Place("")
"""Where it is not said."""


class Table(dict[str, Any]):
    """A mapping. place: where it begins; places: where each of its keys is. tag: YAML's own of it, as !override."""

    def __init__(self, place: Place | None = None) -> None:
        super().__init__()
        self.place = place or Place("")
        self.places: dict[str, Place] = {}
        self.tag = ""

    def put(self, key: str, value: Any, place: Place) -> None:
        """Set a key that stands there."""
        self[key] = value
        self.places[key] = place

    def place_of(self, key: str) -> Place:
        """Return the place of a key; that of the mapping where there is no such key."""
        return self.places.get(key, self.place)

    @property
    def line(self) -> int:
        """The line where it begins."""
        return self.place.line

    def line_of(self, key: str) -> int:
        """Return the line of a key; that of the mapping where there is no such key."""
        return self.place_of(key).line


class Items(list[Any]):
    """A sequence. place: where it begins; places: where each of its items is. tag: YAML's own of it, as !override."""

    def __init__(self, place: Place | None = None) -> None:
        super().__init__()
        self.place = place or Place("")
        self.places: list[Place] = []
        self.tag = ""

    def put(self, value: Any, place: Place) -> None:
        """Append an item that stands there."""
        self.append(value)
        self.places.append(place)


class Reset:
    """What stands for a value that is taken away from what a file changes: YAML's !reset."""


def table(value: Any) -> Table:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, Table) else Table()


def items(value: Any) -> Items:
    """`value` if it is a sequence; a sequence of it alone if it is something else; empty for nothing."""
    if isinstance(value, Items):
        return value
    alone = Items()
    if value is not None:
        alone.put(value, value.place if isinstance(value, Table) else Place(""))
    return alone


def text(value: Any) -> str:
    """`value` if it is a scalar, else ""."""
    return value if isinstance(value, str) else ""


def tables(value: Any) -> list[Table]:
    """Return the mappings in a sequence; a mapping counts as a sequence of it alone."""
    return [one for one in items(value) if isinstance(one, Table)]


def read_yaml(name: str, source: str) -> Any:
    """Return what a YAML file holds. name: of the file, for complaints.

    Raises CannotTell, with line and column, when it does not parse or has a key twice.
    """
    with _reading(name):
        node = yaml.compose(source, Loader=yaml.SafeLoader)
        return None if node is None else _Builder(name).build(node)


def read_documents(name: str, source: str) -> list[Any]:
    """Return what each of the documents of a YAML file holds, those that are empty left out.

    Raises CannotTell, as `read_yaml` does.
    """
    with _reading(name):
        nodes = list(yaml.compose_all(source, Loader=yaml.SafeLoader))
        found = [_Builder(name).build(node) for node in nodes if node is not None]
        return [one for one in found if one is not None]


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """Read YAML inside. Raises CannotTell, with line and column, when it does not parse."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise _unreadable(name, "YAML", where, error.problem or error.context or "it is broken") from None
    except yaml.YAMLError as error:
        where = f"character {error.position + 1}" if isinstance(error, yaml.reader.ReaderError) else "somewhere"
        raise _unreadable(name, "YAML", where, getattr(error, "reason", None) or "it is broken") from None
    except RecursionError:
        raise _unreadable(name, "YAML", "somewhere", "it is nested too deeply") from None


class _Builder:
    """Makes values of YAML nodes. A node that is referred to again (an alias) becomes the same value again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: dict[int, Any] = {}

    def build(self, node: yaml.Node) -> Any:
        """Return the value of a node. Raises CannotTell for a key that is there twice."""
        if id(node) in self._made:
            return self._made[id(node)]
        value: Any
        if node.tag == _RESET:
            self._made[id(node)] = value = Reset()
        elif isinstance(node, yaml.ScalarNode):
            self._made[id(node)] = value = None if node.tag == _NULL else str(node.value)
        elif isinstance(node, yaml.SequenceNode):
            self._made[id(node)] = value = Items(self._place(node))
            value.tag = node.tag
            for item in node.value:
                value.put(self.build(item), self._place(item))
        else:
            self._made[id(node)] = value = Table(self._place(node))
            value.tag = node.tag
            self._fill(value, node)
        return value

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._name, node.start_mark.line + 1)

    def _fill(self, value: Table, node: yaml.Node) -> None:
        merged: list[Table] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += tables(self.build(value_node))
                continue
            mark = key_node.start_mark
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                where = f"line {mark.line + 1}, column {mark.column + 1}"
                raise _unreadable(self._name, "YAML", where, "a mapping or a list is used as a key")
            if key in value:
                where = f"line {mark.line + 1}, column {mark.column + 1}"
                raise _unreadable(self._name, "YAML", where, "this key is there twice")
            value.put(key, self.build(value_node), self._place(key_node))
        for other in merged:  # what stands here itself goes before what is merged in, and the first before the next
            for key in list(other):
                if key not in value:
                    value.put(key, other[key], other.place_of(key))


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_NAME = re.compile(r"[\w-]+|\"([^\"]*)\"|'([^']*)'")

_Path = tuple[str | int, ...]


def read_toml(name: str, source: str) -> Table:
    """Return what a TOML file holds. Raises CannotTell, with line and column, when it does not parse."""
    try:
        found = tomllib.loads(source)
        made = _located(found, (), _lines(source), Place(name, 1))
    except tomllib.TOMLDecodeError as error:
        match = re.fullmatch(r"(.*?)\s*\(at (line \d+, column \d+|end of document)\)", str(error), re.DOTALL)
        problem, where = (match[1], match[2]) if match else (str(error), "somewhere")
        raise _unreadable(name, "TOML", where, problem) from None
    except RecursionError:
        raise _unreadable(name, "TOML", "somewhere", "it is nested too deeply") from None
    assert isinstance(made, Table)
    return made


def _lines(source: str) -> dict[_Path, int]:
    """Return the line of each key and table, by its path: tomllib keeps none. Within a long text it may err."""
    found: dict[_Path, int] = {}
    counts: dict[_Path, int] = {}
    at: _Path = ()
    for number, line in enumerate(source.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            at = _inside(_names(header[2]), counts)
            if header[1] == "[[":
                counts[at] = counts.get(at, -1) + 1
                at = (*at, counts[at])
            found.setdefault(at, number)
            continue
        key = _KEY.match(line)
        if key is not None:
            found.setdefault((*at, *_names(key[1])), number)
    return found


def _names(dotted: str) -> list[str]:
    return [found[1] or found[2] or found[0] for found in _NAME.finditer(dotted)]


def _inside(names: list[str], counts: dict[_Path, int]) -> _Path:
    """Return the path of a table: within an array of tables, that of its newest."""
    path: _Path = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return (*path, *names[-1:])


def _located(value: Any, path: _Path, lines: dict[_Path, int], above: Place) -> Any:
    """Return a value with its places. above: that of what it stands in, where no line says it."""

    def at(path: _Path, otherwise: Place) -> Place:
        return Place(above.file, lines[path]) if path in lines else otherwise

    place = at(path, above)
    if isinstance(value, dict):
        made = Table(place)
        for key, member in value.items():
            made.put(key, _located(member, (*path, key), lines, place), at((*path, key), place))
        return made
    if isinstance(value, list):
        listed = Items(place)
        for number, member in enumerate(value):
            listed.put(_located(member, (*path, number), lines, place), at((*path, number), place))
        return listed
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unreadable(name: str, language: str, where: str, problem: str) -> CannotTell:
    problem = re.sub(r"'[^']{3,}'|\"[^\"]{3,}\"", "…", problem)  # what is quoted may be somebody's password
    return CannotTell(
        f"{name} is no {language}, at {where}: {problem}",
        "Mend it there: nothing of it can be read.",
        code="files-malformed",
    )
