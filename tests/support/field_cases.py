"""Small deployments made after those of other people, and what they must be found to be (tests/data/field_cases)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "field_cases"


@dataclass(frozen=True)
class FieldCase:
    """One of them, as expected.toml has it."""

    name: str
    about: str
    by: str
    paths: tuple[str, ...] = ("",)
    found: tuple[tuple[str | int, ...], ...] = ()
    said: str = ""

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return FOLDER / self.name

    @property
    def given(self) -> list[Path]:
        """What `check-files` is given."""
        return [self.folder / path for path in self.paths]


def field_cases(by: str = "") -> list[FieldCase]:
    """Return those that a command is tried on, or all."""
    entries = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))["case"]
    made = [
        FieldCase(
            **{
                name: tuple(tuple(one) if isinstance(one, list) else one for one in value)
                if isinstance(value, list)
                else value
                for name, value in entry.items()
            }
        )
        for entry in entries
    ]
    return [one for one in made if by in ("", one.by)]
