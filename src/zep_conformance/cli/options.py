"""Settings as options of a command that takes some of them."""

from __future__ import annotations

from collections.abc import Iterable

import click

from zep_conformance.settings import Settings, option


def options_of(fields: Iterable[str]) -> list[click.Parameter]:
    """An option for each of these fields of `Settings`, its variable named in its help."""
    made: list[click.Parameter] = []
    for name in fields:
        field = Settings.model_fields[name]
        help_text = f"{field.description}  [${field.validation_alias}]"
        made.append(click.Option([option(name), name], help=help_text, metavar="TEXT"))
    return made
