"""The command `zep-conformance doctor`."""

from __future__ import annotations

import time
from typing import Any

import click
from pydantic import SecretStr

from zep_conformance.cli.options import options_of
from zep_conformance.clients.families import Account
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.report import as_json, console, exit_code, show
from zep_conformance.errors import CannotTell
from zep_conformance.settings import option, read

FIELDS = (
    "zep_url",
    "zep_token",
    "zep_auth_secret",
    "langflux_url",
    "langflux_api_key",
    "langflux_user",
    "langflux_password",
    "zep_url_from_langflux",
    "model_url",
    "message_window",
)
"""The settings of a run that the doctor takes too."""
_HELP = """Say why a Zep, or a LangFlux with it, does not work: layer by layer, each fault with its cause and what
to do about it.

Reads only, and nothing of anybody's: with --write it also makes a session and a chatflow of its own, and removes
them. Exit code 0: fit, 1: a fault was found, 2: could not tell.
"""


def _options() -> list[click.Parameter]:
    made = options_of(FIELDS)
    made.append(click.Option(["--write"], is_flag=True, help="also write, to throw-away names that are removed"))
    made.append(click.Option(["--json", "as_machine"], is_flag=True, help="for machines"))
    return made


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, 1 or 2."""
    command = click.Command("doctor", params=_options(), callback=lambda **given: given, help=_HELP)
    try:
        given = command.main(arguments, prog_name="zep-conformance doctor", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    if not isinstance(given, dict):
        return 0  # --help was asked for
    try:
        return _examine(**given)
    except CannotTell as error:
        click.secho(str(error), fg="red", err=True)
        return 2


def _examine(write: bool, as_machine: bool, **options: Any) -> int:
    settings = read(options)
    values: dict[str, Any] = {name: _plain(getattr(settings, name)) for name in FIELDS}
    if not values["zep_url"] and not values["langflux_url"] and not values["model_url"]:
        raise CannotTell(
            "nothing to examine: no --zep-url and no --langflux-url",
            "Give them, or set $ZEP_URL and $LANGFLUX_URL.",
        )
    began = time.monotonic()
    findings = diagnose(
        values["zep_url"],
        values["zep_token"],
        values["zep_auth_secret"],
        values["langflux_url"],
        values["langflux_api_key"],
        values["zep_url_from_langflux"],
        values["model_url"],
        account=Account.given(values["langflux_user"], values["langflux_password"]),
        write=write,
        window=values["message_window"],
    )
    seconds = time.monotonic() - began
    if as_machine:
        click.echo(as_json(findings, seconds))
    else:
        show(console(), findings, seconds)
        for part, url in (("zep", "zep_url"), ("langflux", "langflux_url")):
            if not values[url]:
                click.echo(f"{part} was not looked at: no {option(url)}")
    return exit_code(findings)


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
