"""What commands have in common: options that are settings of a run, and how a file is written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.settings import SETTINGS
from zep_conformance.settings.sources import read_settings

SERVERS = (
    *("zep_url", "zep_token", "zep_auth_secret", "langflux_url", "langflux_api_key"),
    *("zep_url_from_langflux", "model_url"),
)
"""The settings that say where servers are, and let one in."""


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
            how: dict[str, Any] = {"is_flag": True, "default": None} if setting.is_flag else {"metavar": "TEXT"}
            called = click.option(setting.option, name, help=help_text, **how)(called)
        return called

    return decorated


def refuse_existing(path: Path) -> None:
    """Check that there is no such file yet. Raises CannotTell where there is."""
    if path.exists() or path.is_symlink():
        advice = "Give --force to overwrite it, or another name."
        raise CannotTell(f"{path} is there already", advice, code="file-exists")


def write(path: Path, content: str | bytes, *, force: bool, mode: int = 0o666) -> None:
    """Write a file, all of it or none. force: overwrite it. mode: as of `os.open`.

    Raises CannotTell when it can't be written, or is there already.
    """
    if not force:
        refuse_existing(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            if force:
                draft.replace(path)
            else:
                os.link(draft, path)  # unlike a rename this overwrites nothing that came in between
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        if isinstance(error, FileExistsError):
            refuse_existing(path)
        advice = "Give a folder that is there and that you may write to."
        raise CannotTell(f"can't write {path}: {error.strerror}", advice, code="file-unwritable") from error
