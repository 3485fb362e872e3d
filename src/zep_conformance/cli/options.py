"""What commands have in common: options that are settings of a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.settings import SETTINGS, read_settings


def takes_settings(*fields: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command an option for each of these settings, with its variable named in its help.

    The command is called with `settings`, read as a run reads them, and its own options. What it raises is shown
    without the secrets among them.
    """

    def decorated(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def called(**options: Any) -> int:
            settings = read_settings({field: options.pop(field) for field in fields})
            try:
                return command(settings=settings, **options)
            except CannotTell as error:
                hidden = Redactor(settings.secrets())
                raise CannotTell(hidden(error.what), hidden(error.advice), code=error.code) from error

        for name in reversed(fields):
            setting = SETTINGS[name]
            help_text = f"{setting.text}  [${setting.variable}]"
            called = click.option(setting.option, name, help=help_text, metavar="TEXT")(called)
        return called

    return decorated
