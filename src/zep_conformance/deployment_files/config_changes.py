"""What changes between the config.yaml of one Zep and that of another: named before an upgrade is done.

for line in changes(yaml_text_before, yaml_text_after):
    print(line)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from zep_conformance.errors import CannotTell
from zep_conformance.facts.zep_settings import BOUND, KEYS

_HIDDEN = ("store.postgres.dsn", *BOUND)
"""The keys whose values are nobody's business."""
_WIDTHS = {
    "extractors.messages.embeddings": "old messages lose their embeddings, and no search finds them any more",
    "extractors.messages.summarizer.embeddings": "old summaries lose theirs, and no search finds them any more",
    "extractors.documents.embeddings": "documents lose theirs, and no search finds them any more",
}
"""What becomes of a column of embeddings when its width is another: Zep drops it at its start, and makes it anew."""


def changes(before: str | None, after: str | None) -> list[str]:
    """Return what differs, a line each; the gravest first. before, after: the YAML of each, None where there is none.

    Raises CannotTell for what is no YAML.
    """
    if after is None:
        return [
            "the Zep to upgrade to brings no config.yaml: where none is mounted at /app/config.yaml it ends with "
            "“store.type must be set”, whatever variables it is given"
        ] + (["the one before brings one"] if before is not None else [])
    if before is None:
        return ["the Zep before brings no config.yaml, and the one to upgrade to does: one that is mounted hides it"]
    old, new = flattened(before), flattened(after)
    return [*_widths(old, new), *_others(old, new)]


def between_files(before: Path, after: Path) -> list[str]:
    """Return what differs between two files, see `changes`. Raises CannotTell for one that can't be read."""

    def text(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            what = f"can't read {path}: {why}"
            raise CannotTell(what, "Name the config.yaml of each Zep.", code="file-unreadable") from None

    return changes(text(before), text(after))


def flattened(text: str) -> dict[str, Any]:
    """Return the values of a config.yaml by their dotted keys, in small letters. Raises CannotTell."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        what = f"a config.yaml is no YAML: {str(error).splitlines()[0]}"
        raise CannotTell(what, "Give the file that Zep reads at /app/config.yaml.", code="file-unreadable") from None

    def each(value: Any, at: str) -> Iterator[tuple[str, Any]]:
        if not isinstance(value, Mapping):
            yield at, value
            return
        for name, below in value.items():
            yield from each(below, f"{at}.{name}".strip(".").lower())

    return dict(each(found or {}, ""))


def _widths(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key, consequence in _WIDTHS.items():
        width, other = (one.get(f"{key}.dimensions") for one in (old, new))
        if width != other and width is not None and other is not None:
            yield f"{key}.dimensions is {other}, and was {width}: Zep makes that column anew; {consequence}"


def _others(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*old, *new}):
        if (key.endswith(".dimensions") and old.get(key) and new.get(key)) or _is_table(key, old, new):
            continue
        unknown = "" if key in KEYS else " (Zep 0.27.2 does not look at it)"
        if key not in new:
            yield f"{key} is no longer there; it was {_shown(key, old[key])}{unknown}"
        elif key not in old:
            yield f"{key} is new: {_shown(key, new[key])}{unknown}"
        elif old[key] != new[key]:
            yield f"{key} is {_shown(key, new[key])}, and was {_shown(key, old[key])}{unknown}"


def _is_table(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether a key is but an empty table in one, with keys of its own in the other."""
    values, others = (old, new) if key in old else (new, old)
    return values[key] is None and any(other.startswith(f"{key}.") for other in others)


def _shown(key: str, value: Any) -> str:
    if key in _HIDDEN:
        return "something that is not shown"
    return "empty" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)
